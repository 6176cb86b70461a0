"""Products of shared values: elementwise, of packed bits, inner products, matrices. One round each.

Notation  rows, spans and variants as in `schedule`; a row's term is x[a] * y[b] + x[b] * y[a], with
          receiver and outsider a and b. In the cyclic rows the message carries x[a] * y[a] of its
          outsider a, too.
Ring      Z_2^64 in uint64, or Z_2 in packed words with XOR and AND in place of + and *
Security  malicious, one corrupted party of four; every message is vouched for by its backup in the same round
Sources   Spec rep4 4;
          [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021, multiplication.
          Departures: tags in the same round (see `jump`), messages balanced between the parties
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep4.exchange import Terms, exchange, exchange_few
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.schedule import BALANCE_FROM, Plan, Task, plan
from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring import kernels


@dataclass(frozen=True, slots=True)
class Ring:
    """Addition, multiplication and the kernels of Z_2^64 or of packed Z_2."""

    add: np.ufunc
    multiply: np.ufunc
    cyclic: Callable[..., None]
    row: Callable[..., None]
    small: Callable[..., None]
    add_to: Callable[..., None]


INTEGERS = Ring(np.add, np.multiply, kernels.mul_cyclic, kernels.mul_row, kernels.mul_small, kernels.add_to)
BITS = Ring(
    np.bitwise_xor, np.bitwise_and, kernels.and_cyclic, kernels.and_row, kernels.and_small, kernels.xor_to
)


def mul(p: Party4, x: Rep4, y: Rep4) -> Rounds[Rep4]:
    """Multiply elementwise: shares of x * y, freshly randomised.

    Shapes     x, y: (*s) -> (*s)
    Cost       1 round; 48 bytes per element in total, 12 per party from 64 elements on (below: 16 for
               parties 0 and 1, 8 for 2 and 3); fewer if summands are known to be zero: 8 per row that is left
    Malicious  a wrong message or tag is detected by its receiver in this round: the sender or the backup lied
    Raises     UsageError if the shapes differ
    Source     [FF] multiplication
    """
    if x.data.shape != y.data.shape:
        raise UsageError(f"mul: shapes {x.shape} and {y.shape} differ")
    doing = plan(p.me, x.live, y.live, x.data.size >= 3 * BALANCE_FROM)
    data = yield from _elementwise(p, INTEGERS, doing, _flat(x.data), _flat(y.data))
    return Rep4(data.reshape(x.data.shape), doing.live)


def conj(p: Party4, x: Bits4, y: Bits4) -> Rounds[Bits4]:
    """Logical AND of packed bits, plane by plane.

    Shapes     x, y: the same planes and shape -> the same
    Cost       1 round; 6 bits per flag in total, 1.5 per party from 64 words on; fewer as `mul`
    Malicious  as `mul`
    Raises     UsageError if the shapes or planes differ
    Source     [FF] multiplication in Z_2
    """
    if x.data.shape != y.data.shape or x.shape != y.shape:
        raise UsageError(f"conj: {x.planes} planes of {x.shape} and {y.planes} of {y.shape} differ")
    doing = plan(p.me, x.live, y.live, x.data.size >= 3 * BALANCE_FROM)
    data = yield from _elementwise(p, BITS, doing, _flat(x.data), _flat(y.data))
    return Bits4(data.reshape(x.data.shape), x.shape, doing.live)


def inner(p: Party4, x: Rep4, y: Rep4) -> Rounds[Rep4]:
    """Sum of products over the last axis.

    Shapes     x, y: (*s, k) -> (*s)
    Cost       1 round; 48 bytes per output in total, whatever k
    Malicious  as `mul`
    Raises     UsageError if the shapes differ or have no axis
    Source     [FF] dot product
    """
    if x.shape != y.shape or not x.shape:
        raise UsageError(f"inner: shapes {x.shape} and {y.shape} do not fit")
    outer, length = x.shape[:-1], x.shape[-1]
    outputs = int(np.prod(outer, dtype=np.int64))
    terms = np.empty((3, outputs), np.uint64)
    cut = (3, outputs, length)
    kernels.inner_terms(_contiguous(x.data).reshape(cut), _contiguous(y.data).reshape(cut), terms)
    data = yield from _from_terms(p, terms)
    return Rep4(data.reshape(3, *outer))


def matmul(p: Party4, x: Rep4, y: Rep4) -> Rounds[Rep4]:
    """Matrix product.

    Shapes     x: (m, k), y: (k, n) -> (m, n)
    Cost       1 round; 48 bytes per output in total, whatever k; 6 plain matrix products per party
    Malicious  as `mul`
    Raises     UsageError if the shapes do not fit
    Source     [FF] dot product
    """
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
        raise UsageError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
    rows, columns = x.shape[0], y.shape[1]
    terms = np.zeros((3, rows, columns), np.uint64)
    turned = _contiguous(y.data.transpose(0, 2, 1))
    kernels.matmul_terms(_contiguous(x.data), turned, terms)
    data = yield from _from_terms(p, terms.reshape(3, -1))
    return Rep4(data.reshape(3, rows, columns))


# -- the terms of the rows ---------------------------------------------------------------------------


def _elementwise(p: Party4, ring: Ring, doing: Plan, x: Words, y: Words) -> Rounds[Words]:
    """(3, n), (3, n) -> (3, n)."""
    if doing.few is not None:
        return exchange_few(p, doing, doing.few, ring.small, ring.add_to, x, y)

    def cyclic(
        pad0: Words, pad1: Words, pad2: Words, start: int, stop: int, out: Words, sent: Words, backed: Words
    ) -> None:
        ring.cyclic(x, y, pad0, pad1, pad2, start, stop, out, sent, backed)

    def single(
        task: Task, pad: Words, start: int, stop: int, out: Words, message: Words, offset: int
    ) -> None:
        a, b = task.receiver_slot, task.outsider_slot
        ring.row(x, y, a, b, a, b, pad, start, stop, out, message, offset)

    if doing.fused:
        out = np.empty(x.shape, np.uint64)
    else:
        out = np.zeros(x.shape, np.uint64)
        for k in doing.diagonal:
            ring.multiply(x[k], y[k], out=out[k])
    return exchange(p, doing, Terms(cyclic, single, ring.add, ring.add_to), out)


def _from_terms(p: Party4, terms: Words) -> Rounds[Words]:
    """(3, n) -> (3, n); the rows' terms as backup and as sender of a cyclic row, and of the diagonal row."""

    def cyclic(
        pad0: Words, pad1: Words, pad2: Words, start: int, stop: int, out: Words, sent: Words, backed: Words
    ) -> None:
        size, part = stop - start, slice(start, stop)
        np.subtract(terms[0, part], pad1[:size], out=backed[part])
        np.subtract(terms[1, part], pad2[:size], out=sent[part])
        np.add(backed[part], pad0[:size], out=out[0, part])
        np.add(sent[part], pad1[:size], out=out[1, part])
        out[2, part] = pad2[:size]

    def single(
        task: Task, pad: Words, start: int, stop: int, out: Words, message: Words, offset: int
    ) -> None:
        masked = message[start - offset : stop - offset]
        np.subtract(terms[2, start:stop], pad[: stop - start], out=masked)
        out[task.receiver_slot, start:stop] += pad[: stop - start]
        out[task.outsider_slot, start:stop] += masked

    doing = plan(p.me, ALL, ALL, terms.shape[1] >= BALANCE_FROM)
    return exchange(p, doing, Terms(cyclic, single, np.add, kernels.add_to), np.empty(terms.shape, np.uint64))


def _flat(data: Words) -> Words:
    """(3, *s) -> (3, n), contiguous."""
    return data if data.ndim == 2 and data.flags.c_contiguous else _contiguous(data).reshape(3, -1)


def _contiguous(data: Words) -> Words:
    return np.ascontiguousarray(data)
