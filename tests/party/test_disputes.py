"""What this party answers when it is asked about a batch whose check somebody says has failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import DeadlineError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.party.case import Said
from mpcd.party.disputing import Hearing, _about_a_batch, _recompute
from mpcd.party.ports import Batch, Kept
from mpcd.party.processes import JobProcess
from mpcd.protocols.agreement.disputes import Claim, Expected, Void, about
from mpcd.protocols.agreement.dolev_strong import Agreed
from mpcd.protocols.agreement.findings import Dispute, Fault, TooMany
from mpcd.protocols.agreement.standing import first
from mpcd.protocols.scheme import REP3
from mpcd.testing.simulation.clock import LoopClock, run_virtually

DISPUTE = Dispute(round=5, receiver=1, why="", batch=7)
MEMORY = 123_456
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


def hearing_with(worker: object) -> Hearing:
    specification = SimpleNamespace(limits=SimpleNamespace(memory=MEMORY))
    terms = SimpleNamespace(deadline=50.0, specification=specification)
    return _Hearing(
        case=cast(Any, SimpleNamespace(terms=terms, slot_s=5.0, now=LoopClock().monotonic)),
        slots=cast(Any, None),
        session=bytes(32),
        standing=first(REP3, 3),
        number=0,
        kept=Kept(batches={7: batch(b"h" * 32)}),
        worker=cast(Any, worker),
    )


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
        with pytest.raises(DeadlineError, match="in time"):
            await _recompute(hearing_with(_Endless()), DISPUTE, {})
        assert asyncio.get_running_loop().time() == 40.0

    run_virtually(story())


class _Full:
    """A process that needs more memory than it may have."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def expect(self, what: bytes, keys: Any, roster: Any, memory_bytes: int) -> Any:
        self.asked.append(memory_bytes)
        raise UsageError("the job needs more memory than it may have")


def test_a_batch_is_not_computed_again_in_more_memory_than_the_job_may_have() -> None:
    async def story() -> None:
        worker = _Full()
        with pytest.raises(UsageError, match="memory"):
            await _recompute(hearing_with(worker), DISPUTE, {})
        assert worker.asked == [MEMORY]

    run_virtually(story())


@pytest.mark.parametrize(("job", "most"), [(MEMORY - 1, MEMORY - 1), (MEMORY + 1, MEMORY)])
def test_a_process_that_computes_a_batch_again_has_no_more_memory_than_others(job: int, most: int) -> None:
    """Neither more than the job may have nor than a process of this party may."""
    process = _Process()
    worker = JobProcess(cast(Any, SimpleNamespace(memory_bytes=MEMORY)), cast(Any, process))
    answer = asyncio.run(worker.expect(b"what", {0: bytes(32)}, [4, 5, 6], job))
    assert answer == Expected({4: b"s"}, b"shown")
    assert [message.batch.memory_bytes for message in process.sent] == [most]


class _Process:
    """Lease and process in one: it answers a question about a batch."""

    def __init__(self) -> None:
        self.sent: list[pb.ToWorker] = []

    async def start(self) -> _Process:
        return self

    async def send(self, message: pb.ToWorker) -> None:
        self.sent.append(message)

    async def receive(self) -> pb.FromWorker:
        return pb.FromWorker(batch=pb.BatchAnswer(sent={0: b"s"}, shown=b"shown"))

    def close(self) -> None:
        pass
