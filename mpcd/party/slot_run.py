"""One slot of a job while it is going on: entry by the slot clock, the rounds, what arrives for it.

Used by `mpcd.party.slots`, which says what the rules are.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.errors import DeadlineError
from mpcd.party.desk import TICK_S
from mpcd.party.slot_clock import KINDS, Mark, Marks, mark_words
from mpcd.protocols.agreement.dolev_strong import Outcome, slots
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.protocols.rounds import Blob, Inbox, Payload, Round, Rounds

if TYPE_CHECKING:
    from mpcd.party.slots import Seat, SlotKey


class Run:
    """One slot while it is going on.

    among: who takes part; about: of what it is, if that is not always the same
    left_at: when we heard first that a party had left the job
    given_up: from when on some parties are not waited for, if nothing more is heard of them
    """

    def __init__(
        self,
        seat: Seat,
        key: SlotKey,
        among: frozenset[int],
        about: bytes,
        left_at: dict[int, float],
        given_up: Callable[[Collection[int]], float],
    ) -> None:
        self.seat = seat
        self.key = key
        self.among = among
        self.peers = tuple(sorted(among - {seat.me}))
        self.slot_id = slot_id(key, seat.job, among, seat.parties, about)
        self.marks = Marks(self.slot_id, seat.job, among, seat.t, seat.verify)
        self.left_at = left_at
        self.given_up = given_up
        self.letters: dict[tuple[int, int], Mapping[str, bytes]] = {}
        self.entered: float | None = None
        self._again_s = seat.delta_s / 2
        self._wake = asyncio.Event()
        self._begun: tuple[Rounds[Outcome], Round] | None = None

    # -- what arrives ---------------------------------------------------------------------------------

    def take(self, peer: int, message: SlotMessage) -> int:
        """Take a message for this slot; how many marks in it are forged."""
        forged = self.marks.forged
        if message.round == 0:
            self.mark(marks_in(message, self.seat.parties))
        elif message.round <= self.seat.t + 1:
            place = message.round, peer
            if place not in self.letters:
                self.letters[place] = {part.label: part.body for part in message.parts}
                self._wake.set()
        return self.marks.forged - forged

    def mark(self, marks: list[Mark]) -> None:
        if self.marks.add(marks):
            for party in self.marks.left:
                self.left_at.setdefault(party, self.seat.clock.monotonic())
            self._wake.set()

    # -- the slot clock -------------------------------------------------------------------------------

    async def enter(
        self,
        work: Awaitable[None] | None,
        by: float,
        settled: Callable[[], bytes] | None,
        max_body: int,
        patience: Callable[[], float] | None,
    ) -> None:
        """Return at the moment of entry; our certificate is then on its way to everybody.

        A settled value is on its way before, together with our word that we are done, which makes the slot
        two messages shorter. Nobody learns more by it: a cheater sees all values before it has to send its
        own in any case.
        """
        working = None if work is None else asyncio.ensure_future(work)
        if working is not None:
            working.add_done_callback(lambda _: self._wake.set())
        said: set[str] = set()
        give_up = max(by, min(by + self.seat.grace_s, self.seat.latest))
        again = self.seat.clock.monotonic() + self._again_s
        try:
            while (certificate := self.marks.certificate()) is None:
                now = self.seat.clock.monotonic()
                if working is not None and working.done():
                    working.result()
                if (working is None or working.done()) and "done" not in said:
                    if settled is not None:
                        self._begun = await self._begin(settled(), max_body)
                    self._say("done", said)
                    if patience is not None:
                        by = min(by, now + patience())
                elif now >= min(by, self._deserted_at(said)) and "timeout" not in said:
                    self._say("timeout", said)
                elif now >= give_up:
                    raise self._too_few()
                elif now >= again:
                    # Whatever news there are: what we said may be what somebody has lost.
                    again = now + self._again_s
                    self._repeat()
                else:
                    await self._pause(min(self._next_look(now, by, said), give_up, again))
            self.entered = self.seat.clock.monotonic()
            self._tell(certificate)
        finally:
            if working is not None and not working.done():
                working.cancel()

    def _deserted_at(self, said: set[str]) -> float:
        """From when on everybody we would wait for is silent.

        Never while our own work goes on, nor as long as one of them is heard: a cheater that is silent to us
        cannot make us start a slot without somebody honest that still works.
        """
        pending = self.among - self.marks.finished - {self.seat.me}
        return self.given_up(pending) if pending and "done" in said else math.inf

    def _next_look(self, now: float, by: float, said: set[str]) -> float:
        return min((at for at in (by, self._deserted_at(said)) if at > now), default=math.inf)

    def _say(self, kind: str, said: set[str]) -> None:
        said.add(kind)
        words = mark_words(kind, self.slot_id, self.seat.job)
        mark = Mark(kind, self.seat.me, self.seat.sign(words))
        self.marks.add([mark])
        self._tell((mark,))

    def _repeat(self) -> None:
        self._tell(self.marks.of(self.seat.me))
        if self._begun is not None:
            self._send(1, self._begun[1])

    def _tell(self, marks: tuple[Mark, ...]) -> None:
        message = clock_message(self.seat.job, self.key, list(marks))
        for peer in self.peers:
            self.seat.post.send(peer, message)

    def _too_few(self) -> DeadlineError:
        silent = self.among - self.marks.timed_out - self.marks.left
        return DeadlineError(
            f"too few parties came to slot {self.key.family}", unreachable=silent - {self.seat.me}
        )

    async def _pause(self, until: float) -> bool:
        """Wait for news, at most until that time; whether there was any."""
        delay = until - self.seat.clock.monotonic()
        if delay > 0:
            try:
                async with asyncio.timeout(max(delay, TICK_S)):
                    await self._wake.wait()
            except TimeoutError:
                pass  # the loop around us looks at the clock
        news = self._wake.is_set()
        self._wake.clear()
        return news

    # -- the rounds -----------------------------------------------------------------------------------

    def postpone(self, seconds: float) -> None:
        """Count rounds from so long after the entry: others need that until they can say their value."""
        assert self.entered is not None
        self.entered += seconds

    async def _begin(self, value: bytes, max_body: int) -> tuple[Rounds[Outcome], Round]:
        """Make our value durable, then send it: from here on we cannot have said anything else."""
        seat = self.seat
        await seat.fix(self.slot_id, value)
        step = slots(
            seat.me, sorted(self.among), seat.t, self.slot_id, value, seat.sign, seat.verify, max_body
        )
        stated = next(step)
        self._send(1, stated)
        return step, stated

    async def rounds(self, value: Callable[[], bytes], max_body: int) -> Outcome:
        """Fix our value, unless it is, and run the slot to its end; from here on nothing else ends it."""
        step, stated = self._begun or await self._begin(value(), max_body)
        number = 1
        while True:
            inbox = await self._collect(number, stated)
            try:
                stated = step.send(inbox)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            number += 1
            self._send(number, stated)

    def _send(self, number: int, stated: Round) -> None:
        for peer in self.peers:
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
            missing = [p for p in self.peers if (number, p) not in self.letters]
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


def slot_id(key: SlotKey, job: bytes, among: Iterable[int], parties: int, about: bytes = b"") -> bytes:
    """The name that is signed: for another roster, or another question, it is another slot."""
    members = sorted(among)
    roster = members if len(members) < parties else ()
    return slot_name(key.family, key.session or job, key.epoch, key.number, roster, about)


def _message(job: bytes, key: SlotKey, number: int, parts: list[SlotPart]) -> SlotMessage:
    return SlotMessage(
        job=job,
        session=key.session,
        epoch=key.epoch,
        slot=key.family,
        number=key.number,
        round=number,
        parts=parts,
    )


def clock_message(job: bytes, key: SlotKey, marks: list[Mark]) -> SlotMessage:
    parts = [SlotPart(label=m.kind, body=bytes([m.party]) + m.signature) for m in marks]
    return _message(job, key, 0, parts)


def marks_in(message: SlotMessage, parties: int) -> list[Mark]:
    """The marks in a message; anything else in it is ignored."""
    return [
        Mark(part.label, part.body[0], part.body[1:])
        for part in message.parts[: len(KINDS) * parties]
        if part.label in KINDS and len(part.body) == 65
    ]
