"""What this party answers when it is asked about a batch whose check somebody says has failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mpcd.errors import DeadlineError
from mpcd.identity.envelope import Envelope
from mpcd.party.case import Said
from mpcd.party.disputing import Hearing, _about_a_batch, _recompute
from mpcd.party.ports import Batch, Kept
from mpcd.protocols.agreement.disputes import Claim, Void, about
from mpcd.protocols.agreement.dolev_strong import Agreed
from mpcd.protocols.agreement.findings import Dispute, Fault, TooMany
from mpcd.protocols.agreement.standing import first
from mpcd.protocols.scheme import REP3
from mpcd.testing.simulation.clock import LoopClock, run_virtually

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


class _Hearing(Hearing):
    """All three show the same keys."""

    async def ask(self, family: str, question: bytes, value: bytes, limit: int) -> Any:
        return {p: Agreed(bytes(64)) for p in range(3)}, ()


def test_keys_are_said_to_be_of_one_batch() -> None:
    """Its description is in the name of the slot and in what is kept as evidence."""
    asked: list[tuple[str, bytes]] = []

    class Asking(Hearing):
        async def ask(self, family: str, question: bytes, value: bytes, limit: int) -> Any:
            asked.append((family, question))
            said = tuple(Said(Envelope("mpcd.slot", b""), b"") for _ in range(3))
            return {p: Agreed(bytes([p]) * 64) for p in range(3)}, said

    async def story() -> tuple[Fault, tuple[Said, ...]]:
        kept = Kept(batches={7: replace(batch(b"h" * 32), what=b"rows 4,2 /a")})
        nobody = cast(Any, None)
        return await _recompute(
            Asking(nobody, nobody, bytes(32), first(REP3, 3), 0, kept, nobody), DISPUTE, {}
        )

    fault, said = run_virtually(story())
    assert isinstance(fault, TooMany)
    assert asked == [("BATCH-KEYS", about(DISPUTE, (0, 1, 2), b"rows 4,2 /a"))]
    assert [one.batch for one in said] == [b"rows 4,2 /a"] * 3


class _Endless:
    async def expect(self, *_: Any) -> Any:
        await asyncio.sleep(1e6)


def test_a_batch_is_not_computed_again_for_longer_than_the_job_may_take() -> None:
    async def story() -> None:
        case = SimpleNamespace(terms=SimpleNamespace(deadline=50.0), slot_s=5.0, now=LoopClock().monotonic)
        hearing = _Hearing(
            case=cast(Any, case),
            slots=cast(Any, None),
            session=bytes(32),
            standing=first(REP3, 3),
            number=0,
            kept=Kept(batches={7: batch(b"h" * 32)}),
            worker=cast(Any, _Endless()),
        )
        with pytest.raises(DeadlineError, match="in time"):
            await _recompute(hearing, DISPUTE, {})
        assert asyncio.get_running_loop().time() == 40.0

    run_virtually(story())
