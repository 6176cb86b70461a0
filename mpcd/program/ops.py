"""The op table: everything that the representation knows of an operation, one row each.

name      in the text of a program
arity     smallest and largest number of operands
results   names of the results; one value number each
infer     type and range rule           (`type_rules`)
clear     what it means on cleartext    (`clear_rules`)
talks     whether it needs messages, if its result is secret (`cost_rules`)
cost      which engine operations it becomes (`cost_rules`)
elementwise  whether the k-th result depends on the k-th operands only: such work may be cut into blocks
lowering  how the interpreter computes it on secrets (a name in `mpcd.runtime.lowering`)

A new operation is one row here and one function in each of the modules named.
Inputs, parameters and constants have no operands: their rows say so by `infer` = None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mpcd.program import clear_rules as clear
from mpcd.program import cost_rules as cost
from mpcd.program import type_rules as types
from mpcd.program.clear_rules import Array, Arrays
from mpcd.program.cost_rules import Call, Stage
from mpcd.program.types import Type

Infer = Callable[[Sequence[Type], Mapping[str, int]], tuple[Type, ...]]
Clear = Callable[[Sequence[Array], Sequence[Type]], Arrays]
"""(operands, types of the results) -> results."""


@dataclass(frozen=True, slots=True)
class Op:
    """One row of the table."""

    name: str
    arity: tuple[int, int]
    results: tuple[str, ...]
    infer: Infer | None
    clear: Clear | None
    talks: Callable[[Sequence[Type], Sequence[Type]], bool]
    cost: Callable[[Call], Sequence[Stage]]
    lowering: str
    elementwise: bool = True


def _plain(rule: Callable[[Sequence[Array]], Arrays]) -> Clear:
    return lambda args, _types: rule(args)


ONE = ("",)
TABLE = (
    Op("input", (0, 0), ONE, None, None, cost.if_bool, cost.bool_input, "input"),
    Op("parameter", (0, 0), ONE, None, None, cost.local, cost.free, ""),
    Op("constant", (0, 0), ONE, None, None, cost.local, cost.free, ""),
    Op("add", (2, 2), ONE, types.add, _plain(clear.add), cost.local, cost.free, "add"),
    Op("sub", (2, 2), ONE, types.sub, _plain(clear.sub), cost.local, cost.free, "sub"),
    Op("neg", (1, 1), ONE, types.neg, _plain(clear.neg), cost.local, cost.free, "neg"),
    Op("mul", (2, 2), ONE, types.mul, _plain(clear.mul), cost.if_both_secret, cost.product, "mul"),
    Op(
        "sum",
        (1, 1),
        ONE,
        types.total,
        _plain(clear.total),
        cost.local,
        cost.free,
        "total",
        elementwise=False,
    ),
    Op(
        "inner",
        (2, 2),
        ONE,
        types.inner,
        _plain(clear.inner),
        cost.if_both_secret,
        cost.inner,
        "inner",
        elementwise=False,
    ),
    Op(
        "matmul",
        (2, 2),
        ONE,
        types.matmul,
        _plain(clear.matmul),
        cost.interactive,
        cost.matmul,
        "matmul",
        elementwise=False,
    ),
    Op("less", (2, 2), ONE, types.compare, _plain(clear.less), cost.interactive, cost.less, "less"),
    Op("equal", (2, 2), ONE, types.compare, _plain(clear.equal), cost.interactive, cost.equal, "equal"),
    Op("and", (2, 2), ONE, types.logic, _plain(clear.conj), cost.interactive, cost.conj, "conj"),
    Op("or", (2, 2), ONE, types.logic, _plain(clear.disj), cost.interactive, cost.conj, "disj"),
    Op("xor", (2, 2), ONE, types.logic, _plain(clear.xor), cost.local, cost.free, "xor"),
    Op("not", (1, 1), ONE, types.logic, _plain(clear.negate), cost.local, cost.free, "negate"),
    Op("to_int", (1, 1), ONE, types.to_int, _plain(clear.to_int), cost.interactive, cost.to_int, "to_int"),
    Op(
        "select",
        (3, 3),
        ONE,
        types.select,
        _plain(clear.select),
        cost.if_chosen_in_secret,
        cost.select,
        "select",
    ),
    Op("maximum", (2, 2), ONE, types.larger, _plain(clear.larger), cost.interactive, cost.pick, "larger"),
    Op("minimum", (2, 2), ONE, types.smaller, _plain(clear.smaller), cost.interactive, cost.pick, "smaller"),
    Op(
        "max",
        (1, 1),
        ONE,
        types.largest_of,
        _plain(clear.largest_of),
        cost.interactive,
        cost.largest_of,
        "largest_of",
        elementwise=False,
    ),
    Op(
        "argmax",
        (1, 2),
        ("value", "index"),
        types.argmax,
        _plain(clear.argmax),
        cost.interactive,
        cost.argmax,
        "argmax",
        elementwise=False,
    ),
    Op(
        "top2",
        (1, 2),
        ("first", "first_index", "second", "second_index"),
        types.top2,
        lambda args, results: clear.top2(args, results[2].low),
        cost.interactive,
        cost.top2,
        "top2",
        elementwise=False,
    ),
)
OPS: Mapping[str, Op] = {op.name: op for op in TABLE}
