"""Products of secrets with checked triples: mask both factors, open them, and put the product together.

With a triple c = a * b and the opened d = x - a and e = y - b,

    x * y = c + d * b + a * e + d * e,

which is local. a and b are used once and for nothing else, so d and e are uniform. The triple is made and
checked within the operation, in a batch of its own, before anything is masked with it. Openings carry tags,
verified before anything depends on them.

Why no masks that stay with a value: if x kept its mask a, and x - a were opened once for all, a product would
cost one opening per result instead of one per factor. But then a is in use when the next batch multiplies it,
and to open that batch, should its check fail, would show x. With fresh masks a failed batch can always be
opened, and the liar is named. What is saved would be a sixth of the bytes of a product.

Cost       6 rounds: products, coin, combination, hashes, silence (these make the triple), factors. Factors of
           more than `blocks.FACTOR_ELEMENTS` elements are cut, and every block takes 6 rounds
Security   malicious, one corrupted party of three
Sources    Spec rep3 6, 8; [Bea] Beaver, Efficient multiparty protocols using circuit randomization, CRYPTO
           1991
"""

from __future__ import annotations

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep3 import triples
from mpcd.protocols.rep3.blocks import matrix_blocks, row_blocks
from mpcd.protocols.rep3.opening import fetch
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Rep3, held
from mpcd.protocols.rep3.triples import Triple
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring import kernels_three


def mul(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Multiply elementwise.

    Shapes     x, y: (*s) -> (*s)
    Cost       6 rounds; 48 bytes per element and party, and 112 bytes
    Malicious  a lie in a product's message is found with probability 1 - 2^-64, before anything of x and y is
               masked; a lie in an opening in its round
    Raises     UsageError if the shapes differ; BatchFault if the check of the triples fails
    Source     Spec rep3 8
    """
    if x.shape != y.shape:
        raise UsageError(f"mul: shapes {x.shape} and {y.shape} differ")
    data = yield from _rows(p, x.data.reshape(2, -1, 1), y.data.reshape(2, -1, 1))
    return Rep3(data.reshape(x.data.shape))


def inner(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Sum of products over the last axis.

    Shapes     x, y: (*s, k) -> (*s)
    Cost       6 rounds; 16 bytes per output, 32 per element of a factor, and 112 bytes, per party
    Malicious  as `mul`
    Raises     UsageError if the shapes differ or have no axis; BatchFault as `mul`
    Source     Spec rep3 8
    """
    if x.shape != y.shape or not x.shape:
        raise UsageError(f"inner: shapes {x.shape} and {y.shape} do not fit")
    outer, length = x.shape[:-1], x.shape[-1]
    cut = (2, int(np.prod(outer, dtype=np.int64)), length)
    data = yield from _rows(p, x.data.reshape(cut), y.data.reshape(cut))
    return Rep3(data.reshape(2, *outer))


def matmul(p: Party3, x: Rep3, y: Rep3) -> Rounds[Rep3]:
    """Matrix product.

    Shapes     x: (m, k), y: (k, n) -> (m, n)
    Cost       6 rounds; 16 * (m * n + n + k) + 8 * (m * k + k * n) + 96 bytes per party
    Malicious  as `mul`
    Raises     UsageError if the shapes do not fit; BatchFault as `mul`
    Source     Spec rep3 8
    """
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
        raise UsageError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
    m, n = x.shape[0], y.shape[1]
    turned = y.data.transpose(0, 2, 1)
    out = np.zeros((2, m, n), np.uint64)
    for number, part in enumerate(matrix_blocks(m, x.shape[1], n)):
        place = p.at(number)
        triple = yield from triples.matrix(place.at("triples"), m, part.stop - part.start, n)
        d, e = yield from _open_masked(place, x.data[:, :, part], turned[:, :, part], triple)
        out += triple.c
        for k in range(2):
            left, right = _factors(place, k, triple, d, e)
            kernels_three.matmul_terms(left, right, out[k])
    return Rep3(out)


def _rows(p: Party3, x: Words, y: Words) -> Rounds[Words]:
    """Inner products of rows: (2, m, k), (2, m, k) -> (2, m)."""
    out = np.zeros(x.shape[:2], np.uint64)
    for number, (rows, part) in enumerate(row_blocks(x.shape[1], x.shape[2])):
        place = p.at(number)
        height, length = rows.stop - rows.start, part.stop - part.start
        triple = yield from triples.rows(place.at("triples"), height, length)
        out[:, rows] += yield from rows_with(place, triple, x[:, rows, part], y[:, rows, part])
    return out


def rows_with(p: Party3, triple: Triple, x: Words, y: Words) -> Rounds[Words]:
    """Inner products of rows, by a triple of such, which is used up: (2, m, k), (2, m, k) -> (2, m).

    Cost       1 round; 16 bytes per row, element and party
    Malicious  a lie in an opening is found in its round
    Source     Spec rep3 8
    """
    d, e = yield from _open_masked(p, x, y, triple)
    out = triple.c.copy()
    terms = np.empty(out.shape[1], np.uint64)
    for k in range(2):
        left, right = _factors(p, k, triple, d, e)
        kernels_three.inner_terms(left, right, terms)
        out[k] += terms
    return out


def _open_masked(p: Party3, x: Words, y: Words, triple: Triple) -> Rounds[tuple[Words, Words]]:
    """Open x - a and y - b: (2, *s), (2, *t) -> (*s), (*t)."""
    size = triple.a[0].size
    masked = np.empty((2, size + triple.b[0].size), np.uint64)
    np.subtract(x, triple.a, out=masked[:, :size].reshape(triple.a.shape))
    np.subtract(y, triple.b, out=masked[:, size:].reshape(triple.b.shape))
    lacking = yield from fetch(p, masked)
    assert lacking is not None, "everybody sees masked factors"
    opened: Words = masked[0] + masked[1]
    opened += lacking
    return opened[:size].reshape(triple.a.shape[1:]), opened[size:].reshape(triple.b.shape[1:])


def _factors(p: Party3, k: int, triple: Triple, d: Words, e: Words) -> tuple[Words, Words]:
    """Factors of which a product kernel makes d * b + a * e in slot k, and d * e in piece 0.

    It computes left[0] * (right[0] + right[1]) + left[1] * right[0].
    """
    b = triple.b[k]
    return np.stack([d, triple.a[k]]), np.stack([e, b if held(p.me)[k] == 0 else b - e])
