"""What a party can do differently in a simulation, as data; `faults` does it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mpcd.party.slots import SlotKey
from mpcd.testing.simulation.people import EVERYBODY

IN_STEPS = ("shift", "add-1", "add-high-bit", "flip", "leave-out", "vouch", "die")
IN_FRAMES = ("lose", "truncate", "extend", "garble", "replay", "swap", "late", "fall-silent", "twice")
OTHER_JOB = "other-job"
"""The frame of the same place in another run of the same job: only in a sweep, which has one."""
IN_LETTERS = ("equivocate", "mute", "deaf", "slow", "spoil")
IN_SLOTS = ("lie", "noise", "nothing", "hurry", "forge", "leave", *IN_LETTERS)
IN_BARRIERS = ("accuse-tag", "accuse-missing", "accuse-batch", "give-up", "claim-late")
IN_WORDS = (*IN_BARRIERS, "dispute-lie")
IN_CALLS = ("keys", "keys-withheld", "box", "box-withheld", "box-two", "share", "session", "recall")
IN_ANSWERS = (
    *("note", "summand", "silent-holder"),
    *("receipt", "receipt-withheld", "receipt-hidden", "receipt-other"),
)
IN_HOUSE = ("busy", "no-data", "no-link")
KINDS = (*IN_STEPS, *IN_FRAMES, OTHER_JOB, *IN_SLOTS, *IN_WORDS, *IN_CALLS, *IN_ANSWERS, *IN_HOUSE)

# Between what the dice of an act choose, where it is one of a few.
SLOW_DELTAS = (0.5, 1.0, 1.9, 2.5, 4.0)
LATE_SHARES = (0.3, 0.6, 0.8, 0.95, 1.05)
"""Of the patience of the others in a round."""
NOTES = ("all", "one", "one", "epoch", "roster")
"""What is wrong in a note of what is opened."""
MARKS = ("done", "timeout", "left")
ANSWERS = ("not sent", "something else", "nothing")
"""What is said in a dispute."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done differently. What is left out stands for all there are.

    epoch, round   in job processes and words about them
    to        the other party
    slot      a family, or one slot as `address` writes it; at: the round of a letter, 0 is the slot clock
    of        who sent what is vouched for; the number of a key or of a summand
    label     a message within its frame; an output
    number    what the dice of this act begin with
    """

    kind: str
    epoch: int = 0
    round: int = 0
    to: int | None = None
    slot: str = ""
    number: int = 0
    at: int | None = None
    of: int | None = None
    label: str = ""

    @property
    def dice(self) -> random.Random:
        return random.Random(f"{self.kind} {self.number}")

    def concerns(
        self, to: str | None, slot: SlotKey | None, at: int | None, of: int | None, label: str | None
    ) -> bool:
        """Whether this is its place."""
        return (
            (to is None or self.to is None or EVERYBODY[self.to] == to)
            and (slot is None or self.slot in ("", slot.family, address(slot)))
            and (at is None or self.at in (None, at))
            and (of is None or self.of in (None, of))
            and (label is None or self.label in ("", label))
        )

    def __str__(self) -> str:
        words = [self.kind]
        if self.kind in (*IN_STEPS, *IN_FRAMES, OTHER_JOB, *IN_BARRIERS):
            words.append(f"epoch={self.epoch} round={self.round}")
        words += [f"slot={self.slot}"] if self.slot else []
        words += [f"at={self.at}"] if self.at is not None else []
        words += [f"of={self.of}"] if self.of is not None else []
        words += [f"label={self.label}"] if self.label else []
        words += [f"to={EVERYBODY[self.to]}"] if self.to is not None else []
        words += [f"dice={self.number}"] if self.number else []
        return " ".join(words)


def address(slot: SlotKey) -> str:
    """One slot of a job, in words: family, epoch, number."""
    return f"{slot.family}/{slot.epoch}.{slot.number}"
