"""The gates of rep4, for circuits: every AND is one product.

Source  Spec rep4 8
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from mpcd.protocols.circuits.gates import Planes
from mpcd.protocols.rep4 import multiply, sharing
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Bits4
from mpcd.protocols.rounds import Rounds


class Gates4:
    """See `mpcd.protocols.circuits.gates.Gates`."""

    __slots__ = ("_party",)

    def __init__(self, party: Party4) -> None:
        self._party = party

    def at(self, *steps: str | int) -> Self:
        return type(self)(self._party.at(*steps))

    def count(self, x: Bits4) -> int:
        return x.planes

    def take(self, x: Bits4, planes: Planes) -> Bits4:
        return Bits4(x.data[:, planes], x.shape, x.live)

    def join(self, parts: Sequence[Bits4]) -> Bits4:
        return sharing.join_planes(parts)

    def xor(self, x: Bits4, y: Bits4) -> Bits4:
        return sharing.xor(x, y)

    def negate(self, x: Bits4) -> Bits4:
        return sharing.negate(self._party.me, x)

    def conj(self, x: Bits4, y: Bits4) -> Rounds[Bits4]:
        return multiply.conj(self._party, x, y)
