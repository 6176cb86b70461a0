"""Compiled uniform permutations: Fisher and Yates over indices, every step drawn without any bias.

A step draws a number below `left` from 32 uniform bits x: the upper half of x * left, unless its lower half
is among the (2^32 mod left) values that would make some numbers likelier than others; then the next 32 bits
are tried. So all n! orders are equally likely, not only nearly so: what a cheater gains by where its wrong
triples fall is counted exactly (`mpcd.protocols.rep3.buckets`), and a bias would not be in that count.

Permuting blocks and then inside of blocks would be kinder to the caches, but neighbours would stay near each
other: that is no uniform permutation.

Sources  [Knu] Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P;
         [Lem] Lemire, Fast random integer generation in an interval, 2019
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types, uint64

from mpcd.errors import InternalError
from mpcd.ring.kernels import compiled
from mpcd.ring.streams import Stream

Order = npt.NDArray[np.intp]

MAX_LENGTH = 1 << 31
_CHUNK_WORDS = 1 << 16
_DRAWS = types.Array(types.uint64, 1, "C", readonly=True)
_ORDER = types.Array(types.intp, 1, "C")


def permutation(stream: Stream, length: int) -> Order:
    """A uniform order of 0..length-1, the same for all who draw from equal streams.

    Raises  InternalError if the length is negative or above 2^31
    """
    if not 0 <= length <= MAX_LENGTH:
        raise InternalError(f"{length} elements cannot be permuted")
    order: Order = np.arange(length, dtype=np.intp)
    left = np.array([length], np.intp)
    while left[0] > 1:
        fisher_yates(stream.draw(min(_CHUNK_WORDS, int(left[0]) // 2 + 2)), order, left)
    return order


@compiled(types.void(_DRAWS, _ORDER, _ORDER))
def fisher_yates(draws: Any, order: Any, left: Any) -> None:
    """Go on shuffling `order` until it is done or the draws are used up; left[0]: elements not yet in place.

    A word gives two draws, its lower half first.
    """
    n = uint64(left[0])
    for k in range(2 * draws.size):
        if n < uint64(2):
            break
        x = (draws[k >> 1] >> uint64(32 * (k & 1))) & uint64(0xFFFFFFFF)
        product = x * n
        lower = product & uint64(0xFFFFFFFF)
        # 2^32 mod n is below n: most draws need no division.
        if lower < n and lower < uint64(1 << 32) % n:
            continue
        n -= uint64(1)
        chosen = product >> uint64(32)
        moved = order[n]
        order[n] = order[chosen]
        order[chosen] = moved
    left[0] = n
