"""Who holds what: the replicated sharings that a job can compute with, as public tables.

A secret is the sum (XOR for bits) of *pieces*, numbered like the parties. Parties are numbered by their
*place*: inside an epoch party k is the k-th, ascending, of those who still compute (the *roster*).

Notation  roster: the job's party numbers at the places 0, 1, ...; a, m: numbers of pieces
Source    Spec rep4 1.2; Spec rep3 1; Spec agreement 12
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mpcd.errors import InternalError


@dataclass(frozen=True, slots=True)
class Scheme:
    """A replicated sharing against one corrupted party.

    parties    number of parties, and of pieces
    threshold  how many of the parties may be corrupt
    lacking    place -> the one piece that the party there does not hold
    """

    name: str
    parties: int
    threshold: int
    lacking: tuple[int, ...]

    def holders(self, a: int) -> frozenset[int]:
        """The places that hold piece a."""
        return frozenset(p for p in range(self.parties) if self.lacking[p] != a)

    def held(self, place: int) -> tuple[int, ...]:
        """The pieces that the party at a place holds, ascending."""
        return tuple(a for a in range(self.parties) if a != self.lacking[place])


REP4 = Scheme("rep4", 4, 1, (0, 1, 2, 3))
"""Summand a is with all but party a."""
REP3 = Scheme("rep3", 3, 1, (2, 0, 1))
"""Party i holds the pieces i and i + 1 (mod 3) and lacks i - 1."""
SCHEMES = {scheme.name: scheme for scheme in (REP4, REP3)}


@dataclass(frozen=True, slots=True)
class Conversion:
    """How the three of a roster turn a sharing of rep4 into one of rep3, each by itself.

    roster    the three places of rep4 that go on, ascending; their index here is their place in rep3
    dropped   the place of rep4 that does not
    summands  piece m of rep3 is summand `summands[m]` of rep4, ...
    takes     ... and piece `takes` is that plus (XOR for bits) summand `dropped`, which all three know

    The secret K[summands[m]] of rep4 is known to exactly the two holders of piece m, and to the dropped
    party, which must therefore not be the only source of keys of rep3 (Spec agreement 12.4).
    """

    roster: tuple[int, int, int]
    dropped: int
    summands: tuple[int, int, int]
    takes: int = 0


def rep3_of_rep4(roster: Sequence[int]) -> Conversion:
    """The conversion for three of the four places of rep4.

    Piece m of rep3 is the one that the party at place m + 1 lacks; so is summand roster[m + 1] of rep4.

    Raises  InternalError if `roster` is not three different places of rep4, ascending
    """
    if len(roster) != REP3.parties or sorted(set(roster)) != list(roster):
        raise InternalError(f"a roster of rep3 is three places, ascending, not {list(roster)}")
    dropped = set(range(REP4.parties)) - set(roster)
    if len(dropped) != 1:
        raise InternalError(f"{list(roster)} are not places of rep4")
    first, second, third = roster
    return Conversion((first, second, third), dropped.pop(), (second, third, first))
