"""Cleartext rules: what every operation means, in NumPy on the values themselves.

These rules are the definition. The protocols must give the same results, and so must
public values inside the interpreter, which are computed by these very functions.

Shapes    integers are int64 arrays, truth values bool arrays, orders intp arrays
Ranges    the type rules guarantee that no result overflows, so wrap-around cannot happen here
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = tuple[Array, ...]


def add(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] + args[1]),)


def sub(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] - args[1]),)


def neg(args: Sequence[Array]) -> Arrays:
    return (np.asarray(-args[0]),)


def mul(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] * args[1]),)


def total(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0].sum(axis=-1, dtype=np.int64)),)


def inner(args: Sequence[Array]) -> Arrays:
    return (np.asarray((args[0] * args[1]).sum(axis=-1, dtype=np.int64)),)


def matmul(args: Sequence[Array]) -> Arrays:
    return (args[0] @ args[1],)


def less(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] < args[1]),)


def equal(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] == args[1]),)


def conj(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] & args[1]),)


def disj(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] | args[1]),)


def xor(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0] ^ args[1]),)


def negate(args: Sequence[Array]) -> Arrays:
    return (np.asarray(~args[0]),)


def to_int(args: Sequence[Array]) -> Arrays:
    return (args[0].astype(np.int64),)


def select(args: Sequence[Array]) -> Arrays:
    return (np.where(args[0], args[1], args[2]),)


def larger(args: Sequence[Array]) -> Arrays:
    return (np.asarray(np.maximum(args[0], args[1])),)


def smaller(args: Sequence[Array]) -> Arrays:
    return (np.asarray(np.minimum(args[0], args[1])),)


def _ranking(args: Sequence[Array]) -> Array:
    """Row numbers from the best to the worst; among equals the row that comes first in the order wins."""
    values = args[0]
    order = args[1] if len(args) == 2 else np.arange(len(values))
    # A stable sort keeps equals in the order given; ~v reverses the values without overflow.
    return np.asarray(order[np.argsort(~values[order], kind="stable")])


def largest_of(args: Sequence[Array]) -> Arrays:
    return (np.asarray(args[0].max()),)


def argmax(args: Sequence[Array]) -> Arrays:
    best = _ranking(args)[0]
    return args[0][best], np.asarray(best, np.int64)


def top2(args: Sequence[Array], lowest: int) -> Arrays:
    """`lowest` stands in for the second value of a single row."""
    ranking = _ranking(args)
    first = (args[0][ranking[0]], np.asarray(ranking[0], np.int64))
    if len(ranking) == 1:
        return (*first, np.asarray(lowest, np.int64), np.asarray(-1, np.int64))
    return (*first, args[0][ranking[1]], np.asarray(ranking[1], np.int64))
