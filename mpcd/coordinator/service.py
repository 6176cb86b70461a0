"""The RPCs of the coordinator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog

from mpcd._pb.v1 import coordinator_pb2 as pb
from mpcd._pb.v1.common_pb2 import Ack
from mpcd._pb.v1.coordinator_pb2_grpc import CoordinatorServicer
from mpcd.coordinator.attached import Attached, about_consents, about_end, everything_about
from mpcd.coordinator.book import MAX_JOBS_LISTED, Book
from mpcd.coordinator.entry import Entry, view
from mpcd.errors import DeadlineError, MpcdError, NotFoundError, RefusedError, UsageError
from mpcd.identity.roster import Role, Roster
from mpcd.jobs.consent import Consent
from mpcd.transport.grpc_guard import MESSAGE_BYTES, Rule
from mpcd.transport.peer_identity import caller
from mpcd.transport.wire import from_wire

_log = structlog.get_logger("mpcd.coordinator")
_PARTIES: frozenset[Role] = frozenset({"party"})
_NAME = "/mpcd.v1.Coordinator/"
RULES = {
    _NAME + "Submit": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "Get": Rule(_PARTIES),
    _NAME + "List": Rule(_PARTIES),
    _NAME + "Watch": Rule(_PARTIES),
    _NAME + "Cancel": Rule(_PARTIES),
    _NAME + "Attach": Rule(_PARTIES),
}


class Service(CoordinatorServicer):
    """Everything here is about jobs that concern the caller; others are told that there is no such job."""

    def __init__(
        self, book: Book, attached: Attached, roster: Roster, *, heartbeat_s: float, lost_after_s: float
    ) -> None:
        self._book = book
        self._attached = attached
        self._roster = roster
        self._heartbeat_s = heartbeat_s
        self._lost_after_s = lost_after_s

    async def Submit(self, request: pb.SubmitJobRequest, context: Any) -> pb.SubmitJobReply:  # noqa: N802
        """Take a signed specification."""
        name = caller().name
        entry, existed = await self._book.submit(from_wire(request.job), name)
        if not existed:
            _log.info("job submitted", job=entry.job.hex(), party=name)
            self._attached.tell(entry, everything_about(entry))
        return pb.SubmitJobReply(job=entry.job, existed=existed)

    async def Get(self, request: pb.GetJobRequest, context: Any) -> pb.JobView:  # noqa: N802
        """One job."""
        return self._view(await self._visible(request.job))

    async def List(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsReply:  # noqa: N802
        """The newest jobs first."""
        limit = min(request.limit or MAX_JOBS_LISTED, MAX_JOBS_LISTED)
        name = caller().name
        entries = await self._book.recent(limit, unfinished=request.unfinished)
        return pb.ListJobsReply(jobs=[self._view(entry) for entry in entries if entry.concerns(name)])

    async def Watch(self, request: pb.GetJobRequest, context: Any) -> AsyncIterator[pb.JobView]:  # noqa: N802
        """One job, again whenever something has changed, until it is over."""
        await self._visible(request.job)
        async for entry in self._book.watch(request.job):
            yield self._view(entry)

    async def Cancel(self, request: pb.CancelJobRequest, context: Any) -> Ack:  # noqa: N802
        """Take the submitter's signed cancellation and pass it on."""
        entry, news = await self._book.cancel(from_wire(request.cancellation), caller().name)
        if news:
            self._attached.tell(entry, about_end(entry))
        return Ack()

    async def Attach(  # noqa: N802
        self, requests: AsyncIterator[pb.PartyMessage], context: Any
    ) -> AsyncIterator[pb.CoordinatorMessage]:
        """One party's long-lived stream."""
        name = caller().name
        await self._greet(requests, name)
        stream = self._attached.enter(name, self._book.active())
        _log.info("party attached", party=name)
        reading = asyncio.create_task(self._read(requests, name))
        reading.add_done_callback(lambda _: stream.close())
        try:
            async for message in stream.messages(self._heartbeat_s):
                yield message
            if reading.done():
                reading.result()
        finally:
            self._attached.leave(name, stream)
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, MpcdError):
                await reading
            _log.info("party detached", party=name)

    async def _greet(self, requests: AsyncIterator[pb.PartyMessage], name: str) -> None:
        first = await self._next(requests)
        if first is None or first.WhichOneof("kind") != "hello":
            raise UsageError("the first message of a party is its hello")
        if first.hello.roster_hash != self._roster.hash:
            raise RefusedError(f"{name} has another roster than the coordinator")

    async def _read(self, requests: AsyncIterator[pb.PartyMessage], name: str) -> None:
        while (message := await self._next(requests)) is not None:
            if message.WhichOneof("kind") == "statement":
                await self._take(message, name)

    async def _take(self, message: pb.PartyMessage, name: str) -> None:
        try:
            envelope = from_wire(message.statement)
            entry, news = await self._book.add_statement(envelope, name)
        except (RefusedError, UsageError) as error:
            # One bad statement is no reason to lose touch with a party: it is dropped, and said so.
            _log.warning("statement dropped", party=name, error=error.what)
            return
        if news and envelope.type == Consent.TYPE:
            self._attached.tell(entry, about_consents(entry))

    async def _next(self, requests: AsyncIterator[pb.PartyMessage]) -> pb.PartyMessage | None:
        """The next message, or None at the end; parties send heartbeats, so silence means that it is lost."""
        try:
            async with asyncio.timeout(self._lost_after_s):
                return await anext(requests, None)
        except TimeoutError:
            raise DeadlineError("the party is silent") from None

    async def _visible(self, job: bytes) -> Entry:
        entry = await self._book.get(job)
        if not entry.concerns(caller().name):
            raise NotFoundError(f"there is no job {job.hex()[:16]}")
        return entry

    def _view(self, entry: Entry) -> pb.JobView:
        state, detail = view(entry, self._book.now_ms())
        specification = entry.specification
        shown = pb.JobView(
            job=entry.job,
            name=specification.name,
            submitter=specification.submitter,
            state=state,
            detail=detail,
            submitted_at_ms=specification.created,
            deadline_ms=entry.deadline_ms,
        )
        for name in specification.parties:
            report = entry.reports.get(name)
            shown.parties.add(
                party=name,
                state=report.state if report else "",
                detail=report.detail if report else "",
                attached=name in self._attached,
            )
        return shown
