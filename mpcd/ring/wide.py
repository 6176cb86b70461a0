"""Integers modulo 2^128 as two rows of words: row 0 the low 64 bits, row 1 the high 64 bits.

Sums of whole arrays; products are in `kernels_wide`.

Notation  wide words: (..., 2, n), n numbers
"""

from __future__ import annotations

from mpcd.ring.streams import Words

WORDS = 2
"""Words of 64 bits that a wide number takes."""


def add(x: Words, y: Words) -> Words:
    """The sum of wide words of equal shapes."""
    out = x + y
    out[..., 1, :] += out[..., 0, :] < x[..., 0, :]
    return out


def subtract(x: Words, y: Words) -> Words:
    """The difference of wide words of equal shapes."""
    out = x - y
    out[..., 1, :] -= x[..., 0, :] < y[..., 0, :]
    return out


def negative(x: Words) -> Words:
    """The number that makes a sum zero."""
    out = ~x
    out[..., 0, :] += 1
    out[..., 1, :] += out[..., 0, :] == 0
    return out
