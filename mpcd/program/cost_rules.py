"""Cost rules: which engine operations an operation of the program becomes, on how many elements.

A rule returns stages that run one after the other; each names a method of the engine
(`mpcd.protocols.engine`) and the number of results it computes. Local work costs nothing here. What a
stage costs in rounds and bytes only the cost model of a protocol knows (`mpcd.program.cost`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mpcd.program.types import Type, lengths


class Stage(NamedTuple):
    """`times` engine operations side by side, each with so many results.

    length   inner length of an inner or a matrix product; columns: of the result of a matrix product
    beside   whether it shares the rounds of the stage before it
    """

    operation: str
    results: int
    times: int = 1
    length: int = 1
    columns: int = 1
    beside: bool = False


class Call(NamedTuple):
    """One operation with its types and the actual lengths of the dimensions.

    compare_bits  `less_than` of the engine is exact for signed values of so many bits
    """

    args: tuple[Type, ...]
    results: tuple[Type, ...]
    dims: dict[str, int]
    compare_bits: int

    def size(self, t: Type) -> int:
        return math.prod(lengths(t.shape, self.dims))


def fits(bits: int, *types: Type) -> bool:
    """Whether all values of these types are signed integers of so many bits."""
    bound = 1 << (bits - 1)
    return all(-bound <= t.low and t.high < bound for t in types)


def less_name(bits: int, *types: Type) -> str:
    """The cheapest exact comparison for values of these types."""
    return "less_than" if fits(bits, *types) else "less_than_full"


# -- whether an operation with a secret result needs messages at all, from the types alone ------------------
def local(_args: Sequence[Type], _results: Sequence[Type]) -> bool:
    return False


def interactive(_args: Sequence[Type], _results: Sequence[Type]) -> bool:
    return True


def if_both_secret(args: Sequence[Type], _results: Sequence[Type]) -> bool:
    return args[0].secret and args[1].secret


def if_chosen_in_secret(args: Sequence[Type], _results: Sequence[Type]) -> bool:
    return args[0].secret or args[1].kind == "bool"


def if_bool(_args: Sequence[Type], results: Sequence[Type]) -> bool:
    return results[0].kind == "bool"


# -- which engine operations it becomes -------------------------------------------------------------------
def free(_call: Call) -> Sequence[Stage]:
    return ()


def product(call: Call) -> Sequence[Stage]:
    if not (call.args[0].secret and call.args[1].secret):
        return ()
    return (Stage("mul", call.size(call.results[0])),)


def inner(call: Call) -> Sequence[Stage]:
    if not (call.args[0].secret and call.args[1].secret):
        return ()
    *_, length = lengths(call.args[0].shape, call.dims)
    return (Stage("inner", call.size(call.results[0]), length=length),)


def matmul(call: Call) -> Sequence[Stage]:
    length, columns = lengths(call.args[1].shape, call.dims)
    return (Stage("matmul", call.size(call.results[0]), length=length, columns=columns),)


def less(call: Call) -> Sequence[Stage]:
    return (Stage(less_name(call.compare_bits, *call.args), call.size(call.results[0])),)


def equal(call: Call) -> Sequence[Stage]:
    return (Stage("equal", call.size(call.results[0])),)


def conj(call: Call) -> Sequence[Stage]:
    return (Stage("conj", call.size(call.results[0])),)


def to_int(call: Call) -> Sequence[Stage]:
    return (Stage("to_arithmetic", call.size(call.results[0])),)


def select(call: Call) -> Sequence[Stage]:
    condition, x, y = call.args
    size = call.size(call.results[0])
    if x.kind == "bool":
        return (Stage("conj", size),)
    if not condition.secret:
        return ()
    stages = [Stage("to_arithmetic", call.size(condition))]
    if x.secret or y.secret:
        stages.append(Stage("mul", size))
    return stages


def pick(call: Call) -> Sequence[Stage]:
    """The larger or the smaller of two."""
    size = call.size(call.results[0])
    return (
        Stage(less_name(call.compare_bits, *call.args), size),
        Stage("to_arithmetic", size),
        Stage("mul", size),
    )


def bool_input(call: Call) -> Sequence[Stage]:
    """A truth value arrives as an integer 0 or 1 and becomes a bit."""
    return (Stage("parity", call.size(call.results[0])),) if call.results[0].kind == "bool" else ()


def _level(less_than: str, pairs: int, columns: int) -> list[Stage]:
    """Pairs of rows meet, and the winners are chosen."""
    return [Stage(less_than, pairs), Stage("to_arithmetic", pairs), Stage("mul", pairs * columns)]


def _tournament(call: Call, columns: int) -> Sequence[Stage]:
    """A tree over the rows (`protocols.generic.tournament.largest`)."""
    less_than = less_name(call.compare_bits, call.args[0])
    stages: list[Stage] = []
    rows = call.size(call.args[0])
    while rows > 1:
        stages += _level(less_than, rows // 2, columns)
        rows -= rows // 2
    return stages


def largest_of(call: Call) -> Sequence[Stage]:
    return _tournament(call, columns=1)


def argmax(call: Call) -> Sequence[Stage]:
    return _tournament(call, columns=2)


def top2(call: Call) -> Sequence[Stage]:
    """As `protocols.generic.tournament.two_largest`: ordered pairs meet by three comparisons at once."""
    columns = 2
    less_than = less_name(call.compare_bits, call.args[0])
    rows = call.size(call.args[0])
    stages = _level(less_than, rows // 2, columns) if rows > 1 else []
    pairs = rows - rows // 2
    while pairs > 1:
        meet = pairs // 2
        stages += [
            Stage(less_than, meet, times=3),
            Stage("conj", meet, times=2),
            Stage("to_arithmetic", meet, times=3),
            Stage("mul", columns * meet),
            Stage("inner", columns * meet, length=3, beside=True),
        ]
        pairs -= meet
    return stages
