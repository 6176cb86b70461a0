"""Slot messages of one peer that came before we were there: kept once each, up to a limit.

A peer that waits for us repeats itself. Letters of a round count once, the first one; marks add up, since a
peer says `done` first, `timeout` later, and passes on a certificate at last.
"""

from __future__ import annotations

from collections.abc import Hashable

from mpcd._pb.v1.peer_pb2 import SlotMessage
from mpcd.party.slot_clock import KINDS

EARLY_MESSAGES = 256
EARLY_BYTES = 8 << 20
"""What is kept per peer and job for slots that we have not reached yet."""
MAX_MARKS = 64
"""Marks of a slot that one peer can have for us: its own, and everybody's in a certificate."""


class Early:
    """What one peer sent for slots that we have not reached: one message per slot and round."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, dict[int, SlotMessage]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def keep(self, key: Hashable, message: SlotMessage) -> None:
        """Keep a message for the slot `key`, if it is new and there is room."""
        kept = self._kept.get(key, {}).get(message.round)
        if kept is not None:
            if message.round == 0:
                self._add_marks(kept, message)
            return
        message = _copy(message)
        size = message.ByteSize()
        if len(self) < EARLY_MESSAGES and self._bytes + size <= EARLY_BYTES:
            self._kept.setdefault(key, {})[message.round] = message
            self._bytes += size

    def take(self, key: Hashable) -> list[SlotMessage]:
        """The messages for a slot, which are not kept any longer."""
        found = [*self._kept.pop(key, {}).values()]
        self._bytes -= sum(message.ByteSize() for message in found)
        return found

    def _add_marks(self, kept: SlotMessage, message: SlotMessage) -> None:
        room = MAX_MARKS - len(kept.parts)
        if room <= 0:
            return
        have = {(part.label, part.body) for part in kept.parts}
        said = [part for part in message.parts[:MAX_MARKS] if part.label in KINDS and len(part.body) == 65]
        size = kept.ByteSize()
        kept.parts.extend([part for part in said if (part.label, part.body) not in have][:room])
        self._bytes += kept.ByteSize() - size


def _copy(message: SlotMessage) -> SlotMessage:
    ours = SlotMessage()
    ours.CopyFrom(message)
    return ours
