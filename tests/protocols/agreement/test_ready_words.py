"""READY-OPEN decides on well-formed words only, and names one party only if three others agree."""

from __future__ import annotations

import pytest

from mpcd.protocols.agreement.dolev_strong import Agreed, Outcome
from mpcd.protocols.agreement.ready import Ready, ready_to_open, ready_value


def word(parties: int, reveals: bytes) -> bytes:
    """A READY word of one output whose commitments all agree."""
    return ready_value(Ready(True, ((b"c" * 32,) * (parties - 1),), reveals))


def outcome(parties: int, reveals: list[bytes]) -> Outcome:
    return {p: Agreed(word(parties, reveals[p])) for p in range(parties)}


@pytest.mark.parametrize("first", [0, 2, 255])
def test_a_word_of_the_right_length_is_ready_only_if_it_says_so(first: int) -> None:
    said = outcome(4, [b"r" * 32] * 4)
    assert ready_to_open(said, 1).open
    said[2] = Agreed(bytes([first]) + word(4, b"r" * 32)[1:])
    decision = ready_to_open(said, 1)
    assert not decision.open
    assert decision.silent == {2}


def test_two_of_three_blame_nobody_alone() -> None:
    """Two that agree may be a cheater and one that it has misled: only a set of all three is certain."""
    decision = ready_to_open(outcome(3, [b"r" * 32, b"r" * 32, b"s" * 32]), 1)
    assert not decision.open
    assert decision.blamed == {0, 1, 2}
    assert ready_to_open(outcome(4, [b"r" * 32] * 3 + [b"s" * 32]), 1).blamed == {3}
