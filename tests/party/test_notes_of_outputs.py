"""What an output is, a recipient believes t + 1 holders and not one."""

from __future__ import annotations

from typing import Any

import pytest

from mpcd.party import opening


@pytest.mark.parametrize(
    ("notes", "believed"),
    [
        ({}, None),
        ({3: "lie"}, None),
        ({0: "truth", 3: "lie"}, None),
        ({3: "lie", 0: "truth", 1: "truth"}, "truth"),
    ],
)
def test_a_note_is_believed_when_two_have_signed_the_same(notes: dict[int, Any], believed: Any) -> None:
    gathered = opening.Fetch.__new__(opening.Fetch)
    gathered._notes = notes
    assert gathered._certified() == believed
