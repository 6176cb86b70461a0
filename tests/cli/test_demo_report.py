"""Why the result of a demonstration stands, in words: from the lines of a receipt."""

from __future__ import annotations

from typing import Any

import pytest

from mpcd.cli.demo_report import _found, _reason
from mpcd.jobs.receipt import EpochLine, FaultLine

FOUR, THREE = ("acme", "bolt", "crux", "dana"), ("acme", "crux", "dana")
REP4 = EpochLine(protocol="rep4", computing=FOUR)
CHECKED = EpochLine(protocol="rep3", computing=THREE)
UNCHECKED = EpochLine(protocol="rep3", computing=THREE, checked=False)


def line(**who: Any) -> FaultLine:
    return FaultLine(epoch=0, stage="barrier", reason="because", **who)


@pytest.mark.parametrize(
    ("faults", "epochs", "words"),
    [
        ((), (REP4,), "all checks had passed at all four"),
        ((line(blamed=("bolt",)),), (REP4,), "three said the same"),
        ((line(blamed=("bolt",)),), (REP4, UNCHECKED), "bolt is proven to cheat; the other three are honest"),
        (
            (line(blamed=("bolt", "crux")), line(blamed=("acme", "bolt"))),
            (REP4, CHECKED, UNCHECKED),
            "bolt is in both pairs, so it cheats; the other three",
        ),
        (
            (line(link=("bolt", "crux")), line(blamed=("bolt",))),
            (REP4, CHECKED, UNCHECKED),
            "bolt is proven to cheat",
        ),
        ((line(unreachable=("bolt",)),), (REP4, CHECKED), "these three computed again on the bids"),
        ((line(unreachable=("bolt",)),), (CHECKED,), "these three computed on the bids"),
    ],
)
def test_the_reason(faults: tuple[FaultLine, ...], epochs: tuple[EpochLine, ...], words: str) -> None:
    assert _reason(epochs, faults).startswith(words)


def test_only_signed_words_accuse() -> None:
    assert _found(line(blamed=("bolt",))) == "bolt cheats (because)"
    assert _found(line(blamed=("acme", "bolt"))) == "one of acme and bolt cheats (because)"
    assert "cheats" not in _found(line(unreachable=("bolt",))) + _found(line(link=("acme", "bolt")))
