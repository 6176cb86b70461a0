"""What a barrier or a dispute comes to: everybody goes on, somebody is named, or nobody can tell.

`why` says it in words, with "party N" for the parties, the same at every honest party.

Notation  parties are the job's computing parties 0..n-1, also after one of them was dropped
Source    Spec agreement 9.3
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mpcd.protocols.agreement.dolev_strong import Equivocated, Outcome
from mpcd.protocols.agreement.words import Complaint, Kind

_PARTY = re.compile(r"\bparty (\d+)\b")


@dataclass(frozen=True, slots=True)
class Named:
    """This party cheats: signed words contradict each other, or those of all the others. Evidence.

    proof  the two values, if it signed two for one slot (which two may differ between parties)
    """

    party: int
    why: str
    proof: Equivocated | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Without this party there is nothing in the way. No accusation: it may be the network."""

    party: int
    why: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One of these two is at fault.

    evidence  whether their signed words contradict each other, so that one of them lied; otherwise one says
              that nothing came from the other, and it may be the link between them
    """

    parties: frozenset[int]
    evidence: bool
    why: str


@dataclass(frozen=True, slots=True)
class TooMany:
    """More faults than one party can cause; `parties` are those that the words speak of."""

    parties: frozenset[int]
    why: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A complaint that a slot DISPUTE has to settle: either about a tag, or about a batch.

    round      the round in which the check failed
    receiver   who says so
    complaint  the tag: sender, backup, digest of what the receiver got; or
    batch      number of the batch
    others     parties that say the same of this batch
    """

    round: int
    receiver: int
    why: str
    complaint: Complaint | None = None
    batch: int | None = None
    others: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Go:
    """All are ready: what was computed is shown.

    commitments  per output: com of every piece of the epoch's scheme; none at a reveal
    reveals      the agreed digest of what was revealed before
    odd          a party whose words contradict those of the three others, which stand
    """

    kind: Kind
    commitments: tuple[tuple[bytes, ...], ...]
    reveals: bytes
    odd: Named | None = None


Fault = Named | Absent | Pair | TooMany
"""What ends an epoch."""
Finding = Go | Dispute | Fault


def listed(parties: Iterable[int]) -> str:
    """The parties in words."""
    return " and ".join(f"party {p}" for p in sorted(parties))


def in_words(why: str, names: Sequence[str]) -> str:
    """A sentence about parties with their names."""
    return _PARTY.sub(lambda m: names[int(m[1])], why)


def meet(pairs: Iterable[Iterable[int]], evidence: bool, what: str) -> Named | Absent | Pair | TooMany:
    """What contradictions between two parties each come to, if one party is behind all of them.

    pairs     at least one; a pair of one party is one that contradicts itself
    evidence  whether they are contradictions of signed words
    what      what the parties did, for `why`
    """
    edges = [frozenset(pair) for pair in pairs]
    common = frozenset.intersection(*edges)
    if not common:
        everybody = frozenset.union(*edges)
        return TooMany(everybody, f"{listed(everybody)} {what}, more than one of them")
    if len(common) == 2:
        return Pair(common, evidence, f"{listed(common)} {what}")
    (party,) = common
    others = frozenset.union(*edges) - common
    why = (
        f"party {party} and each of {listed(others)} {what}"
        if others
        else f"party {party} contradicts itself"
    )
    return Named(party, why) if evidence else Absent(party, why)


def liars_in(outcome: Outcome, what: str) -> Named | TooMany | None:
    """Who signed two values in a slot, if anybody did."""
    found = {p: v for p, v in outcome.items() if isinstance(v, Equivocated)}
    if not found:
        return None
    if len(found) > 1:
        return TooMany(frozenset(found), f"{listed(found)} signed two different values each as {what}")
    ((party, proof),) = found.items()
    return Named(party, f"party {party} signed two different values as {what}", proof)
