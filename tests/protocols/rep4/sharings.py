"""Sharings with dead summands, and what a party cannot see of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4, held
from mpcd.protocols.rounds import Words

LIVES = [ALL, *(frozenset(pair) for pair in combinations(range(4), 2)), frozenset({0}), frozenset({1, 2, 3})]
"""Masks that occur: everything, what joint messages leave, constants, and one of three."""


def words(seed: int, *shape: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def spread(x: Words, live: frozenset[int], seed: int, *, bits: bool = False) -> list[Words]:
    """Four summands of x, those that are not live being zero."""
    parts = [np.zeros_like(x) for _ in range(4)]
    last, *others = sorted(live)
    parts[last] = x.copy()
    for k, a in enumerate(others):
        parts[a] = words(seed + k, *x.shape)
        parts[last] = parts[last] ^ parts[a] if bits else parts[last] - parts[a]
    return parts


def dealt(parts: list[Words], live: frozenset[int] = ALL) -> list[Rep4]:
    """Hand out summands."""
    return [Rep4(np.stack([parts[a] for a in held(me)]), live) for me in range(4)]


def share_live(x: Words, live: frozenset[int] = ALL, seed: int = 1) -> list[Rep4]:
    return dealt(spread(x, live, seed), live)


def share_planes(x: Words, live: frozenset[int] = ALL, seed: int = 1) -> list[Bits4]:
    """(planes, words) packed bits, every bit of the words being in use."""
    flags = (64 * x.shape[1],)
    return [Bits4(r.data, flags, live) for r in dealt(spread(x, live, seed, bits=True), live)]
