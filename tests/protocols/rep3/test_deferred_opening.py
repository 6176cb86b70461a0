"""The attack on deferred checks of openings: it works on a copy that verifies later, and not on ours.

Source  [2026/234] ePrint 2026/234, for openings. Party 0 shifts the piece of a masked factor that it sends to
        party 1 by E. Party 1 multiplies with the wrong factor, and what it vouches for in its next opening
        differs from what party 2 sends by E * b[2]. Party 0 lacks b[2], but b[0] + b[1] + b[2] = y - e with e
        opened, and y is a secret bit: two candidates, and the tag tells which one is right. Nobody notices
        before it is too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mpcd.errors import PeerError
from mpcd.protocols.rep3 import arithmetic, triples
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Rep3
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import Edit, change, cheat
from tests.protocols.rep3.three import each, share, together

CHEATER, VICTIM, OTHER, E = 0, 1, 2, 5
FIRST, SECOND = 5, 11
"""The rounds in which masked factors are opened."""
FROM_OTHER = "value~1"


def product_of_three(p: Party3, x: Rep3, y: Rep3, w: Rep3) -> Rounds[Rep3]:
    z = yield from arithmetic.mul(p.at("first"), x, y)
    return (yield from arithmetic.mul(p.at("second"), z, w))


def lie() -> Edit:
    """The masked x, not the masked y behind it."""

    def shifted(words: Any) -> Words:
        out = np.array(words)
        out[0] += np.uint64(E)
        return out

    return change(shifted, round=FIRST, to=VICTIM)


def attack(y: int, *, deferred: bool) -> tuple[Run[Rep3], int | None]:
    """What the parties end with, and the cheater's guess of y, if it has one."""
    factors = share(np.array([3]), 1), share(np.array([y]), 17 + y), share(np.array([4]), 2)
    vouched: dict[int, Words] = {}

    def later(number: int, r: Round) -> Round:
        """A round whose tags are looked at later; what the cheater gets a tag over is noted."""
        for (of, to, _), words in r.vouch.items():
            if (of, to) == (OTHER, CHEATER):
                vouched[number] = words
        return replace(r, vouch={}, vouched={})

    steps = each(product_of_three, *factors)
    steps[CHEATER] = cheat(steps[CHEATER], lie())
    if deferred:
        steps = [cheat(step, later) for step in steps]
    stated: dict[int, Mapping[int, Round]] = {}
    done = lockstep(steps, on_round=lambda number, rounds: stated.update({number: rounds}))
    if SECOND not in stated:
        return done, None
    message = np.asarray(stated[SECOND][OTHER].send[CHEATER, FROM_OTHER])
    (difference,) = vouched[SECOND][:1] - message[:1]
    return done, guess(difference, y)


def guess(difference: Any, y: int) -> int | None:
    """Which bit fits; the cheater uses its own b[0] and b[1], and e, which everybody was shown."""
    made = lockstep(each(lambda p: triples.rows(p.at("first", 0, "triples"), 1, 1))).results()
    pieces = [int(piece[0, 0]) for piece in together([triple.b for triple in made])]
    e = y - sum(pieces)
    for candidate in (0, 1):
        if E * (candidate - e - pieces[0] - pieces[1]) % 2**64 == int(difference):
            return candidate
    return None


@pytest.mark.parametrize("y", [0, 1])
def test_openings_that_are_checked_later_give_the_secret_away(y: int) -> None:
    assert attack(y, deferred=True)[1] == y


@pytest.mark.parametrize("y", [0, 1])
def test_the_victim_sends_nothing_that_depends_on_the_lie(y: int) -> None:
    done, guessed = attack(y, deferred=False)
    assert guessed is None
    assert done.rounds == FIRST + 2
    error = done.outputs[VICTIM]
    assert isinstance(error, PeerError)
    assert error.blamed == {CHEATER, OTHER}
