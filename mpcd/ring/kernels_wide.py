"""Compiled loops modulo 2^128, for checking products modulo 2^64 (block sacrifice).

The factors of the products that are checked have pieces below 2^64, so that a step takes one multiplication
64 x 64 -> 128; only masks, results and what is opened of the masked combination are wide.

Notation  wide: low row and high row, as in `mpcd.ring.wide`; pieces come first: a sharing of n numbers is
          (2, n), of n wide numbers (2, 2, n). `terms` are x[0] * y[0] + x[0] * y[1] + x[1] * y[0], as in
          `kernels_three`
Source    Spec rep3 6
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from mpcd.ring.kernels import compiled

_IN1 = types.Array(types.uint64, 1, "C", readonly=True)
_IN2 = types.Array(types.uint64, 2, "C", readonly=True)
_IN3 = types.Array(types.uint64, 3, "C", readonly=True)
_IN4 = types.Array(types.uint64, 4, "C", readonly=True)
_OUT2 = types.Array(types.uint64, 2, "C")
_OUT3 = types.Array(types.uint64, 3, "C")


def _helper(function: Callable[..., Any]) -> Any:
    return numba.njit(inline="always", boundscheck=False)(function)


def _multiply_high(context: Any, x: Any, y: Any) -> Any:
    """The high word of a product of two words: one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(arg, wide) for arg in args))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_high: Any = intrinsic(_multiply_high)


@_helper
def _add(low: Any, high: Any, more_low: Any, more_high: Any) -> Any:
    total = low + more_low
    return total, high + more_high + types.uint64(total < low)


@_helper
def _subtract(low: Any, high: Any, less_low: Any, less_high: Any) -> Any:
    return low - less_low, high - less_high - types.uint64(low < less_low)


@_helper
def _times(low: Any, high: Any, factor: Any) -> Any:
    """A wide number times a word."""
    return low * factor, _high(low, factor) + high * factor


@_helper
def _term(low: Any, high: Any, x0: Any, x1: Any, y0: Any, y1: Any) -> Any:
    """Add x0 * (y0 + y1) + x1 * y0, whose sum in brackets may need 65 bits."""
    both = y0 + y1
    low, high = _add(low, high, x0 * both, _high(x0, both))
    if both < y0:
        high += x0
    return _add(low, high, x1 * y0, _high(x1, y0))


@compiled(types.void(_IN3, _IN3, _OUT2))
def inner_terms(x: Any, y: Any, out: Any) -> None:
    """Terms summed over the last axis: (2, m, k), (2, m, k) -> wide (2, m)."""
    for m in range(x.shape[1]):
        low = high = types.uint64(0)
        for k in range(x.shape[2]):
            low, high = _term(low, high, x[0, m, k], x[1, m, k], y[0, m, k], y[1, m, k])
        out[0, m], out[1, m] = low, high


@compiled(types.void(_IN3, _IN3, _OUT3))
def matmul_terms(x: Any, turned: Any, out: Any) -> None:
    """Terms of a matrix product: (2, m, k), (2, n, k) -> wide (2, m, n); `turned` is transposed."""
    for i in range(x.shape[1]):
        for j in range(turned.shape[1]):
            low = high = types.uint64(0)
            for k in range(x.shape[2]):
                low, high = _term(low, high, x[0, i, k], x[1, i, k], turned[0, j, k], turned[1, j, k])
            out[0, i, j], out[1, i, j] = low, high


@compiled(types.void(_IN3, _IN3, _OUT2))
def mask_terms(x: Any, y: Any, out: Any) -> None:
    """Terms of a wide vector with each of n rows of words: wide (2, 2, k), (2, n, k) -> wide (2, n)."""
    for j in range(y.shape[1]):
        low = high = types.uint64(0)
        for k in range(y.shape[2]):
            y0, y1 = y[0, j, k], y[1, j, k]
            term_low, term_high = _times(x[0, 0, k], x[0, 1, k], y0)
            low, high = _add(low, high, term_low, term_high)
            term_low, term_high = _times(x[0, 0, k], x[0, 1, k], y1)
            low, high = _add(low, high, term_low, term_high)
            term_low, term_high = _times(x[1, 0, k], x[1, 1, k], y0)
            low, high = _add(low, high, term_low, term_high)
        out[0, j], out[1, j] = low, high


@compiled(types.void(_IN1, _IN3, _OUT3))
def scale_rows(factors: Any, x: Any, out: Any) -> None:
    """Row i times factor i, less what is in `out`: (m,), (2, m, k) -> wide (2, 2, m * k), in place."""
    for piece in range(2):
        for i in range(x.shape[1]):
            for k in range(x.shape[2]):
                at = i * x.shape[2] + k
                word, factor = x[piece, i, k], factors[i]
                low, high = _subtract(
                    word * factor, _high(word, factor), out[piece, 0, at], out[piece, 1, at]
                )
                out[piece, 0, at], out[piece, 1, at] = low, high


@compiled(types.void(_IN1, _IN3, _OUT3))
def sum_rows(factors: Any, x: Any, out: Any) -> None:
    """The sum of such rows, less what is in `out`: (m,), (2, m, k) -> wide (2, 2, k), in place."""
    for piece in range(2):
        for k in range(x.shape[2]):
            low = high = types.uint64(0)
            for i in range(x.shape[1]):
                word, factor = x[piece, i, k], factors[i]
                low, high = _add(low, high, word * factor, _high(word, factor))
            low, high = _subtract(low, high, out[piece, 0, k], out[piece, 1, k])
            out[piece, 0, k], out[piece, 1, k] = low, high


@compiled(types.void(_IN1, _IN4, _IN3, _IN2, _IN3, _OUT3))
def residues(factors: Any, c: Any, masked: Any, opened: Any, y: Any, out: Any) -> None:
    """What must be a sharing of zero: for each column j the sum of factor i times c[i, j], less masked[j],
    less the sum of opened[k] times y[j, k].

    (m,), wide (2, 2, m, n), wide (2, 2, n), wide (2, k), (2, n, k) -> wide (2, 2, n)
    """
    for piece in range(2):
        for j in range(y.shape[1]):
            low = high = types.uint64(0)
            for i in range(c.shape[2]):
                term_low, term_high = _times(c[piece, 0, i, j], c[piece, 1, i, j], factors[i])
                low, high = _add(low, high, term_low, term_high)
            low, high = _subtract(low, high, masked[piece, 0, j], masked[piece, 1, j])
            for k in range(y.shape[2]):
                term_low, term_high = _times(opened[0, k], opened[1, k], y[piece, j, k])
                low, high = _subtract(low, high, term_low, term_high)
            out[piece, 0, j], out[piece, 1, j] = low, high
