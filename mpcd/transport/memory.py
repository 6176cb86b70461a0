"""A channel between threads of one process, for tests and for trying things out.

Frames are copied when they are sent, as a network would, so that a sender that changes a buffer too
late is not noticed here either; what a frame may be long is checked as links do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from mpcd.transport.channel import Buffer, IncompleteRound


class MemoryNetwork:
    """All channels of one epoch: `parties` indices, each of which takes its own `channel`."""

    def __init__(self, parties: int) -> None:
        self.parties = parties
        self.changed = threading.Condition()
        self.mail: dict[tuple[int, int], deque[bytearray]] = {
            (a, b): deque() for a in range(parties) for b in range(parties) if a != b
        }
        self.gone: set[int] = set()

    def channel(self, me: int) -> MemoryChannel:
        """The channel of one party."""
        return MemoryChannel(self, me)

    def channels(self) -> list[MemoryChannel]:
        """One channel per party, in order."""
        return [MemoryChannel(self, me) for me in range(self.parties)]


class MemoryChannel:
    """One party's end of a `MemoryNetwork`."""

    def __init__(self, network: MemoryNetwork, me: int) -> None:
        self._network = network
        self._me = me
        self._peers = frozenset(range(network.parties)) - {me}
        self.waited: tuple[int, float] | None = None

    @property
    def me(self) -> int:
        return self._me

    @property
    def peers(self) -> frozenset[int]:
        return self._peers

    def pending(self, number: int) -> frozenset[int]:
        """Threads are not interrupted."""
        return frozenset()

    def exchange(
        self,
        number: int,
        outgoing: Mapping[int, Sequence[Buffer]],
        lengths: Mapping[int, int],
        timeout_s: float,
        absent_ok: frozenset[int] = frozenset(),
    ) -> dict[int, memoryview]:
        """See `Channel.exchange`."""
        deadline = time.monotonic() + timeout_s
        network = self._network
        frames = {peer: bytearray().join(parts) for peer, parts in outgoing.items()}
        last: tuple[int, float] | None = None
        with network.changed:
            for peer, frame in frames.items():
                network.mail[self._me, peer].append(frame)
            network.changed.notify_all()
            while True:
                missing = [peer for peer in lengths if not network.mail[peer, self._me]]
                now = time.monotonic()
                self.waited = None if last is None else (last[0], now - last[1])
                if not set(missing) - network.gone or now >= deadline:
                    break
                if last is None and len(missing) == 1:
                    last = missing[0], now
                network.changed.wait(deadline - now)
            arrived = {
                peer: network.mail[peer, self._me].popleft() for peer in lengths if peer not in missing
            }
            reasons = {
                peer: f"party {peer} is gone"
                if peer in network.gone
                else f"nothing from party {peer} within {timeout_s:g} s"
                for peer in missing
            }
        for peer in [peer for peer, frame in arrived.items() if len(frame) > lengths[peer]]:
            size = len(arrived.pop(peer))
            reasons[peer] = f"party {peer} sent {size} bytes where at most {lengths[peer]} are expected"
        faults = {peer: reason for peer, reason in reasons.items() if peer not in absent_ok}
        if faults:
            raise IncompleteRound(faults, frozenset(arrived), number)
        return {peer: memoryview(frame) for peer, frame in arrived.items()}

    def close(self) -> None:
        """See `Channel.close`."""
        with self._network.changed:
            self._network.gone.add(self._me)
            self._network.changed.notify_all()
