"""Entries for inputs that the job does not have are nothing: not even two of them are evidence."""

from __future__ import annotations

from mpcd.protocols.agreement.dolev_strong import Agreed
from mpcd.protocols.agreement.outcomes import InputKey, inputs_agreed, inputs_value

EXPECTED: InputKey = ("acme", "bids")
STRAY: InputKey = ("acme", "asks")


def owner_of(entry: bytes) -> InputKey | None:
    return EXPECTED if entry.startswith(b"bids") else STRAY


def test_two_entries_for_an_input_that_is_not_expected_accuse_nobody() -> None:
    said = Agreed(inputs_value([b"bids 1", b"asks 1", b"asks 2"]))
    agreed = inputs_agreed(dict.fromkeys(range(4), said), [EXPECTED], owner_of)
    assert agreed.entries == {EXPECTED: b"bids 1"}
    assert not agreed.excluded
    assert not agreed.missing
