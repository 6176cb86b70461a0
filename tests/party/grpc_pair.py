"""Two parties and a coordinator over real gRPC and TLS: what one calls, the other's mail box records."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd._pb.v1.peer_pb2_grpc import add_PeerServicer_to_server
from mpcd.clock import SystemClock
from mpcd.errors import NotFoundError, RefusedError
from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Roster, entry_of
from mpcd.party.peer_service import RULES, PeerService
from mpcd.party.peers import PeerCalls
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.grpc_server import serve_tls
from mpcd.transport.leaves import Leaves

START = pb.Start(number=1, marks=[bytes(16)])
JOB = bytes(range(32))
ROOM = 3 << 20


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Box:
    """Bob's mail: everything that came, with its authenticated sender."""

    got: list[tuple[str, str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    output_body: bytes = b""
    stored: Envelope | None = None

    def _note(self, kind: str, sender: str, what: Any) -> None:
        self.got.append((kind, sender, what))
        self.news.set()

    def slot(self, sender: str, message: pb.SlotMessage) -> None:
        self._note("slot", sender, message)

    async def hello(self, sender: str, start: pb.Start) -> None:
        if start != START:
            raise RefusedError("another start")

    async def consents(self, sender: str, note: pb.ConsentNote) -> None:
        raise RefusedError("another set", where="/home/bob/secret.yaml")

    async def keys(self, sender: str, message: pb.KeyContributions) -> None:
        self._note("keys", sender, message)

    async def session(self, sender: str, notice: Envelope) -> None:
        self._note("session", sender, notice)

    async def input(self, sender: str, header: pb.InputHeader, data: bytes) -> None:
        self._note("input", sender, (header, data))

    async def share(self, sender: str, header: pb.ShareHeader, data: bytes) -> None:
        self._note("share", sender, (header, data))

    async def output(self, caller: str, request: pb.FetchOutputRequest) -> tuple[pb.OutputHeader, bytes]:
        self._note("output", caller, request)
        return pb.OutputHeader(ready=True), self.output_body

    async def receipt(self, sender: str, job: bytes, receipt: Envelope) -> None:
        self._note("receipt", sender, (job, receipt))

    async def fetch_receipt(self, caller: str, job: bytes, wait_s: float) -> Envelope | None:
        self._note("fetch_receipt", caller, (job, wait_s))
        return self.stored

    def room_for(self, sender: str, job: bytes) -> int:
        if job != JOB:
            raise NotFoundError("no such job")
        return ROOM

    async def wait(self, count: int) -> None:
        """Until so many things have come."""
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()


class Pair:
    """Ada calls; bob serves at a port that stays the same over restarts."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.identities = {name: Identity.create(name) for name in ("ada", "bob", "hub")}
        self.port = free_port()
        members: list[Member] = []
        for name, identity in self.identities.items():
            certificate = self_signed_ca(identity, now=now)
            port = self.port if name == "bob" else 9
            if name == "hub":
                members.append(entry_of(identity, certificate, "coordinator", "127.0.0.1:10"))
            else:
                members.append(entry_of(identity, certificate, "party", f"127.0.0.1:{port}", "127.0.0.1:11"))
        self.roster = Roster.of(members)

    @asynccontextmanager
    async def bob(self) -> AsyncIterator[Box]:
        """Bob's daemon, as far as peers see it."""
        box = Box()
        service = PeerService(box)
        server, _ = serve_tls(
            f"127.0.0.1:{self.port}",
            self.roster,
            RULES,
            Leaves(self.identities["bob"], SystemClock()),
            SystemClock(),
            lambda server: add_PeerServicer_to_server(service, server),  # type: ignore[no-untyped-call]
        )
        await server.start()
        try:
            yield box
        finally:
            await server.stop(None)

    def leaves(self, name: str) -> Leaves:
        return Leaves(self.identities[name], SystemClock())

    @asynccontextmanager
    async def calls(self, name: str = "ada") -> AsyncIterator[PeerCalls]:
        """The calls that `name` can make."""
        channels = Channels(self.leaves(name))
        calls = PeerCalls(name, self.roster, channels, START)
        try:
            yield calls
        finally:
            await calls.close()
            await channels.close()
