"""Openings: who learns what, and that a lie of either holder ends the run before anything depends on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mpcd.errors import PeerError
from mpcd.protocols.rep3 import opening
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Rep3
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.lockstep import lockstep, outcome
from mpcd.testing.wrappers import cheat, drop, edit_vouch, every_message, every_vouch, flip, plus, shift
from tests.protocols.rep3.three import EDGES, each, run, share, share_bits

SUBSETS = [frozenset(s) for s in ((0, 1, 2), (0,), (1,), (2,), (0, 2), ())]


@pytest.mark.parametrize("to", SUBSETS)
def test_those_who_may_see_a_value_see_it(to: frozenset[int]) -> None:
    done = run(opening.open_to, share(EDGES), to)
    assert done.rounds == 1
    for party, value in enumerate(done.results()):
        if party in to:
            np.testing.assert_array_equal(value, EDGES)
        else:
            assert value is None
    n = EDGES.size
    assert dict(done.sent) == {((i - 1) % 3, i): 8 * n for i in to}
    assert done.tags == len(to)


@pytest.mark.parametrize("to", SUBSETS)
def test_bits_are_opened(to: frozenset[int]) -> None:
    flags = np.arange(130) % 3 == 0
    for party, value in enumerate(run(opening.open_bits_to, share_bits(flags), to).results()):
        if party in to:
            np.testing.assert_array_equal(value, flags)
        else:
            assert value is None


def test_bits_behind_the_last_flag_are_not_sent() -> None:
    seen: list[int] = []

    def look(number: int, rounds: Any) -> None:
        seen.extend(int(np.asarray(m)[-1]) for r in rounds.values() for m in r.send.values())

    lockstep(each(opening.open_bits_to, share_bits(np.ones(65, bool))), on_round=look)
    assert len(seen) == 3
    assert all(word < 2 for word in seen)


def twice(p: Party3, x: Rep3) -> Rounds[Any]:
    yield from opening.open_to(p.at(0), x)
    return (yield from opening.open_to(p.at(1), x))


@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_a_wrong_value_ends_the_run_in_that_round(edit: Any) -> None:
    x = share(np.arange(3))
    for place in every_message(each(twice, x)):
        steps = each(twice, x)
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        steps[place.sender] = cheat(steps[place.sender], lie)
        error = outcome(lockstep(steps), place.receiver)
        assert isinstance(error, PeerError)
        assert place.sender in error.blamed


def test_a_wrong_tag_ends_the_run_and_the_pair_are_the_holders() -> None:
    x = share(np.arange(3))
    places = every_vouch(each(twice, x))
    assert {(v.backup, v.sender, v.receiver) for v in places} == {(1, 2, 0), (2, 0, 1), (0, 1, 2)}
    for place in places:
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        steps = each(twice, x)
        steps[place.backup] = cheat(steps[place.backup], lie)
        error = outcome(lockstep(steps), place.receiver)
        assert isinstance(error, PeerError)
        assert error.blamed == {place.sender, place.backup}
