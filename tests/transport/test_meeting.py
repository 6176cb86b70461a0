"""Who may become a link: certificates, hello, time limits. Every refusal beside an honest control."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from mpcd.errors import ChannelError, DeadlineError
from mpcd.identity.certificates import Leaf, issue_leaf
from mpcd.transport.hello import HANDSHAKE_S, Meeting, Peer, WrongPeerError, accept, dial
from mpcd.transport.links import Links
from mpcd.transport.meeting import open_links
from mpcd.transport.stream import Link
from mpcd.transport.tls import client_context, server_context
from tests.transport.pki import Organisation, self_signed_leaf
from tests.transport.sockets import World, together


@pytest.fixture
def world() -> Iterator[World]:
    made = World(3)
    yield made
    made.close()


def _accept(world: World, *, peers: dict[int, Peer] | None = None) -> Link | ChannelError:
    """Party 0 accepts one connection from party 1 or 2."""
    listener = world.listeners[0]
    deadline = time.monotonic() + 5
    while (raw := listener.take()) is None:
        assert time.monotonic() < deadline, "nobody dialled"
        time.sleep(0.005)
    known = peers or world.peers(0)
    context = server_context(world.organisations[0].leaf(), [peer.identity_pem for peer in known.values()])
    try:
        return accept(world.meeting(0), raw, known, context)
    except ChannelError as error:
        return error


def _dial(
    world: World, leaf: Leaf, *, meeting: Meeting | None = None, identity: bytes | None = None
) -> Link | ChannelError:
    """Party 1 dials party 0."""
    context = client_context(leaf, identity or world.organisations[0].pem)
    try:
        return dial(meeting or world.meeting(1), world.peers(1)[0], context, time.monotonic() + 5)
    except ChannelError as error:
        return error


def _meet(world: World, leaf: Leaf, meeting: Meeting | None = None) -> list[Link | ChannelError]:
    return together(lambda: _accept(world), lambda: _dial(world, leaf, meeting=meeting))


def test_honest_parties_meet(world: World) -> None:
    ours, theirs = _meet(world, world.organisations[1].leaf())
    assert isinstance(ours, Link)
    assert isinstance(theirs, Link)
    assert (ours.peer, theirs.peer) == (1, 0)
    assert ours.sock.version() == theirs.sock.version() == "TLSv1.3"
    ours.close()
    theirs.close()


LEAVES: dict[str, Callable[[World], Leaf]] = {
    "expired": lambda w: w.organisations[1].forged_leaf("party1", valid=timedelta(hours=-1)),
    "self-signed": lambda _: self_signed_leaf("party1"),
    "of an unknown identity": lambda _: Organisation("party1").leaf(),
    "issued by another party": lambda w: w.organisations[2].forged_leaf("party1"),
    "of another party": lambda w: w.organisations[2].leaf(),
    "for the control plane": lambda w: issue_leaf(
        w.organisations[1].identity, now=datetime.now(UTC), valid_s=60
    ),
}


@pytest.mark.parametrize("name", LEAVES)
def test_a_dialler_with_a_bad_certificate_is_refused(world: World, name: str) -> None:
    """And it never gets a hello, so it never sends a frame: in TLS 1.3 its own handshake succeeds first."""
    ours, theirs = _meet(world, LEAVES[name](world))
    assert isinstance(ours, ChannelError)
    assert ours.unreachable == frozenset()
    assert isinstance(theirs, ChannelError)


def test_another_partys_leaf_in_its_name_is_refused_even_without_name_constraints(world: World) -> None:
    """A malicious party leaves the constraint out of its identity: TLS is content, we are not."""
    cheater = world.organisations[2]
    peers = world.peers(0)
    peers[2] = dataclasses.replace(peers[2], identity_pem=cheater.unconstrained_pem())
    ours, theirs = together(
        lambda: _accept(world, peers=peers), lambda: _dial(world, cheater.forged_leaf("party1"))
    )
    assert isinstance(ours, ChannelError)
    assert "of party1" in str(ours)  # ours to say: the handshake has succeeded
    assert isinstance(theirs, ChannelError)


def test_a_dialler_without_a_certificate_is_refused(world: World) -> None:
    def dial_bare() -> Link | ChannelError:
        raw = _connect(world)
        context = ssl.create_default_context(cadata=world.organisations[0].pem.decode())
        stream = context.wrap_socket(raw, server_hostname="link.party0.mpcd", suppress_ragged_eofs=False)
        with pytest.raises(OSError):  # noqa: PT011 - alert or end, whichever comes first
            stream.recv(1)
        return ChannelError("refused")

    ours, _ = together(lambda: _accept(world), dial_bare)
    assert isinstance(ours, ChannelError)


def test_tls_1_2_is_refused(world: World) -> None:
    def dial_old() -> Link | ChannelError:
        context = client_context(world.organisations[1].leaf(), world.organisations[0].pem)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(OSError):  # noqa: PT011
            context.wrap_socket(_connect(world), server_hostname="link.party0.mpcd")
        return ChannelError("refused")

    ours, _ = together(lambda: _accept(world), dial_old)
    assert isinstance(ours, ChannelError)
    assert "PROTOCOL" in str(ours)


def test_a_server_that_is_somebody_else_is_not_spoken_to(world: World) -> None:
    """The dialler trusts the expected identity only; another member of the roster will not do."""
    impostor = server_context(world.organisations[2].leaf(), [world.organisations[1].pem])

    def serve() -> Link | ChannelError:
        while (raw := world.listeners[0].take()) is None:
            time.sleep(0.005)
        with pytest.raises(OSError):  # noqa: PT011
            impostor.wrap_socket(raw, server_side=True).recv(1)
        return ChannelError("refused")

    _, theirs = together(serve, lambda: _dial(world, world.organisations[1].leaf()))
    assert isinstance(theirs, WrongPeerError)
    assert theirs.unreachable == {0}


CHANGES = {
    "session": {"session": bytes(32)},
    "specification": {"specification_hash": bytes(32)},
    "epoch": {"epoch": 1},
    "attempt": {"attempt": 1},
    "sender": {"me": 2},
    "unknown sender": {"me": 9},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_hello_for_something_else_is_refused(world: World, name: str) -> None:
    meeting = dataclasses.replace(world.meeting(1), **CHANGES[name])  # type: ignore[arg-type]
    ours, theirs = _meet(world, world.organisations[1].leaf(), meeting)
    assert isinstance(ours, ChannelError)
    assert isinstance(theirs, ChannelError)


def test_whoever_says_nothing_is_cut_off_after_three_seconds(world: World) -> None:
    raw = _connect(world)
    start = time.monotonic()
    outcome = _accept(world)
    assert isinstance(outcome, ChannelError)
    assert "too long" in str(outcome)
    assert HANDSHAKE_S - 0.1 < time.monotonic() - start < HANDSHAKE_S + 2
    raw.close()


def test_all_parties_meet_beside_slow_strangers(world: World) -> None:
    """Handshakes are concurrent: connections that say nothing delay nobody."""
    strangers = [_connect(world) for _ in range(5)]
    start = time.monotonic()
    everybody = together(*(lambda me=me: _open(world, me) for me in range(3)))
    assert time.monotonic() - start < HANDSHAKE_S
    frames = together(*(lambda k=k: _say(everybody[k]) for k in range(3)))
    assert frames == [{p: b"from %d" % p for p in range(3) if p != k} for k in range(3)]
    for links in everybody:
        links.close()
    for stranger in strangers:
        stranger.close()


def _open(world: World, me: int, timeout_s: float = 10) -> Links:
    leaf = world.organisations[me].leaf()
    return open_links(world.meeting(me), world.peers(me), leaf, world.listeners[me], timeout_s)


def _say(links: Links) -> dict[int, bytes]:
    outgoing = {p: [b"from %d" % links.me] for p in links.peers}
    frames = links.exchange(0, outgoing, dict.fromkeys(links.peers, 9), 5)
    return {peer: bytes(frame) for peer, frame in frames.items()}


def test_who_never_comes_is_named(world: World) -> None:
    def lonely() -> ChannelError:
        with pytest.raises(DeadlineError) as caught:
            _open(world, 0, 0.5)
        return caught.value

    before = set(threading.enumerate())
    assert lonely().unreachable == {1, 2}
    assert set(threading.enumerate()) <= before, "no thread stays behind"


def test_a_dead_address_is_named(world: World) -> None:
    world.listeners[0].sock.close()
    with pytest.raises(ChannelError) as caught:
        _open(world, 1, 0.5)
    assert 0 in caught.value.unreachable


def _connect(world: World) -> socket.socket:
    raw = socket.create_connection(world.listeners[0].address)
    raw.sendall(world.meeting(1).preface().encode())
    return raw
