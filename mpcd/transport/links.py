"""The channel of real jobs: one TLS stream per peer, all of them served by one thread.

An exchange first offers every frame, then reads; it waits in `poll` only when nothing moved in a whole turn.
It returns when everything is sent and received, so that no buffer of the caller is in use
afterwards. Frames are views on memory of their own: they stay valid as long as anybody holds them.

A peer that dies or stays silent where that is allowed (`absent_ok`) is parted with for the rest of the
epoch: its stream has an unknown part of a frame in it. It counts as gone in the rounds that follow.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterable, Mapping, Sequence

from mpcd.errors import ChannelError, DeadlineError
from mpcd.transport.channel import Buffer
from mpcd.transport.stream import Link


class Links:
    """A `Channel` over links that have shaken hands and exchanged hellos."""

    def __init__(self, me: int, links: Iterable[Link]) -> None:
        self._me = me
        self._links = {link.peer: link for link in links}
        self._peers = frozenset(self._links)
        self._gone: set[int] = set()
        # Everybody starts with another receiver: the first party is not hit by all at once.
        self._order = sorted(self._peers, key=lambda peer: (peer - me) % (max(self._peers | {me}) + 1))

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
        turn = _Turn(self, number, absent_ok)
        for peer in self._order:
            if peer in outgoing and turn.alive(peer):
                turn.load(self._links[peer], outgoing[peer])
        for peer in self._order:
            if peer in lengths and turn.alive(peer):
                turn.expect(self._links[peer], lengths[peer])
        deadline = time.monotonic() + timeout_s
        while turn.sending or turn.receiving:
            if not turn.move():
                turn.wait(deadline, timeout_s)
        return turn.frames

    def part_with(self, peer: int) -> None:
        """Close one link; the peer counts as gone from now on."""
        self._gone.add(peer)
        self._links[peer].close()

    def is_gone(self, peer: int) -> bool:
        return peer in self._gone

    def close(self) -> None:
        """See `Channel.close`."""
        for peer in self._peers - self._gone:
            self.part_with(peer)


class _Turn:
    """The state of one exchange: who still has to be sent to, and who to be heard."""

    __slots__ = ("_absent_ok", "_links", "_number", "frames", "receiving", "sending")

    def __init__(self, links: Links, number: int, absent_ok: frozenset[int]) -> None:
        self._links = links
        self._number = number
        self._absent_ok = absent_ok
        self.sending: list[Link] = []
        self.receiving: list[Link] = []
        self.frames: dict[int, memoryview] = {}

    def alive(self, peer: int) -> bool:
        """Whether a peer takes part; raises if it is gone and must not be."""
        if not self._links.is_gone(peer):
            return True
        if peer not in self._absent_ok:
            raise self._lost(f"party {peer} is gone", {peer})
        return False

    def load(self, link: Link, parts: Sequence[Buffer]) -> None:
        """Offer a frame; most frames are small and gone at once."""
        link.load(parts)
        self.sending.append(link)
        self._push(link)

    def expect(self, link: Link, limit: int) -> None:
        self.receiving.append(link)
        link.expect(limit, self._number)
        self._collect(link)

    def move(self) -> bool:
        """Let every link move once; return whether any did."""
        moved = False
        for link in tuple(self.receiving):
            moved |= self._pull(link)
        for link in tuple(self.sending):
            moved |= self._push(link)
        return moved

    def wait(self, deadline: float, timeout_s: float) -> None:
        """Sleep until a link can move; at the deadline, part with those that were silent.

        Raises  DeadlineError naming those whose silence is not allowed
        """
        left = deadline - time.monotonic()
        if left <= 0:
            self._give_up(timeout_s)
            return
        poll = select.poll()
        masks: dict[int, int] = {}
        for link in self.receiving:
            masks[link.fileno()] = select.POLLIN
        for link in self.sending:
            masks[link.fileno()] = masks.get(link.fileno(), 0) | select.POLLOUT
        for descriptor, mask in masks.items():
            poll.register(descriptor, mask)
        poll.poll(left * 1000 + 1)

    def _pull(self, link: Link) -> bool:
        try:
            moved = link.pull()
        except ChannelError as error:
            return self._excuse(link, error)
        self._collect(link)
        return moved

    def _collect(self, link: Link) -> None:
        if link.frame is not None:
            self.frames[link.peer] = link.frame
            link.frame = None
            self.receiving.remove(link)

    def _push(self, link: Link) -> bool:
        try:
            moved = link.push()
        except ChannelError as error:
            return self._excuse(link, error)
        if not link.sending:
            self.sending.remove(link)
        return moved

    def _excuse(self, link: Link, error: ChannelError) -> bool:
        """Go on without a dead peer where that is allowed."""
        if link.peer not in self._absent_ok:
            raise self._lost(error.what, {link.peer}) from None
        self._drop(link)
        return True

    def _drop(self, link: Link) -> None:
        self._links.part_with(link.peer)
        self.sending = [other for other in self.sending if other is not link]
        self.receiving = [other for other in self.receiving if other is not link]

    def _give_up(self, timeout_s: float) -> None:
        silent = {link.peer for link in (*self.sending, *self.receiving)}
        if silent - self._absent_ok:
            raise DeadlineError(
                f"nothing from parties {sorted(silent)} within {timeout_s:g} s",
                where=f"round {self._number}",
                unreachable=frozenset(silent - self._absent_ok),
            )
        for link in {*self.sending, *self.receiving}:
            self._drop(link)

    def _lost(self, what: str, peers: set[int]) -> ChannelError:
        return ChannelError(what, where=f"round {self._number}", unreachable=frozenset(peers))
