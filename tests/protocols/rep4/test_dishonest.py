"""A lie in a product or a joint message is caught by its receiver, in the round of the lie.

Every row of both variants, every party as a lying sender and as a lying backup. Two products in
sequence: the receiver must not even begin the second one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.rep4 import multiply
from mpcd.protocols.rep4.jump import Jump, jump, jump_bits
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.schedule import ROWS
from mpcd.protocols.rep4.sharing import Bits4, Rep4
from mpcd.protocols.rounds import Round, Rounds
from mpcd.runtime.lockstep import Run, lockstep, outcome
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, every_message, every_vouch, flip, plus, shift
from tests.protocols.rep4.four import each, parties, reveal, share

SMALL, LARGE = 3, 64
"""The sizes at which a product uses variant A alone, and both variants."""


def cube(p: Party4, x: Rep4) -> Rounds[Rep4]:
    squared = yield from multiply.mul(p.at(0), x, x)
    return (yield from multiply.mul(p.at(1), squared, x))


def cube_bits(p: Party4, x: Rep4) -> Rounds[Bits4]:
    bits = Bits4(x.data.reshape(3, 1, -1), (64 * x.size,))
    once = yield from multiply.conj(p.at(0), bits, bits)
    return (yield from multiply.conj(p.at(1), once, bits))


def twice_inner(p: Party4, x: Rep4) -> Rounds[Rep4]:
    column = Rep4(x.data.reshape(3, -1, 1))
    once = yield from multiply.inner(p.at(0), column, column)
    return (yield from multiply.mul(p.at(1), once, x))


def handed_over(p: Party4, x: Rep4) -> Rounds[Rep4]:
    """All eight rows as joint messages, then a product of two of them."""
    jumps = [_jump(p, k) for k in range(len(ROWS))]
    shared = yield from jump(p.at(0), jumps)
    return (yield from multiply.mul(p.at(1), shared[0], shared[1]))


def handed_over_bits(p: Party4, x: Rep4) -> Rounds[Bits4]:
    jumps = [_jump(p, k) for k in range(len(ROWS))]
    shared = yield from jump_bits(p.at(0), jumps, (120,))
    return (yield from multiply.conj(p.at(1), shared[0], shared[1]))


def _jump(p: Party4, k: int) -> Jump:
    row = ROWS[k]
    value = np.full((1, 2), k, np.uint64) if p.me in (row.sender, row.backup) else None
    return Jump(row, (1, 2), value)


STEPS: list[tuple[Callable[..., Rounds[Any]], int]] = [
    (cube, SMALL),
    (cube, LARGE),
    (cube_bits, SMALL),
    (cube_bits, LARGE),
    (twice_inner, SMALL),
    (twice_inner, LARGE),
    (handed_over, SMALL),
    (handed_over_bits, SMALL),
]
CASES = pytest.mark.parametrize(("step", "n"), STEPS, ids=[f"{s.__name__}-{n}" for s, n in STEPS])


def attacked(step: Any, n: int, cheater: int, edit: Edit) -> tuple[Run[Any], dict[int, int]]:
    """Run with one cheater; also the number of rounds that each party has begun."""
    steps = each(step, share(np.arange(n)))
    steps[cheater] = cheat(steps[cheater], edit)
    begun = dict.fromkeys(range(4), 0)

    def count(number: int, rounds: Mapping[int, Round]) -> None:
        for party in rounds:
            begun[party] = number + 1

    return lockstep(steps, on_round=count), begun


def assert_caught(done: Run[Any], begun: dict[int, int], victim: int, lie: int, pair: set[int]) -> None:
    error = outcome(done, victim)
    assert isinstance(error, PeerError)
    assert error.blamed == pair
    assert begun[victim] == lie + 1, "the victim went on after a round that it could not verify"


@CASES
def test_honest_parties_all_end_well(step: Any, n: int) -> None:
    done = lockstep(each(step, share(np.arange(n))))
    assert len(done.results()) == 4
    if step is cube:
        np.testing.assert_array_equal(reveal(done.results()), np.arange(n) ** 3)


@CASES
@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_a_lying_sender_is_caught_in_that_round(step: Any, n: int, edit: Callable[..., Edit]) -> None:
    places = every_message(each(step, share(np.arange(n))))
    assert {place.sender for place in places if place.round == 0} == set(range(4))
    for place in places:
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        done, begun = attacked(step, n, place.sender, lie)
        error = outcome(done, place.receiver)
        assert isinstance(error, PeerError)
        assert place.sender in error.blamed
        assert len(error.blamed) == 1 or edit is not drop
        assert begun[place.receiver] == place.round + 1


@CASES
def test_a_lying_backup_is_caught_in_that_round(step: Any, n: int) -> None:
    for place in every_vouch(each(step, share(np.arange(n)))):
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        done, begun = attacked(step, n, place.backup, lie)
        assert_caught(done, begun, place.receiver, place.round, {place.sender, place.backup})


@CASES
def test_every_message_of_a_product_is_vouched_for(step: Any, n: int) -> None:
    """And by a party that is neither its sender nor its receiver."""
    steps = each(step, share(np.arange(n)))
    sent = {(m.round, m.sender, m.receiver, m.label) for m in every_message(steps)}
    vouched = {
        (v.round, v.sender, v.receiver, v.label): v.backup
        for v in every_vouch(each(step, share(np.arange(n))))
    }
    assert vouched.keys() == sent
    assert all(backup not in place[1:3] for place, backup in vouched.items())


def test_a_value_must_be_given_by_those_who_know_it() -> None:
    for me in (0, 1):
        with pytest.raises(UsageError, match="must know a value"):
            next(jump(parties()[me], [Jump(ROWS[0], (2,))]))
    with pytest.raises(UsageError, match="planes of 2 words"):
        next(jump_bits(parties()[3], [Jump(ROWS[0], (1, 3))], (128,)))
