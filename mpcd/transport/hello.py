"""From a TCP connection to a link: TLS handshake, who is it, and a hello both ways.

No frame is sent before both hellos have arrived: in TLS 1.3 the dialling side finishes its handshake before
its certificate has been looked at, so a handshake that succeeded there proves nothing yet. The hello
says which epoch of which job the stream is for; a stream for another one is refused.

The side that dials speaks first; the side that accepts answers only after it has checked chain, issuer
and hello. Every step runs against one deadline.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

from mpcd.clock import SystemClock
from mpcd.errors import ChannelError
from mpcd.identity.certificates import host_name, leaf_fault
from mpcd.transport.preface import Preface
from mpcd.transport.stream import Link

HANDSHAKE_S = 3.0
"""How long somebody who connected may take from first byte to hello."""

_HELLO = struct.Struct("!8s32s32sIIBB")
_MAGIC = b"mpcd/hi1"


class WrongPeerError(ChannelError):
    """Whoever answered is not the party that was meant; dialling again is no use."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What both ends of every link must agree on.

    session, specification_hash  32 bytes each
    """

    session: bytes
    specification_hash: bytes
    epoch: int
    attempt: int
    me: int

    def hello(self, sender: int, receiver: int) -> bytes:
        return _HELLO.pack(
            _MAGIC, self.session, self.specification_hash, self.epoch, self.attempt, sender, receiver
        )

    def preface(self) -> Preface:
        return Preface.of(self.session, self.epoch, self.attempt, self.me)


@dataclass(frozen=True, slots=True)
class Peer:
    """A computing party as the links see it: index, name, identity certificate, link address."""

    index: int
    name: str
    identity_pem: bytes
    host: str
    port: int


def dial(meeting: Meeting, peer: Peer, context: ssl.SSLContext, deadline: float) -> Link:
    """Connect to a peer. `deadline` is on `time.monotonic`.

    Raises  ChannelError with `unreachable` = the peer
    """
    try:
        raw = socket.create_connection((peer.host, peer.port), timeout=_left(deadline))
    except OSError as error:
        raise _lost(peer, "cannot be reached", error) from None
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.sendall(meeting.preface().encode())
        # The peer's job process may still have to start: its daemon keeps the connection for it.
        raw.settimeout(_left(deadline))
        stream = context.wrap_socket(
            raw, server_hostname=host_name(peer.name, "link"), suppress_ragged_eofs=False
        )
    except OSError as error:
        raw.close()
        raise _lost(peer, _why(error), error) from None
    try:
        stream.sendall(meeting.hello(meeting.me, peer.index))
        answer = _receive(stream, _HELLO.size, deadline)
    except OSError as error:
        stream.close()
        raise _lost(peer, _why(error), error) from None
    if answer != meeting.hello(peer.index, meeting.me):
        stream.close()
        raise _lost(peer, "speaks for another job or epoch", None)
    return Link(peer.index, stream)


def accept(
    meeting: Meeting,
    raw: socket.socket,
    peers: Mapping[int, Peer],
    context: ssl.SSLContext,
    limit_s: float = HANDSHAKE_S,
) -> Link:
    """Shake hands with somebody who connected: any of `peers`, decided by who issued the leaf.

    Raises  ChannelError; `unreachable` is empty, since nobody knows who it was
    """
    deadline = time.monotonic() + limit_s
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.settimeout(limit_s)
        stream = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
    except OSError as error:
        raw.close()
        raise ChannelError(f"a connection was refused: {_why(error)}") from None
    try:
        hello = _receive(stream, _HELLO.size, deadline)
        peer = _identify(meeting, stream, hello, peers)
        stream.settimeout(_left(deadline))
        stream.sendall(meeting.hello(meeting.me, peer.index))
    except OSError as error:
        stream.close()
        raise ChannelError(f"a connection was refused: {_why(error)}") from None
    except ChannelError:
        stream.close()
        raise
    return Link(peer.index, stream)


def _identify(meeting: Meeting, stream: ssl.SSLSocket, hello: bytes, peers: Mapping[int, Peer]) -> Peer:
    """The peer whose name is in the hello, if its own identity issued the leaf."""
    claimed = hello[-2]
    peer = peers.get(claimed)
    if peer is None or hello != meeting.hello(claimed, meeting.me):
        raise ChannelError("a connection was refused: it is for another job, epoch or party")
    leaf = stream.getpeercert(binary_form=True) or b""
    fault = leaf_fault(leaf, peer.identity_pem, peer.name, SystemClock().now(), "link")
    if fault:
        raise ChannelError(f"a connection was refused: {fault}")
    return peer


def _receive(stream: ssl.SSLSocket, size: int, deadline: float) -> bytes:
    """Exactly `size` bytes: not one byte of a frame that may follow."""
    data = b""
    while len(data) < size:
        stream.settimeout(_left(deadline))
        more = stream.recv(size - len(data))
        if not more:
            raise ConnectionResetError("closed before the hello")
        data += more
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _why(error: OSError) -> str:
    """What went wrong, without anything the other side can word."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not acceptable: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"the TLS handshake failed ({error.reason or type(error).__name__})"
    if isinstance(error, TimeoutError):
        return "it took too long"
    return f"it closed the connection ({type(error).__name__})"


def _lost(peer: Peer, why: str, error: OSError | None) -> ChannelError:
    if error is None or isinstance(error, ssl.SSLCertVerificationError):
        return WrongPeerError(f"{peer.name}: {why}", unreachable=frozenset({peer.index}))
    detail = f": {error.strerror}" if error.strerror and "reached" in why else ""
    return ChannelError(f"{peer.name}: {why}{detail}", unreachable=frozenset({peer.index}))
