"""A roster, an echoing gRPC server behind the guard, and callers with every kind of certificate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from mpcd._pb.v1.common_pb2 import Ack, Envelope
from mpcd.clock import SystemClock
from mpcd.errors import RefusedError
from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Role, Roster, entry_of
from mpcd.transport.grpc_guard import Rule
from mpcd.transport.grpc_server import serve_tls
from mpcd.transport.leaves import Leaves
from mpcd.transport.peer_identity import caller

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Org:
    """An organisation with its secrets."""

    identity: Identity
    certificate_pem: bytes

    def leaves(self, valid_s: float = 3600) -> Leaves:
        return Leaves(self.identity, SystemClock(), valid_s)

    def member(self, port: int, role: Role = "party") -> Member:
        links = f"127.0.0.1:{port + 1}" if role == "party" else ""
        return entry_of(self.identity, self.certificate_pem, role, f"127.0.0.1:{port}", links)


def org(name: str) -> Org:
    identity = Identity.create(name)
    return Org(identity, self_signed_ca(identity, now=datetime.now(UTC)))


class MovedClock(SystemClock):
    """The machine's clock, off by an amount that the test chooses."""

    def __init__(self, off: timedelta = timedelta()) -> None:
        self.off = off

    def now(self) -> datetime:
        return super().now() + self.off


RULES = {
    "/test.Echo/Ask": Rule(frozenset({"party"}), 1000),
    "/test.Echo/Order": Rule(frozenset({"coordinator"}), 1000),
    "/test.Echo/Send": Rule(frozenset({"party"}), 1000),
    "/test.Echo/Fail": Rule(frozenset({"party"}), 1000),
}


class Echo:
    """What is behind the guard; `seen` counts the requests that came through it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def ask(self, request: Envelope, _context: Any) -> Envelope:
        self.seen.append(caller().name)
        return request

    async def send(self, requests: AsyncIterator[Envelope], _context: Any) -> Ack:
        async for _ in requests:
            self.seen.append(caller().name)
        return Ack()

    async def fail(self, request: Envelope, _context: Any) -> Ack:
        if request.type == "refuse":
            raise RefusedError("no", where="/etc/private/path")
        raise ValueError("the number 4711 is secret")

    def register(self, server: grpc.aio.Server) -> None:
        unary = grpc.unary_unary_rpc_method_handler
        stream = grpc.stream_unary_rpc_method_handler
        parse, write = Envelope.FromString, Envelope.SerializeToString
        handlers = {
            "Ask": unary(self.ask, parse, write),
            "Order": unary(self.ask, parse, write),
            "Forgotten": unary(self.ask, parse, write),
            "Send": stream(self.send, parse, Ack.SerializeToString),
            "Fail": unary(self.fail, parse, Ack.SerializeToString),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))


@asynccontextmanager
async def echo_server(
    server_org: Org, roster_of: Callable[[int], Roster], valid_s: float = 3600
) -> AsyncIterator[tuple[Echo, int]]:
    """A running server of `server_org`; yields the service and its port."""
    echo = Echo()
    roster = roster_of(1)
    server, port = serve_tls(
        "127.0.0.1:0", roster, RULES, server_org.leaves(valid_s), SystemClock(), echo.register
    )
    await server.start()
    try:
        yield echo, port
    finally:
        await server.stop(None)


async def call(channel: grpc.aio.Channel, method: str, payload: bytes | Envelope) -> bytes | grpc.StatusCode:
    """The raw answer, or the status of a refused call; the channel is closed."""
    raw = payload if isinstance(payload, bytes) else payload.SerializeToString()
    try:
        ask: Any = channel.unary_unary(method, None, None)  # raw bytes
        answer: bytes = await asyncio.wait_for(ask(raw, timeout=TIMEOUT_S), TIMEOUT_S + 1)
        return answer
    except grpc.aio.AioRpcError as error:
        return error.code()
    finally:
        await channel.close(None)
