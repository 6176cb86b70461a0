"""Agreement inside a daemon: runs the slots of one job over messages that may be early, late or doubled.

Who takes part is said per slot: a party that was dropped is neither heard nor waited for from then on.
`decide` waits for the stage's work, enters the slot by the slot clock, drives the generator of
`mpcd.protocols.agreement` with absolute round times, and returns what the slot decides. A round ends when
all its letters are in, at the latest at entry + 2 k Delta; a letter that is not there then is silence.
Who has left the job is not waited for, once Delta has passed since we knew: a goodbye that a cheater passes
on may overtake the last letter of the party that left, and that may be what keeps us from opening alone.

A party that works says so by signs of life, all the time (`alive`): if nobody is left to wait for but
parties that have been silent for some Delta, their stage's timer is not waited for.

Rules     our value is fixed on the disk before it is signed; the first letter of a peer for a round counts,
          further ones are dropped; what arrives before we are there is kept, up to a limit per peer;
          a peer whose marks are forged is not heard any more;
          while we wait we repeat ourselves, since a stream that broke may have lost what was on it;
          once `decide` has signed a value, nothing but the slot's outcome ends it
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from mpcd._pb.v1.peer_pb2 import SlotMessage
from mpcd.clock import Clock
from mpcd.party.slot_clock import Mark, Marks, mark_words
from mpcd.party.slot_early import Early
from mpcd.party.slot_run import Run, clock_message, marks_in
from mpcd.protocols.agreement.dolev_strong import Outcome

MAX_FORGED = 16
"""Marks from a peer in one job that do not verify: an honest party sends none. Beyond it nothing of the peer
is heard, so that verifying forgeries does not hold us up. Letters need no limit: one counts per round."""

SILENT_DELTAS = 3
"""A party of which nothing was heard for so many Delta is gone. An honest one is heard every Delta / 2, Delta
late at most."""

Sign = Callable[[bytes], bytes]
Verify = Callable[[int, bytes, bytes], bool]
Fix = Callable[[bytes, bytes], Awaitable[None]]
"""(slot, value): make our value durable before it is signed."""


class Post(Protocol):
    """The way to the other computing parties' daemons."""

    def send(self, peer: int, message: SlotMessage) -> None:
        """Send without waiting; what cannot be delivered is lost, which is what slots are made for."""
        ...


@dataclass(frozen=True, slots=True)
class SlotKey:
    """A slot of a job. session is empty in SESSION slots; epoch and number tell repeated slots apart."""

    family: str
    session: bytes = b""
    number: int = 0
    epoch: int = 0

    @staticmethod
    def of(message: SlotMessage) -> SlotKey:
        """The slot that a message belongs to."""
        return SlotKey(message.slot, message.session, message.number, message.epoch)


@dataclass(frozen=True, slots=True)
class Seat:
    """Our place among the computing parties of one job, and what slots need of the rest of the daemon.

    delta_s  bound on one message's way, in seconds; grace_s  how long after our own stage timer we
    wait for others before we give the job up, and latest  until when at most, on the monotonic clock
    """

    job: bytes
    me: int
    parties: int
    t: int
    post: Post
    clock: Clock
    sign: Sign = field(repr=False)
    verify: Verify = field(repr=False)
    fix: Fix = field(repr=False)
    delta_s: float
    grace_s: float
    latest: float = math.inf

    @property
    def peers(self) -> tuple[int, ...]:
        return tuple(p for p in range(self.parties) if p != self.me)


