"""The toy's sharings: two summands mod 2^64, or two XOR parts of packed bits.

Nothing here is secure against anything: the toy exists to run programs over an engine that is
not the real one, and to show that the layers above need nothing but the `Engine` interface.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rounds import Words


@dataclass(frozen=True, slots=True)
class Additive:
    """One party's summand; the values are the sum of both mod 2^64."""

    data: Words

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    def __repr__(self) -> str:
        return f"Additive(shape={self.shape})"


@dataclass(frozen=True, slots=True)
class Xored:
    """One party's part of bits: element k is bit k % 64 of word k // 64; padding bits are arbitrary."""

    data: Words
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Xored(shape={self.shape})"


def words_for(bits: int) -> int:
    """Words that hold so many bits."""
    return -(-bits // 64)


def pack(flags: npt.NDArray[np.bool_]) -> Words:
    """Flags of any shape -> words; padding bits are zero."""
    padded = np.zeros(64 * words_for(flags.size), np.bool_)
    padded[: flags.size] = flags.reshape(-1)
    return np.packbits(padded, bitorder="little").view(np.uint64)


def unpack(words: Words, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Undo `pack`."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little")
    return bits[: math.prod(shape)].astype(np.bool_).reshape(shape)


def planes(values: Words) -> Words:
    """Bit k of every value in row k: any shape of n values -> (64, words for n bits)."""
    flat = values.reshape(-1)
    rows = [pack((flat >> np.uint64(k)) & np.uint64(1) != 0) for k in range(64)]
    return np.stack(rows)
