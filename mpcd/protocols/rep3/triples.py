"""Random triples c = a * b of numbers, checked: inner products of rows, matrices.

The parties draw sharings of a and b without a message, multiply them by `product` modulo 2^128, where one of
them can add errors, and check all products of a batch at once (block sacrifice). Before anything is
challenged they also make a product c' of b with masks a' that are used for nothing else. A coin gives factors
f of 64 bits:

    r = (sum of f times a) - a'      is opened,
    (sum of f times c) - c' - r * b  must be a sharing of zero modulo 2^128.

Rows: inner products c[i] of a[i] and b[i], i < m, each of length k. a' has the shape of a, c' is the sum of
all a'[i, j] * b[i, j], and r[i, j] = f[i] * a[i, j] - a'[i, j]; one sum is to be zero. A matrix product: (m,
k) times (k, n). a' is a row, c' = a' * b, r = f * a - a'; n sums are to be zero.

Soundness  errors e[i] of c and e' of c' pass only if the sum of f[i] * e[i] is e' modulo 2^128. If some e[i]
           is not zero modulo 2^64 it is 2^j times an odd number with j < 64, and whatever the others are at
           most one of the 2^64 values of f[i] fits. So a triple that is wrong modulo 2^64 passes with
           probability 2^-64
Security   what is opened is masked by a'; nothing of a secret is in a batch. Pieces of a and b are below
           2^64: modulo 2^64 they are uniform, and the equations above hold for any a and b
Notation   pieces first, (2, *shape); wide numbers as in `mpcd.ring.wide`
Sources    Spec rep3 6; [CDES] Cramer, Damgard, Escudero, Scholl, Xing, CRYPTO 2018, for the check modulo
           2^128
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep3.batch import Batch, Recipe, zero_hash
from mpcd.protocols.rep3.coin import expand, flip
from mpcd.protocols.rep3.opening import fetch
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.product import pass_on
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring import kernels_wide, wide

ROWS, MATRIX = "rows", "matrix"
CHALLENGE_BITS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Triple:
    """Sharings of random a and b and of their product; pieces first.

    For rows a, b: (2, m, k) and c: (2, m); for a matrix product a: (2, m, k), b: (2, n, k), transposed, and
    c: (2, m, n).
    """

    a: Words
    b: Words
    c: Words

    def __repr__(self) -> str:
        return f"Triple({self.a.shape[1:]}, {self.b.shape[1:]})"


@dataclass(frozen=True, slots=True)
class _Shape:
    """The sizes of a batch: `columns` sums are to be zero, `masks` wide numbers hide what is opened."""

    rows: int
    length: int
    columns: int
    matrix: bool

    @property
    def masks(self) -> int:
        return self.length if self.matrix else self.rows * self.length


def rows(p: Party3, m: int, k: int) -> Rounds[Triple]:
    """m inner products of random vectors of length k; with k = 1, m products.

    Cost       5 rounds; 16 * (m + m * k) + 112 bytes per party
    Malicious  an error is found with probability 1 - 2^-64, before the triples are used
    Raises     BatchFault if the check fails
    """
    return make(p, Recipe(ROWS, (m, k)))


def matrix(p: Party3, m: int, k: int, n: int) -> Rounds[Triple]:
    """A product of random matrices, (m, k) times (k, n).

    Cost       5 rounds; 16 * (m * n + n + k) + 96 bytes per party
    Malicious  as `rows`
    Raises     as `rows`
    """
    return make(p, Recipe(MATRIX, (m, k, n)))


def make(p: Party3, recipe: Recipe) -> Rounds[Triple]:
    """The triple of a recipe, made and checked at the path of a party.

    Raises  BatchFault if the check fails; UsageError if there is no such recipe
    """
    shape = _shape(recipe)
    batch = Batch(p, recipe)
    a, b, mask, blinds = _draw(batch.party.at("numbers"), shape)
    products = yield from _multiply(batch, shape, a, b, mask, blinds)
    # Only now: the factors must not be known while anybody can still choose what it sends as a product.
    coin = yield from flip(batch.party.at("coin"))
    residues = yield from _residues(batch.party.at("masked"), shape, coin, a, b, mask, products)
    implied = wide.negative(wide.add(residues[0], residues[1]))
    yield from batch.settle(zero_hash(p.me, residues[0], residues[1], implied))
    c = products[:, 0, : products.shape[2] - shape.columns]
    return Triple(a, b, c.reshape(2, shape.rows, shape.columns) if shape.matrix else c)


def _shape(recipe: Recipe) -> _Shape:
    if any(size < 0 for size in recipe.sizes):
        raise UsageError(f"there is no batch {recipe}")
    match recipe.kind, recipe.sizes:
        case "rows", (m, k):
            return _Shape(m, k, 1, False)
        case "matrix", (m, k, n):
            return _Shape(m, k, n, True)
        case _:
            raise UsageError(f"there is no batch {recipe}")


def _draw(p: Party3, shape: _Shape) -> tuple[Words, Words, Words, Words]:
    """a, b, a' and the pads of the products, both pieces: (2, m, k), (2, n, k) or as a, wide twice."""
    lines = shape.columns if shape.matrix else shape.rows
    products = shape.rows * shape.columns + shape.columns
    sizes = [
        shape.rows * shape.length,
        lines * shape.length,
        wide.WORDS * shape.masks,
        wide.WORDS * products,
    ]
    drawn = zip(*(stream.draw_slices(sizes) for stream in p.open_streams()), strict=True)
    a, b, mask, blinds = (np.stack(pieces) for pieces in drawn)
    return (
        a.reshape(2, shape.rows, shape.length),
        b.reshape(2, lines, shape.length),
        mask.reshape(2, wide.WORDS, shape.masks),
        blinds.reshape(2, wide.WORDS, products),
    )


