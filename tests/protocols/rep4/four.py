"""Four parties for tests of conversions and comparisons: sharing, running, revealing.

Everything is reproducible: keys and shares come from the seed that a test gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Bits4, Rep4, held
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.bits import pack, unpack
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import Run, lockstep

MIN, MAX = -(2**63), 2**63 - 1
EDGES = np.array(
    [0, 1, -1, 2, -2, 2**31, -(2**31), 2**62 - 1, 2**62, -(2**62), -(2**62) - 1, MAX, MAX - 1, MIN, MIN + 1],
    np.int64,
)
"""Values at which carries, signs and ranges change."""


def parties(seed: int = 0) -> list[Party4]:
    """Four parties with the keys that belong to a seed; party a does not have key a."""
    keys = [hashlib.sha256(b"key %d of run %d" % (a, seed)).digest()[:16] for a in range(4)]
    return [Party4(me, Streams({a: keys[a] for a in held(me)})) for me in range(4)]


def summands(x: Words, seed: int, *, bits: bool = False) -> list[Words]:
    """Four words arrays that add up to x (whose exclusive or is x); any three are uniform."""
    random = np.random.default_rng(seed)
    parts = [random.integers(0, 2**64, x.shape, np.uint64) for _ in range(3)]
    rest = x.copy()
    for part in parts:
        rest = rest ^ part if bits else rest - part
    return [*parts, rest]


def share(x: npt.NDArray[Any], seed: int = 0) -> list[Rep4]:
    """Signed or unsigned 64-bit integers as a sharing, party by party."""
    parts = summands(np.ascontiguousarray(x).view(np.uint64), seed)
    return [Rep4(np.stack([parts[a] for a in held(me)])) for me in range(4)]


def share_bits(x: npt.NDArray[np.bool_], seed: int = 0) -> list[Bits4]:
    """Flags as a sharing with one plane; bits behind the last flag are random, too."""
    parts = summands(pack(x.reshape(-1)), seed, bits=True)
    return [Bits4(np.stack([parts[a] for a in held(me)])[:, np.newaxis], x.shape) for me in range(4)]


def each(step: Callable[..., Rounds[Any]], *args: Any, seed: int = 0) -> list[Rounds[Any]]:
    """Start a step at every party; a list of four is given out party by party, the rest to all."""
    return [
        step(p, *(arg[p.me] if isinstance(arg, list) and len(arg) == 4 else arg for arg in args))
        for p in parties(seed)
    ]


def run(step: Callable[..., Rounds[Any]], *args: Any, seed: int = 0) -> Run[Any]:
    """Run a step at four honest parties."""
    return lockstep(each(step, *args, seed=seed))


def reveal(shared: Sequence[Rep4]) -> npt.NDArray[np.int64]:
    """Put a sharing together; the holders of each summand must agree, and dead summands must be zero."""
    return sum(_parts([x.data for x in shared], shared[0].live, [x.live for x in shared])).view(np.int64)  # type: ignore[union-attr]


def reveal_planes(shared: Sequence[Bits4]) -> Words:
    """As `reveal`, for packed bits: (planes, words)."""
    parts = _parts([x.data for x in shared], shared[0].live, [x.live for x in shared])
    total: Words = np.bitwise_xor.reduce(parts)
    return total


def reveal_bits(shared: Sequence[Bits4]) -> npt.NDArray[np.bool_]:
    """The flags of a sharing with one plane."""
    (plane,) = reveal_planes(shared)
    return unpack(plane, shared[0].size).reshape(shared[0].shape)


def _parts(data: list[Words], live: frozenset[int], lives: list[frozenset[int]]) -> list[Words]:
    assert lives == [live] * 4
    parts: list[Words] = []
    for a in range(4):
        views = [data[me][held(me).index(a)] for me in range(4) if me != a]
        for view in views:
            np.testing.assert_array_equal(view, views[0])
        if a not in live:
            assert not views[0].any()
        parts.append(views[0])
    return parts
