"""The party's stream to the coordinator: opened again whenever it breaks, and told everything again then.

The coordinator is a convenience once a job has begun: nothing waits here for it. What we have signed about a
job is kept until it is replaced by something newer and sent again after every new beginning, since neither
side knows what the other still got.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any, Protocol

import grpc
import structlog

from mpcd._pb.v1 import coordinator_pb2 as pb
from mpcd._pb.v1.coordinator_pb2_grpc import CoordinatorStub
from mpcd.errors import DeadlineError, MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Member
from mpcd.jobs.notices import StatusReport
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.grpc_errors import from_status
from mpcd.transport.wire import from_wire, to_wire

CALL_S = 10.0
REPORT_S = 0.25
"""Reports of states that pass quickly are not sent one by one: the newest counts."""
MAX_KEPT = 4096
"""Statements that are sent again when the stream is opened again: a few per job, the newest jobs."""
_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_log = structlog.get_logger("mpcd.party")


class Listener(Protocol):
    """Who hears what the coordinator passes on. Nothing of it is verified yet."""

    async def proposal(self, envelope: Envelope) -> None: ...
    async def consent_set(self, job: bytes, consents: list[Envelope]) -> None: ...
    async def refusal(self, envelope: Envelope) -> None: ...
    async def cancellation(self, envelope: Envelope) -> None: ...


class CoordinatorLink:
    """The coordinator as one party sees it."""

    def __init__(
        self,
        member: Member,
        channels: Channels,
        roster_hash: bytes,
        listener: Listener,
        *,
        version: str,
        heartbeat_s: float,
        lost_after_s: float,
    ) -> None:
        self._member = member
        self._channels = channels
        self._hello = pb.PartyHello(version=version, roster_hash=roster_hash)
        self._listener = listener
        self._heartbeat_s = heartbeat_s
        self._lost_after_s = lost_after_s
        self._said: OrderedDict[tuple[bytes, str], Envelope] = OrderedDict()
        self._unsent: OrderedDict[tuple[bytes, str], Envelope] = OrderedDict()
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._streaming = False
        self._stream = 0
        self.attached = False

    # -- single calls ------------------------------------------------------------------------------------

    async def submit(self, job: Envelope) -> tuple[bytes, bool]:
        """Submit a signed specification; the job's hash, and whether it was there before.

        Raises  ChannelError if the coordinator cannot be reached; RefusedError
        """
        request = pb.SubmitJobRequest(job=to_wire(job))
        try:
            reply = await self._stub().Submit(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            raise from_status(error, f"the coordinator {self._member.name}") from None
        return reply.job, reply.existed

    async def cancel(self, cancellation: Envelope) -> None:
        """Raises  as `submit`"""
        request = pb.CancelJobRequest(cancellation=to_wire(cancellation))
        try:
            await self._stub().Cancel(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            raise from_status(error, f"the coordinator {self._member.name}") from None

    # -- the stream --------------------------------------------------------------------------------------

    def say(self, job: bytes, statement: Envelope) -> None:
        """Send a consent or a report, now or when the coordinator is there again; a newer one replaces it."""
        self._said[job, statement.type] = statement
        self._said.move_to_end((job, statement.type))
        while len(self._said) > MAX_KEPT:
            self._said.popitem(last=False)
        if self._streaming:
            self._unsent[job, statement.type] = statement
            self._news.set()
            if statement.type != StatusReport.TYPE or StatusReport.from_bytes(statement.payload).is_last:
                self._urgent.set()

    async def run(self) -> None:
        """For ever: attach, listen, and attach again."""
        failures, told = 0, ""
        while True:
            try:
                await self._attach()
                failures = 0
            except (MpcdError, grpc.aio.AioRpcError) as error:
                known = (
                    from_status(error, "coordinator") if isinstance(error, grpc.aio.AioRpcError) else error
                )
                # The library may say something of its own before it says why the coordinator refused.
                if self.attached or known.what != told:
                    _log.warning("coordinator lost", error=known.what)
                told = known.what
                failures = 1 if self.attached else failures + 1
            finally:
                self.attached = self._streaming = False
                self._stream += 1
            pause = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
            await asyncio.sleep(pause * (0.5 + random.random()))

    async def _attach(self) -> None:
        call = self._stub().Attach(self._messages(self._stream), wait_for_ready=False)
        try:
            async for message in self._read(call):
                if not self.attached:
                    self.attached = True
                    _log.info("coordinator attached", party=self._member.name)
                await self._hear(message)
        finally:
            call.cancel()

    async def _messages(self, stream: int) -> AsyncIterator[pb.PartyMessage]:
        """Hello, everything said so far, then what comes, with heartbeats between.

        gRPC goes on asking for messages after a call has failed: those of a later stream are not for it.
        """
        yield pb.PartyMessage(hello=self._hello)
        if stream != self._stream:
            return
        self._unsent.clear()
        self._streaming = True
        for statement in [*self._said.values()]:
            yield pb.PartyMessage(statement=to_wire(statement))
        number = 0
        while True:
            if await _within(self._heartbeat_s, self._news):
                await _within(min(REPORT_S, self._heartbeat_s), self._urgent)
            else:
                number += 1
                yield pb.PartyMessage(heartbeat=pb.Heartbeat(number=number))
            if stream != self._stream:
                return
            self._news.clear()
            self._urgent.clear()
            while self._unsent and stream == self._stream:
                _, statement = self._unsent.popitem(last=False)
                yield pb.PartyMessage(statement=to_wire(statement))

    async def _read(self, call: Any) -> AsyncIterator[pb.CoordinatorMessage]:
        """What the coordinator sends; it sends heartbeats, so silence means that it is lost."""
        messages = call.__aiter__()
        while True:
            try:
                async with asyncio.timeout(self._lost_after_s):
                    message = await anext(messages, None)
            except TimeoutError:
                raise DeadlineError("the coordinator is silent") from None
            if message is None:
                raise DeadlineError("the coordinator has ended the stream")
            yield message

    async def _hear(self, message: pb.CoordinatorMessage) -> None:
        kind = message.WhichOneof("kind")
        try:
            if kind == "proposal":
                await self._listener.proposal(from_wire(message.proposal))
            elif kind == "consents":
                consents = [from_wire(consent) for consent in message.consents.consents]
                await self._listener.consent_set(message.consents.job, consents)
            elif kind == "refusal":
                await self._listener.refusal(from_wire(message.refusal))
            elif kind == "cancellation":
                await self._listener.cancellation(from_wire(message.cancellation))
        except MpcdError as error:
            # The coordinator is trusted with nothing: what is wrong is dropped, and said so.
            _log.warning("coordinator message dropped", kind=kind, error=error.what)

    def _stub(self) -> Any:
        return CoordinatorStub(self._channels.to(self._member))  # type: ignore[no-untyped-call]


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Whether the event was set by then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


@contextlib.asynccontextmanager
async def attached(link: CoordinatorLink) -> AsyncIterator[None]:
    """Keep the stream open as long as the context lasts."""
    task = asyncio.create_task(link.run(), name="coordinator")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
