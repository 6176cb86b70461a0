"""The words for argument types in a program: what may stand after the colon.

    bids: mpc.Vector[mpc.UInt32]                    one secret column, over the dimension n
    age: mpc.Vector[mpc.Int(0, 120), "patients"]    with a range and a dimension of its own
    x: mpc.Matrix[mpc.Int8, "rows", 4]              two dimensions, one of a fixed length
    reserve: mpc.Public[mpc.UInt32]                 a public parameter of the job
    order: mpc.Order                                a public order of the rows, to break ties
    left: Patients                                  a table: a class derived from mpc.Table

Dimensions of the same name have the same length. A vector without a named dimension is over `n`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mpcd.lang.position import refuse
from mpcd.program.types import DEFAULT_MAX_ROWS, INT64_HIGH, INT64_LOW, Dim, Shape, Type

DEFAULT_DIM = "n"


@dataclass(frozen=True, slots=True)
class Element:
    """What one cell holds: an integer of a range, or a truth value."""

    low: int
    high: int
    is_bool: bool = False

    def type(self, shape: Shape, *, secret: bool) -> Type:
        return Type("bool" if self.is_bool else "int", shape, secret, self.low, self.high)


def Int(low: int, high: int) -> Any:  # noqa: N802 - reads as a type where it is used
    """An integer from low to high, both included.

    Raises  UsageError if the range is empty or exceeds 64-bit signed integers
    """
    if not INT64_LOW <= low <= high <= INT64_HIGH:
        raise refuse(f"[{low}, {high}] is not a range of 64-bit signed integers")
    return Element(int(low), int(high))


Bool = Element(0, 1, is_bool=True)
UInt8, UInt16, UInt32 = (Element(0, (1 << bits) - 1) for bits in (8, 16, 32))
Int8, Int16, Int32, Int64 = (Element(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) for bits in (8, 16, 32, 64))


@dataclass(frozen=True, slots=True)
class Dimension:
    """A named dimension with the greatest length that a job may give it.

    Small maxima allow wide ranges, because sums must stay within 64 bits.
    """

    name: str
    max: int = DEFAULT_MAX_ROWS


@dataclass(frozen=True, slots=True)
class Annotation:
    """A type with the maxima of the dimensions it names."""

    type: Type
    maxima: tuple[tuple[str, int], ...]


def _of(element: Any, dims: tuple[Any, ...], *, secret: bool) -> Annotation:
    if not isinstance(element, Element):
        raise refuse(
            f"{element!r} is not the type of an element", fix="use mpc.UInt32, mpc.Int(low, high) or mpc.Bool"
        )
    shape: list[Dim] = []
    maxima: list[tuple[str, int]] = []
    for dim in dims:
        if isinstance(dim, int) and not isinstance(dim, bool):
            shape.append(dim)
            continue
        named = Dimension(dim) if isinstance(dim, str) else dim
        if not isinstance(named, Dimension):
            raise refuse(
                f"{dim!r} is not a dimension", fix='use a name such as "n", mpc.Dim("n", max=100) or a number'
            )
        shape.append(named.name)
        maxima.append((named.name, named.max))
    return Annotation(element.type(tuple(shape), secret=secret), tuple(maxima))


def _split(item: Any) -> tuple[Any, tuple[Any, ...]]:
    return (item[0], item[1:]) if isinstance(item, tuple) else (item, ())


class Vector:
    """A secret column."""

    def __class_getitem__(cls, item: Any) -> Annotation:
        element, dims = _split(item)
        if len(dims) > 1:
            raise refuse("a Vector has one dimension", fix="use mpc.Matrix")
        return _of(element, dims or (DEFAULT_DIM,), secret=True)


class Matrix:
    """Secret rows and columns."""

    def __class_getitem__(cls, item: Any) -> Annotation:
        element, dims = _split(item)
        if len(dims) != 2:
            raise refuse("a Matrix needs two dimensions", fix='mpc.Matrix[mpc.Int8, "rows", "columns"]')
        return _of(element, dims, secret=True)


class Secret:
    """One secret value."""

    def __class_getitem__(cls, item: Any) -> Annotation:
        return _of(item, (), secret=True)


class Public:
    """A public parameter of the job: one value, or with dimensions an array."""

    def __class_getitem__(cls, item: Any) -> Annotation:
        element, dims = _split(item)
        return _of(element, dims, secret=False)


class Order:
    """A public order of the rows of a dimension: the row named first wins a tie."""

    def __class_getitem__(cls, item: Any) -> Annotation:
        found = _of(Int8, (item,), secret=False)
        return Annotation(Type("order", found.type.shape, False), found.maxima)


class Table:
    """Base of classes that describe a table: annotated names are its columns, over one dimension.

    class Patients(mpc.Table, dim="patients"):
        age: mpc.Int(0, 120)
        ill: mpc.Bool
    """

    mpc_dim: Any = DEFAULT_DIM

    def __init_subclass__(cls, dim: Any = DEFAULT_DIM) -> None:
        cls.mpc_dim = dim


def columns(table: type[Table], elements: dict[str, Any]) -> Iterator[tuple[str, Annotation]]:
    """The columns of a table class, given its evaluated annotations."""
    for name, element in elements.items():
        yield name, _of(element, (table.mpc_dim,), secret=True)
