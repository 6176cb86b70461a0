"""What one party does differently in a simulation: in its job processes, in slots, in calls, in its answers.

An `Act` is one such thing. Its party runs the ordinary code; the act is put around it from outside. Acts name
parties by their index among everybody, rounds from 0 in every epoch.

Wherever something can be done differently, `Faulty.of` is asked; `survey` makes a list of these places.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.errors import ChannelError, InternalError, MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import Receipt
from mpcd.party.life import Life
from mpcd.party.notes import OutputNote
from mpcd.party.ports import Order, Product
from mpcd.party.slot_clock import Mark
from mpcd.party.slot_run import clock_message, slot_id
from mpcd.party.slots import SlotKey
from mpcd.protocols.agreement.disputes import Sent, Void, answer_value
from mpcd.protocols.agreement.words import Complaint, Late, Stopped, word_value
from mpcd.protocols.rounds import Round, Rounds
from mpcd.testing.simulation.acts import (
    ANSWERS,
    IN_BARRIERS,
    IN_FRAMES,
    IN_STEPS,
    LATE_SHARES,
    MARKS,
    NOTES,
    OTHER_JOB,
    Act,
)
from mpcd.testing.simulation.daemon import Daemon
from mpcd.testing.simulation.faulty_wire import FaultyWire, spoiled
from mpcd.testing.simulation.people import EVERYBODY, identities
from mpcd.testing.simulation.process import Send
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, flip, flipped, shift
from mpcd.transport.wire import from_wire, to_wire

T = TypeVar("T")


Frames = Mapping[tuple[str, int, int], bytes]
"""(sender, round, receiver) -> a frame of the first epoch."""


class Faulty:
    """The party that is at fault. `done` counts what it came to do; other acts never had their moment.

    foreign  frames of another run of the job
    """

    def __init__(self, daemon: Daemon, acts: tuple[Act, ...], foreign: Frames | None = None) -> None:
        self.daemon = daemon
        self.acts = acts
        self.foreign = foreign or {}
        self.me = EVERYBODY.index(daemon.name)
        self.computing = daemon.setting.job.computing
        self.done: Counter[str] = Counter()
        self.slots: dict[SlotKey, bytes] = {}
        self._frames: dict[int, bytes] = {}
        daemon.pool.tampering = self
        daemon.pool.busy = self._busy
        daemon.wire = FaultyWire(self)
        daemon.make_life = self.make_life
        daemon.serve = self.serve  # type: ignore[method-assign]
        if any(act.kind == "no-data" for act in acts):
            daemon.data.row = None
            self.done["no-data"] += 1
        daemon._start()

    def of(
        self,
        *kinds: str,
        to: str | None = None,
        slot: SlotKey | None = None,
        at: int | None = None,
        of: int | None = None,
        label: str | None = None,
        epoch: int | None = None,
    ) -> list[Act]:
        """The acts of these kinds for this place; they count as done."""
        found = [
            act
            for act in self.acts
            if act.kind in kinds and epoch in (None, act.epoch) and act.concerns(to, slot, at, of, label)
        ]
        self.done.update(act.kind for act in found)
        return found

    def _busy(self) -> bool:
        return bool(self.of("busy"))

    # -- job processes ---------------------------------------------------------------------------------

    def shunned(self, order: Order) -> frozenset[int]:
        names = {place: self.computing[party] for place, party in enumerate(order.roster) if party != self.me}
        return frozenset(p for p, name in names.items() if self.of("no-link", to=name, epoch=order.epoch))

    def step(self, order: Order, number: int, step: Rounds[T]) -> Rounds[T]:
        edits = [
            _later(self._counted(act, _edit(act, order)), number)
            for act in self.acts
            if act.kind in IN_STEPS and act.epoch == order.epoch
        ]
        return cheat(step, *edits) if edits else step

    def _counted(self, act: Act, edit: Edit) -> Edit:
        def counted(number: int, r: Round) -> Round:
            if number == act.round:
                self.done[act.kind] += 1
            return edit(number, r)

        return counted

    def frame(self, order: Order, number: int, to: int, frame: bytes, send: Send) -> None:
        peer = order.roster[to]
        last = self._frames.get(peer, b"")
        self._frames[peer] = frame
        for act in self.acts:
            at = act.round <= number if act.kind == "fall-silent" else act.round == number
            here = at and act.epoch == order.epoch and act.to in (None, peer)
            if here and act.kind in (*IN_FRAMES, OTHER_JOB):
                self.done[act.kind] += 1
                self._misbehave(act, order, to, frame, last, send)
                return
        send(to, frame)

    def _misbehave(self, act: Act, order: Order, to: int, frame: bytes, last: bytes, send: Send) -> None:
        dice = act.dice
        match act.kind:
            case "truncate":
                send(to, frame[: dice.randrange(len(frame))])
            case "extend":
                send(to, frame + dice.randbytes(dice.choice((1, 8, 16))))
            case "garble":
                send(to, bytes(spoiled(frame, dice)))
            case "replay":
                send(to, last)
            case "swap":
                others = [f for peer, f in self._frames.items() if peer != order.roster[to]]
                send(to, others[0] if others else b"")
            case "other-job":
                send(to, self.foreign.get((self.daemon.name, act.round, order.roster[to]), b""))
            case "twice":
                send(to, frame)
                send(to, frame)
            case "late":
                wait_s = order.round_s * dice.choice(LATE_SHARES)
                asyncio.get_running_loop().call_later(wait_s, send, to, frame)

    def end(self, order: Order, end: Product | MpcdError) -> Product | MpcdError:
        return end

    # -- slots -----------------------------------------------------------------------------------------

    def make_life(self, life: Life) -> None:
        slots = life._slots
        if slots is None:
            return
        ordinary, hear, fetch = slots.decide, slots.deliver, life.fetch_receipt

        def deliver(peer: int, message: pb.SlotMessage) -> None:
            if not self.of("deaf", to=self.computing[peer], slot=SlotKey.of(message), at=message.round):
                hear(peer, message)

        async def decide(key: SlotKey, *, value: Callable[[], bytes], **rest: Any) -> Any:
            if self.of("leave", slot=key):
                slots.leave()
            if self.of("hurry", slot=key):
                rest["by"] = asyncio.get_running_loop().time()
            self._forge(key)
            parties = len(self.computing)
            among = rest.get("among") or range(parties)
            self.slots[key] = slot_id(key, life.case.job, among, parties, rest.get("about", b""))
            return await ordinary(key, value=lambda: self._value(key, value, rest), **rest)

        async def fetch_receipt(caller: str, wait_s: float) -> Envelope | None:
            found = await fetch(caller, wait_s)
            if found is None or self.of("receipt-hidden", to=caller):
                return None
            return self.other_receipt(found) if self.of("receipt-other", to=caller) else found

        slots.decide = decide  # type: ignore[method-assign]
        slots.deliver = deliver  # type: ignore[method-assign]
        life.fetch_receipt = fetch_receipt  # type: ignore[method-assign]

    def other_receipt(self, envelope: Envelope) -> Envelope:
        """The same run as another attempt, under our signature alone."""
        said = Receipt.from_bytes(envelope.payload)
        return said.model_copy(update={"attempt": said.attempt + 1}).envelope(identities()[self.daemon.name])

    def _value(self, key: SlotKey, value: Callable[[], bytes], rest: Any) -> bytes:
        said = value()
        for act in self.of("lie", "noise", "nothing", slot=key):
            limit = rest["max_body"]
            dice = act.dice
            match act.kind:
                case "lie":
                    said = spoiled(said, dice)
                case "noise":
                    said = dice.randbytes(dice.randrange(limit + 1))
                case "nothing":
                    said = b""
        if key.family == "BARRIER":
            for act in self.of(*IN_BARRIERS, slot=key, epoch=key.epoch):
                said = self._word(act, rest.get("among") or frozenset(range(len(self.computing))))
        if key.family == "DISPUTE":
            for act in self.of("dispute-lie"):
                said = _answer(act.dice)
        return said

    def _word(self, act: Act, among: frozenset[int]) -> bytes:
        dice = act.dice
        others = sorted(among - {self.me})
        late = (Late(max(act.round - 1, 0), dice.choice(others), dice.randrange(2, 9)),)
        match act.kind:
            case "accuse-tag":
                sender, backup = dice.sample(others, 2)
                return word_value(Stopped(act.round, complaint=Complaint(sender, backup, dice.randbytes(32))))
            case "accuse-missing":
                return word_value(Stopped(act.round, frozenset(dice.sample(others, dice.choice((1, 1, 2))))))
            case "accuse-batch":
                return word_value(Stopped(act.round, batch=dice.randrange(4)))
            case "claim-late":
                return word_value(Stopped(act.round, frozenset({dice.choice(others)}), late=late))
        return word_value(Stopped(act.round))

    def _forge(self, key: SlotKey) -> None:
        """Marks of others, with signatures that are none."""
        for act in self.of("forge", slot=key):
            dice = act.dice
            marks = [
                Mark(dice.choice(MARKS), p, dice.randbytes(64))
                for p in range(len(self.computing))
                if p != self.me
            ]
            message = clock_message(self.daemon.setting.job.specification.job, key, marks)
            for p, name in enumerate(self.computing):
                if p != self.me:
                    self.daemon.wire.send_slot(name, message)

    # -- answers ---------------------------------------------------------------------------------------

    async def serve(self, caller: str, request: pb.FetchOutputRequest) -> tuple[pb.OutputHeader, bytes]:
        """What a recipient is answered."""
        life = self.daemon.setting.life(self.daemon.name)
        header, body = await life.output(caller, request)
        if self.of("silent-holder", to=caller):
            raise ChannelError("silent on purpose")
        noted = header.ready and header.HasField("commitment")
        if noted and (acts := self.of("note", to=caller, label=request.output)):
            note = OutputNote.from_bytes(from_wire(header.commitment).payload)
            lie = _other_note(note, acts[0].dice)
            header.commitment.CopyFrom(to_wire(lie.envelope(identities()[self.daemon.name])))
        where = request.output, request.summand
        if body and (acts := self.of("summand", to=caller, label=where[0], of=where[1])):
            body = spoiled(body, acts[0].dice)
        return header, body


def _answer(dice: random.Random) -> bytes:
    """What a liar says in a dispute about a tag."""
    match dice.choice(ANSWERS):
        case "not sent":
            return answer_value(Void())
        case "something else":
            return answer_value(Sent(dice.randbytes(32)))
    return answer_value(None)


def _later(edit: Edit, base: int) -> Edit:
    """Wrapped steps count their own rounds; acts count those of the epoch."""
    return lambda number, r: edit(base + number, r)


def _edit(act: Act, order: Order) -> Edit:
    def place(party: int | None) -> int | None:
        return None if party is None or party not in order.roster else order.roster.index(party)

    to, label = place(act.to), act.label or None
    match act.kind:
        case "shift":
            return shift(
                by=act.dice.choice((1, 1 << 63, act.number + 1)), round=act.round, to=to, label=label
            )
        case "add-1":
            return shift(by=1, round=act.round, to=to, label=label)
        case "add-high-bit":
            return shift(by=1 << 63, round=act.round, to=to, label=label)
        case "flip":
            return flip(bit=act.number, round=act.round, to=to, label=label)
        case "leave-out":
            return drop(round=act.round, to=to, label=label)
        case "vouch":
            return edit_vouch(
                lambda payload: flipped(payload, act.number),
                round=act.round,
                of=place(act.of),
                to=to,
                label=label,
            )

    def die(number: int, r: Round) -> Round:
        if number == act.round:
            raise InternalError("the job process ended")
        return r

    return die


def _other_note(note: OutputNote, dice: random.Random) -> OutputNote:
    how = dice.choice(NOTES)
    wrong = [dice.randbytes(32).hex() for _ in note.commitments]
    match how:
        case "one":
            at = dice.randrange(len(wrong))
            wrong = [*note.commitments[:at], wrong[at], *note.commitments[at + 1 :]]
        case "epoch":
            return note.model_copy(update={"epoch": note.epoch + 1})
        case "roster":
            return note.model_copy(update={"roster": tuple(reversed(note.roster))})
    return note.model_copy(update={"commitments": tuple(wrong)})
