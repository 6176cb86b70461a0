"""The other parties' daemons, by name: calls with an end, and one long-lived stream each for slot messages.

Slot messages are never waited for: what a peer does not take in time is lost; slots are made for that.
The stream is opened when there is something to send and again after it broke, with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import grpc
import structlog

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd._pb.v1.peer_pb2_grpc import PeerStub
from mpcd.errors import ChannelError, MpcdError, PeerError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Member, Roster
from mpcd.party.peer_service import MAX_MORE
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.grpc_errors import from_status
from mpcd.transport.grpc_guard import CHUNK_BYTES
from mpcd.transport.wire import from_wire, to_wire

CALL_S = 10.0
"""How long a peer may take for a small call; bulk gets more, by its length."""
SLOWEST_BYTES_PER_S = 1 << 20
MAX_WAITING = 1024
"""Slot messages that wait for one peer; beyond it the oldest are lost."""
TOGETHER_BYTES = 256 << 10
"""Slot messages that go as one, at most; a longer one goes alone."""
_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

T = TypeVar("T")
_log = structlog.get_logger("mpcd.party")


class PeerCalls:
    """What `mpcd.party.ports.Peers` promises, over gRPC."""

    def __init__(self, me: str, roster: Roster, channels: Channels, start: pb.Start) -> None:
        """start: of this daemon, shown to every peer at the beginning of each stream"""
        self.start = start
        self._me = me
        self._roster = roster
        self._channels = channels
        self._streams: dict[str, _SlotStream] = {}
        self._stubs: dict[str, tuple[grpc.aio.Channel, Any]] = {}

    def send_slot(self, party: str, message: pb.SlotMessage) -> None:
        """Send on the long-lived stream without waiting; what cannot be delivered is lost."""
        stream = self._streams.get(party)
        if stream is None:
            stream = self._streams[party] = _SlotStream(self, self._roster.member(party))
        stream.send(message)

    def is_connected(self, party: str) -> bool:
        """Whether the stream to a peer is open, as far as we know."""
        stream = self._streams.get(party)
        return stream is not None and stream.open

    def is_back(self, party: str) -> None:
        """A peer has opened a stream to us: if ours to it is broken, it is worth trying at once."""
        stream = self._streams.get(party)
        if stream is not None and not stream.open:
            stream.back.set()

    def renew(self, member: Member) -> None:
        """The next call uses a new channel: a broken one would go on waiting before it dials again."""
        self._channels.renew(member)

    async def show_consents(self, party: str, note: pb.ConsentNote) -> None:
        """Show a peer the job and the consents that we were shown."""
        await self._call(party, self.stub(party).ShowConsents(note, timeout=CALL_S))

    async def deliver_keys(self, party: str, message: pb.KeyContributions) -> None:
        """Key contributions, after slot KEYS."""
        await self._call(party, self.stub(party).DeliverKeys(message, timeout=CALL_S))

    async def announce_session(self, party: str, notice: Envelope) -> None:
        """Tell an input party the session."""
        await self._call(party, self.stub(party).AnnounceSession(to_wire(notice), timeout=CALL_S))

    async def deliver_input(self, party: str, header: pb.InputHeader, data: bytes) -> None:
        """Signed commitments and sealed boxes for one holder."""
        first = pb.InputChunk(header=header)
        chunks = (pb.InputChunk(data=part) for part in _parts(data))
        stub = self.stub(party)
        await self._call(party, stub.DeliverInput(_stream(first, chunks), timeout=_bulk_s(len(data))))

    async def forward_share(self, party: str, header: pb.ShareHeader, data: bytes) -> None:
        """One opened summand for a holder that misses it."""
        first = pb.ShareChunk(header=header)
        chunks = (pb.ShareChunk(data=part) for part in _parts(data))
        stub = self.stub(party)
        await self._call(party, stub.ForwardShares(_stream(first, chunks), timeout=_bulk_s(len(data))))

    async def fetch_output(
        self, party: str, request: pb.FetchOutputRequest, most_bytes: int = 0
    ) -> tuple[pb.OutputHeader, bytes]:
        """A holder's commitments to an output and, if asked for, one summand of at most `most_bytes`.

        Raises  ChannelError; PeerError for an answer that no honest party gives
        """
        timeout = _bulk_s(most_bytes) + request.wait_ms / 1000
        call = self.stub(party).FetchOutput(request, timeout=timeout)
        try:
            return await self._call(party, _collect(party, call, most_bytes))
        finally:
            call.cancel()  # whoever sends more than it may is not read on

    async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
        """Our signature on a receipt."""
        message = pb.ReceiptNote(job=job, receipt=to_wire(receipt))
        await self._call(party, self.stub(party).DeliverReceipt(message, timeout=CALL_S))

    async def fetch_receipt(self, party: str, job: bytes, wait_ms: int) -> Envelope | None:
        """A peer's receipt, or None if it has none by then."""
        request = pb.FetchReceiptRequest(job=job, wait_ms=wait_ms)
        timeout = CALL_S + wait_ms / 1000
        answer = await self._call(party, self.stub(party).FetchReceipt(request, timeout=timeout))
        if not answer.ready:
            return None
        try:
            return from_wire(answer.receipt)
        except MalformedError as error:
            raise PeerError(f"{party}: {error.what}", step="receipt", blamed=frozenset()) from None

    async def close(self) -> None:
        """Close the streams; the channels are their owner's."""
        for stream in self._streams.values():
            await stream.close()
        self._streams.clear()

    def stub(self, party: str) -> Any:
        """The RPCs of a peer, once per channel; generated code has no types for awaited calls."""
        channel = self._channels.to(self._roster.member(party))
        known = self._stubs.get(party)
        if known is None or known[0] is not channel:
            known = self._stubs[party] = channel, PeerStub(channel)  # type: ignore[no-untyped-call]
        return known[1]

    async def _call(self, party: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_status(error, party) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            # The channel was closed under the call, which gRPC tells as if we had been cancelled.
            raise ChannelError(f"{party} cannot be reached", where=party) from None


class _SlotStream:
    """The stream to one peer, opened when needed and opened again."""

    def __init__(self, calls: PeerCalls, member: Member) -> None:
        self._calls = calls
        self._member = member
        self._waiting: deque[pb.SlotMessage] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"slots to {member.name}")
        self.open = False
        self.back = asyncio.Event()
        self._refused = ""
        self._renew_from = 0.0

    def send(self, message: pb.SlotMessage) -> None:
        if self._waiting and self._waiting[-1] == message:
            return  # the same is about to be sent: signs of life must not push out what else waits
        self._waiting.append(message)
        self._news.set()

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _together(self) -> tuple[int, pb.SlotMessage]:
        """How many of the messages that wait fit into one, and that one: a call costs more than its bytes."""
        count, size = 0, 0
        for waiting in self._waiting:
            size += waiting.ByteSize()
            if count and (size > TOGETHER_BYTES or count > MAX_MORE):
                break
            count += 1
        if count == 1:
            return 1, self._waiting[0]
        joined = pb.SlotMessage()
        joined.CopyFrom(self._waiting[0])
        joined.more.extend(itertools.islice(self._waiting, 1, count))
        return count, joined

    async def _run(self) -> None:
        failures = 0
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            call = self._calls.stub(self._member.name).Slots()
            ended = asyncio.ensure_future(call.code())
            ended.add_done_callback(lambda _: self._news.set())
            try:
                await call.write(pb.SlotMessage(start=self._calls.start))
                while True:
                    while self._waiting:
                        count, message = self._together()
                        await call.write(message)
                        for _ in range(min(count, len(self._waiting))):
                            self._waiting.popleft()
                        self.open, failures = True, 0
                    if ended.done():
                        raise asyncio.InvalidStateError("the peer ended the stream")
                    self._news.clear()
                    await self._news.wait()
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, asyncio.CancelledError, MpcdError):
                if _is_cancelled():
                    raise
                if self.open:
                    _log.warning("peer lost", party=self._member.name)
                self.open = False
                if await self._is_refused(call):
                    failures = len(_PAUSES_S)
                # Jitter, so that four daemons do not knock at the same moment.
                pause = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)] * (0.5 + random.random())
                failures += 1
                await self._rest(pause)
            finally:
                ended.cancel()
                call.cancel()

    async def _rest(self, pause: float) -> None:
        """Wait before the next try, but not long once the peer is back."""
        await asyncio.sleep(min(pause, _PAUSES_S[0]))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, pause - _PAUSES_S[0])):
                await self.back.wait()
                await asyncio.sleep(self._renew_from - asyncio.get_running_loop().time())
        now = asyncio.get_running_loop().time()
        if self.back.is_set() and now >= self._renew_from:  # a peer cannot make us dial without end
            self.back.clear()
            self._renew_from = now + _PAUSES_S[-1]
            self._calls.renew(self._member)

    async def _is_refused(self, call: Any) -> bool:
        """Whether the peer takes nothing from us; why, is said once."""
        if not call.done() or await call.code() is not grpc.StatusCode.PERMISSION_DENIED:
            return False
        why = str(await call.details())
        if why != self._refused:
            self._refused = why
            _log.error("peer refuses us", party=self._member.name, error=why)
        return True


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _collect(party: str, chunks: Any, most_bytes: int) -> tuple[pb.OutputHeader, bytes]:
    """The header, and exactly the bytes that it announces: a holder cannot fill our memory with more than
    the output can have."""
    header: pb.OutputHeader | None = None
    data = bytearray()
    async for chunk in chunks:
        if header is None:
            header = chunk.header
        data += chunk.data
        if len(data) > header.size_bytes or header.size_bytes > most_bytes:
            break
    if header is None or len(data) != header.size_bytes or len(data) > most_bytes:
        text = f"{party} sent an output of a wrong length, at most {most_bytes} bytes are possible"
        raise PeerError(text, step="output", blamed=frozenset())
    return header, bytes(data)


def _bulk_s(size: int) -> float:
    return CALL_S + size / SLOWEST_BYTES_PER_S


def _parts(data: bytes) -> list[bytes]:
    view = memoryview(data)
    return [bytes(view[at : at + CHUNK_BYTES]) for at in range(0, len(view), CHUNK_BYTES)]


async def _stream(first: Any, rest: Any) -> AsyncIterator[Any]:
    yield first
    for chunk in rest:
        yield chunk
