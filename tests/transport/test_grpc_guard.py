"""What the guard does with callers, lengths, bytes and errors."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from mpcd._pb.v1.common_pb2 import Envelope
from mpcd.clock import SystemClock
from mpcd.errors import (
    ChannelError,
    DataError,
    DeadlineError,
    InternalError,
    NotFoundError,
    PeerError,
    RefusedError,
    UsageError,
)
from mpcd.identity.certificates import issue_leaf
from mpcd.identity.roster import Roster
from mpcd.transport.grpc_channel import channel_to
from mpcd.transport.grpc_errors import to_status
from tests.transport.grpc_world import TIMEOUT_S, call, echo_server, org

ALICE, BOB, HUB = org("alice"), org("bob"), org("hub")
ROSTER = Roster.of([ALICE.member(7401), BOB.member(7403), HUB.member(7407, "coordinator")])
BOBS = issue_leaf(BOB.identity, now=SystemClock().now())
HUBS = issue_leaf(HUB.identity, now=SystemClock().now())
Status = grpc.StatusCode


def raw_send(channel: Any) -> Any:
    return channel.stream_unary("/test.Echo/Send")


def raw_fail(channel: Any) -> Any:
    return channel.unary_unary("/test.Echo/Fail")


def _ask(method: str, payload: bytes, *, as_hub: bool = False) -> tuple[bytes | grpc.StatusCode, list[str]]:
    async def run() -> tuple[bytes | grpc.StatusCode, list[str]]:
        async with echo_server(ALICE, lambda _: ROSTER) as (echo, port):
            target = dataclasses.replace(ALICE.member(7401), control=f"127.0.0.1:{port}")
            return await call(channel_to(target, HUBS if as_hub else BOBS), method, payload), echo.seen

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "as_hub", "allowed"),
    [
        ("/test.Echo/Ask", False, True),
        ("/test.Echo/Ask", True, False),
        ("/test.Echo/Order", True, True),
        ("/test.Echo/Order", False, False),
        ("/test.Echo/Forgotten", False, False),
        ("/test.Echo/Forgotten", True, False),
    ],
)
def test_roles(method: str, as_hub: bool, allowed: bool) -> None:
    """`Forgotten` is served but has no rule: nobody may call it."""
    answer, seen = _ask(method, b"", as_hub=as_hub)
    assert answer == (b"" if allowed else Status.PERMISSION_DENIED)
    assert len(seen) == allowed


def test_a_message_over_its_limit_is_not_parsed() -> None:
    fits = Envelope(payload=bytes(900)).SerializeToString()
    assert _ask("/test.Echo/Ask", fits) == (fits, ["bob"])
    assert _ask("/test.Echo/Ask", Envelope(payload=bytes(1000)).SerializeToString()) == (
        Status.INVALID_ARGUMENT,
        [],
    )
    assert _ask("/test.Echo/Ask", bytes(3 << 20)) == (Status.RESOURCE_EXHAUSTED, [])


def test_a_malformed_message_is_an_error_like_any_other() -> None:
    assert _ask("/test.Echo/Ask", b"\xff\xff\xff") == (Status.INVALID_ARGUMENT, [])


def test_a_malformed_message_inside_a_stream_ends_it() -> None:
    async def run() -> tuple[grpc.StatusCode, list[str]]:
        async with echo_server(ALICE, lambda _: ROSTER) as (echo, port):
            target = dataclasses.replace(ALICE.member(7401), control=f"127.0.0.1:{port}")
            channel = channel_to(target, BOBS)

            async def messages() -> AsyncIterator[bytes]:
                yield Envelope(type="good").SerializeToString()
                yield b"\xff\xff"
                yield Envelope(type="late").SerializeToString()

            try:
                await raw_send(channel)(messages(), timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                return error.code(), echo.seen
            finally:
                await channel.close(None)
            return Status.OK, echo.seen

    assert asyncio.run(run()) == (Status.INVALID_ARGUMENT, ["bob"])


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [("refuse", Status.PERMISSION_DENIED, "no"), ("break", Status.INTERNAL, "internal error")],
)
def test_no_traceback_no_path_and_no_value_reaches_a_peer(
    kind: str, status: grpc.StatusCode, text: str
) -> None:
    async def run() -> tuple[grpc.StatusCode, str]:
        async with echo_server(ALICE, lambda _: ROSTER) as (_, port):
            target = dataclasses.replace(ALICE.member(7401), control=f"127.0.0.1:{port}")
            channel = channel_to(target, BOBS)
            try:
                raw = Envelope(type=kind).SerializeToString()
                await raw_fail(channel)(raw, timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                return error.code(), str(error.details()) + str(error.trailing_metadata())
            finally:
                await channel.close(None)
            return Status.OK, ""

    code, shown = asyncio.run(run())
    assert code is status
    assert text in shown
    for hidden in ("4711", "ValueError", "private", "Traceback"):
        assert hidden not in shown


def test_health_is_on_for_members() -> None:
    answer, _ = _ask("/grpc.health.v1.Health/Check", b"")
    assert isinstance(answer, bytes)
    assert health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_is_off() -> None:
    answer, _ = _ask("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", b"")
    assert answer is Status.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), Status.INVALID_ARGUMENT),
        (NotFoundError("x"), Status.NOT_FOUND),
        (DataError("x"), Status.FAILED_PRECONDITION),
        (RefusedError("x"), Status.PERMISSION_DENIED),
        (PeerError("x", step="s", blamed=frozenset({1})), Status.ABORTED),
        (ChannelError("x"), Status.UNAVAILABLE),
        (DeadlineError("x"), Status.DEADLINE_EXCEEDED),
        (InternalError("x"), Status.INTERNAL),
        (KeyError("x"), Status.INTERNAL),
    ],
)
def test_errors_map_to_statuses_in_one_place(error: Exception, status: grpc.StatusCode) -> None:
    assert to_status(error, local=False)[0] is status
