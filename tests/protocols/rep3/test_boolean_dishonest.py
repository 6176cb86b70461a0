"""One lie anywhere in an AND, a comparison or a conversion: no wrong share, and the liar is among the blamed.

Failure would be: an honest party that ends with anything but its share of an honest run; a victim that
goes on after the round of the lie, except for what is found in the check of the batch; a blamed set
without the cheater.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mpcd.errors import ChannelError, PeerError
from mpcd.protocols.rep3 import compare, convert, gates
from mpcd.protocols.rep3.batch import BatchFault
from mpcd.protocols.rep3.sharing import Bits3, Rep3
from mpcd.protocols.rounds import Round, Rounds
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, every_message, every_vouch, flip, plus, shift
from tests.protocols.rep3.boolean import Step, begin
from tests.protocols.rep3.three import share, share_bits

N = 3
BATCH_ROUNDS, CHECK = 5, 3


def _steps(name: str) -> list[Rounds[Any]]:
    x, y = share(np.arange(N) - 1), share(np.arange(N)[::-1] - 1, 1)
    flags, others = share_bits(np.arange(N) % 2 == 0), share_bits(np.arange(N) > 0, 1)
    match name:
        case "conj":
            return begin(gates.conj, flags, others)
        case "to_arithmetic":
            return begin(convert.to_arithmetic, flags)
        case "range_check":
            return begin(compare.range_check, x, 0, 1)
        case "to_binary":
            return begin(convert.to_binary, x)
        case "negative":
            return begin(compare.negative, x)
        case _:
            return begin({"less_than_full": compare.less_than_full, "equal": compare.equal}[name], x, y)


CASES = ["conj", "negative", "equal", "to_arithmetic", "less_than_full", "range_check", "to_binary"]


def _attacked(name: str, cheater: int, edit: Edit) -> tuple[Run[Any], dict[int, int]]:
    """The run, and the number of rounds that each party has begun."""
    steps = _steps(name)
    steps[cheater] = cheat(steps[cheater], edit)
    begun: dict[int, int] = {}

    def count(number: int, rounds: Mapping[int, Round]) -> None:
        begun.update(dict.fromkeys(rounds, number + 1))

    return lockstep(steps, on_round=count), begun


def _assert_harmless(done: Run[Any], honest: Run[Any], cheater: int, victim: int) -> None:
    for party in set(range(3)) - {cheater}:
        output = done.outputs[party]
        if isinstance(output, (Rep3, Bits3)):
            assert party != victim
            np.testing.assert_array_equal(output.data, honest.outputs[party].data)  # type: ignore[union-attr]
            continue
        assert isinstance(output, (PeerError, ChannelError))
        if isinstance(output, PeerError):
            assert cheater in output.blamed
    assert isinstance(done.outputs[victim], PeerError)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_every_message_of_every_sender(name: str, edit: Callable[..., Edit]) -> None:
    honest = lockstep(_steps(name))
    places = every_message(_steps(name))
    # Nothing is said in the last round of a batch.
    assert {place.round for place in places} == set(range(honest.rounds)) - {BATCH_ROUNDS - 1}
    for place in places:
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        done, begun = _attacked(name, place.sender, lie)
        _assert_harmless(done, honest, place.sender, place.receiver)
        found_in = place.round
        if place.round == 0 and edit is not drop:
            # A product of random numbers: found in the check, by both others, before anything is masked.
            found_in = CHECK
            assert isinstance(done.outputs[place.receiver], BatchFault)
        assert begun[place.receiver] == found_in + 1


@pytest.mark.parametrize("name", CASES)
def test_every_tag_of_every_backup(name: str) -> None:
    honest = lockstep(_steps(name))
    for place in every_vouch(_steps(name)):
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        done, begun = _attacked(name, place.backup, lie)
        _assert_harmless(done, honest, place.backup, place.receiver)
        assert begun[place.receiver] == place.round + 1


@pytest.mark.parametrize("name", CASES)
def test_everything_that_masks_a_secret_has_a_backup(name: str) -> None:
    """Once a batch is made, every message is one of an opening, and the third party vouches for it."""
    sent = {(m.round, m.sender, m.receiver, m.label) for m in every_message(_steps(name))}
    backed = {(v.round, v.sender, v.receiver, v.label) for v in every_vouch(_steps(name))}
    assert {place for place in sent if place[0] >= BATCH_ROUNDS} == {
        p for p in backed if p[0] >= BATCH_ROUNDS
    }


@pytest.mark.parametrize("name", CASES)
def test_without_checks_a_lie_changes_the_result(name: str) -> None:
    """The control: the same lies, where nobody looks for them."""
    x = share(np.arange(N) - 1)
    flags = share_bits(np.arange(N) % 2 == 0)
    operations: dict[str, tuple[Step, tuple[Any, ...]]] = {
        "conj": (gates.conj, (flags, share_bits(np.arange(N) > 0, 1))),
        "to_arithmetic": (convert.to_arithmetic, (flags,)),
        "range_check": (compare.range_check, (x, 0, 1)),
        "to_binary": (convert.to_binary, (x,)),
        "negative": (compare.negative, (x,)),
        "equal": (compare.equal, (x, x)),
        "less_than_full": (compare.less_than_full, (x, x)),
    }
    step, args = operations[name]
    honest = lockstep(begin(step, *args, checked=False))
    last = honest.rounds - 1
    steps = begin(step, *args, checked=False)
    steps[1] = cheat(steps[1], shift(round=last))
    done = lockstep(steps)
    assert (done.results()[0].data != honest.results()[0].data).any()
