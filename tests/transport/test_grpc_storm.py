"""Many handshakes at once, of strangers: the daemon stays up, and members get through afterwards.

The server runs in a process of its own: what this is about is a crash inside of the gRPC library.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
import subprocess
import sys
from datetime import timedelta

import grpc

from mpcd._pb.v1.common_pb2 import Envelope
from mpcd.clock import SystemClock
from mpcd.identity.certificates import issue_leaf
from mpcd.identity.roster import Roster
from mpcd.transport.grpc_channel import channel_to
from mpcd.transport.grpc_server import _Renewal
from tests.transport.grpc_world import MovedClock, call, echo_server, org

DIALLERS, TIMES = 8, 300
"""On two cores a server whose certificates were replaced in every handshake survived 2 of 3 times 200."""


def _dial(port: int) -> None:
    """Shake hands as nobody, again and again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    for _ in range(TIMES):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=3) as sock:
            context.wrap_socket(sock).close()


async def _storm() -> None:
    alice, bob = org("alice"), org("bob")
    roster = Roster.of([alice.member(7401), bob.member(7403)])
    async with echo_server(alice, lambda _: roster) as (_, port):
        await asyncio.gather(*(asyncio.to_thread(_dial, port) for _ in range(DIALLERS)))
        target = dataclasses.replace(alice.member(7401), control=f"127.0.0.1:{port}")
        leaf = issue_leaf(bob.identity, now=SystemClock().now())
        hello = Envelope(type="hello")
        answer = await call(channel_to(target, leaf), "/test.Echo/Ask", hello)
    assert answer == hello.SerializeToString(), answer


def test_a_storm_of_handshakes_does_not_crash_the_server() -> None:
    code = "import asyncio; from tests.transport import test_grpc_storm as t; asyncio.run(t._storm())"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=100, check=False)
        assert done.returncode == 0, (done.returncode, done.stderr[-2000:])


def test_what_is_shown_is_replaced_when_the_leaf_was_renewed_and_at_no_other_time() -> None:
    clock, leaves = MovedClock(), org("alice").leaves()
    leaves._clock = clock
    renewal = _Renewal(leaves, b"", leaves.current())
    assert [renewal(), renewal()] == [None, None]
    clock.off = timedelta(seconds=2401)
    assert isinstance(renewal(), grpc.ServerCertificateConfiguration)
    assert renewal() is None
