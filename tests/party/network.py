"""Slot messages between daemons in memory, with delays below Delta and faults chosen by the test."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from mpcd._pb.v1.peer_pb2 import SlotMessage
from mpcd.party.slots import Seat, Slots
from mpcd.testing.simulation.clock import LoopClock

DELTA = 1.0
JOB = b"J" * 32
Delay = Callable[[int, int, SlotMessage], float | None]
"""(from, to, message) -> seconds on the way, None for never."""


def sign_as(party: int) -> Callable[[bytes], bytes]:
    return lambda words: hashlib.sha512(b"key %d" % party + words).digest()


def verify(party: int, words: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(sign_as(party)(words), signature)


def at_once(_sender: int, _to: int, _message: SlotMessage) -> float | None:
    return 0.001


@dataclass
class Network:
    """Posts and slots of n parties."""

    n: int = 4
    t: int = 1
    delay: Delay = at_once
    grace_s: float = 30.0
    fixed: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    log: list[tuple[float, int, int, SlotMessage]] = field(default_factory=list)
    slots: dict[int, Slots] = field(default_factory=dict)

    def join(self, me: int, delta_s: float = DELTA) -> Slots:
        """A party takes its seat; to be called inside the loop."""
        self.fixed[me] = []

        async def fix(slot: bytes, value: bytes) -> None:
            self.fixed[me].append((slot, value))

        seat = Seat(
            job=JOB,
            me=me,
            parties=self.n,
            t=self.t,
            post=_Post(self, me),
            clock=LoopClock(),
            sign=sign_as(me),
            verify=verify,
            fix=fix,
            delta_s=delta_s,
            grace_s=self.grace_s,
        )
        self.slots[me] = Slots(seat)
        return self.slots[me]

    def send(self, sender: int, to: int, message: SlotMessage) -> None:
        delay = self.delay(sender, to, message)
        loop = asyncio.get_running_loop()
        self.log.append((loop.time(), sender, to, message))
        if delay is not None and to in self.slots:
            loop.call_later(delay, self.slots[to].deliver, sender, message)


@dataclass
class _Post:
    network: Network
    me: int

    def send(self, peer: int, message: SlotMessage) -> None:
        self.network.send(self.me, peer, message)
