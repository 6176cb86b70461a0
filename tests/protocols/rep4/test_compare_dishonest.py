"""One lie anywhere in a conversion or comparison: nobody gets a wrong share, the liar is among the blamed.

Failure would be: an honest party that ends with anything but its share of an honest run; a victim that
goes on after the round of the lie; a blamed set without the cheater.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mpcd.errors import ChannelError, PeerError
from mpcd.protocols.rep4 import compare, convert
from mpcd.protocols.rep4.sharing import Bits4, Rep4
from mpcd.protocols.rounds import Round, Rounds
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, every_message, every_vouch, flip, plus, shift
from tests.protocols.rep4.four import each, share, share_bits

SMALL, LARGE = 3, 64 * 64
"""Sizes at which one plane is sent as a whole, and in balanced halves."""


def _steps(name: str, n: int) -> list[Rounds[Any]]:
    x, y = share(np.arange(n) - 1), share(np.arange(n)[::-1] - 1, 1)
    if name == "to_arithmetic":
        return each(convert.to_arithmetic, share_bits(np.arange(n) % 2 == 0))
    if name == "range_check":
        return each(compare.range_check, x, 0, 1)
    if name == "to_binary":
        return each(convert.to_binary, x)
    if name == "negative":
        return each(compare.negative, x)
    return each({"less_than_full": compare.less_than_full, "equal": compare.equal}[name], x, y)


CASES = [
    ("to_arithmetic", SMALL), ("to_arithmetic", LARGE), ("to_binary", SMALL), ("negative", SMALL),
    ("negative", LARGE), ("less_than_full", SMALL), ("equal", SMALL), ("range_check", SMALL),
]  # fmt: skip


def _attacked(name: str, n: int, cheater: int, edit: Edit) -> tuple[Run[Any], dict[int, int]]:
    """The run, and the number of rounds that each party has begun."""
    steps = _steps(name, n)
    steps[cheater] = cheat(steps[cheater], edit)
    begun: dict[int, int] = {}

    def count(number: int, rounds: Mapping[int, Round]) -> None:
        begun.update(dict.fromkeys(rounds, number + 1))

    return lockstep(steps, on_round=count), begun


def _assert_harmless(done: Run[Any], honest: Run[Any], cheater: int, victim: int) -> None:
    for party in set(range(4)) - {cheater}:
        output = done.outputs[party]
        if isinstance(output, (Rep4, Bits4)):
            assert party != victim
            np.testing.assert_array_equal(output.data, honest.outputs[party].data)  # type: ignore[union-attr]
            continue
        assert isinstance(output, (PeerError, ChannelError))
        if isinstance(output, PeerError):
            assert cheater in output.blamed
    assert isinstance(done.outputs[victim], PeerError)


@pytest.mark.parametrize(("name", "n"), CASES)
@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_every_message_of_every_sender(name: str, n: int, edit: Callable[..., Edit]) -> None:
    honest = lockstep(_steps(name, n))
    places = every_message(_steps(name, n))
    assert {place.round for place in places} == set(range(honest.rounds))
    for place in places if n == SMALL else places[:: max(1, len(places) // 12)]:
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        done, begun = _attacked(name, n, place.sender, lie)
        _assert_harmless(done, honest, place.sender, place.receiver)
        assert begun[place.receiver] == place.round + 1


@pytest.mark.parametrize(("name", "n"), CASES)
def test_every_tag_of_every_backup(name: str, n: int) -> None:
    honest = lockstep(_steps(name, n))
    places = every_vouch(_steps(name, n))
    for place in places if n == SMALL else places[:: max(1, len(places) // 12)]:
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        done, begun = _attacked(name, n, place.backup, lie)
        _assert_harmless(done, honest, place.backup, place.receiver)
        assert begun[place.receiver] == place.round + 1


@pytest.mark.parametrize(("name", "n"), CASES)
def test_every_message_has_a_backup(name: str, n: int) -> None:
    sent = {(m.round, m.sender, m.receiver, m.label) for m in every_message(_steps(name, n))}
    backed = {(v.round, v.sender, v.receiver, v.label) for v in every_vouch(_steps(name, n))}
    assert sent == backed


@pytest.mark.parametrize("cheater", range(4))
def test_lies_of_a_sender_that_an_accomplice_would_have_to_back(cheater: int) -> None:
    """A lie that is repeated in every message of the run fails just the same in its first round."""
    steps = _steps("negative", SMALL)
    steps[cheater] = cheat(steps[cheater], shift(by=1))
    done = lockstep(steps)
    victims = [p for p in done.outputs if p != cheater and isinstance(done.outputs[p], PeerError)]
    assert victims
    assert not any(isinstance(done.outputs[p], Bits4) for p in done.outputs if p != cheater)


@pytest.mark.parametrize("path", ["elsewhere", ""])
def test_a_party_at_another_place_of_the_program_is_stopped(path: str) -> None:
    steps = _steps("negative", SMALL)
    steps[2] = cheat(steps[2], lambda number, r: replace(r, path=path) if number == 3 else r)
    done = lockstep(steps)
    for party in (0, 1, 3):
        error = done.outputs[party]
        assert isinstance(error, PeerError)
        assert error.blamed == {2}
