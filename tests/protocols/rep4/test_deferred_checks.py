"""The attack on deferred checks: it works on a copy of the protocol that verifies later, and not on ours.

Source  [2026/234] ePrint 2026/234. Party 2 shifts a message of one product by e. Party 1, who got it, uses it
        in the next product, and its message there differs by e * w[2] from what the backup vouches for.
        Party 2 lacks w[2] of the secret bit w, but it knows the other three summands: it has two candidates
        for w[2], and the tag tells it which one is right. Nobody notices before it is too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from mpcd.errors import PeerError
from mpcd.protocols.rep4 import multiply
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Rep4, slot
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import cheat, shift
from tests.protocols.rep4.four import each, share

CHEATER, VICTIM, BACKUP, E = 2, 1, 3, 5
LIE, LEAK = "2~3", "5~3"
"""Rows (2,3 -> 1;0) of the first product and (1,3 -> 2;0) of the second."""


def product_of_three(p: Party4, x: Rep4, y: Rep4, w: Rep4) -> Rounds[Rep4]:
    z = yield from multiply.mul(p.at("first"), x, y)
    return (yield from multiply.mul(p.at("second"), z, w))


def unverified(number: int, r: Round) -> Round:
    """A round whose tags would only be looked at later."""
    return replace(r, vouch={}, vouched={})


def attack(w: int, *, deferred: bool) -> tuple[Run[Rep4], int | None]:
    """What the parties end with, and the cheater's guess of w, if it has one."""
    secret = share(np.array([w]), 17 + w)
    steps = each(product_of_three, share(np.array([3]), 1), share(np.array([4]), 2), secret)
    steps[CHEATER] = cheat(steps[CHEATER], shift(by=E, round=0, to=VICTIM, label=LIE))
    if deferred:
        steps = [cheat(step, unverified) for step in steps]
    stated: dict[int, Mapping[int, Round]] = {}
    done = lockstep(steps, on_round=lambda number, rounds: stated.update({number: rounds}))
    honest: dict[int, Mapping[int, Round]] = {}
    control = each(product_of_three, share(np.array([3]), 1), share(np.array([4]), 2), secret)
    lockstep(control, on_round=lambda number, rounds: honest.update({number: rounds}))

    message = stated[1].get(VICTIM, Round("")).send.get((CHEATER, LEAK)) if 1 in stated else None
    if message is None:
        return done, None
    # The backup's tag is a yes-or-no answer to "is this the message?": that is all it is used for.
    vouched = honest[1][BACKUP].vouch[VICTIM, CHEATER, LEAK]
    return done, guess(np.asarray(message), vouched, secret[CHEATER])


def guess(message: Words, vouched: Words, mine: Rep4) -> int | None:
    known = sum(int(mine.data[slot(CHEATER, a), 0]) for a in (0, 1, 3))
    for candidate in (0, 1):
        shifted = np.uint64(E * (candidate - known) % 2**64)
        if np.array_equal(message - shifted, vouched):
            return candidate
    return None


@pytest.mark.parametrize("w", [0, 1])
def test_checks_that_come_later_give_the_secret_away(w: int) -> None:
    assert attack(w, deferred=True)[1] == w


@pytest.mark.parametrize("w", [0, 1])
def test_the_victim_sends_nothing_that_depends_on_the_lie(w: int) -> None:
    done, guessed = attack(w, deferred=False)
    assert guessed is None
    error = done.outputs[VICTIM]
    assert isinstance(error, PeerError)
    assert error.blamed == {CHEATER, BACKUP}
