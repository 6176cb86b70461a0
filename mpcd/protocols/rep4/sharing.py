"""The sharings of rep4: what one party holds, and the local operations on it.

Notation  x = x[0] + x[1] + x[2] + x[3] in Z_2^64 (XOR of packed bits in `Bits4`). Party i holds the three
          summands other than x[i], so any single party sees three uniform values and any two
          parties could reconstruct. Slot k of party i is x[(i + 1 + k) % 4].
          live: summands that may be different from zero, the same set at every party; slots of
          other summands are zero. It saves messages (see `multiply`).
Security  replicated secret sharing, one corrupted party of four
Sources   Spec rep4 1; [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mpcd.errors import UsageError
from mpcd.ring.bits import pack, words_for
from mpcd.ring.streams import Words

ALL = frozenset(range(4))
"""Every summand is live."""


def held(me: int) -> tuple[int, int, int]:
    """The summands that a party holds, in the order of its slots."""
    return (me + 1) % 4, (me + 2) % 4, (me + 3) % 4


def slot(me: int, summand: int) -> int:
    """Where party `me` keeps a summand; 3 would be the one that it lacks."""
    return (summand - me - 1) % 4


@dataclass(slots=True, eq=False)  # not `frozen`, which costs as much as a small addition
class Rep4:
    """One party's part of shared elements of Z_2^64; `data` is (3, *shape). Nothing of it is ever changed."""

    data: Words
    live: frozenset[int] = ALL

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape[1:])

    @property
    def size(self) -> int:
        return self.data.size // 3

    def __repr__(self) -> str:
        return f"Rep4(shape={self.shape}, live={sorted(self.live)})"


@dataclass(frozen=True, slots=True, eq=False)
class Bits4:
    """One party's part of shared bits, packed; `data` is (3, planes, words), never changed in place.

    `shape` is the shape of one plane; its flags are numbered in C order, flag e being bit e % 64 of
    word e // 64. Bits behind the last flag are arbitrary and are never opened. A vector of flags has one
    plane; the bits of 64-bit numbers have 64, plane j holding bit j of every number.
    """

    data: Words
    shape: tuple[int, ...]
    live: frozenset[int] = ALL

    @property
    def planes(self) -> int:
        return int(self.data.shape[1])

    @property
    def size(self) -> int:
        """Flags in one plane."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"Bits4(shape={self.shape}, planes={self.planes}, live={sorted(self.live)})"


# -- arithmetic --------------------------------------------------------------------------------------


def constant(me: int, values: npt.NDArray[np.int64]) -> Rep4:
    """A public value as a sharing: it is summand 0, all others are zero."""
    data = np.zeros((3, *values.shape), np.uint64)
    if me != 0:
        data[slot(me, 0)] = values.astype(np.int64, copy=False).view(np.uint64)
    return Rep4(data, frozenset({0}))


def add(x: Rep4, y: Rep4) -> Rep4:
    return Rep4(x.data + y.data, x.live | y.live)


def sub(x: Rep4, y: Rep4) -> Rep4:
    return Rep4(x.data - y.data, x.live | y.live)


def scale(x: Rep4, factor: npt.NDArray[np.int64] | int) -> Rep4:
    """x times a public factor, broadcast to the shape of x."""
    return Rep4(x.data * np.asarray(factor, np.int64).view(np.uint64), x.live)


# -- bits --------------------------------------------------------------------------------------------


def constant_bits(me: int, values: npt.NDArray[np.bool_]) -> Bits4:
    """Public flags as a sharing with one plane."""
    data = np.zeros((3, 1, words_for(values.size)), np.uint64)
    if me != 0:
        data[slot(me, 0), 0] = pack(values.reshape(-1))
    return Bits4(data, values.shape, frozenset({0}))


def xor(x: Bits4, y: Bits4) -> Bits4:
    return Bits4(x.data ^ y.data, x.shape, x.live | y.live)


def negate(me: int, x: Bits4) -> Bits4:
    """Logical NOT of every plane: flips summand 0, which is thus live."""
    data = x.data.copy()
    if me != 0:
        own = data[slot(me, 0)]
        np.invert(own, out=own)
    return Bits4(data, x.shape, x.live | {0})


def take_planes(x: Bits4, start: int, stop: int, step: int = 1) -> Bits4:
    """Some of the planes; a view."""
    return Bits4(x.data[:, start:stop:step], x.shape, x.live)


def join_planes(parts: Sequence[Bits4]) -> Bits4:
    """Stack planes of equal shape."""
    if len({part.shape for part in parts}) != 1:
        raise UsageError(f"planes of different shapes cannot be stacked: {[p.shape for p in parts]}")
    live = frozenset[int]().union(*(part.live for part in parts))
    return Bits4(np.concatenate([part.data for part in parts], axis=1), parts[0].shape, live)


def take_bits(x: Bits4, start: int, stop: int) -> Bits4:
    """Flags start..stop of a flat vector; start is a multiple of 64. A view."""
    if len(x.shape) != 1 or start % 64 or not 0 <= start <= stop <= x.size:
        raise UsageError(f"flags {start}..{stop} of shape {x.shape} do not start at a word")
    return Bits4(x.data[:, :, start // 64 : words_for(stop)], (stop - start,), x.live)


def join_bits(parts: Sequence[Bits4]) -> Bits4:
    """Concatenate flat vectors; all but the last have a multiple of 64 flags."""
    if any(len(part.shape) != 1 for part in parts) or any(part.size % 64 for part in parts[:-1]):
        raise UsageError(f"vectors of flags must end at a word to be joined: {[p.shape for p in parts]}")
    live = frozenset[int]().union(*(part.live for part in parts))
    flags = sum(part.size for part in parts)
    return Bits4(np.concatenate([part.data for part in parts], axis=2), (flags,), live)


def parity(x: Rep4) -> Bits4:
    """The lowest bit of every element of a vector, (n,) -> (n,); local.

    The lowest bit of a sum is the exclusive or of the lowest bits: nothing is carried into it. A party that
    lies about its own bit has changed its summand, which the next product or opening detects as ever.
    """
    low = np.stack([pack((summand & np.uint64(1)).astype(np.bool_)) for summand in x.data])
    return Bits4(low[:, np.newaxis], x.shape, x.live)
