"""Products of rep3 without checks (MULT_sh): one message per element of the result.

    z[i] = x[i] * y[i] + x[i] * y[i + 1] + x[i + 1] * y[i] + PRF(K[i]) - PRF(K[i + 1])

is known to party i alone, who sends it to party i - 1. The three masks add up to zero, so z is a sharing of
x * y, and what party i - 1 receives is masked by a stream that it does not know.

Notation  ring: Z_2^64 in uint64, or Z_2 in packed words with XOR and AND in place of + and *
Security  passive, one corrupted party of three. A malicious party i can add an error of its choice to z[i],
          and nothing else; nobody else knows its message, so no tag can vouch for it. Where a cheater
          must be reckoned with, only products of random numbers are made like this, and they are checked
          (`batch`) before a secret is masked with them
Sources   Spec rep3 3; [AFLN] Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, section 2
"""

from __future__ import annotations

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3
from mpcd.protocols.rounds import Round, Rounds, Spec, Words
from mpcd.ring import kernels_three

_PRODUCT = "product"


def mul(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Multiply elementwise: shares of x * y, freshly randomised.

    Shapes  x, y: (*s) -> (*s)
    Cost    1 round; 8 bytes per element and party
    Raises  UsageError if the shapes differ
    Source  [AFLN] 2.2
    """
    if x.data.shape != y.data.shape:
        raise UsageError(f"mul: shapes {x.shape} and {y.shape} differ")
    terms = np.empty(x.size, np.uint64)
    kernels_three.mul_terms(_flat(x.data), _flat(y.data), terms)
    data = yield from add_up(p, terms)
    return Rep3(data.reshape(x.data.shape))


def conj(p: Party3, x: Bits3, y: Bits3) -> Rounds[Bits3]:
    """Logical AND of packed bits, plane by plane.

    Shapes  x, y: the same planes and shape -> the same
    Cost    1 round; 1 bit per flag, plane and party
    Raises  UsageError if the shapes or planes differ
    Source  [AFLN] 2.1
    """
    if x.data.shape != y.data.shape or x.shape != y.shape:
        raise UsageError(f"conj: {x.planes} planes of {x.shape} and {y.planes} of {y.shape} differ")
    terms = np.empty(x.data.size // 2, np.uint64)
    kernels_three.and_terms(_flat(x.data), _flat(y.data), terms)
    data = yield from add_up_bits(p, terms)
    return Bits3(data.reshape(x.data.shape), x.shape)


def inner(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Sum of products over the last axis.

    Shapes  x, y: (*s, k) -> (*s)
    Cost    1 round; 8 bytes per output and party, whatever k
    Raises  UsageError if the shapes differ or have no axis
    Source  [AFLN] 2.2, sums of products
    """
    if x.shape != y.shape or not x.shape:
        raise UsageError(f"inner: shapes {x.shape} and {y.shape} do not fit")
    outer, length = x.shape[:-1], x.shape[-1]
    outputs = int(np.prod(outer, dtype=np.int64))
    terms = np.empty(outputs, np.uint64)
    cut = (2, outputs, length)
    kernels_three.inner_terms(_contiguous(x.data).reshape(cut), _contiguous(y.data).reshape(cut), terms)
    data = yield from add_up(p, terms)
    return Rep3(data.reshape(2, *outer))


def matmul(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Matrix product.

    Shapes  x: (m, k), y: (k, n) -> (m, n)
    Cost    1 round; 8 bytes per output and party, whatever k
    Raises  UsageError if the shapes do not fit
    Source  [AFLN] 2.2, sums of products
    """
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
        raise UsageError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
    rows, columns = x.shape[0], y.shape[1]
    terms = np.zeros((rows, columns), np.uint64)
    kernels_three.matmul_terms(_contiguous(x.data), _contiguous(y.data.transpose(0, 2, 1)), terms)
    data = yield from add_up(p, terms.reshape(-1))
    return Rep3(data.reshape(2, rows, columns))


def add_up(p: Party3, terms: Words) -> Rounds[Words]:
    """Mask this party's terms, send them, and receive the next party's: a sharing of their sum.

    Shapes  (n,) -> (2, n)
    Cost    1 round; 8 bytes per term and party
    """
    own, other = (stream.draw(terms.size) for stream in p.open_streams())
    out = np.empty((2, terms.size), np.uint64)
    np.add(terms, own, out=out[0])
    out[0] -= other
    out[1] = yield from pass_on(p, out[0])
    return out


def add_up_bits(p: Party3, terms: Words) -> Rounds[Words]:
    """As `add_up`, for packed bits."""
    own, other = (stream.draw(terms.size) for stream in p.open_streams())
    out = np.empty((2, terms.size), np.uint64)
    np.bitwise_xor(terms, own, out=out[0])
    out[0] ^= other
    out[1] = yield from pass_on(p, out[0])
    return out


def pass_on(p: Party3, message: Words) -> Rounds[Words]:
    """Send a product's message to the party before, receive that of the party after; (n,) -> (n,)."""
    send, recv = {(p.before, _PRODUCT): message}, {(p.after, _PRODUCT): Spec(message.shape)}
    inbox = yield Round(p.path, send, recv=recv)
    return np.asarray(inbox[p.after, _PRODUCT])


def _flat(data: Words) -> Words:
    """(2, *s) -> (2, n), contiguous."""
    return _contiguous(data).reshape(2, -1)


def _contiguous(data: Words) -> Words:
    return np.ascontiguousarray(data)
