"""Packed bits: flag e of an array is bit e % 64 of word e // 64; unused bits of the last word are zero.

`to_planes` turns numbers into planes of bits: plane j packs bit j of every number. One plane of 64
numbers is one word, so an operation on a plane handles 64 numbers at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mpcd.ring.streams import Words

Flags = npt.NDArray[np.bool_]

_SWAPS = (
    (np.uint64(1), np.uint64(0x5555555555555555)),
    (np.uint64(2), np.uint64(0x3333333333333333)),
    (np.uint64(4), np.uint64(0x0F0F0F0F0F0F0F0F)),
    (np.uint64(8), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(16), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(32), np.uint64(0x00000000FFFFFFFF)),
)


def words_for(flags: int) -> int:
    """Words that a number of flags takes."""
    return (flags + 63) // 64


def pack(flags: Flags) -> Words:
    """(n,) flags -> (ceil(n / 64),) words."""
    out = np.zeros(8 * words_for(flags.size), np.uint8)
    packed = np.packbits(flags, bitorder="little")
    out[: packed.size] = packed
    return out.view("<u8")


def unpack(words: Words, count: int) -> Flags:
    """The first `count` flags of packed words; (w,) -> (count,)."""
    octets = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(octets, count=count, bitorder="little").view(np.bool_)


def tail_mask(count: int) -> Words:
    """(ceil(count / 64),) words with exactly the first `count` bits set."""
    mask = np.full(words_for(count), np.uint64(0xFFFFFFFFFFFFFFFF))
    if count % 64:
        mask[-1] = np.uint64((1 << (count % 64)) - 1)
    return mask


def to_planes(values: Words) -> Words:
    """(n,) numbers -> (64, ceil(n / 64)) planes; behind the last number the bits are zero."""
    words = words_for(values.size)
    padded = np.zeros(64 * words, np.uint64)
    padded[: values.size] = values
    return np.ascontiguousarray(_transpose_blocks(padded.reshape(words, 64)).T)


def from_planes(planes: Words, count: int) -> Words:
    """The inverse of `to_planes`: (64, w) planes -> the first `count` numbers."""
    blocks = np.ascontiguousarray(planes.T)
    return _transpose_blocks(blocks).reshape(-1)[:count]


def _transpose_blocks(blocks: Words) -> Words:
    """Transpose every row of (w, 64) words as a 64 x 64 matrix of bits.

    Source  [HD] Warren, Hacker's Delight, section 7-3, with halves swapped from small to large
    """
    current = blocks.copy()
    for shift, mask in _SWAPS:
        half = int(shift)
        pairs = current.reshape(-1, 64 // (2 * half), 2, half)
        low, high = pairs[:, :, 0, :], pairs[:, :, 1, :]
        # Swap the high bits of the first row of a pair with the low bits of the second.
        swap = ((low >> shift) ^ high) & mask
        high ^= swap
        low ^= swap << shift
    return current
