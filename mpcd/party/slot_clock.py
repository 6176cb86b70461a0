"""When a slot begins: everybody enters it within one network delay, and no single cheater chooses when.

With timers that each party starts by itself, honest parties would close a round at different times and
could be split. So parties exchange signed *marks* first:

  done      my work of this stage is complete
  timeout   my timer for this stage has run out
  left      I have ended this job and will say nothing more in any of its slots

A party enters as soon as it holds a certificate: done (or left) marks of all who take part, or timeout (or
left) marks of t + 1 of them, one of whom is honest. It passes the certificate on in the same moment, so that
all others enter one delay later at most. Round k then ends at entry + 2 k Delta.

A bare signed ENTER of one party, without a certificate, would serve agreement as well, but would let one
cheater start a slot before the honest parties are ready, and so shut out inputs or spoil every job.

Source  Spec agreement 3
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["done", "timeout", "left"]
KINDS: frozenset[str] = frozenset({"done", "timeout", "left"})
Verify = Callable[[int, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Mark:
    """One party's signed word about its progress."""

    kind: str
    party: int
    signature: bytes = field(repr=False)


def mark_words(kind: str, slot_id: bytes, job: bytes) -> bytes:
    """What a mark signs. A left mark holds for all slots of the job."""
    return b"\0".join(
        (b"mpcd slot clock", kind.encode(), job.hex().encode(), b"" if kind == "left" else slot_id)
    )


class Marks:
    """The valid marks that one party has seen for one slot."""

    def __init__(self, slot_id: bytes, job: bytes, among: frozenset[int], t: int, verify: Verify) -> None:
        """among: who takes part in the slot; marks of anybody else count for nothing."""
        self._words = {kind: mark_words(kind, slot_id, job) for kind in KINDS}
        self._among = among
        self._t = t
        self._verify = verify
        self._held: dict[tuple[str, int], Mark] = {}
        self.forged = 0
        """How many marks did not verify so far."""

    def add(self, marks: Iterable[Mark]) -> bool:
        """Keep what is valid; whether anything was new."""
        news = False
        for mark in marks:
            if mark.kind not in KINDS or mark.party not in self._among:
                continue
            place = (mark.kind, mark.party)
            if place in self._held:
                continue
            if not self._verify(mark.party, self._words[mark.kind], mark.signature):
                self.forged += 1
                continue
            self._held[place] = mark
            news = True
        return news

    def of(self, party: int) -> tuple[Mark, ...]:
        """The marks that one party has made."""
        return tuple(mark for mark in self._held.values() if mark.party == party)

    @property
    def left(self) -> frozenset[int]:
        """The parties that have ended this job."""
        return self._who("left")

    @property
    def finished(self) -> frozenset[int]:
        """The parties that are not waited for: their work of this stage is done, or they have left."""
        return self._who("done") | self._who("left")

    @property
    def timed_out(self) -> frozenset[int]:
        return self._who("timeout")

    def certificate(self) -> tuple[Mark, ...] | None:
        """The marks that allow everybody to enter the slot, or None if there are not enough yet."""
        if self.finished == self._among:
            return tuple(m for m in self._held.values() if m.kind != "timeout")
        # Whoever has left will never time out: the last one there would wait for a second in vain.
        if len(self._who("timeout") | self._who("left")) > self._t:
            return tuple(m for m in self._held.values() if m.kind != "done")
        return None

    def _who(self, kind: str) -> frozenset[int]:
        return frozenset(party for k, party in self._held if k == kind)
