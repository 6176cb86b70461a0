"""How an output leaves the four parties: commitments to its summands, agreement, and reconstruction.

When the computation has ended, every holder of x[a] commits to it; the salt comes from K[a], so the
three holders make equal commitments without talking, and party a, which does not know K[a], cannot
test guesses of x[a] against it. The parties agree (slot BARRIER) on all commitments before a single share
leaves. A recipient, member or outsider, then needs two equal commitments out of three and any one
holder who opens them: a lying or silent party can neither change the output nor withhold it.

Notation  x[a]  summand a of the output, words in little-endian; com[a] its commitment
          claims  party -> a -> com[a], as signed by that party; it has no claim to com[party]
Security  one malicious party of four; there is no id of the committer inside, for three must agree
Source    Spec rep4 9
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import UsageError
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


def assemble(summands: Mapping[int, Words]) -> Words:
    """The output: the sum of its four summands.

    Raises  UsageError if one is missing
    """
    if set(summands) != set(range(PARTIES)):
        raise UsageError(f"an output has four summands, here are {sorted(summands)}")
    total: Words = np.add.reduce([summands[a] for a in range(PARTIES)])
    return total
