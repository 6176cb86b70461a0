"""How long things may take at a computing party, and what one that delays everything can make of it."""

from __future__ import annotations

from dataclasses import dataclass

CORRUPTED = 1
"""t of rep4."""
LINKS_S, LINK_DELTAS = 10.0, 3
ROUND_DELTAS = 4
"""An honest party's frame of a round comes within Delta of when it has all of the round before; the rest is
for its own work, for which large rounds get more time by their length."""
EPOCHS, STEPS = 3, 3
"""Epochs of a job, and steps of each: range checks, what they show, the program."""
GATHERING_SLOTS = 5
"""The longest chain of slots before the computation: session, keys, complaints, answers, start."""
BUSY_SHARE = 0.25
"""Of the time until the deadline: how long a party that alone has no job process is waited for, about."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take, in seconds.

    delta_s  bound on one message's way: the security parameter of the synchronous network
    stage_s  a stage's own work, before its slot begins without us
    lease_s  to wait for a free job process in one START slot; backoff_s  before the next START slot, at least
    attempts SESSION slots before the job is given up
    round_s  silence that a job process bears in a round, see `round_patience_s`
    """

    delta_s: float = 2.0
    stage_s: float = 30.0
    lease_s: float = 1.0
    backoff_s: float = 0.2
    attempts: int = 3
    round_s: float = 30.0

    @property
    def slot_s(self) -> float:
        """The longest time a slot takes once it was entered, and the spread of entries."""
        return (2 * (CORRUPTED + 1) + 1) * self.delta_s

    @property
    def links_s(self) -> float:
        """How long a job process waits for links.

        Honest parties leave a slot up to `slot_s` apart, a barrier half a Delta more: whoever has all letters
        goes on, and a cheater need not send them to everybody. Then a link takes its ways there and back.
        """
        return max(min(LINKS_S, self.round_s / 2), self.slot_s + LINK_DELTAS * self.delta_s)

    @property
    def bears_s(self) -> float:
        """The silence that a job process bears in the first round, and in the first after a barrier.

        Whoever misses a link has said so by then, and was heard, before others tire of waiting for its first
        frame; and parties come from a barrier up to `slot_s` and half a Delta apart, see `links_s`.
        """
        return max(self.round_s, self.links_s + 2 * self.delta_s)

    def round_patience_s(self, left_s: float, rounds: int) -> float:
        """The silence that a job process bears in every later round, of a job with so much time left.

        A party that sends all its frames just before the others tire of waiting is not silent, and found by
        nobody. So all rounds of all epochs together may use up half of the time, if that leaves each of them
        what honest parties need.
        """
        share_s = left_s / (2 * rounds) if rounds else self.round_s
        return max(ROUND_DELTAS * self.delta_s, min(self.round_s, share_s))

    def safe_s(self, rounds: int) -> float:
        """Jobs with as long a deadline end before it whatever one party does, if the others need less than
        half of it: it may be the last to be ready in every slot, and late in every round of every epoch."""
        gathering = GATHERING_SLOTS * (self.stage_s + self.slot_s)
        between = EPOCHS * (STEPS * self.bears_s + self.links_s + 3 * self.slot_s)
        return (gathering + between + 2 * rounds * ROUND_DELTAS * self.delta_s) / (1 - BUSY_SHARE)

    @property
    def least_s(self) -> float:
        """No job can be shorter: the last barrier begins two slots before the deadline."""
        return 2 * self.slot_s + self.delta_s
