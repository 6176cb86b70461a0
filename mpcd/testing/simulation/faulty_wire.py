"""What the party at fault sends over calls and slot streams, where its acts say that it is something else."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.identity.envelope import Envelope
from mpcd.party.notes import InputNote, SessionNotice
from mpcd.party.slots import SlotKey
from mpcd.testing.cheating_daemon import _second_value
from mpcd.testing.simulation.acts import SLOW_DELTAS
from mpcd.testing.simulation.daemon import Wire
from mpcd.testing.simulation.people import identities
from mpcd.testing.wrappers import flipped
from mpcd.transport.wire import from_wire, to_wire

if TYPE_CHECKING:
    from mpcd.testing.simulation.faults import Faulty


class FaultyWire(Wire):
    """What the party at fault sends."""

    def __init__(self, faulty: Faulty) -> None:
        daemon = faulty.daemon
        super().__init__(daemon.setting, daemon.name, daemon._message)
        self._faulty = faulty
        self._identity = identities()[daemon.name]
        self._muted: set[str] = set()

    def send_slot(self, party: str, message: pb.SlotMessage) -> None:
        faulty, slot, at = self._faulty, SlotKey.of(message), message.round
        if not slot.family and not message.parts:
            super().send_slot(party, message)  # a sign of life: whoever gives none has crashed
            return
        if faulty.of("mute", to=party, slot=slot, at=at):
            return
        if slot.family == "RECALL" and (acts := faulty.of("recall", to=party)):
            message = _other_body(message, acts[0].dice)
        if at == 1 and faulty.of("equivocate", to=party, slot=slot):
            message = _second_value(message, faulty.slots[slot], self._identity)
        if acts := faulty.of("spoil", to=party, slot=slot, at=at):
            message = _other_body(message, acts[0].dice)
        slow = faulty.of("slow", to=party, slot=slot, at=at)
        if slow:
            wait_s = self.setting.pace.delta_s * slow[0].dice.choice(SLOW_DELTAS)
            asyncio.get_running_loop().call_later(wait_s, super().send_slot, party, message)
            return
        super().send_slot(party, message)

    async def deliver_keys(self, party: str, message: pb.KeyContributions) -> None:
        if self._faulty.of("keys-withheld", to=party):
            return
        for part in message.contributions:
            for act in self._faulty.of("keys", to=party, of=part.key):
                part.secret = spoiled(part.secret, act.dice)
        await super().deliver_keys(party, message)

    async def announce_session(self, party: str, notice: Envelope) -> None:
        if acts := self._faulty.of("session", to=party):
            said = SessionNotice.from_bytes(notice.payload)
            other = said.model_copy(update={"session": acts[0].dice.randbytes(32).hex()})
            notice = other.envelope(self._identity)
        await super().announce_session(party, notice)

    async def deliver_input(self, party: str, header: pb.InputHeader, data: bytes) -> None:
        if self._faulty.of("box-withheld", to=party):
            return
        data = self._boxes(party, header, data)
        if self._faulty.of("box-two", to=party):
            header = self._second_entry(header)
        await super().deliver_input(party, header, data)

    def _boxes(self, party: str, header: pb.InputHeader, data: bytes) -> bytes:
        """The sealed shares, one behind the other."""
        found, start = b"", 0
        for box in header.boxes:
            part = data[start : start + box.size_bytes]
            start += box.size_bytes
            acts = self._faulty.of("box", to=party, of=box.summand)
            found += spoiled(part, acts[0].dice) if acts else part
        return found

    def _second_entry(self, header: pb.InputHeader) -> pb.InputHeader:
        note = InputNote.from_bytes(from_wire(header.entry).payload)
        other = note.model_copy(update={"commitments": tuple(reversed(note.commitments))})
        changed = pb.InputHeader()
        changed.CopyFrom(header)
        changed.entry.CopyFrom(to_wire(other.envelope(self._identity)))
        return changed

    async def forward_share(self, party: str, header: pb.ShareHeader, data: bytes) -> None:
        if acts := self._faulty.of("share", to=party, of=header.summand):
            data = spoiled(data, acts[0].dice)
        await super().forward_share(party, header, data)

    async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
        if self._faulty.of("receipt-withheld", to=party):
            return
        if self._faulty.of("receipt", to=party):
            receipt = self._faulty.other_receipt(receipt)
        await super().deliver_receipt(party, job, receipt)


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """One bit is another one."""
    changed = flipped(data, dice.randrange(8 * len(data) or 1))
    assert isinstance(changed, bytes)
    return changed


def _other_body(message: pb.SlotMessage, dice: random.Random) -> pb.SlotMessage:
    changed = pb.SlotMessage()
    changed.CopyFrom(message)
    for part in changed.parts:
        part.body = spoiled(part.body, dice)
    return changed
