"""Who lied in a batch whose check failed: from what the three parties say about it, and what should have been
said.

Every party answers with its record of the batch, over a channel that shows all three the same answers (a
slot). Words are taken in this order, and the first that shows a liar decides:

  1  a party that speaks of another batch than the two others, or answers what no honest party could: it is
  named
  2  a party that says it had not come to the check: who says that the check failed has heard a hash from it.
     One of the two lies; if both others say so, it is the one who says that the check failed
  3  the two holders of a key show different ones: one of them lies
  4  a party says itself that it sent another product than the keys determine: it is named. So is
     one that says so of its hash
  5  the receiver of a product, or of a hash, says that something else arrived, while its sender says that it
     sent the right one: one of the two lies
  6  nothing: then the check cannot have failed, and who says so is named

At most one of three lies, so an honest party is never named, and of every pair one lies. Openings and the
coin are not here: what was opened wrongly fails at its tag, in its round.

Rule    the caller sees to it that the keys are asked for only after all three have said, by agreement, that
        the batch is not settled with them (`batch`): before, nobody may answer
Source  Spec rep3 7
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mpcd.errors import UsageError
from mpcd.protocols.agreement.findings import Absent, Fault, Named, Pair, TooMany
from mpcd.protocols.rep3.batch import Recipe, Record
from mpcd.protocols.rep3.party import PARTIES
from mpcd.protocols.rep3.sharing import held
from mpcd.ring.digests import DIGEST_BYTES
from mpcd.ring.streams import KEY_BYTES


@dataclass(frozen=True, slots=True)
class Expected:
    """What honest parties say in a batch.

    sent   place -> digest of its products' messages
    shown  the hash that all three show in the check
    """

    sent: Mapping[int, bytes]
    shown: bytes


Expect = Callable[[str, Recipe, Mapping[int, bytes]], Expected]
"""(path, recipe, piece -> key) -> what honest parties say; see `replay.expected`."""


def blame(reporter: int, answers: Sequence[Record | None], expect: Expect, roster: Sequence[int]) -> Fault:
    """Who is at fault for a check that failed, or is said to have failed, at the party at place `reporter`.

    answers  by place: what each party says of the batch, None if nothing
    roster   the job's party at each place, as the result names them

    Raises  UsageError if there are not three answers and parties
    """
    if len(answers) != PARTIES or len(roster) != PARTIES or not 0 <= reporter < PARTIES:
        raise UsageError("a batch has three parties, and one of them reports that its check failed")
    case = _Case(reporter, roster)
    records = [answer for answer in answers if answer is not None]
    if len(records) < PARTIES:
        return case.silent([place for place, answer in enumerate(answers) if answer is None])
    return (
        case.malformed(records)
        or case.other_batch(records)
        or case.unfinished(records)
        or case.keys(records)
        or case.messages(records, expect)
    )


class _Case:
    """One dispute; a method returns a fault, or None if it finds none."""

    def __init__(self, reporter: int, roster: Sequence[int]) -> None:
        self.reporter = reporter
        self.roster = roster

    def _named(self, place: int, why: str) -> Named:
        return Named(self.roster[place], f"party {self.roster[place]} {why}")

    def _pair(self, place: int, other: int, what: str) -> Pair:
        first, second = sorted((self.roster[place], self.roster[other]))
        return Pair(
            frozenset({first, second}), True, f"parties {first} and {second} contradict each other: {what}"
        )

    def silent(self, places: Sequence[int]) -> Fault:
        parties = [self.roster[place] for place in places]
        if len(parties) > 1:
            return TooMany(frozenset(parties), f"parties {parties} say nothing about a batch in dispute")
        return Absent(parties[0], f"party {parties[0]} says nothing about a batch in dispute")

    def malformed(self, records: Sequence[Record]) -> Fault | None:
        for place, record in enumerate(records):
            if not _well_formed(place, record):
                return self._named(place, "answered a dispute about a batch with what is no record of one")
        return None

    def other_batch(self, records: Sequence[Record]) -> Fault | None:
        batches = [(record.path, record.recipe) for record in records]
        odd = [place for place in range(PARTIES) if batches.count(batches[place]) == 1]
        if len(odd) > 1:
            return TooMany(frozenset(self.roster), "each party speaks of another batch")
        return self._named(odd[0], "speaks of another batch than the two others") if odd else None

    def unfinished(self, records: Sequence[Record]) -> Fault | None:
        reporter = self.reporter
        if not records[reporter].shown or set(records[reporter].heard) != set(range(PARTIES)) - {reporter}:
            return self._named(reporter, "says that a check failed to which it had not come")
        waiting = [place for place, record in enumerate(records) if not record.shown]
        if len(waiting) > 1:
            return self._named(reporter, "says that a check failed to which the two others had not come")
        return self._pair(reporter, waiting[0], "whether a check took place") if waiting else None

    def keys(self, records: Sequence[Record]) -> Fault | None:
        for piece in range(PARTIES):
            before = (piece - 1) % PARTIES
            if records[piece].keys[piece] != records[before].keys[piece]:
                return self._pair(piece, before, "what their common key of a batch is")
        return None

    def messages(self, records: Sequence[Record], expect: Expect) -> Fault:
        keys = {piece: records[piece].keys[piece] for piece in range(PARTIES)}
        right = expect(records[0].path, records[0].recipe, keys)
        # Wrong products make honest hashes differ: they come first.
        for place, record in enumerate(records):
            if record.sent != right.sent[place]:
                return self._named(place, "sent wrong products of random numbers")
        for place, record in enumerate(records):
            sender = (place + 1) % PARTIES
            if record.received != right.sent[sender]:
                return self._pair(place, sender, "what products were sent")
        for place, record in enumerate(records):
            if record.shown != right.shown:
                return self._named(place, "showed a wrong hash in a check")
        for place, record in enumerate(records):
            for other, heard in sorted(record.heard.items()):
                if heard != right.shown:
                    return self._pair(place, other, "what hash was shown in a check")
        return self._named(self.reporter, "says that a check failed that did not fail")


def _well_formed(place: int, record: Record) -> bool:
    digests = [
        record.sent,
        record.received,
        *([record.shown] if record.shown else []),
        *record.heard.values(),
    ]
    return (
        record.me == place
        and set(record.keys) == set(held(place))
        and all(len(key) == KEY_BYTES for key in record.keys.values())
        and set(record.heard) <= set(range(PARTIES)) - {place}
        and all(len(raw) == DIGEST_BYTES for raw in digests)
    )