class Slots:
    """All slots of one job at one party."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._running: dict[SlotKey, Run] = {}
        self._finished: set[SlotKey] = set()
        self._early = {peer: Early() for peer in seat.peers}
        self._forged: Counter[int] = Counter()
        self._left: dict[int, Mark] = {}
        self._left_at: dict[int, float] = {}
        self._heard = dict.fromkeys(seat.peers, seat.clock.monotonic())
        self._alive_at = math.inf  # signs of life have not begun

    def alive(self) -> None:
        """Tell all peers that we are there, whatever we are doing. To be called every Delta / 2."""
        now = self._seat.clock.monotonic()
        if now - self._alive_at > self._seat.delta_s:
            # This machine stood still: what was said meanwhile is here, but not read yet.
            self._heard = dict.fromkeys(self._heard, now)
        self._alive_at = now
        message = clock_message(self._seat.job, SlotKey(""), [])
        for peer in self._seat.peers:
            self._seat.post.send(peer, message)

    def hear(self, peer: int) -> None:
        """A peer has sent us something, in whatever way."""
        self._heard[peer] = self._seat.clock.monotonic()

    def given_up(self, parties: Collection[int]) -> float:
        """From when on none of these parties is waited for, if nothing more is heard of any of them."""
        now = self._seat.clock.monotonic()
        latest = max((self._heard[p] for p in parties if p not in self._left), default=-math.inf)
        if latest > -math.inf and now - self._alive_at > self._seat.delta_s:
            latest = now  # we stood still, and have not looked at our mail: see `alive`
        return latest + SILENT_DELTAS * self._seat.delta_s

    def deliver(self, peer: int, message: SlotMessage) -> None:
        """Take a message that `peer`, authenticated by the transport, sent for this job."""
        if peer not in self._early or self._forged[peer] > MAX_FORGED:
            return
        self.hear(peer)
        key = SlotKey.of(message)
        run = self._running.get(key)
        if run is not None:
            self._forged[peer] += run.take(peer, message)
            return
        if message.round == 0 and any(part.label == "left" for part in message.parts):
            self._forged[peer] += self._note_left(message)
        if message.slot and key not in self._finished and message.round <= self._seat.t + 1:
            self._early[peer].keep(key, message)

    async def decide(
        self,
        key: SlotKey,
        *,
        work: Awaitable[None] | None,
        value: Callable[[], bytes],
        by: float,
        max_body: int,
        settled: bool = False,
        among: frozenset[int] | None = None,
        about: bytes = b"",
        patience: Callable[[], float] | None = None,
        at_entry: Callable[[], Awaitable[None]] | None = None,
    ) -> Outcome:
        """Run one slot and return its outcome: a verdict for each party of `among`.

        work    what this stage waits for; cancelled when the slot begins without us
        value   our value at that moment, finished or not: at most max_body bytes
        by      the stage timer, on the monotonic clock: how long parties that are alive may work
        among   who takes part, ourselves included (everybody, if not given); whoever else speaks is not heard
        about   digest of the question that the values answer, if the slot's name does not say it
        patience  once our work is done, the seconds for which others may still work before we say `timeout`;
                without it we wait for them as long as `by`
        at_entry  ends our work if it is not done when the slot begins; takes less than Delta / 2, which
                all who take part grant each other before the rounds begin
        settled our value does not change any more once the work is done: it is made durable and sent at once,
                while we wait for the others to be done
        Raises DeadlineError if more parties are silent than the threshold allows (nothing was signed then);
               whatever `work` raises
        """
        seat = self._seat
        everybody = frozenset(range(seat.parties))
        run = Run(seat, key, among or everybody, about, self._left_at, self.given_up)
        run.mark(list(self._left.values()))
        self._running[key] = run
        try:
            for peer, early in self._early.items():
                for message in early.take(key):
                    self._forged[peer] += run.take(peer, message)
            await run.enter(work, by, value if settled else None, max_body, patience)
            if at_entry is not None:
                run.postpone(seat.delta_s / 2)
                await at_entry()
            return await run.rounds(value, max_body)
        finally:
            del self._running[key]
            self._finished.add(key)

    def leave(self) -> None:
        """Tell all peers that we have ended this job: they need not wait for us in any slot."""
        words = mark_words("left", b"", self._seat.job)
        mark = Mark("left", self._seat.me, self._seat.sign(words))
        message = clock_message(self._seat.job, SlotKey(""), [mark])
        for peer in self._seat.peers:
            self._seat.post.send(peer, message)

    def _note_left(self, message: SlotMessage) -> int:
        """A left mark holds for every slot, those that are running included; how many are forged."""
        everybody = frozenset(range(self._seat.parties))
        probe = Marks(b"", self._seat.job, everybody, self._seat.t, self._seat.verify)
        marks = [m for m in marks_in(message, self._seat.parties) if m.kind == "left"]
        marks = [m for m in marks if m.party not in self._left]
        probe.add(marks)
        for mark in marks:
            if mark.party in probe.left:
                self._left[mark.party] = mark
                self._left_at.setdefault(mark.party, self._seat.clock.monotonic())
        for run in self._running.values():
            run.mark([self._left[party] for party in probe.left])
        return probe.forged
