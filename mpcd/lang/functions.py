"""Functions for programs that are not methods of a value."""

from __future__ import annotations

from dataclasses import dataclass

from mpcd.lang.position import here, refuse
from mpcd.lang.values import Operand, Value, any_value


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a program hands out: output name -> value. Who gets it says the job."""

    outputs: tuple[tuple[str, Value], ...]
    line: str


def reveal(**outputs: Value) -> Revealed:
    """End a program: `return mpc.reveal(winner=..., price=...)`.

    Raises  UsageError for anything that is not a secret value
    """
    for name, value in outputs.items():
        if not isinstance(value, Value):
            raise refuse(
                f"the output {name} is a {type(value).__name__}, not a value of the program",
                fix="reveal something that is computed from the arguments",
            )
    if not outputs:
        raise refuse("nothing is revealed", fix="mpc.reveal(name=value, ...)")
    return Revealed(tuple(outputs.items()), here())


def where(condition: Operand, yes: Operand, no: Operand) -> Value:
    """Per element: yes where the condition is true, otherwise no."""
    some = any_value("where", (condition, yes, no))
    return some._record("select", condition, yes, no)


def maximum(x: Operand, y: Operand) -> Value:
    """The larger of two, per element."""
    return any_value("maximum", (x, y))._record("maximum", x, y)


def minimum(x: Operand, y: Operand) -> Value:
    """The smaller of two, per element."""
    return any_value("minimum", (x, y))._record("minimum", x, y)


def dot(x: Operand, y: Operand) -> Value:
    """Sum of products over the last dimension."""
    return any_value("dot", (x, y))._record("inner", x, y)


def count(condition: Value) -> Value:
    """How many truth values are true."""
    return any_value("count", (condition,)).sum()
