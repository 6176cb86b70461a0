"""How checked inner and matrix products are cut into batches, so that memory stays bounded.

A batch is as large as the factors of its products, which may be far larger than the result. Blocks are done
one after the other; each takes the rounds of an operation. All parties cut in the same way.

Source  Spec rep3 8.1
"""

from __future__ import annotations

FACTOR_ELEMENTS = 1 << 21
"""Elements of a factor that a batch has at most, or those of one row and column: 300 MB at a party."""


def row_blocks(m: int, k: int) -> list[tuple[slice, slice]]:
    """The blocks of m inner products of length k: rows, and part of their length. At least one."""
    length = min(max(k, 1), FACTOR_ELEMENTS)
    rows = max(FACTOR_ELEMENTS // length, 1)
    return [(high, wide) for high in _parts(m, rows) for wide in _parts(k, length)]


def matrix_blocks(m: int, k: int, n: int) -> list[slice]:
    """The blocks of a product (m, k) times (k, n): parts of the inner length. At least one."""
    return _parts(k, max(FACTOR_ELEMENTS // max(m, n, 1), 1))


def _parts(size: int, most: int) -> list[slice]:
    return [slice(start, min(start + most, size)) for start in range(0, max(size, 1), most)]
