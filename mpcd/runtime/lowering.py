"""How the operations of a program become operations of an engine.

Every secret value is a flat vector of its elements in row-major order, integers as an arithmetic sharing
and truth values as a sharing of bits; shapes live in the types only. A single value is a vector of
length 1. Public values are NumPy arrays in their true shape.

Notation  call: the operation's types and the actual lengths; args: secret sharings or public arrays.
          In the interactive and the elementwise functions public arrays are already stretched to
          the length of the result; secret ones too, but for the condition of `select`
Security  only operations of the engine and of `protocols.generic` are used; nothing is opened here
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mpcd.program.cost_rules import Call, fits
from mpcd.program.types import Type, lengths
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.generic.select import mux, mux_arithmetic
from mpcd.protocols.generic.tournament import largest, two_largest
from mpcd.protocols.rounds import Rounds

Value = Any
"""A sharing of this engine, or a NumPy array that everybody knows."""
Args = Sequence[Value]
Step = Callable[[AnyEngine, Call, Args], Rounds[Any]]
Local = Callable[[AnyEngine, Call, Args], Value]


def stretch(e: AnyEngine, x: Value, t: Type, size: int) -> Value:
    """An integer operand at the length of the result: a single value is repeated; local."""
    if not t.secret:
        return np.broadcast_to(x, (size,)) if x.ndim == 0 else x.reshape(-1)
    return e.take(x, np.zeros(size, np.intp), 0) if x.shape == (1,) and size > 1 else x


def shared(e: AnyEngine, x: Value, t: Type) -> Value:
    """A sharing of an operand, also of a public one (flat); local."""
    if t.secret:
        return x
    return e.constant_bits(np.array(x, np.bool_)) if t.kind == "bool" else e.constant(np.array(x, np.int64))


def _both(e: AnyEngine, call: Call, args: Args) -> list[Value]:
    return [shared(e, x, t) for x, t in zip(args, call.args, strict=True)]


# -- local -----------------------------------------------------------------------------------------------


def _add(e: AnyEngine, call: Call, args: Args) -> Value:
    return e.add(*_both(e, call, args))


def _sub(e: AnyEngine, call: Call, args: Args) -> Value:
    return e.sub(*_both(e, call, args))


def _neg(e: AnyEngine, _call: Call, args: Args) -> Value:
    return e.scale(args[0], -1)


def _scale(e: AnyEngine, call: Call, args: Args) -> Value:
    """A product of which one factor is public."""
    x, factor = args if call.args[0].secret else (args[1], args[0])
    return e.scale(x, np.array(factor, np.int64))


def _total(e: AnyEngine, call: Call, args: Args) -> Value:
    *rest, last = lengths(call.args[0].shape, call.dims)
    return e.total(e.reshape(args[0], (int(np.prod(rest)), last)), 1)


def _public_inner(e: AnyEngine, call: Call, args: Args) -> Value:
    *rest, last = lengths(call.args[0].shape, call.dims)
    flat = [a if t.secret else a.reshape(-1) for a, t in zip(args, call.args, strict=True)]
    return e.total(e.reshape(_scale(e, call, flat), (int(np.prod(rest)), last)), 1)


def _xor(e: AnyEngine, call: Call, args: Args) -> Value:
    return e.xor(*_both(e, call, args))


def _negate(e: AnyEngine, _call: Call, args: Args) -> Value:
    return e.negate(args[0])


def _public_choice(e: AnyEngine, call: Call, args: Args) -> Value:
    """`select` by a public condition."""
    choice = np.array(args[0], np.int64)
    x, y = (shared(e, a, t) for a, t in zip(args[1:], call.args[1:], strict=True))
    return e.add(e.scale(x, choice), e.scale(y, 1 - choice))


LOCAL: Mapping[str, Local] = {
    "add": _add,
    "sub": _sub,
    "neg": _neg,
    "mul": _scale,
    "total": _total,
    "inner": _public_inner,
    "xor": _xor,
    "negate": _negate,
    "select": _public_choice,
}


# -- interactive -----------------------------------------------------------------------------------------


def _bits(e: AnyEngine, _call: Call, args: Args) -> Rounds[Value]:
    """A truth value that arrives as 0 or 1."""
    return e.parity(args[0])


def _mul(e: AnyEngine, _call: Call, args: Args) -> Rounds[Value]:
    return e.mul(args[0], args[1])


def _inner(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    *rest, last = lengths(call.args[0].shape, call.dims)
    shape = (int(np.prod(rest)), last)
    return e.inner(e.reshape(args[0], shape), e.reshape(args[1], shape))


def _matmul(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    x, y = _both(e, call, args)
    left, right = (lengths(t.shape, call.dims) for t in call.args)
    product = yield from e.matmul(e.reshape(x, left), e.reshape(y, right))
    return e.reshape(product, (left[0] * right[1],))


def _less(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    x, y = _both(e, call, args)
    return e.less_than(x, y) if fits(e.compare_bits, *call.args) else e.less_than_full(x, y)


def _equal(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    return e.equal(*_both(e, call, args))


def _conj(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    return e.conj(*_both(e, call, args))


def _disj(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    x, y = _both(e, call, args)
    neither = yield from e.conj(e.negate(x), e.negate(y))
    return e.negate(neither)


def _to_int(e: AnyEngine, _call: Call, args: Args) -> Rounds[Value]:
    return e.to_arithmetic(args[0])


def _select(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    """y + c * (x - y), or for truth values y ^ (c & (x ^ y))."""
    choice, x, y = args
    if call.results[0].kind == "bool":
        c, x, y = _both(e, call, args)
        return e.xor(y, (yield from e.conj(c, e.xor(x, y))))
    secret = call.args[1].secret or call.args[2].secret
    bit = yield from e.at("bit").to_arithmetic(choice)
    bit = stretch(e, bit, call.args[0], x.shape[0])
    if not secret:
        return e.add(e.scale(bit, np.array(x - y, np.int64)), e.constant(np.array(y, np.int64)))
    lines = [e.reshape(shared(e, a, t), (1, *a.shape)) for a, t in ((x, call.args[1]), (y, call.args[2]))]
    chosen = yield from mux_arithmetic(e.at("choose"), bit, lines[0], lines[1])
    return e.reshape(chosen, x.shape)


def _pick(e: AnyEngine, call: Call, args: Args, *, larger: bool) -> Rounds[Value]:
    x, y = _both(e, call, args)
    lines = [e.reshape(a, (1, *a.shape)) for a in (x, y)]
    below = yield from _less(e.at("compare"), _with_types(call), (x, y))
    chosen = yield from mux(e.at("choose"), below, *(reversed(lines) if larger else lines))
    return e.reshape(chosen, x.shape)


def _with_types(call: Call) -> Call:
    """The same call on operands that are all shared by now."""
    args = tuple(Type(t.kind, t.shape, True, t.low, t.high) for t in call.args)
    return Call(args, call.results, call.dims, call.compare_bits)


def _larger(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    return _pick(e, call, args, larger=True)


def _smaller(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    return _pick(e, call, args, larger=False)


def _largest_of(e: AnyEngine, call: Call, args: Args) -> Rounds[Value]:
    table = e.reshape(args[0], (1, *args[0].shape))
    return (yield from largest(e, table, full=not fits(e.compare_bits, call.args[0])))


def _ranked(e: AnyEngine, args: Args) -> Value:
    """Lines (value, row number), the rows in the public order that breaks ties; local.

    The number of the row is carried along, so that mapping the winner back reveals nothing.
    """
    rows = args[0].shape[0]
    order = args[1] if len(args) == 2 else np.arange(rows)
    values = e.take(args[0], order, 0) if len(args) == 2 else args[0]
    numbers = e.constant(order.astype(np.int64)[np.newaxis])
    return e.join([e.reshape(values, (1, rows)), numbers], 0)


def _columns(e: AnyEngine, row: Value) -> list[Value]:
    return [e.take(row, np.array([k]), 0) for k in range(row.shape[0])]


def _argmax(e: AnyEngine, call: Call, args: Args) -> Rounds[list[Value]]:
    best = yield from largest(e, _ranked(e, args), full=not fits(e.compare_bits, call.args[0]))
    return _columns(e, best)


def _top2(e: AnyEngine, call: Call, args: Args) -> Rounds[list[Value]]:
    default = (call.results[2].low, -1)
    full = not fits(e.compare_bits, call.args[0])
    first, second = yield from two_largest(e, _ranked(e, args), default, full=full)
    return _columns(e, first) + _columns(e, second)


INTERACTIVE: Mapping[str, Step] = {
    "input": _bits,
    "mul": _mul,
    "inner": _inner,
    "matmul": _matmul,
    "less": _less,
    "equal": _equal,
    "conj": _conj,
    "disj": _disj,
    "to_int": _to_int,
    "select": _select,
    "larger": _larger,
    "smaller": _smaller,
    "largest_of": _largest_of,
    "argmax": _argmax,
    "top2": _top2,
}
