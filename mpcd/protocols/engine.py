"""What every protocol offers to the layers above: the `Engine` interface.

Nothing above `mpcd.protocols` assumes Z_2^64, four parties or a particular sharing. An engine is one
party's view of one epoch at one place of the computation: it knows its index, its keys and its structural
path, and `at` gives the same engine at a child path. Interactive operations are generators of
rounds; local ones are plain methods.

Notation  A  an arithmetic sharing of an array of integers; `shape` is its public shape
          B  a sharing of an array of bits (bit-sliced and packed inside); `shape` is its public shape
          int64 values are the signed integers of the cleartext; every operation is elementwise
          on equal shapes unless it says otherwise
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rounds import Rounds

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Shaped(Protocol):
    """A sharing: its shape is public, its contents are not and never appear in its repr."""

    @property
    def shape(self) -> tuple[int, ...]: ...


A = TypeVar("A", bound=Shaped)
B = TypeVar("B", bound=Shaped)


class Engine(Protocol[A, B]):
    """One party's operations on shared values.

    me, parties     index of this party, number of computing parties
    threshold       corrupted parties tolerated
    signed_bits     values must lie in [-2^(signed_bits-1), 2^(signed_bits-1))
    compare_bits    `less_than` is exact for values in [-2^(compare_bits-1), 2^(compare_bits-1))
    profiles        security profiles the protocol can give, best last
    block_elements  elements an operation should be given at once, so that memory stays bounded
    """

    name: str
    me: int
    parties: int
    threshold: int
    signed_bits: int
    compare_bits: int
    profiles: tuple[str, ...]
    block_elements: int

    def at(self, *steps: str | int) -> Self:
        """The same engine at a child path. Two draws of randomness never share a path."""
        ...

    # -- local: public values, linear operations, rearrangement -------------------------------------
    def constant(self, values: Ints) -> A: ...
    def add(self, x: A, y: A) -> A: ...
    def sub(self, x: A, y: A) -> A: ...
    def scale(self, x: A, factor: Ints | int) -> A:
        """x times a public factor (broadcast)."""
        ...

    def total(self, x: A, axis: int) -> A:
        """Sum over one axis."""
        ...

    def take(self, x: A, index: npt.NDArray[np.intp], axis: int) -> A:
        """Public indexing along one axis, as `numpy.take`."""
        ...

    def join(self, parts: Sequence[A], axis: int) -> A:
        """Concatenate along one axis."""
        ...

    def reshape(self, x: A, shape: tuple[int, ...]) -> A: ...

    def constant_bits(self, values: Flags) -> B: ...
    def xor(self, x: B, y: B) -> B: ...
    def negate(self, x: B) -> B:
        """Logical NOT."""
        ...

    def take_bits(self, x: B, start: int, stop: int) -> B:
        """Bits start..stop of a flat vector of bits; start is a multiple of 64."""
        ...

    def join_bits(self, parts: Sequence[B]) -> B:
        """Concatenate flat vectors of bits; all but the last have a multiple of 64."""
        ...

    # -- interactive ------------------------------------------------------------------------------
    def mul(self, x: A, y: A) -> Rounds[A]: ...
    def inner(self, x: A, y: A) -> Rounds[A]:
        """Sum of products over the last axis: (*s, k), (*s, k) -> (*s)."""
        ...

    def matmul(self, x: A, y: A) -> Rounds[A]:
        """(m, k), (k, n) -> (m, n)."""
        ...

    def conj(self, x: B, y: B) -> Rounds[B]:
        """Logical AND."""
        ...

    def negative(self, x: A) -> Rounds[B]:
        """The sign bit: exact for every value that the ring can hold."""
        ...

    def parity(self, x: A) -> Rounds[B]:
        """The lowest bit of every value of a flat vector; of 0 and 1 the truth value."""
        ...

    def less_than(self, x: A, y: A) -> Rounds[B]:
        """x < y for values within `compare_bits`."""
        ...

    def less_than_full(self, x: A, y: A) -> Rounds[B]:
        """x < y for all values within `signed_bits`."""
        ...

    def equal(self, x: A, y: A) -> Rounds[B]: ...
    def to_arithmetic(self, x: B) -> Rounds[A]:
        """Bits as the integers 0 and 1."""
        ...

    def open(self, x: A, to: frozenset[int] | None = None) -> Rounds[Ints | None]:
        """Show x to some parties (all by default); None at the others.

        The caller is responsible for the rule that nothing unmasked is opened before all parties
        have agreed that all checks so far passed.
        """
        ...

    def open_bits(self, x: B, to: frozenset[int] | None = None) -> Rounds[Flags | None]: ...


AnyEngine = Engine[Any, Any]
"""For code that works with whatever engine it is given."""
