"""The channel of real jobs: one TLS stream per peer, all of them served by one thread.

An exchange first offers every frame, then reads what comes; it waits in `poll` only when nothing can move. It
returns when everything is sent and received, so that no buffer of the caller is in use
afterwards. Frames are memory of their own: they stay valid as long as anybody holds them.

A peer that dies, stays silent or announces too long a frame is parted with for the rest of the epoch: its
stream has an unknown part of a frame in it. It counts as gone in the rounds that follow. The round goes on
with all others to its end, and only then fails, unless silence was allowed (`absent_ok`).
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Mapping, Sequence

from mpcd.errors import ChannelError, PeerError
from mpcd.transport.channel import Buffer, IncompleteRound
from mpcd.transport.stream import Link

_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
_WRITABLE = select.POLLOUT | select.POLLHUP | select.POLLERR

SLOWEST_BYTES_S = 1_000_000
"""A link that carries less is as good as broken: a byte now and then must not hold up a job."""
_EXTRA_S = 0.001
YIELDS = 3
"""How often the processor is offered to others before we sleep. What is awaited is often almost here, and to
wake a sleeper costs as much as half a round: a thousand rounds of four parties on two cores take 0.13 s with,
0.22 s without."""


class Links:
    """A `Channel` over links that have shaken hands and exchanged hellos."""

    def __init__(self, me: int, links: Iterable[Link]) -> None:
        self._me = me
        self._links = {link.peer: link for link in links}
        self._peers = frozenset(self._links)
        self._gone: set[int] = set()
        self.waited: tuple[int, float] | None = None
        self._turn: _Turn | None = None
        self._awaited: frozenset[int] = frozenset()
        self._polls: dict[tuple[Link | None, ...], select.poll] = {}
        parties = max(self._peers | {me}) + 1
        # Everybody starts with another receiver: the first party is not hit by all at once.
        self.present = sorted(self._links.values(), key=lambda link: (link.peer - me) % parties)
        self.by_descriptor = {link.descriptor: link for link in self.present}

    @property
    def me(self) -> int:
        return self._me

    @property
    def peers(self) -> frozenset[int]:
        return self._peers

    @property
    def sent_bytes(self) -> int:
        """What was put into the streams, length prefixes included, TLS's own bytes not."""
        return sum(link.sent_bytes for link in self._links.values())

    @property
    def received_bytes(self) -> int:
        return sum(link.received_bytes for link in self._links.values())

    def exchange(
        self,
        number: int,
        outgoing: Mapping[int, Sequence[Buffer]],
        lengths: Mapping[int, int],
        timeout_s: float,
        absent_ok: frozenset[int] = frozenset(),
    ) -> dict[int, memoryview]:
        """See `Channel.exchange`."""
        self.waited = None
        self._awaited = frozenset(lengths)
        turn = self._turn = _Turn(self, number, absent_ok)
        if self._gone:
            turn.leave_out(self._gone & (outgoing.keys() | lengths.keys()))
        turn.offer(outgoing)
        turn.expect(lengths)
        if turn.sending or turn.receiving:
            deadline = time.monotonic() + timeout_s
            late_s = 0.0
            turn.move()
            while turn.sending or turn.receiving:
                if turn.wait(deadline):
                    turn.move()
                    continue
                if late_s:
                    turn.give_up(timeout_s + late_s)
                    break
                # A slow line needs time for many bytes, and what has come by now counts: perhaps we slept.
                late_s = _EXTRA_S + _size(outgoing, lengths) / SLOWEST_BYTES_S
                deadline = time.monotonic() + late_s
            if turn.last is not None:
                peer, since = turn.last
                self.waited = peer, time.monotonic() - since
        if turn.missed:
            raise IncompleteRound(turn.missed, frozenset(turn.frames), number)
        return turn.frames

    def pending(self, number: int) -> frozenset[int]:
        """See `Channel.pending`: everybody, if the signal came before the round was begun."""
        if self._turn is None or self._turn.number != number:
            return self._peers
        return self._awaited - self._turn.frames.keys() | {link.peer for link in self._turn.sending}

    def poll(self, receiving: list[Link], sending: list[Link]) -> select.poll:
        """A poll object for these links: there are few combinations, and making one costs."""
        key = (*receiving, None, *sending)
        poll = self._polls.get(key)
        if poll is None:
            poll = self._polls[key] = select.poll()
            for link in {*receiving, *sending}:
                wanted = select.POLLIN * (link in receiving) | select.POLLOUT * (link in sending)
                poll.register(link.descriptor, wanted)
        return poll

    def part_with(self, peer: int) -> None:
        """Close one link; the peer counts as gone from now on."""
        self._gone.add(peer)
        self.present = [link for link in self.present if link.peer != peer]
        self._links[peer].close()

    def close(self) -> None:
        """See `Channel.close`."""
        for peer in self._peers - self._gone:
            self.part_with(peer)


