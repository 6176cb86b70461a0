"""What a Boolean circuit is written against: planes of shared bits, and the gates between them.

A plane is a vector of shared flags, packed; a gate works on whole planes at once. How bits are shared, and
where the randomness of an AND comes from, is the business of the protocol that offers the gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rounds import Rounds

P = TypeVar("P")
"""Some planes of shared bits."""

Planes = slice | npt.NDArray[np.intp]
"""Which planes: a range of them (a view), or a list."""


class Gates(Protocol[P]):
    """The gates at one place of the computation; all but `conj` are local."""

    def at(self, *steps: str | int) -> Self:
        """The same gates at a child path: two ANDs never share a path."""
        ...

    def count(self, x: P) -> int:
        """How many planes these are."""
        ...

    def take(self, x: P, planes: Planes) -> P: ...
    def join(self, parts: Sequence[P]) -> P: ...
    def xor(self, x: P, y: P) -> P: ...
    def negate(self, x: P) -> P: ...
    def conj(self, x: P, y: P) -> Rounds[P]:
        """The AND of each plane of x with the same plane of y: 1 round."""
        ...
