"""Who still computes, with what and why: the state of a job between epochs, and how a fault changes it.

One rule is about safety: without checks three parties compute only if signed contradictions have shown that
the fourth cheats, so that they are honest. Silence leads to a scheme with checks, in which a party that was
wrongly believed loses the job its result at worst. The others keep a job alive: one fault is always survived,
and there are two restarts at most.

Notation  parties are the job's computing parties 0..n-1; roster: those who compute in this epoch
Source    Spec agreement 11
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from mpcd.errors import InternalError
from mpcd.identity.encoding import fingerprint
from mpcd.protocols.agreement.findings import Absent, Fault, Named, Pair
from mpcd.protocols.scheme import REP3, REP4, SCHEMES, Scheme

HISTORY_BYTES = 32
_EPOCH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a job in one epoch; the same at every honest party.

    parties  all computing parties of the job, ascending
    roster   those who compute in this epoch, ascending; their index here is their place in `scheme`
    scheme   name of the scheme; checked: whether messages are checked in it
    pairs    one of each pair is at fault; named: parties that cheat, on evidence; absent: parties without
             which nothing was in the way. The three are never mixed
    history  32 bytes: all findings so far; enters every key of the epoch
    """

    epoch: int
    parties: tuple[int, ...]
    roster: tuple[int, ...]
    scheme: str
    checked: bool
    pairs: tuple[Pair, ...] = ()
    named: tuple[Named, ...] = ()
    absent: tuple[Absent, ...] = ()
    history: bytes = bytes(HISTORY_BYTES)

    @property
    def sharing(self) -> Scheme:
        return SCHEMES[self.scheme]

    @property
    def dropped(self) -> tuple[int, ...]:
        """Who does not compute in this epoch."""
        return tuple(p for p in self.parties if p not in self.roster)

    def place(self, party: int) -> int:
        """The number of a member of the roster inside of the epoch."""
        return self.roster.index(party)


@dataclass(frozen=True, slots=True)
class Over:
    """The job cannot go on: nothing is opened, to nobody. What was found stands."""

    why: str
    pairs: tuple[Pair, ...] = ()
    named: tuple[Named, ...] = ()
    absent: tuple[Absent, ...] = ()


def first(scheme: Scheme, parties: int) -> Standing:
    """How a job begins.

    Raises  InternalError if the scheme is not one for so many parties
    """
    if scheme.parties != parties:
        raise InternalError(f"{scheme.name} is a scheme for {scheme.parties} parties, not {parties}")
    everybody = tuple(range(parties))
    return Standing(0, everybody, everybody, scheme.name, True)


def advance(standing: Standing, finding: Fault) -> Standing | Over:
    """What follows from a fault that ended an epoch, or that was found before one began."""
    known = _with(standing, finding)
    if standing.scheme == REP4.name:
        return _after_the_first(known, finding)
    suspect = _suspect(standing)
    if suspect is None:
        return _over(known, finding, "there is no way on from here")
    return _after_a_pair(known, finding, suspect)


def _after_the_first(standing: Standing, finding: Fault) -> Standing | Over:
    match finding:
        case Named(party=p):
            return _without(standing, finding, p, checked=False)
        case Absent(party=p):
            return _without(standing, finding, p, checked=True)
        case Pair(parties=pair):
            return _without(standing, finding, max(pair), checked=True)
    return _over(standing, finding, "that is more than one party can cause")


def _after_a_pair(standing: Standing, finding: Fault, suspect: int) -> Standing | Over:
    """The suspect is the one of the pair who still computes; the other one comes back in its place."""
    match finding:
        case Named(party=p) if p == suspect:
            return _without(standing, finding, p, checked=False)
        case Absent(party=p) if p == suspect:
            return _without(standing, finding, p, checked=True)
        case Pair(parties=pair) if suspect in pair:
            proven = all(found.evidence for found in standing.pairs)
            if proven:
                why = f"party {suspect} is in both pairs of which one lied"
                standing = replace(standing, named=(*standing.named, Named(suspect, why)))
            return _without(standing, finding, suspect, checked=not proven)
    return _over(standing, finding, "that does not fit with what was found before")


def _suspect(standing: Standing) -> int | None:
    """Who of the one pair that has been found still computes; None unless a pair is all that was found."""
    if standing.named or standing.absent or len(standing.pairs) != 1:
        return None
    (pair,) = standing.pairs
    (party,) = pair.parties & frozenset(standing.roster)
    return party


def _without(standing: Standing, finding: Fault, party: int, *, checked: bool) -> Standing:
    roster = tuple(p for p in standing.parties if p != party)
    epoch = standing.epoch + 1
    state = bytes([checked, *roster])
    history = fingerprint("mpcd/standing/1", [standing.history, _EPOCH.pack(epoch), _agreed(finding), state])
    return replace(standing, epoch=epoch, roster=roster, scheme=REP3.name, checked=checked, history=history)


def _agreed(finding: Fault) -> bytes:
    """What all honest parties hold alike of a finding: not which two values prove an equivocation."""
    match finding:
        case Named(party=p):
            return bytes([1, p])
        case Absent(party=p):
            return bytes([2, p])
        case Pair(parties=pair, evidence=evidence):
            return bytes([3, evidence, *sorted(pair)])
    raise InternalError("an epoch does not begin after more faults than one")


def _with(standing: Standing, finding: Fault) -> Standing:
    match finding:
        case Named():
            return replace(standing, named=(*standing.named, finding))
        case Absent():
            return replace(standing, absent=(*standing.absent, finding))
        case Pair():
            return replace(standing, pairs=(*standing.pairs, finding))
    return standing


def _over(standing: Standing, finding: Fault, why: str) -> Over:
    return Over(f"{finding.why}; {why}", standing.pairs, standing.named, standing.absent)
