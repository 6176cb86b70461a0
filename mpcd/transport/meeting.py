"""Opening all links of one epoch: the higher index dials, the lower accepts, all at once.

Each handshake has a thread of its own, so that one slow or hostile connection delays nobody else; whoever
connects has three seconds, and the number of handshakes under way is limited. The first
authenticated stream of a peer wins.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Mapping
from typing import Protocol

from mpcd.errors import ChannelError, DeadlineError
from mpcd.identity.certificates import Leaf
from mpcd.transport.hello import Meeting, Peer, WrongPeerError, accept, dial
from mpcd.transport.links import Links
from mpcd.transport.stream import Link
from mpcd.transport.tls import client_context, server_context

MAX_HANDSHAKES = 16
_RETRY_S = (0.02, 0.05, 0.1, 0.2, 0.5)


class Arrivals(Protocol):
    """Where the daemon hands over the connections of peers that dialled it."""

    def fileno(self) -> int:
        """Readable when `take` may have something."""
        ...

    def take(self) -> socket.socket | None:
        """The next connection, or None at once if there is none yet."""
        ...


def open_links(
    meeting: Meeting, peers: Mapping[int, Peer], leaf: Leaf, arrivals: Arrivals, timeout_s: float
) -> Links:
    """Meet every peer; blocks until all links are up.

    Raises  ChannelError whose `unreachable` names the peers that could not be met; the text says why
    """
    deadline = time.monotonic() + timeout_s
    reception = _Reception(meeting, peers, leaf, deadline)
    try:
        reception.dial_all()
        reception.collect()
        while reception.missing:
            reception.check(timeout_s)
            while (newcomer := arrivals.take()) is not None:
                reception.receive(newcomer)
            reception.wait(arrivals)
            reception.collect()
    finally:
        reception.stop()
        if reception.missing:
            reception.abandon()
    return Links(meeting.me, reception.links.values())


class _Reception:
    """The handshakes under way, and the links they have led to."""

    def __init__(self, meeting: Meeting, peers: Mapping[int, Peer], leaf: Leaf, deadline: float) -> None:
        self._meeting = meeting
        self._peers = peers
        self._leaf = leaf
        self._deadline = deadline
        self._outcomes: queue.SimpleQueue[Link | ChannelError] = queue.SimpleQueue()
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._slots = threading.Semaphore(MAX_HANDSHAKES)
        self._accepted = {index: peer for index, peer in peers.items() if index > meeting.me}
        self._context = server_context(leaf, [peer.identity_pem for peer in peers.values()])
        self._reasons: dict[int, ChannelError] = {}
        self._refused = ""
        self._lock = threading.Lock()
        self._stopped = False
        self.links: dict[int, Link] = {}

    @property
    def missing(self) -> frozenset[int]:
        return frozenset(self._peers) - self.links.keys()

    def dial_all(self) -> None:
        for index, peer in self._peers.items():
            if index < self._meeting.me:
                threading.Thread(target=self._dial, args=(peer,), daemon=True).start()

    def receive(self, newcomer: socket.socket) -> None:
        """Begin a handshake with somebody; beyond the limit the connection is closed."""
        if not self._slots.acquire(blocking=False):
            newcomer.close()
            return
        threading.Thread(target=self._accept, args=(newcomer,), daemon=True).start()

    def collect(self) -> None:
        if not self._stopped:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._news)
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if isinstance(outcome, ChannelError):
                self._refused = outcome.what
                self._reasons.update(dict.fromkeys(outcome.unreachable, outcome))
            elif outcome.peer in self.links:
                outcome.close()
            else:
                self.links[outcome.peer] = outcome

    def check(self, timeout_s: float) -> None:
        """Raise if nobody is left who can still be met, or the time is up."""
        lost = self._reasons.keys() & self.missing
        # Whoever gives up closes all its links: not before the others have met it, or they would miss it too.
        if lost and lost == self.missing:
            raise ChannelError(
                "; ".join(self._reasons[index].what for index in sorted(lost)),
                where="links",
                unreachable=frozenset(lost),
            )
        if time.monotonic() >= self._deadline:
            names = ", ".join(self._peers[index].name for index in sorted(self.missing))
            hint = f"; the last refusal: {self._refused}" if self._refused else ""
            raise DeadlineError(
                f"no link with {names} within {timeout_s:g} s{hint}",
                where="links",
                unreachable=self.missing,
            )

    def wait(self, arrivals: Arrivals) -> None:
        """Sleep until a handshake has ended, somebody has come, or the time is up."""
        left = max(self._deadline - time.monotonic(), 0.0)
        poll = select.poll()
        poll.register(self._news, select.POLLIN)
        poll.register(arrivals.fileno(), select.POLLIN)
        poll.poll(left * 1000 + 1)

    def stop(self) -> None:
        """Whatever handshake still goes on closes what it gets."""
        with self._lock:
            os.close(self._news)
            self._stopped = True
        self.collect()

    def _tell(self, outcome: Link | ChannelError) -> None:
        with self._lock:
            if not self._stopped:
                self._outcomes.put(outcome)
                os.eventfd_write(self._news, 1)
            elif isinstance(outcome, Link):
                outcome.close()

    def abandon(self) -> None:
        for link in self.links.values():
            link.close()

    def _dial(self, peer: Peer) -> None:
        """Dial until it answers: its daemon may be busy or just starting."""
        context = client_context(self._leaf, peer.identity_pem)
        attempt = 0
        while True:
            try:
                self._tell(dial(self._meeting, peer, context, self._deadline))
                return
            except ChannelError as error:
                pause = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
                attempt += 1
                if isinstance(error, WrongPeerError) or time.monotonic() + pause >= self._deadline:
                    self._tell(error)
                    return
                time.sleep(pause)

    def _accept(self, newcomer: socket.socket) -> None:
        try:
            self._tell(accept(self._meeting, newcomer, self._accepted, self._context))
        except ChannelError as error:
            self._tell(error)
        finally:
            self._slots.release()
