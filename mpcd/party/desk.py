"""What has arrived for one job, until the stage that needs it looks: bounded, first come, never overwritten.

The senders are authenticated by the transport. Nothing here is believed yet: the stages check signatures,
commitments and lengths. Every sender has room of its own: a cheater that fills its own cannot make us refuse
the mail of an honest party, of which we would then complain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpcd._pb.v1.peer_pb2 import KeyContributions
from mpcd.clock import Clock
from mpcd.identity.envelope import Envelope
from mpcd.party.notes import InputNote
from mpcd.storage.shares import InputKey

SESSIONS_KEPT = 4
"""Sessions per job and sender under which mail is kept: more than attempts of one job can have."""

NOTES_KEPT = 256
"""Verified entries of owners that need not be verified again, each of two kilobytes at most."""


TICK_S = 1e-6
"""The shortest wait: a delay below the resolution of a clock would end before anything is later."""


@dataclass(slots=True)
class Tray:
    """The mail of one session.

    keys      party -> its contributions
    entries   owner-signed entries in bytes -> (owner, argument); two different ones per key at most
    boxes     entry -> a -> sealed box
    shares    ((owner, argument), a) -> forwarded (payload, salt) pairs, one per forwarder
    """

    keys: dict[str, KeyContributions] = field(default_factory=dict)
    entries: dict[bytes, InputKey] = field(default_factory=dict)
    boxes: dict[bytes, Mapping[int, bytes]] = field(default_factory=dict)
    shares: dict[tuple[InputKey, int], dict[str, tuple[bytes, bytes]]] = field(default_factory=dict)


class Desk:
    """All mail of one job, and the news that some has come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trays: dict[bytes, Tray] = {}
        self._opened: dict[str, set[bytes]] = {}
        self._news = asyncio.Event()
        self._notes: dict[bytes, InputNote] = {}
        self.sessions: dict[str, tuple[bytes, int]] = {}
        self.receipts: dict[str, Envelope] = {}
        self.recalls: dict[str, bytes] = {}
        self.collecting = False  # receipts are kept together when all are here

    def tray(self, session: bytes, sender: str = "") -> Tray | None:
        """The mail of a session; None if the sender has sent mail for too many different ones.

        No sender: we ourselves.
        """
        if session not in self._trays:
            opened = self._opened.setdefault(sender, set())
            if len(opened) >= SESSIONS_KEPT:
                return None
            opened.add(session)
            self._trays[session] = Tray()
        return self._trays[session]

    def open_tray(self, session: bytes) -> Tray:
        """The mail of the agreed session; mail of all other sessions is thrown away."""
        tray = self._trays.get(session, Tray())
        self._trays = {session: tray}
        return tray

    def read_entry(self, entry: bytes, read: Callable[[], InputNote | None]) -> InputNote | None:
        """An owner's note, verified by `read` once per entry: all parties show the same entries."""
        note = self._notes.get(entry) or read()
        if note is not None and len(self._notes) < NOTES_KEPT:
            self._notes[entry] = note
        return note

    def ring(self) -> None:
        """Something has come."""
        self._news.set()

    async def wait(self, ready: Callable[[], bool], until: float) -> bool:
        """Wait until `ready`, at most until that time on the monotonic clock; whether it is ready."""
        while not ready():
            delay = until - self._clock.monotonic()
            if delay <= 0:
                return False
            self._news.clear()
            try:
                async with asyncio.timeout(max(delay, TICK_S)):
                    await self._news.wait()
            except TimeoutError:
                return ready()
        return True
