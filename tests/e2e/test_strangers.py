"""Strangers at the ports of daemons that are busy: rubbish, silence, floods, wrong TLS; jobs go on.

The certificates that are refused are in tests/transport; here are one of each kind at a live daemon.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest
from mpcd._pb.v1.peer_pb2_grpc import PeerStub
from mpcd.identity.certificates import Leaf, issue_leaf
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Roster
from mpcd.transport.preface import Preface
from tests.e2e.town import Town
from tests.transport.pki import Organisation, self_signed_leaf

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

WAIT_S = 20.0
PORTS = ("control", "links")
RUBBISH = {
    "zeros": bytes(4096),
    "noise": os.urandom(1 << 16),
    "http": b"GET / HTTP/1.1\r\nHost: mpcd\r\n\r\n",
    "preface of an unknown job": Preface(os.urandom(24), 0, 0, 1).encode() + bytes(100),
    "preface of another version": b"mpcd\x09" + bytes(35),
    "TLS record of the greatest length": b"\x16\x03\x01\xff\xff" + bytes(1 << 16),
}


def _member(town: Town, name: str) -> Member:
    return Roster.load(town.cluster.roster()).member(name)


def _connect(town: Town, port: str, name: str = "acme") -> socket.socket:
    host, _, number = getattr(_member(town, name), port).rpartition(":")
    return socket.create_connection((host, int(number)), timeout=WAIT_S)


def _is_cut_off(connection: socket.socket) -> bool:
    """Whether the daemon ends the connection by itself; it may send an alert before."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return True


@pytest.mark.parametrize("kind", RUBBISH)
@pytest.mark.parametrize("port", PORTS)
def test_rubbish_is_cut_off(town: Town, port: str, kind: str) -> None:
    with _connect(town, port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(RUBBISH[kind])
        assert _is_cut_off(connection)  # a timeout is an error


@pytest.fixture
def crowd(town: Town) -> Iterator[list[socket.socket]]:
    """At every port of acme and bolt: some who say nothing and some who stop in the middle of a word."""
    with contextlib.ExitStack() as stack:
        there = [
            stack.enter_context(_connect(town, port, name))
            for name in ("acme", "bolt")
            for port in PORTS
            for _ in range(10)
        ]
        for connection in there[::2]:
            connection.sendall(b"mpcd")
        yield there


def test_a_job_goes_on_beside_a_silent_crowd(town: Town, crowd: list[socket.socket]) -> None:
    assert town.auction() == ("bolt", 650)
    assert all(_is_cut_off(connection) for connection in crowd)
    assert town.auction() == ("bolt", 650)


def test_a_flood_of_connections(town: Town) -> None:
    """More than a daemon keeps; jobs wait until the silent ones have been cut off, and succeed."""
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(_connect(town, "links")) for _ in range(300)]
        assert town.auction() == ("bolt", 650)
        assert all(_is_cut_off(connection) for connection in flood[-10:])
    assert town.auction() == ("bolt", 650)


def _shake_hands(town: Town, leaf: Leaf | None, version: ssl.TLSVersion, tmp_path: Path) -> bool:
    """Whether acme's control port takes this certificate, or none, in this version of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    if leaf is not None:
        (tmp_path / "leaf.pem").write_bytes(leaf.certificate_pem + leaf.key_pem)
        context.load_cert_chain(tmp_path / "leaf.pem")
    try:
        with _connect(town, "control") as plain, context.wrap_socket(plain) as secure:
            # In TLS 1.3 the server judges the client's certificate after the client thinks that all is well.
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
            return bool(secure.recv(9))
    except (ssl.SSLError, ConnectionError):
        return False


def _identity(town: Town, name: str) -> Identity:
    return Identity.load(town.directory / name / "identity.key")


def _forged(town: Town, name: str) -> Leaf:
    """bolt's key issues a leaf in the name of `name`."""
    forger = Organisation("bolt")
    forger.identity = _identity(town, "bolt")
    return forger.forged_leaf(name)


def test_who_gets_through_to_the_control_port(town: Town, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    good = issue_leaf(_identity(town, "bolt"), now=now)
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert _shake_hands(town, good, v13, tmp_path)
    assert not _shake_hands(town, good, v12, tmp_path)
    assert not _shake_hands(town, None, v13, tmp_path)
    assert not _shake_hands(town, self_signed_leaf("bolt"), v13, tmp_path)
    assert not _shake_hands(town, issue_leaf(Identity.create("bolt"), now=now), v13, tmp_path)
    assert town.auction() == ("bolt", 650)


def _call(town: Town, leaf: Leaf, request: FetchOutputRequest) -> grpc.StatusCode:
    """What acme answers to this request under this certificate."""
    acme = _member(town, "acme")
    credentials = grpc.ssl_channel_credentials(acme.certificate_pem, leaf.key_pem, leaf.certificate_pem)
    options = [("grpc.ssl_target_name_override", "acme.mpcd")]
    with grpc.secure_channel(acme.control, credentials, options=options) as channel:
        stub = PeerStub(channel)  # type: ignore[no-untyped-call]
        try:
            list(stub.FetchOutput(request, timeout=WAIT_S))
        except grpc.RpcError as error:
            code = error.code()
            assert isinstance(code, grpc.StatusCode)
            return code
    return grpc.StatusCode.OK


def test_what_members_and_forgers_get_from_the_peer_service(town: Town) -> None:
    """A member that takes no part in a job gets none of its outputs; a forger is nobody at all."""
    last = town.run()
    request = FetchOutputRequest(job=last.job, output="winner")
    now = datetime.now(UTC)
    refused = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
    assert _call(town, issue_leaf(_identity(town, "erin"), now=now), request) in refused
    forged = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED)
    assert _call(town, _forged(town, "crux"), request) in forged
    oversize = FetchOutputRequest(job=bytes(3 << 20), output="winner")
    leaf = issue_leaf(_identity(town, "crux"), now=now)
    limits = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT)
    assert _call(town, leaf, oversize) in limits
    assert town.auction() == ("bolt", 650)
