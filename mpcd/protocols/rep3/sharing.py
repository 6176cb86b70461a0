"""The sharings of rep3: what one party holds, and the local operations on it.

Notation  x = x[0] + x[1] + x[2] in Z_2^64 (XOR of packed bits in `Bits3`). Party i holds the pieces i and
          i + 1 (mod 3) and lacks piece i - 1. Slot k of party i is x[(i + k) % 3]. So any single party sees
          two uniform values, and any two parties could reconstruct.
Security  replicated secret sharing, one corrupted party of three
Sources   Spec rep3 1; [AFLN] Araki, Furukawa, Lindell, Nof, Ohara: High-Throughput Semi-Honest Secure
          Three-Party Computation with an Honest Majority, CCS 2016
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mpcd.errors import UsageError
from mpcd.ring.bits import pack, words_for
from mpcd.ring.streams import Words

ALL = frozenset(range(3))
"""Every party."""


def held(me: int) -> tuple[int, int]:
    """The pieces that a party holds, in the order of its slots."""
    return me, (me + 1) % 3


def slot(me: int, piece: int) -> int:
    """Where party `me` keeps a piece; 2 would be the one that it lacks."""
    return (piece - me) % 3


@dataclass(frozen=True, slots=True, eq=False)
class Rep3:
    """One party's part of shared elements of Z_2^64; `data` is (2, *shape), never changed in place."""

    data: Words

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape[1:])

    @property
    def size(self) -> int:
        return self.data.size // 2

    def __repr__(self) -> str:
        return f"Rep3(shape={self.shape})"


@dataclass(frozen=True, slots=True, eq=False)
class Bits3:
    """One party's part of shared bits, packed; `data` is (2, planes, words), never changed in place.

    `shape` is the shape of one plane; its flags are numbered in C order, flag e being bit e % 64 of
    word e // 64. Bits behind the last flag are arbitrary and are never opened. A vector of flags has one
    plane; the bits of 64-bit numbers have 64, plane j holding bit j of every number.
    """

    data: Words
    shape: tuple[int, ...]

    @property
    def planes(self) -> int:
        return int(self.data.shape[1])

    @property
    def size(self) -> int:
        """Flags in one plane."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"Bits3(shape={self.shape}, planes={self.planes})"


# -- arithmetic --------------------------------------------------------------------------------------


def constant(me: int, values: npt.NDArray[np.int64]) -> Rep3:
    """A public value as a sharing: it is piece 0, the others are zero."""
    data = np.zeros((2, *values.shape), np.uint64)
    if 0 in held(me):
        data[slot(me, 0)] = values.astype(np.int64, copy=False).view(np.uint64)
    return Rep3(data)


def add(x: Rep3, y: Rep3) -> Rep3:
    return Rep3(x.data + y.data)


def sub(x: Rep3, y: Rep3) -> Rep3:
    return Rep3(x.data - y.data)


def scale(x: Rep3, factor: npt.NDArray[np.int64] | int) -> Rep3:
    """x times a public factor, broadcast to the shape of x."""
    return Rep3(x.data * np.asarray(factor, np.int64).view(np.uint64))


# -- bits --------------------------------------------------------------------------------------------


def constant_bits(me: int, values: npt.NDArray[np.bool_]) -> Bits3:
    """Public flags as a sharing with one plane."""
    data = np.zeros((2, 1, words_for(values.size)), np.uint64)
    if 0 in held(me):
        data[slot(me, 0), 0] = pack(values.reshape(-1))
    return Bits3(data, values.shape)


def xor(x: Bits3, y: Bits3) -> Bits3:
    return Bits3(x.data ^ y.data, x.shape)


def negate(me: int, x: Bits3) -> Bits3:
    """Logical NOT of every plane: flips piece 0."""
    data = x.data.copy()
    if 0 in held(me):
        own = data[slot(me, 0)]
        np.invert(own, out=own)
    return Bits3(data, x.shape)


def take_planes(x: Bits3, start: int, stop: int, step: int = 1) -> Bits3:
    """Some of the planes; a view."""
    return Bits3(x.data[:, start:stop:step], x.shape)


def join_planes(parts: Sequence[Bits3]) -> Bits3:
    """Stack planes of equal shape."""
    if len({part.shape for part in parts}) != 1:
        raise UsageError(f"planes of different shapes cannot be stacked: {[p.shape for p in parts]}")
    return Bits3(np.concatenate([part.data for part in parts], axis=1), parts[0].shape)


def take_bits(x: Bits3, start: int, stop: int) -> Bits3:
    """Flags start..stop of a flat vector; start is a multiple of 64. A view."""
    if len(x.shape) != 1 or start % 64 or not 0 <= start <= stop <= x.size:
        raise UsageError(f"flags {start}..{stop} of shape {x.shape} do not start at a word")
    return Bits3(x.data[:, :, start // 64 : words_for(stop)], (stop - start,))


def join_bits(parts: Sequence[Bits3]) -> Bits3:
    """Concatenate flat vectors; all but the last have a multiple of 64 flags."""
    if any(len(part.shape) != 1 for part in parts) or any(part.size % 64 for part in parts[:-1]):
        raise UsageError(f"vectors of flags must end at a word to be joined: {[p.shape for p in parts]}")
    flags = sum(part.size for part in parts)
    return Bits3(np.concatenate([part.data for part in parts], axis=2), (flags,))


def parity(x: Rep3) -> Bits3:
    """The lowest bit of every element of a vector, (n,) -> (n,); local.

    The lowest bit of a sum is the exclusive or of the lowest bits: nothing is carried into it. A party that
    lies about its own bit has changed its piece, which the next product or opening detects as ever.
    """
    low = np.stack([pack((piece & np.uint64(1)).astype(np.bool_)) for piece in x.data])
    return Bits3(low[:, np.newaxis], x.shape)
