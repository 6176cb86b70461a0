"""Values of a program while it is traced: every operation on them records one node.

A `Value` stands for data that is not there yet and that nobody will see: it has a type, but cannot be
printed, branched on or looped over. Whatever is not possible raises UsageError with the line of the user's
file and with what to write instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from mpcd.errors import UsageError
from mpcd.lang.position import here, refuse
from mpcd.lang.recorder import Recorder
from mpcd.program.types import Type

Operand = Any
"""A Value, or a Python int or bool that becomes a constant."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row picked by its value: what it holds, and its number in the order of the inputs."""

    value: Value
    index: Value


class Value:
    """A value that will exist when the program runs."""

    __slots__ = ("number", "recorder")
    # numpy must leave operators to this class instead of asking for elements
    __array_ufunc__ = None

    def __init__(self, recorder: Recorder, number: int) -> None:
        self.recorder = recorder
        self.number = number

    @property
    def type(self) -> Type:
        """Kind, range, shape, and whether it is secret."""
        return self.recorder.types[self.number]

    def __repr__(self) -> str:
        return f"<{self.type}>"

    # -- arithmetic --------------------------------------------------------------------------------
    def __add__(self, other: Operand) -> Value:
        return self._record("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Value:
        return self._record("sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self._record("sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self._record("mul", self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Value:
        return self._record("neg", self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return self._record("maximum", self, -self)

    def __pow__(self, exponent: Operand) -> Value:
        if not isinstance(exponent, int) or not 1 <= exponent <= 62:
            raise refuse("an exponent must be a number from 1 to 62")
        result = self
        for _ in range(exponent - 1):
            result = result * self
        return result

    def __matmul__(self, other: Operand) -> Value:
        return self._record("matmul" if len(self.type.shape) == 2 else "inner", self, other)

    # -- comparison and logic ----------------------------------------------------------------------
    def __lt__(self, other: Operand) -> Value:
        return self._record("less", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self._record("less", other, self)

    def __le__(self, other: Operand) -> Value:
        return ~self._record("less", other, self)

    def __ge__(self, other: Operand) -> Value:
        return ~self._record("less", self, other)

    def __eq__(self, other: Operand) -> Value:  # type: ignore[override]
        right = self._value(other)
        if self.type.kind == right.type.kind == "bool":
            return ~self._record("xor", self, right)
        return self._record("equal", self, right)

    def __ne__(self, other: Operand) -> Value:  # type: ignore[override]
        return ~self.__eq__(other)

    __hash__ = object.__hash__

    def __and__(self, other: Operand) -> Value:
        return self._record("and", self, other)

    __rand__ = __and__

    def __or__(self, other: Operand) -> Value:
        return self._record("or", self, other)

    __ror__ = __or__

    def __xor__(self, other: Operand) -> Value:
        return self._record("xor", self, other)

    __rxor__ = __xor__

    def __invert__(self) -> Value:
        return self._record("not", self)

    # -- whole vectors -----------------------------------------------------------------------------
    def to_int(self) -> Value:
        """Truth values as the integers 0 and 1."""
        return self._record("to_int", self)

    def sum(self) -> Value:
        """Sum over the last dimension; of truth values, how many are true."""
        return self._record("sum", self.to_int() if self.type.kind == "bool" else self)

    def max(self) -> Value:
        """The largest element of a vector."""
        return self._record("max", self)

    def min(self) -> Value:
        """The smallest element of a vector."""
        return -(-self).max()

    def argmax(self, order: Value | None = None) -> Ranked:
        """Value and row number of the largest element; among equals the first of the order wins.

        Without an order rows count in the order of the inputs.
        """
        value, index = self._record_many("argmax", self, *([] if order is None else [order]))
        return Ranked(value, index)

    def top(self, count: int, order: Value | None = None) -> tuple[Ranked, Ranked]:
        """The two largest elements with their row numbers.

        If there is one row only, the second has the lowest value of the range and the number -1.
        """
        if count != 2:
            raise refuse(f"top({count}) does not exist", fix="use .argmax() for one and .top(2) for two")
        first, first_index, second, second_index = self._record_many(
            "top2", self, *([] if order is None else [order])
        )
        return Ranked(first, first_index), Ranked(second, second_index)

    # -- what is not possible ----------------------------------------------------------------------
    def __bool__(self) -> NoReturn:
        raise refuse(
            f"a {self._secrecy()} truth value cannot decide which Python code runs (if, while, and, or, not)",
            fix="choose with mpc.where(condition, a, b); combine with & | ~ and parentheses",
        )

    def __iter__(self) -> Iterator[NoReturn]:
        raise refuse(
            f"one cannot loop over {self!r}: its length is not known before the job runs",
            fix="work on the whole vector: .sum(), .max(), mpc.where, + - * on vectors",
        )

    def __len__(self) -> NoReturn:
        raise refuse(
            f"the length of {self!r} is not known before the job runs",
            fix="pass it as mpc.Public[mpc.UInt32] if the program needs it",
        )

    def __getitem__(self, key: object) -> NoReturn:
        raise refuse("single elements cannot be picked out", fix="use .argmax(), .top(2) or mpc.where")

    def _no_number(self) -> NoReturn:
        raise refuse(
            f"a {self._secrecy()} value is not a Python number",
            fix="keep computing with it and reveal the result",
        )

    def __int__(self) -> NoReturn:
        self._no_number()

    def __index__(self) -> NoReturn:
        self._no_number()

    def __float__(self) -> NoReturn:
        self._no_number()

    def __round__(self, digits: int = 0) -> NoReturn:
        self._no_number()

    def __array__(self, *_args: Any, **_options: Any) -> NoReturn:
        raise refuse("numpy cannot be used on secret values", fix="use the operators and methods of mpcd")

    def _no_division(self, _other: Operand) -> NoReturn:
        raise refuse(
            "there is no division", fix="reveal numerator and denominator, or multiply the other side"
        )

    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _no_division

    def _no_shift(self, _other: Operand) -> NoReturn:
        raise refuse("there are no shifts", fix="multiply by a power of two")

    __lshift__ = __rshift__ = _no_shift

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            # Python itself and libraries probe for protocols; the answer to those is "no".
            raise AttributeError(name)
        known = [m for m in dir(type(self)) if not m.startswith("_")]
        close = difflib.get_close_matches(name, known, n=1)
        raise refuse(
            f"{self!r} has no operation .{name}",
            fix=f"did you mean .{close[0]}?" if close else f"there are {', '.join(known)}",
        )

    # -- recording ---------------------------------------------------------------------------------
    def _secrecy(self) -> str:
        return "secret" if self.type.secret else "not yet known"

    def _value(self, operand: Operand) -> Value:
        if isinstance(operand, Value):
            if operand.recorder is not self.recorder:
                raise refuse("a value of another program cannot be used here")
            return operand
        return Value(self.recorder, self.recorder.constant(operand))

    def _record(self, op: str, *operands: Operand) -> Value:
        return self._record_many(op, *operands)[0]

    def _record_many(self, op: str, *operands: Operand) -> list[Value]:
        numbers = [self._value(operand).number for operand in operands]
        return [Value(self.recorder, number) for number in self.recorder.record(op, numbers)]


def any_value(what: str, operands: tuple[Operand, ...]) -> Value:
    """The first Value among operands, which knows the program.

    Raises  UsageError if there is none
    """
    for operand in operands:
        if isinstance(operand, Value):
            return operand
    raise UsageError(f"{what} needs a value of the program", where=here())
