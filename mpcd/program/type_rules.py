"""Type and range rules: from the types of the arguments to the types of the results.

Every rule is sound for all lengths from 1 to the declared maximum of each dimension and for all values
within the declared ranges. A rule raises UsageError without a position: the tracer adds the
line of the user's file and the parser the line of the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpcd.errors import UsageError
from mpcd.program.types import Kind, Shape, Type, integer, largest, shape_text

Maxima = Mapping[str, int]


# Plain loops in these three: they run for every operation of programs that are read under a time limit.
def _kinds(args: Sequence[Type], kind: Kind, first: int = 1) -> None:
    for t in args:
        if t.kind != kind:
            raise _wrong_kind([t.kind for t in args].index(t.kind) + first, t, kind)


def _wrong_kind(operand: int, t: Type, kind: Kind) -> UsageError:
    wanted = {"int": "an integer", "bool": "a truth value", "order": "an order"}[kind]
    fix = {
        "int": "turn a truth value into 0 and 1 with .to_int()",
        "bool": "compare first: ==, <, <=, >, >= give truth values",
        "order": "declare an argument of type Order",
    }[kind]
    return UsageError(f"operand {operand} must be {wanted}, not {t}", fix=fix)


def _common_shape(args: Sequence[Type], *, stretch: bool = True) -> Shape:
    """The shape of an elementwise result: all equal, but single values may go with anything."""
    shape: Shape = ()
    for t in args:
        if t.shape != shape:
            if shape and t.shape:
                raise UsageError(
                    f"the shapes {shape_text(shape)} and {shape_text(t.shape)} differ",
                    fix="give dimensions that are always equal the same name",
                )
            shape = shape or t.shape
    if not stretch and shape:
        for t in args:
            if t.secret and not t.shape:
                raise UsageError(
                    "a single secret truth value cannot be combined with a whole vector of them",
                    fix="use mpc.where with integers",
                )
    return shape


def _secret(args: Sequence[Type]) -> bool:
    for t in args:  # noqa: SIM110
        if t.secret:
            return True
    return False


def add(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    x, y = args
    return (integer(x.low + y.low, x.high + y.high, _common_shape(args), secret=_secret(args)),)


def sub(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    x, y = args
    return (integer(x.low - y.high, x.high - y.low, _common_shape(args), secret=_secret(args)),)


def neg(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    return (integer(-args[0].high, -args[0].low, args[0].shape, secret=args[0].secret),)


def _product(x: Type, y: Type) -> tuple[int, int]:
    corners = (x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high)
    return min(corners), max(corners)


def mul(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    low, high = _product(*args)
    return (integer(low, high, _common_shape(args), secret=_secret(args)),)


def _vector(t: Type) -> None:
    if len(t.shape) != 1:
        raise UsageError(f"a vector is needed here, not {t}", fix="use a value with exactly one dimension")


def _sum_of(low: int, high: int, count: int) -> tuple[int, int]:
    """Range of the sum of 1..count values of [low, high]."""
    return min(low, low * count), max(high, high * count)


def total(args: Sequence[Type], maxima: Maxima) -> tuple[Type, ...]:
    """Sum over the last dimension."""
    _kinds(args, "int")
    (x,) = args
    if not x.shape:
        raise UsageError(f"there is nothing to sum in {x}")
    low, high = _sum_of(x.low, x.high, largest(x.shape[-1], dict(maxima)))
    return (integer(low, high, x.shape[:-1], secret=x.secret),)


def inner(args: Sequence[Type], maxima: Maxima) -> tuple[Type, ...]:
    """Sum of products over the last dimension."""
    _kinds(args, "int")
    x, y = args
    if x.shape != y.shape or not x.shape:
        raise UsageError(
            f"an inner product needs two equal shapes, not {shape_text(x.shape)} and {shape_text(y.shape)}",
            fix="give dimensions that are always equal the same name",
        )
    low, high = _sum_of(*_product(x, y), largest(x.shape[-1], dict(maxima)))
    return (integer(low, high, x.shape[:-1], secret=_secret(args)),)


def matmul(args: Sequence[Type], maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    x, y = args
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
        raise UsageError(
            f"the shapes {shape_text(x.shape)} and {shape_text(y.shape)} cannot be multiplied as matrices",
            fix="the second dimension of the left matrix must be the first of the right one",
        )
    low, high = _sum_of(*_product(x, y), largest(x.shape[1], dict(maxima)))
    return (integer(low, high, (x.shape[0], y.shape[1]), secret=_secret(args)),)


def compare(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    return (Type("bool", _common_shape(args), _secret(args)),)


def logic(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "bool")
    return (Type("bool", _common_shape(args, stretch=False), _secret(args)),)


def to_int(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "bool")
    return (Type("int", args[0].shape, args[0].secret, 0, 1),)


def select(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    """The second operand where the first is true, otherwise the third."""
    _kinds(args[:1], "bool")
    _, x, y = args
    _kinds(args[1:], "bool" if x.kind == "bool" else "int", 2)
    secret = _secret(args)
    if x.kind == "bool":
        return (Type("bool", _common_shape(args, stretch=False), secret),)
    return (integer(min(x.low, y.low), max(x.high, y.high), _common_shape(args), secret=secret),)


def larger(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    x, y = args
    shape = _common_shape(args)
    return (integer(max(x.low, y.low), max(x.high, y.high), shape, secret=_secret(args)),)


def smaller(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    _kinds(args, "int")
    x, y = args
    shape = _common_shape(args)
    return (integer(min(x.low, y.low), min(x.high, y.high), shape, secret=_secret(args)),)


def _ranked(args: Sequence[Type]) -> Type:
    x = args[0]
    _kinds(args[:1], "int")
    _vector(x)
    if not x.secret:
        raise UsageError("ranking is for secret vectors", fix="work this out before the job starts")
    if len(args) == 2:
        _kinds(args[1:], "order", 2)
        if args[1].shape != x.shape:
            raise UsageError(
                f"the order is one of {shape_text(args[1].shape)}, the vector has {shape_text(x.shape)}",
                fix="declare the order over the dimension of the vector",
            )
    return x


def largest_of(args: Sequence[Type], _maxima: Maxima) -> tuple[Type, ...]:
    x = _ranked(args)
    return (x.with_shape(()),)


def argmax(args: Sequence[Type], maxima: Maxima) -> tuple[Type, ...]:
    x = _ranked(args)
    return (x.with_shape(()), integer(0, largest(x.shape[0], dict(maxima)) - 1, (), secret=True))


def top2(args: Sequence[Type], maxima: Maxima) -> tuple[Type, ...]:
    """Of a single row the second value is the lowest of its range and the second index -1."""
    first = argmax(args, maxima)
    return (*first, first[0], integer(-1, first[1].high, (), secret=True))
