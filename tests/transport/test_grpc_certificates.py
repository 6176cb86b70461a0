"""Who gets through to an RPC: a certificate of every kind, and TLS 1.2."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from mpcd._pb.v1.common_pb2 import Envelope
from mpcd.clock import SystemClock
from mpcd.identity.certificates import Leaf, issue_leaf
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.transport.grpc_channel import Channels, channel_to
from mpcd.transport.grpc_server import AddressInUseError, serve_tls
from tests.transport.grpc_world import MovedClock, Org, call, echo_server, org
from tests.transport.pki import Organisation, self_signed_leaf

ALICE, BOB, CAROL, STRANGER = org("alice"), org("bob"), org("carol"), org("mallory")
HUB = org("hub")
ROSTER = Roster.of(
    [ALICE.member(7401), BOB.member(7403), CAROL.member(7405), HUB.member(7407, "coordinator")]
)
HELLO = Envelope(type="hello")


async def _ask(
    caller_leaf: Leaf, method: str = "/test.Echo/Ask"
) -> tuple[bytes | grpc.StatusCode, list[str]]:
    async with echo_server(ALICE, lambda _: ROSTER) as (echo, port):
        target = dataclasses.replace(ALICE.member(7401), control=f"127.0.0.1:{port}")
        answer = await call(channel_to(target, caller_leaf), method, HELLO)
        return answer, echo.seen


def _leaf_of(one: Org) -> Leaf:
    return issue_leaf(one.identity, now=SystemClock().now())


def test_a_member_gets_through_under_its_own_name() -> None:
    answer, seen = asyncio.run(_ask(_leaf_of(BOB)))
    assert answer == HELLO.SerializeToString()
    assert seen == ["bob"]


def _in_the_name_of_carol() -> Leaf:
    """Bob's key issues a leaf that says it is Carol's."""
    forger = Organisation("bob")
    forger.identity = BOB.identity
    return forger.forged_leaf("carol")


BAD: dict[str, Callable[[], Leaf]] = {
    "not in the roster": lambda: _leaf_of(STRANGER),
    "same name, other key": lambda: issue_leaf(Identity.create("bob"), now=SystemClock().now()),
    "self-signed": lambda: self_signed_leaf("bob"),
    "expired": lambda: issue_leaf(BOB.identity, now=SystemClock().now() - timedelta(days=2), valid_s=3600),
    "not yet valid": lambda: issue_leaf(BOB.identity, now=SystemClock().now() + timedelta(days=1)),
    "issued by bob in carol's name": _in_the_name_of_carol,
    "a job process's leaf": lambda: issue_leaf(BOB.identity, now=SystemClock().now(), purpose="link"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_certificate_reaches_no_service(kind: str) -> None:
    answer, seen = asyncio.run(_ask(BAD[kind]()))
    assert isinstance(answer, grpc.StatusCode)
    assert answer in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED)
    assert seen == []


def test_no_certificate_reaches_no_service() -> None:
    async def run() -> None:
        async with echo_server(ALICE, lambda _: ROSTER) as (echo, port):
            credentials = grpc.ssl_channel_credentials(ALICE.certificate_pem)
            channel = grpc.aio.secure_channel(
                f"127.0.0.1:{port}", credentials, options=[("grpc.ssl_target_name_override", "alice.mpcd")]
            )
            assert await call(channel, "/test.Echo/Ask", HELLO) == grpc.StatusCode.UNAVAILABLE
            assert echo.seen == []

    asyncio.run(run())


def test_a_client_talks_to_nobody_but_the_member_it_means() -> None:
    """The server is Alice's; a channel that means Bob trusts Bob's identity alone."""

    async def run() -> None:
        async with echo_server(ALICE, lambda _: ROSTER) as (echo, port):
            target = dataclasses.replace(BOB.member(7403), control=f"127.0.0.1:{port}")
            answer = await call(channel_to(target, _leaf_of(CAROL)), "/test.Echo/Ask", HELLO)
            assert answer == grpc.StatusCode.UNAVAILABLE
            assert echo.seen == []

    asyncio.run(run())


@pytest.mark.parametrize(("version", "accepted"), [("TLSv1_2", False), ("TLSv1_3", True)])
def test_tls_1_2_is_refused(version: str, accepted: bool, tmp_path: Path) -> None:
    """The control is the same client with TLS 1.3."""
    leaf = _leaf_of(BOB)
    (tmp_path / "leaf.pem").write_bytes(leaf.certificate_pem + leaf.key_pem)

    def shake_hands(port: int) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        context.load_cert_chain(tmp_path / "leaf.pem")
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=5)
        try:
            with context.wrap_socket(plain) as secure:
                return secure.version() or ""
        except (ssl.SSLError, ConnectionError):
            return ""

    async def run() -> str:
        async with echo_server(ALICE, lambda _: ROSTER) as (_, port):
            return await asyncio.to_thread(shake_hands, port)

    assert asyncio.run(run()) == ("TLSv1.3" if accepted else "")


def test_a_leaf_is_renewed_while_the_server_runs() -> None:
    clock = MovedClock()

    async def run() -> None:
        leaves = ALICE.leaves()
        leaves._clock = clock
        first = leaves.current()
        assert leaves.current() is first
        clock.off = timedelta(seconds=2401)
        second = leaves.current()
        assert second.certificate_pem != first.certificate_pem
        channels = Channels(leaves)
        old = channels.to(BOB.member(7403))
        assert channels.to(BOB.member(7403)) is old
        clock.off = timedelta(seconds=2 * 2401)
        assert channels.to(BOB.member(7403)) is not old
        await channels.close()

    asyncio.run(run())


def test_new_handshakes_show_the_renewed_leaf() -> None:
    async def run() -> None:
        clock = MovedClock()
        leaves = ALICE.leaves()
        leaves._clock = clock
        server, port = serve_tls("127.0.0.1:0", ROSTER, {}, leaves, SystemClock(), lambda _: None)
        await server.start()

        def shown() -> str:
            return ssl.get_server_certificate(("127.0.0.1", port), timeout=5)

        before = await asyncio.to_thread(shown)
        clock.off = timedelta(seconds=2401)
        after = await asyncio.to_thread(shown)
        await server.stop(None)
        assert before != after

    asyncio.run(run())


def test_a_port_in_use_is_named() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(AddressInUseError, match="in use"):
                serve_tls(address, ROSTER, {}, ALICE.leaves(), SystemClock(), lambda _: None)

    asyncio.run(run())