class _Turn:
    """The state of one exchange: who still has to be sent to, and who to be heard.

    missed  peer -> why its part of the round will never be complete, if that is a fault
    last    the only peer whose frame had not come yet when we had to wait for it, and since when
    """

    __slots__ = ("_absent_ok", "_links", "frames", "last", "missed", "number", "receiving", "sending")

    def __init__(self, links: Links, number: int, absent_ok: frozenset[int]) -> None:
        self._links = links
        self.number = number
        self._absent_ok = absent_ok
        self.sending: list[Link] = []
        self.receiving: list[Link] = []
        self.frames: dict[int, memoryview] = {}
        self.missed: dict[int, str] = {}
        self.last: tuple[int, float] | None = None

    def leave_out(self, gone: set[int]) -> None:
        """Those with whom we have parted before."""
        for peer in gone - self._absent_ok:
            self.missed[peer] = f"party {peer} is gone"

    def offer(self, outgoing: Mapping[int, Sequence[Buffer]]) -> None:
        """Begin to send the frames; small ones are gone at once."""
        for link in self._links.present:
            parts = outgoing.get(link.peer)
            if parts is not None:
                try:
                    if not link.offer(parts):
                        self.sending.append(link)
                except ChannelError as error:
                    self._drop(link, error.what)

    def expect(self, lengths: Mapping[int, int]) -> None:
        """Begin to receive."""
        for link in self._links.present:
            limit = lengths.get(link.peer)
            if limit is not None:
                link.expect(limit, self.number)
                self.receiving.append(link)

    def move(self) -> None:
        """Let the links move, in turns, until none can."""
        more = True
        while more:
            more = False
            for link in tuple(self.receiving):
                if not link.dry and self._pull(link):
                    more = True
            if self.sending:
                for link in [link for link in self.sending if not link.full]:
                    more = True
                    self._push(link)

    def wait(self, deadline: float) -> bool:
        """Sleep until a link can move; False if the deadline has passed."""
        now = time.monotonic()
        left = deadline - now
        if left < 0:
            return False
        if self.last is None and len(self.receiving) == 1 and self.sending in ([], self.receiving):
            self.last = self.receiving[0].peer, now
        poll = self._links.poll(self.receiving, self.sending).poll
        for _ in range(YIELDS):
            if ready := poll(0):
                break
            os.sched_yield()
        else:
            ready = poll(left * 1000 + 1)
        for descriptor, event in ready:
            link = self._links.by_descriptor[descriptor]
            if event & _READABLE:
                link.dry = False
            if event & _WRITABLE:
                link.full = False
        return bool(ready)

    def give_up(self, waited_s: float) -> None:
        """Part with those that are not done."""
        for link in {*self.sending, *self.receiving}:
            self._drop(link, f"nothing from party {link.peer} within {waited_s:.3g} s")

    def _pull(self, link: Link) -> bool:
        """Return whether there may be more to pull."""
        try:
            frame = link.pull()
        except (ChannelError, PeerError) as error:
            self._drop(link, error.what)
            return False
        if frame is None:
            return not link.dry
        self.frames[link.peer] = frame
        self.receiving.remove(link)
        return False

    def _push(self, link: Link) -> None:
        try:
            sent = link.push()
        except ChannelError as error:
            self._drop(link, error.what)
            return
        if sent:
            self.sending.remove(link)

    def _drop(self, link: Link, why: str) -> None:
        """Go on without a peer; in the end that is a fault, unless it might as well be silent."""
        if link.peer not in self._absent_ok:
            self.missed.setdefault(link.peer, why)
        self._links.part_with(link.peer)
        self.sending = [other for other in self.sending if other is not link]
        self.receiving = [other for other in self.receiving if other is not link]


def _size(outgoing: Mapping[int, Sequence[Buffer]], lengths: Mapping[int, int]) -> int:
    """Bytes of a round at one party."""
    sent = sum(memoryview(part).nbytes for parts in outgoing.values() for part in parts)
    return sent + sum(lengths.values())
