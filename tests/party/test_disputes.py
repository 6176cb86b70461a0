"""What this party answers when it is asked about a batch whose check somebody says has failed."""

from __future__ import annotations

import pytest

from mpcd.party.disputing import _about_a_batch
from mpcd.party.ports import Batch, Kept
from mpcd.protocols.agreement.disputes import Claim, Void
from mpcd.protocols.agreement.findings import Dispute

DISPUTE = Dispute(round=5, receiver=1, why="", batch=7)
OTHER = {(1, 0, 1, 2): bytes(32)}


def batch(shown: bytes) -> Batch:
    return Batch(
        what=b"", keys={0: bytes(32), 1: bytes(32)}, sent=b"s" * 32, received=b"r" * 32, shown=shown, heard={}
    )


def test_a_batch_whose_check_failed_here_is_claimed() -> None:
    answer = _about_a_batch(DISPUTE, Kept(digests=OTHER, batches={7: batch(b"h" * 32)}))
    assert answer == Claim(b"s" * 32, b"r" * 32, b"h" * 32, {})


@pytest.mark.parametrize("batches", [{}, {7: batch(b"")}, {8: batch(b"h" * 32)}])
def test_a_batch_that_is_settled_or_not_yet_checked_cannot_have_failed(batches: dict[int, Batch]) -> None:
    """Otherwise a false complaint in the middle of a batch would get us named for a wrong hash."""
    assert _about_a_batch(DISPUTE, Kept(digests=OTHER, batches=batches)) == Void()


def test_who_has_lost_its_records_does_not_answer() -> None:
    assert _about_a_batch(DISPUTE, Kept()) is None
