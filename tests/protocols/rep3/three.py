"""Three parties for tests: sharing, running, revealing.

Everything is reproducible: keys and shares come from the seed that a test gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3, held
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


def secrets(what: str, seed: int) -> list[bytes]:
    """Three secrets of 16 bytes, one per piece."""
    return [hashlib.sha256(f"{what} {i} of run {seed}".encode()).digest()[:16] for i in range(3)]


def parties(seed: int = 0) -> list[Party3]:
    """Three parties with the keys that belong to a seed; party i has those of pieces i and i + 1."""
    keys, roots = secrets("key", seed), secrets("root", seed)
    return [
        Party3(me, Streams({i: keys[i] for i in held(me)}), {i: roots[i] for i in held(me)})
        for me in range(3)
    ]


def pieces(x: Words, seed: int, *, bits: bool = False) -> list[Words]:
    """Three arrays of words that add up to x (whose exclusive or is x); any two are uniform."""
    random = np.random.default_rng(seed)
    parts = [random.integers(0, 2**64, x.shape, np.uint64) for _ in range(2)]
    rest = x.copy()
    for part in parts:
        rest = rest ^ part if bits else rest - part
    return [*parts, rest]


def dealt(parts: Sequence[Words]) -> list[Rep3]:
    """Hand out pieces."""
    return [Rep3(np.stack([parts[i] for i in held(me)])) for me in range(3)]


def share(x: npt.NDArray[Any], seed: int = 0) -> list[Rep3]:
    """Signed or unsigned 64-bit integers as a sharing, party by party."""
    return dealt(pieces(np.ascontiguousarray(x).view(np.uint64), seed))


def share_planes(x: Words, shape: tuple[int, ...], seed: int = 0) -> list[Bits3]:
    """(planes, words) packed bits as a sharing."""
    return [Bits3(part.data, shape) for part in dealt(pieces(x, seed, bits=True))]


def share_bits(x: npt.NDArray[np.bool_], seed: int = 0) -> list[Bits3]:
    """Flags as a sharing with one plane; bits behind the last flag are random, too."""
    return share_planes(pack(x.reshape(-1))[np.newaxis], x.shape, seed)


def each(step: Callable[..., Rounds[Any]], *args: Any, seed: int = 0) -> list[Rounds[Any]]:
    """Start a step at every party; a list of three is given out party by party, the rest to all."""
    return [
        step(p, *(arg[p.me] if isinstance(arg, list) and len(arg) == 3 else arg for arg in args))
        for p in parties(seed)
    ]


def run(step: Callable[..., Rounds[Any]], *args: Any, seed: int = 0) -> Run[Any]:
    """Run a step at three honest parties."""
    return lockstep(each(step, *args, seed=seed))


def reveal(shared: Sequence[Rep3]) -> npt.NDArray[np.int64]:
    """Put a sharing together; the holders of each piece must agree."""
    total: Words = np.add.reduce(together([x.data for x in shared]))
    return total.view(np.int64)


def reveal_planes(shared: Sequence[Bits3]) -> Words:
    """As `reveal`, for packed bits: (planes, words)."""
    first, second, third = together([x.data for x in shared])
    return first ^ second ^ third


def reveal_bits(shared: Sequence[Bits3]) -> npt.NDArray[np.bool_]:
    """The flags of a sharing with one plane."""
    (plane,) = reveal_planes(shared)
    return unpack(plane, shared[0].size).reshape(shared[0].shape)


def together(data: Sequence[Words]) -> list[Words]:
    """The three pieces of what three parties hold, (2, *s) each."""
    for me in range(3):
        np.testing.assert_array_equal(data[me][1], data[(me + 1) % 3][0])
    return [part[0] for part in data]
