"""Agreement inside a daemon: runs the slots of one job over messages that may be early, late or doubled.

`decide` waits for the stage's work, enters the slot by the slot clock, drives the generator of
`mpcd.protocols.agreement` with absolute round times, and returns what the slot decides. A round ends when
all its letters are in, at the latest at entry + 2 k Delta; a letter that is not there then is silence.
Who has left the job is not waited for, once Delta has passed since we knew: a goodbye that a cheater passes
on may overtake the last letter of the party that left, and that may be what keeps us from opening alone.

Rules     our value is fixed on the disk before it is signed; the first letter of a peer for a round counts,
          further ones are dropped; what arrives before we are there is kept, up to a limit per peer;
          while we wait we repeat ourselves, since a stream that broke may have lost what was on it;
          once `decide` has signed a value, nothing but the slot's outcome ends it
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.clock import Clock
from mpcd.errors import DeadlineError
from mpcd.party.slot_clock import KINDS, Mark, Marks, mark_words
from mpcd.protocols.agreement.dolev_strong import Outcome, slots
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.protocols.rounds import Blob, Inbox, Payload, Round, Rounds

EARLY_MESSAGES = 256
EARLY_BYTES = 8 << 20
"""What is kept per peer and job for slots that we have not reached yet."""

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
    """A slot of a job. session is empty in SESSION slots; number tells repeated slots apart."""

    family: str
    session: bytes = b""
    number: int = 0


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
        self._running: dict[SlotKey, _Run] = {}
        self._finished: set[SlotKey] = set()
        self._early: dict[int, list[SlotMessage]] = {peer: [] for peer in seat.peers}
        self._left: dict[int, Mark] = {}
        self._left_at: dict[int, float] = {}

    def deliver(self, peer: int, message: SlotMessage) -> None:
        """Take a message that `peer`, authenticated by the transport, sent for this job."""
        if peer not in self._early:
            return
        key = SlotKey(message.slot, message.session, message.number)
        run = self._running.get(key)
        if run is not None:
            run.take(peer, message)
            return
        if message.round == 0 and any(part.label == "left" for part in message.parts):
            self._note_left(message)
            if not message.slot:
                return
        early = self._early[peer]
        room = EARLY_BYTES - sum(m.ByteSize() for m in early)
        if key not in self._finished and len(early) < EARLY_MESSAGES and message.ByteSize() <= room:
            early.append(message)

    async def decide(
        self,
        key: SlotKey,
        *,
        work: Awaitable[None] | None,
        value: Callable[[], bytes],
        by: float,
        max_body: int,
        settled: bool = False,
    ) -> Outcome:
        """Run one slot and return its outcome.

        work    what this stage waits for; cancelled when the slot begins without us
        value   our value at that moment, finished or not: at most max_body bytes
        by      the stage timer, on the monotonic clock
        settled our value does not change any more once the work is done: it is made durable while we wait
                for the others, and our first letter leaves at the moment of entry
        Raises DeadlineError if more parties are silent than the threshold allows (nothing was signed then);
               whatever `work` raises
        """
        run = _Run(self._seat, key, self._left_at)
        run.mark(list(self._left.values()))
        self._running[key] = run
        try:
            for peer, early in self._early.items():
                for message in [m for m in early if SlotKey(m.slot, m.session, m.number) == key]:
                    early.remove(message)
                    run.take(peer, message)
            await run.enter(work, by, value if settled else None)
            return await run.rounds(value, max_body)
        finally:
            run.close()
            del self._running[key]
            self._finished.add(key)

    def leave(self) -> None:
        """Tell all peers that we have ended this job: they need not wait for us in any slot."""
        words = mark_words("left", b"", self._seat.job)
        mark = Mark("left", self._seat.me, self._seat.sign(words))
        message = _clock_message(self._seat.job, SlotKey(""), [mark])
        for peer in self._seat.peers:
            self._seat.post.send(peer, message)

    def _note_left(self, message: SlotMessage) -> None:
        """A left mark holds for every slot, those that are running included."""
        probe = Marks(b"", self._seat.job, self._seat.parties, self._seat.t, self._seat.verify)
        marks = [m for m in _marks(message, self._seat.parties) if m.kind == "left"]
        probe.add(marks)
        for mark in marks:
            if mark.party in probe.left:
                self._left[mark.party] = mark
                self._left_at.setdefault(mark.party, self._seat.clock.monotonic())
        for run in self._running.values():
            run.mark(marks)


class _Run:
    """One slot while it is going on. left_at: when we heard first that a party had left the job."""

    def __init__(self, seat: Seat, key: SlotKey, left_at: dict[int, float]) -> None:
        self.seat = seat
        self.key = key
        self.slot_id = slot_name(key.family, key.session or seat.job, 0, key.number)
        self.marks = Marks(self.slot_id, seat.job, seat.parties, seat.t, seat.verify)
        self.left_at = left_at
        self.letters: dict[tuple[int, int], Mapping[str, bytes]] = {}
        self.entered: float | None = None
        self._again_s = seat.delta_s / 2
        self._wake = asyncio.Event()
        self._fixing: asyncio.Task[bytes] | None = None

    def close(self) -> None:
        if self._fixing is not None:
            self._fixing.cancel()

    # -- what arrives ---------------------------------------------------------------------------------

    def take(self, peer: int, message: SlotMessage) -> None:
        if message.round == 0:
            self.mark(_marks(message, self.seat.parties))
        elif message.round <= self.seat.t + 1:
            letter = {part.label: part.body for part in message.parts}
            self.letters.setdefault((message.round, peer), letter)
            self._wake.set()

    def mark(self, marks: list[Mark]) -> None:
        if self.marks.add(marks):
            for party in self.marks.left:
                self.left_at.setdefault(party, self.seat.clock.monotonic())
            self._wake.set()

    # -- the slot clock -------------------------------------------------------------------------------

    async def enter(
        self, work: Awaitable[None] | None, by: float, settled: Callable[[], bytes] | None
    ) -> None:
        """Return at the moment of entry; our certificate is then on its way to everybody."""
        working = None if work is None else asyncio.ensure_future(work)
        if working is not None:
            working.add_done_callback(lambda _: self._wake.set())
        said: set[str] = set()
        give_up = max(by, min(by + self.seat.grace_s, self.seat.latest))
        try:
            while (certificate := self.marks.certificate()) is None:
                now = self.seat.clock.monotonic()
                if working is not None and working.done():
                    working.result()
                if (working is None or working.done()) and "done" not in said:
                    self._say("done", said)
                    if settled is not None:
                        self._fixing = asyncio.create_task(self._fix(settled()))
                elif now >= by and "timeout" not in said:
                    self._say("timeout", said)
                elif now >= give_up:
                    raise self._too_few()
                else:
                    until = min(by if now < by else give_up, now + self._again_s)
                    if not await self._pause(until):
                        self._tell(self.marks.of(self.seat.me))
            self.entered = self.seat.clock.monotonic()
            self._tell(certificate)
        finally:
            if working is not None and not working.done():
                working.cancel()

    def _say(self, kind: str, said: set[str]) -> None:
        said.add(kind)
        words = mark_words(kind, self.slot_id, self.seat.job)
        mark = Mark(kind, self.seat.me, self.seat.sign(words))
        self.marks.add([mark])
        self._tell((mark,))

    def _tell(self, marks: tuple[Mark, ...]) -> None:
        message = _clock_message(self.seat.job, self.key, list(marks))
        for peer in self.seat.peers:
            self.seat.post.send(peer, message)

    def _too_few(self) -> DeadlineError:
        silent = frozenset(range(self.seat.parties)) - self.marks.timed_out - self.marks.left
        return DeadlineError(
            f"too few parties came to slot {self.key.family}", unreachable=silent - {self.seat.me}
        )

    async def _pause(self, until: float) -> bool:
        """Wait for news, at most until that time; whether there was any."""
        delay = until - self.seat.clock.monotonic()
        if delay > 0:
            try:
                async with asyncio.timeout(delay):
                    await self._wake.wait()
            except TimeoutError:
                pass  # the loop around us looks at the clock
        news = self._wake.is_set()
        self._wake.clear()
        return news

    # -- the rounds -----------------------------------------------------------------------------------

    async def _fix(self, value: bytes) -> bytes:
        await self.seat.fix(self.slot_id, value)
        return value

    async def rounds(self, value: Callable[[], bytes], max_body: int) -> Outcome:
        """Fix our value, then run the slot to its end; from here on nothing else ends it."""
        fixed = await (self._fix(value()) if self._fixing is None else self._fixing)
        seat = self.seat
        everybody = range(seat.parties)
        step: Rounds[Outcome] = slots(
            seat.me, everybody, seat.t, self.slot_id, fixed, seat.sign, seat.verify, max_body
        )
        stated = next(step)
        number = 0
        while True:
            number += 1
            self._send(number, stated)
            inbox = await self._collect(number, stated)
            try:
                stated = step.send(inbox)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome

    def _send(self, number: int, stated: Round) -> None:
        for peer in self.seat.peers:
            parts = [
                SlotPart(label=label, body=bytes(body))
                for (to, label), body in stated.send.items()
                if to == peer
            ]
            message = _message(self.seat.job, self.key, number, parts)
            self.seat.post.send(peer, message)

    async def _collect(self, number: int, stated: Round) -> Inbox:
        assert self.entered is not None
        end = self.entered + 2 * number * self.seat.delta_s
        again = self.seat.clock.monotonic() + self._again_s
        while (now := self.seat.clock.monotonic()) < end:
            missing = [p for p in self.seat.peers if (number, p) not in self.letters]
            # What a party sent before it left arrives within Delta.
            given_up = [self.left_at.get(p, end) + self.seat.delta_s for p in missing]
            if all(at <= now for at in given_up):
                break
            if now >= again:
                self._send(number, stated)
                again = now + self._again_s
            await self._pause(min(end, again, *(at for at in given_up if at > now)))
        inbox: dict[tuple[int, str], Payload] = {}
        for (of, label), spec in stated.recv.items():
            body = self.letters.get((number, of), {}).get(label)
            if body is not None and isinstance(spec, Blob) and len(body) <= spec.limit_bytes:
                inbox[of, label] = body
        return inbox


def _message(job: bytes, key: SlotKey, number: int, parts: list[SlotPart]) -> SlotMessage:
    return SlotMessage(
        job=job, session=key.session, slot=key.family, number=key.number, round=number, parts=parts
    )


def _clock_message(job: bytes, key: SlotKey, marks: list[Mark]) -> SlotMessage:
    parts = [SlotPart(label=m.kind, body=bytes([m.party]) + m.signature) for m in marks]
    return _message(job, key, 0, parts)


def _marks(message: SlotMessage, parties: int) -> list[Mark]:
    """The marks in a message; anything else in it is ignored."""
    return [
        Mark(part.label, part.body[0], part.body[1:])
        for part in message.parts[: len(KINDS) * parties]
        if part.label in KINDS and len(part.body) == 65
    ]