def _multiply(batch: Batch, shape: _Shape, a: Words, b: Words, mask: Words, blinds: Words) -> Rounds[Words]:
    """The products, those with the masks last: wide (2, 2, products)."""
    triples = shape.rows * shape.columns
    parts = np.empty((wide.WORDS, triples), np.uint64), np.empty((wide.WORDS, shape.columns), np.uint64)
    if shape.matrix:
        kernels_wide.matmul_terms(a, b, parts[0].reshape(wide.WORDS, shape.rows, shape.columns))
    else:
        kernels_wide.inner_terms(a, b, parts[0])
    kernels_wide.mask_terms(mask, _lines(shape, b), parts[1])
    terms = np.concatenate(parts, axis=1)
    own = wide.add(terms, wide.subtract(blinds[0], blinds[1]))
    received = yield from pass_on(batch.party.at("products"), own)
    batch.multiplied(own, received)
    return np.stack([own, received])


def _residues(
    p: Party3, shape: _Shape, coin: bytes, a: Words, b: Words, mask: Words, products: Words
) -> Rounds[Words]:
    """What must be a sharing of zero: wide (2, 2, columns)."""
    factors = expand(coin, shape.rows) >> np.uint64(64 - CHALLENGE_BITS)
    combined = mask.copy()
    (kernels_wide.sum_rows if shape.matrix else kernels_wide.scale_rows)(factors, a, combined)
    lacking = yield from fetch(p, combined)
    assert lacking is not None, "everybody sees what is opened"
    opened = wide.add(wide.add(combined[0], combined[1]), lacking)
    c, masked = np.split(products, [products.shape[2] - shape.columns], axis=2)
    out = np.empty((2, wide.WORDS, shape.columns), np.uint64)
    kernels_wide.residues(
        factors,
        np.ascontiguousarray(c).reshape(2, wide.WORDS, shape.rows, shape.columns),
        np.ascontiguousarray(masked),
        opened,
        _lines(shape, b),
        out,
    )
    return out


def _lines(shape: _Shape, b: Words) -> Words:
    """b as a row of all numbers for each sum that is to be zero: (2, columns, masks)."""
    return b.reshape(2, shape.columns, shape.masks)
