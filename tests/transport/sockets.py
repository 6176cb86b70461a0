"""Real connections on 127.0.0.1 for the tests of links."""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from mpcd.transport.hello import Meeting, Peer
from mpcd.transport.links import Links
from mpcd.transport.preface import SIZE_BYTES
from mpcd.transport.stream import Link
from mpcd.transport.tls import client_context, server_context
from tests.transport.pki import Organisation

T = TypeVar("T")


class Listener:
    """Arrivals straight from a listening socket, past the preface."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.address: tuple[str, int] = self.sock.getsockname()

    def fileno(self) -> int:
        return self.sock.fileno()

    def take(self) -> socket.socket | None:
        try:
            newcomer, _ = self.sock.accept()
        except BlockingIOError:
            return None
        newcomer.settimeout(3)
        newcomer.recv(SIZE_BYTES, socket.MSG_WAITALL)
        return newcomer


class World:
    """Some organisations that want to meet for one epoch."""

    def __init__(self, parties: int) -> None:
        self.organisations = [Organisation(f"party{k}") for k in range(parties)]
        self.listeners = [Listener() for _ in range(parties)]
        self.session, self.specification = secrets.token_bytes(32), secrets.token_bytes(32)

    def peers(self, me: int) -> dict[int, Peer]:
        return {
            k: Peer(k, o.name, o.pem, *self.listeners[k].address)
            for k, o in enumerate(self.organisations)
            if k != me
        }

    def meeting(self, me: int, *, epoch: int = 0, attempt: int = 0) -> Meeting:
        return Meeting(self.session, self.specification, epoch, attempt, me)

    def close(self) -> None:
        for listener in self.listeners:
            listener.sock.close()


@contextmanager
def stream_pair() -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Two ends of an authenticated TLS stream: party 0's and party 1's."""
    zero, one = Organisation("zero"), Organisation("one")
    listener = socket.create_server(("127.0.0.1", 0))
    raw_one = socket.create_connection(listener.getsockname())
    raw_zero, _ = listener.accept()
    listener.close()
    raw_zero.settimeout(10)
    raw_one.settimeout(10)
    server = together(
        lambda: server_context(zero.leaf(), [one.pem]).wrap_socket(
            raw_zero, server_side=True, suppress_ragged_eofs=False
        ),
        lambda: client_context(one.leaf(), zero.pem).wrap_socket(
            raw_one, server_hostname="link.zero.mpcd", suppress_ragged_eofs=False
        ),
    )
    try:
        yield server[0], server[1]
    finally:
        for end in server:
            end.close()


@contextmanager
def linked_pair() -> Iterator[tuple[Links, Links]]:
    """Two parties with a link between them."""
    with stream_pair() as (zero, one):
        pair = Links(0, [Link(1, zero)]), Links(1, [Link(0, one)])
        try:
            yield pair
        finally:
            for links in pair:
                links.close()


def together(*works: Callable[[], T]) -> list[T]:
    """Run functions at the same time; their results, or the first error that one raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(60) for future in [pool.submit(work) for work in works]]
