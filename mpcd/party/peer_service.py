"""What other parties' daemons may send us: authenticated, cut to size, and handed to whoever runs the job.

Nothing here decides anything. Senders are the authenticated callers, never a field of a message. Bulk is
collected up to a limit that the header announces and the daemon allows.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, Protocol

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd._pb.v1.common_pb2 import Ack
from mpcd._pb.v1.common_pb2 import Envelope as WireEnvelope
from mpcd._pb.v1.peer_pb2_grpc import PeerServicer
from mpcd.errors import UsageError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Role
from mpcd.transport.grpc_guard import CHUNK_BYTES, MESSAGE_BYTES, Rule
from mpcd.transport.peer_identity import caller
from mpcd.transport.wire import from_wire, to_wire

MAX_WAIT_S = 60.0
"""The longest a caller may let us wait in one call; it asks again."""

MAX_MORE = 64
"""Slot messages that come together, beside the first: what is over is dropped, as a flood."""

BULK_AT_ONCE = 16
"""Transfers of bulk that one sender may have under way: further ones wait, so that it cannot fill our memory
with ever more of them that never end."""

_PARTIES: frozenset[Role] = frozenset({"party"})
_NAME = "/mpcd.v1.Peer/"
RULES = {
    _NAME + "Slots": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "ShowConsents": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "DeliverKeys": Rule(_PARTIES),
    _NAME + "AnnounceSession": Rule(_PARTIES),
    _NAME + "DeliverInput": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "ForwardShares": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "FetchOutput": Rule(_PARTIES),
    _NAME + "DeliverReceipt": Rule(_PARTIES, MESSAGE_BYTES),
    _NAME + "FetchReceipt": Rule(_PARTIES),
}


class Mail(Protocol):
    """Where the daemon takes what peers send; `sender` is authenticated.

    Messages for jobs that this party does not know are refused (`NotFoundError`), slot messages dropped.
    """

    def slot(self, sender: str, message: pb.SlotMessage) -> None: ...
    async def hello(self, sender: str, start: pb.Start) -> None: ...
    async def consents(self, sender: str, note: pb.ConsentNote) -> None: ...
    async def keys(self, sender: str, message: pb.KeyContributions) -> None: ...
    async def session(self, sender: str, notice: Envelope) -> None: ...
    async def input(self, sender: str, header: pb.InputHeader, data: bytes) -> None: ...
    async def share(self, sender: str, header: pb.ShareHeader, data: bytes) -> None: ...
    async def output(self, caller: str, request: pb.FetchOutputRequest) -> tuple[pb.OutputHeader, bytes]: ...
    async def receipt(self, sender: str, job: bytes, receipt: Envelope) -> None: ...
    async def fetch_receipt(self, caller: str, job: bytes, wait_s: float) -> Envelope | None: ...

    def room_for(self, sender: str, job: bytes) -> int:
        """How many bytes of bulk `sender` may send for a job at the moment; 0 if it has nothing to send.

        Raises  NotFoundError
        """
        ...


class PeerService(PeerServicer):
    """The RPCs between parties."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(BULK_AT_ONCE)
        )

    async def Slots(self, requests: AsyncIterator[pb.SlotMessage], context: Any) -> Ack:  # noqa: N802
        """Slot messages of all jobs, for as long as the peer lives."""
        sender = caller().name
        first = await anext(requests, None)
        if first is None or not first.HasField("start"):
            raise UsageError("the first message of a stream says which start of the daemon it comes from")
        await self._mail.hello(sender, first.start)
        async for message in requests:
            more = [*message.more[:MAX_MORE]]
            message.ClearField("more")
            for one in (message, *more):
                self._mail.slot(sender, one)
        return Ack()

    async def ShowConsents(self, request: pb.ConsentNote, context: Any) -> Ack:  # noqa: N802
        """What the peer was shown by the coordinator."""
        await self._mail.consents(caller().name, request)
        return Ack()

    async def DeliverKeys(self, request: pb.KeyContributions, context: Any) -> Ack:  # noqa: N802
        """Key contributions, after slot KEYS."""
        await self._mail.keys(caller().name, request)
        return Ack()

    async def AnnounceSession(self, request: WireEnvelope, context: Any) -> Ack:  # noqa: N802
        """A computing party tells an input party the session."""
        await self._mail.session(caller().name, from_wire(request))
        return Ack()

    async def DeliverInput(self, requests: AsyncIterator[pb.InputChunk], context: Any) -> Ack:  # noqa: N802
        """Commitments and sealed boxes of one input."""
        sender = caller().name
        async with self._turns[sender]:
            first = await _first(requests)
            size = sum(box.size_bytes for box in first.header.boxes)
            _check_size(size, self._mail.room_for(sender, first.header.job))
            data = await _collect(first, requests, size)
            await self._mail.input(sender, first.header, data)
        return Ack()

    async def ForwardShares(self, requests: AsyncIterator[pb.ShareChunk], context: Any) -> Ack:  # noqa: N802
        """An opened summand that we miss."""
        sender = caller().name
        async with self._turns[sender]:
            first = await _first(requests)
            _check_size(first.header.size_bytes, self._mail.room_for(sender, first.header.job))
            data = await _collect(first, requests, first.header.size_bytes)
            await self._mail.share(sender, first.header, data)
        return Ack()

    async def FetchOutput(  # noqa: N802
        self, request: pb.FetchOutputRequest, context: Any
    ) -> AsyncIterator[pb.OutputChunk]:
        """Our commitments to an output, and one summand if it was asked for."""
        request.wait_ms = min(request.wait_ms, int(MAX_WAIT_S * 1000))
        header, data = await self._mail.output(caller().name, request)
        header.size_bytes = len(data)
        yield pb.OutputChunk(header=header, data=data[:CHUNK_BYTES])
        for at in range(CHUNK_BYTES, len(data), CHUNK_BYTES):
            yield pb.OutputChunk(data=data[at : at + CHUNK_BYTES])

    async def DeliverReceipt(self, request: pb.ReceiptNote, context: Any) -> Ack:  # noqa: N802
        """A peer's signature on a receipt."""
        await self._mail.receipt(caller().name, request.job, from_wire(request.receipt))
        return Ack()

    async def FetchReceipt(  # noqa: N802
        self, request: pb.FetchReceiptRequest, context: Any
    ) -> pb.FetchReceiptReply:
        """Our receipt of a job."""
        wait_s = min(request.wait_ms / 1000, MAX_WAIT_S)
        receipt = await self._mail.fetch_receipt(caller().name, request.job, wait_s)
        if receipt is None:
            return pb.FetchReceiptReply(ready=False)
        return pb.FetchReceiptReply(ready=True, receipt=to_wire(receipt))


async def _first(requests: AsyncIterator[Any]) -> Any:
    first = await anext(requests, None)
    if first is None or not first.HasField("header"):
        raise UsageError("the first chunk of a stream carries its header")
    return first


def _check_size(size: int, room: int) -> None:
    if size > room:
        raise UsageError(f"{size} bytes were announced, at most {room} are expected")


async def _collect(first: Any, requests: AsyncIterator[Any], size: int) -> bytes:
    """Exactly the bytes that the header announced."""
    data = bytearray(first.data)
    async for chunk in requests:
        if chunk.HasField("header"):
            raise UsageError("a stream has one header")
        data += chunk.data
        if len(data) > size:
            break
    if len(data) != size:
        raise UsageError(f"a stream announced {size} bytes and had another length")
    return bytes(data)
