"""Types of the program representation: what a value is, how large, and who may know it.

A value is an integer with a declared or inferred range, a truth value, or an order (a public permutation
of the rows of a dimension, used to break ties). Shapes are tuples of named dimensions and of literal
lengths; a named dimension gets its length from the inputs of a job and never exceeds its declared maximum.

Ranges are Python integers, so the analysis is exact; it is sound for every length up to the maximum.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from mpcd.errors import UsageError

Dim = str | int
Shape = tuple[Dim, ...]
Kind = Literal["int", "bool", "order"]

INT64_LOW = -(1 << 63)
INT64_HIGH = (1 << 63) - 1
MAX_DIM = 1 << 32
DEFAULT_MAX_ROWS = 1 << 20


class Type(NamedTuple):
    """The type of one value (a tuple, because the validator makes one per operation and must be quick).

    kind      "int", "bool" or "order"
    shape     named dimensions and literal lengths
    secret    False if every party of the job may know the value
    low, high inclusive range of an integer (0 and 1 for the other kinds)
    """

    kind: Kind
    shape: Shape
    secret: bool
    low: int = 0
    high: int = 1

    def with_shape(self, shape: Shape) -> Type:
        return Type(self.kind, shape, self.secret, self.low, self.high)

    def __str__(self) -> str:
        """For example `secret int[0,9] (n)`."""
        return f"{'secret' if self.secret else 'public'} {type_text(self)}"


def integer(low: int, high: int, shape: Shape, *, secret: bool) -> Type:
    """An integer type.

    Raises  UsageError if a value of the range might not fit in 64 signed bits
    """
    if low < INT64_LOW or high > INT64_HIGH:
        raise UsageError(
            f"the result could lie anywhere in [{low}, {high}] and overflow 64-bit integers",
            fix="declare narrower ranges for the inputs, or a smaller maximum for the dimensions",
        )
    return Type("int", shape, secret, low, high)


def type_text(t: Type) -> str:
    """The canonical text of kind, range and shape, for example `int[0,9] (n)`."""
    kind = f"int[{t.low},{t.high}]" if t.kind == "int" else t.kind
    return f"{kind} {shape_text(t.shape)}"


def shape_text(shape: Shape) -> str:
    return f"({','.join(map(str, shape))})"


def lengths(shape: Shape, dims: dict[str, int]) -> tuple[int, ...]:
    """The shape with actual lengths in place of names."""
    return tuple(d if isinstance(d, int) else dims[d] for d in shape)


def largest(dim: Dim, maxima: dict[str, int]) -> int:
    """The greatest length that a dimension can have."""
    return dim if isinstance(dim, int) else maxima[dim]
