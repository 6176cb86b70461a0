"""The toy's correlated randomness: a dealer that every party simulates from one seed the test knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from mpcd.errors import InternalError
from mpcd.protocols.rounds import Words

Combine = Callable[[Words, Words], Words]


class Dealer:
    """Hands party `me` its parts. Every draw has a path of its own; a repeat is a bug, as in real engines."""

    def __init__(self, me: int, seed: int) -> None:
        self._me = me
        self._seed = seed
        self._used: set[str] = set()

    def triple(
        self, path: str, first: tuple[int, ...], second: tuple[int, ...], product: Combine
    ) -> tuple[Words, Words, Words]:
        """Additive parts of random a, b and of product(a, b)."""
        self._use(path)
        a, b = self._random(path + "#a", first), self._random(path + "#b", second)
        c = product(a, b)
        parts = (self._part(f"{path}#{k}", value) for k, value in (("ma", a), ("mb", b), ("mc", c)))
        return next(parts), next(parts), next(parts)

    def bit_triple(self, path: str, shape: tuple[int, ...]) -> tuple[Words, Words, Words]:
        """XOR parts of random words a, b and of a & b."""
        self._use(path)
        a, b = self._random(path + "#a", shape), self._random(path + "#b", shape)
        masks = [self._random(f"{path}#m{k}", shape) for k in range(3)]
        if self._me == 0:
            return masks[0], masks[1], masks[2]
        return a ^ masks[0], b ^ masks[1], (a & b) ^ masks[2]

    def _part(self, name: str, value: Words) -> Words:
        mask = self._random(name, value.shape)
        return mask if self._me == 0 else value - mask

    def _random(self, name: str, shape: tuple[int, ...]) -> Words:
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest, "little"))
        return generator.integers(0, 2**64, shape, dtype=np.uint64)

    def _use(self, path: str) -> None:
        if path in self._used:
            raise InternalError(f"randomness {path} is drawn twice")
        self._used.add(path)
