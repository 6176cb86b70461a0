"""How an output leaves the four parties: commitments to its summands, agreement, and reconstruction.

When the computation has ended, every holder of x[a] commits to it; the salt comes from K[a], so the
three holders make equal commitments without talking, and party a, which does not know K[a], cannot
test guesses of x[a] against it. The parties agree (READY-OPEN) on all commitments before a single share
leaves. A recipient, member or outsider, then needs two equal commitments out of three and any one
holder who opens them: a lying or silent party can neither change the output nor withhold it.

Notation  x[a]  summand a of the output, words in little-endian; com[a] its commitment
          claims  party -> a -> com[a], as signed by that party; it has no claim to com[party]
Security  one malicious party of four; there is no id of the committer inside, for three must agree
Source    Spec rep4 9
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.rep4.keys import PARTIES, SALT_BYTES, holders
from mpcd.protocols.rounds import Words
from mpcd.ring.digests import commit
from mpcd.ring.streams import derive

Claims = Mapping[int, Mapping[int, bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """Which output for whom: what commitments and salts are bound to."""

    session: bytes
    output: str
    recipient: str

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """As they are hashed; the hash prefixes each with its length."""
        return self.session, self.output.encode(), self.recipient.encode()


@dataclass(frozen=True, slots=True)
class Opening:
    """One summand of an output with the salt of its commitment."""

    summand: bytes = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of READY-OPEN for one output.

    certified  a -> com[a] on which all three holders agree
    blamed     parties that contradict the two other holders; if all three differ, all three
    """

    certified: Mapping[int, bytes]
    blamed: frozenset[int]

    @property
    def opens(self) -> bool:
        """May the shares leave? Only if all three holders agree on each of the four summands."""
        return len(self.certified) == PARTIES


# -- at a holder --------------------------------------------------------------------------------------


def opening(place: Place, a: int, key: bytes, summand: Words) -> Opening:
    """Prepare x[a] for its recipient.

    key  K[a] of this run, as `keys.combine` returned it
    """
    salt = derive(key, b"mpcd output salt", *place.parts(), bytes([a]), length=SALT_BYTES)
    return Opening(np.ascontiguousarray(summand, dtype="<u8").tobytes(), salt)


def commitment(place: Place, a: int, opened: Opening) -> bytes:
    """com[a] = H("out", session, output, recipient, a, x[a], salt[a])."""
    return commit("mpcd out", opened.salt, *place.parts(), bytes([a]), opened.summand)


def agree(claims: Claims) -> Decision:
    """Decide on the commitments that the four parties claim; equal at everyone who sees equal claims."""
    certified: dict[int, bytes] = {}
    blamed: set[int] = set()
    for a in range(PARTIES):
        said = {p: claims[p][a] for p in sorted(holders(a)) if a in claims.get(p, {})}
        value = majority(claims, a)
        dissent = {p for p, com in said.items() if com != value}
        blamed |= dissent
        if value is not None and not dissent and len(said) == PARTIES - 1:
            certified[a] = value
    return Decision(certified, frozenset(blamed))


# -- at a recipient -----------------------------------------------------------------------------------


def majority(claims: Claims, a: int) -> bytes | None:
    """The com[a] that at least two of the three holders signed; None if there is none.

    What party a itself says about com[a] does not count.
    """
    said = [claims[p][a] for p in holders(a) if a in claims.get(p, {})]
    return next((com for com in said if said.count(com) >= 2), None)


def opens(com: bytes, place: Place, a: int, words: int, claimed: Opening) -> bool:
    """Is this the committed summand, of the length that the output has?"""
    well_formed = len(claimed.summand) == 8 * words and len(claimed.salt) == SALT_BYTES
    return well_formed and hmac.compare_digest(commitment(place, a, claimed), com)


def choose(com: bytes, place: Place, a: int, words: int, offers: Iterable[Opening]) -> Words | None:
    """The first offer that opens com[a], as words; None if none does (ask the next holder)."""
    for offer in offers:
        if opens(com, place, a, words, offer):
            return np.frombuffer(offer.summand, "<u8").astype(np.uint64)
    return None


def reconstruct(
    claims: Claims,
    offers: Mapping[int, Mapping[int, Opening]],
    place: Place,
    words: int,
    *,
    bits: bool = False,
) -> Words:
    """Return the output: the sum of its summands, or their exclusive or for packed bits.

    claims  party -> a -> com[a]; offers  party -> a -> opening; both as signed by the party
    words   length of the output, public
    Raises  PeerError if no two holders agree or no holder opens: more faults than one party can cause
    """
    chosen: dict[int, Words] = {}
    for a in range(PARTIES):
        com = majority(claims, a)
        if com is None:
            raise _too_many("no two holders agree on", a, place)
        x = choose(com, place, a, words, (offers[p][a] for p in sorted(holders(a)) if a in offers.get(p, {})))
        if x is None:
            raise _too_many("no holder opens", a, place)
        chosen[a] = x
    return assemble(chosen, bits=bits)


def assemble(summands: Mapping[int, Words], *, bits: bool = False) -> Words:
    """Put four chosen summands together, for a recipient that fetches them one by one.

    Raises  UsageError if one is missing
    """
    if set(summands) != set(range(PARTIES)):
        raise UsageError(f"an output has four summands, here are {sorted(summands)}")
    parts = [summands[a] for a in range(PARTIES)]
    total: Words = np.bitwise_xor.reduce(parts) if bits else np.add.reduce(parts)
    return total


def _too_many(what: str, a: int, place: Place) -> PeerError:
    return PeerError(f"{what} summand {a} of output {place.output!r}", step="opening", blamed=holders(a))
