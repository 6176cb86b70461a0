"""Compiled loops of the rep3 products: what one party adds to the sum of all terms.

Notation  x, y: (2, n) slots of a sharing, as in `mpcd.protocols.rep3.sharing`; every kernel computes
          x[0] * y[0] + x[0] * y[1] + x[1] * y[0]
"""

from __future__ import annotations

from typing import Any

from numba import types

from mpcd.ring.kernels import compiled

_IN = types.Array(types.uint64, 2, "C", readonly=True)
_IN3 = types.Array(types.uint64, 3, "C", readonly=True)
_OUT1 = types.Array(types.uint64, 1, "C")
_OUT2 = types.Array(types.uint64, 2, "C")
# A tile of two right-hand slots fills a third of a second-level cache of 512 KiB.
_TILE_COLUMNS, _TILE_DEPTH = 16, 512


@compiled(types.void(_IN, _IN, _OUT1))
def mul_terms(x: Any, y: Any, out: Any) -> None:
    """Elementwise, (2, n) -> (n,)."""
    for k in range(x.shape[1]):
        out[k] = x[0, k] * (y[0, k] + y[1, k]) + x[1, k] * y[0, k]


@compiled(types.void(_IN, _IN, _OUT1))
def and_terms(x: Any, y: Any, out: Any) -> None:
    """As `mul_terms`, on packed bits."""
    for k in range(x.shape[1]):
        out[k] = (x[0, k] & (y[0, k] ^ y[1, k])) ^ (x[1, k] & y[0, k])


@compiled(types.void(_IN3, _IN3, _OUT1))
def inner_terms(x: Any, y: Any, out: Any) -> None:
    """Summed over the last axis, (2, m, k) -> (m,)."""
    for m in range(x.shape[1]):
        total = types.uint64(0)
        for k in range(x.shape[2]):
            total += x[0, m, k] * (y[0, m, k] + y[1, m, k]) + x[1, m, k] * y[0, m, k]
        out[m] = total


@compiled(types.void(_IN3, _IN3, _OUT2))
def matmul_terms(x: Any, turned: Any, out: Any) -> None:
    """Of matrices: (2, m, k), (2, n, k) -> adds to (m, n); `turned` is transposed.

    Both operands are read along k, from tiles in cache.
    """
    rows, inner, columns = x.shape[1], x.shape[2], turned.shape[1]
    for column in range(0, columns, _TILE_COLUMNS):
        end_column = min(column + _TILE_COLUMNS, columns)
        for depth in range(0, inner, _TILE_DEPTH):
            end_depth = min(depth + _TILE_DEPTH, inner)
            for i in range(rows):
                for j in range(column, end_column):
                    total = types.uint64(0)
                    for k in range(depth, end_depth):
                        y0 = turned[0, j, k]
                        total += x[0, i, k] * (y0 + turned[1, j, k]) + x[1, i, k] * y0
                    out[i, j] += total
