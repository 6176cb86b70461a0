"""Compiled transposition between numbers and planes of bits.

Plane j of an array of 64-bit numbers packs bit j of every number: bit e % 64 of word e // 64 belongs to
number e. Turning 64 numbers into 64 plane words is the transposition of a 64 x 64 matrix of bits;
the kernels do eight such blocks at a time, so that whole cache lines of every plane are written.

`mpcd.ring.bits` has the same functions in plain NumPy; the tests compare the two.

Source  [HD] Warren, Hacker's Delight, 2nd ed., section 7-3 (transposing a bit matrix)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types, uint64

from mpcd.ring.bits import words_for
from mpcd.ring.kernels import compiled
from mpcd.ring.streams import Words

_GROUP = 8
_IN1 = types.Array(types.uint64, 1, "C", readonly=True)
_IN2 = types.Array(types.uint64, 2, "C", readonly=True)
_OUT1 = types.Array(types.uint64, 1, "C")
_OUT2 = types.Array(types.uint64, 2, "C")


def to_planes(values: Words) -> Words:
    """(n,) numbers -> (64, ceil(n / 64)) planes; bits behind the last number are zero."""
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty((64, words_for(flat.size)), np.uint64)
    _scatter(flat, out)
    return out


def from_planes(planes: Words, count: int) -> Words:
    """(64, w) planes -> the first `count` numbers: the inverse of `to_planes`."""
    out = np.empty(count, np.uint64)
    _gather(np.ascontiguousarray(planes), out)
    return out


@compiled(types.void(_OUT2, types.intp))
def _transpose(block: Any, row: Any) -> None:
    """Transpose one row of 64 words in place, as a matrix of bits."""
    shift = 32
    mask = uint64(0x00000000FFFFFFFF)
    while shift:
        k = 0
        while k < 64:
            # Swap the high bits of word k with the low bits of word k + shift.
            swap = ((block[row, k] >> uint64(shift)) ^ block[row, k + shift]) & mask
            block[row, k + shift] ^= swap
            block[row, k] ^= swap << uint64(shift)
            k = (k + shift + 1) & ~shift
        shift >>= 1
        mask ^= mask << uint64(shift)


@compiled(types.void(_IN1, _OUT2))
def _scatter(values: Any, planes: Any) -> None:
    words = planes.shape[1]
    blocks = np.zeros((_GROUP, 64), np.uint64)
    for start in range(0, words, _GROUP):
        group = min(_GROUP, words - start)
        for b in range(group):
            first = 64 * (start + b)
            for k in range(64):
                blocks[b, k] = values[first + k] if first + k < values.size else uint64(0)
            _transpose(blocks, b)
        for j in range(64):
            for b in range(group):
                planes[j, start + b] = blocks[b, j]


@compiled(types.void(_IN2, _OUT1))
def _gather(planes: Any, values: Any) -> None:
    words = planes.shape[1]
    blocks = np.zeros((_GROUP, 64), np.uint64)
    for start in range(0, words, _GROUP):
        group = min(_GROUP, words - start)
        for j in range(64):
            for b in range(group):
                blocks[b, j] = planes[j, start + b]
        for b in range(group):
            _transpose(blocks, b)
            first = 64 * (start + b)
            for k in range(min(64, values.size - first)):
                values[first + k] = blocks[b, k]
