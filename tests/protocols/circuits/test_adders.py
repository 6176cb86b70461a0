"""Circuits on bits in clear, against integer arithmetic; and their number of ANDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.protocols.circuits import adders
from mpcd.protocols.circuits.gates import Planes
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.ring.bits import from_planes, to_planes

ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


class ClearGates:
    """Gates on words that everybody sees; `conj` takes a round all the same, and is counted."""

    def __init__(self, path: str, ands: dict[str, int]) -> None:
        self.path = path
        self.ands = ands

    def at(self, *steps: str | int) -> Self:
        return type(self)("/".join([self.path, *map(str, steps)]), self.ands)

    def count(self, x: Words) -> int:
        return int(x.shape[0])

    def take(self, x: Words, planes: Planes) -> Words:
        return x[planes]

    def join(self, parts: Sequence[Words]) -> Words:
        return np.concatenate(parts)

    def xor(self, x: Words, y: Words) -> Words:
        return x ^ y

    def negate(self, x: Words) -> Words:
        return ~x

    def conj(self, x: Words, y: Words) -> Rounds[Words]:
        assert self.path not in self.ands, "two gates share a path"
        assert x.shape == y.shape
        self.ands[self.path] = int(x.shape[0])
        yield Round(self.path)
        return x & y


def evaluate(circuit: Any, *args: Words) -> tuple[Words, int, int]:
    """The result, the rounds and the ANDs of a circuit."""
    ands: dict[str, int] = {}
    step, rounds = circuit(ClearGates("", ands), *args), 0
    try:
        step.send(None)
        while True:
            rounds += 1
            step.send({})
    except StopIteration as stop:
        return stop.value, rounds, sum(ands.values())


def levels(planes: int) -> int:
    return max(planes - 1, 0).bit_length()


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=70),
    st.integers(1, 64),
)
def test_the_carry_is_that_of_the_sum(pairs: list[tuple[int, int]], width: int) -> None:
    u, v = (to_planes(np.array(side, np.uint64))[:width] for side in zip(*pairs, strict=True))
    g, q = u & v, u ^ v
    carry, rounds, ands = evaluate(adders.carry_out, g, q[1:])
    mask = (1 << width) - 1
    for e, (a, b) in enumerate(pairs):
        assert int(carry[0, e // 64]) >> e % 64 & 1 == ((a & mask) + (b & mask)) >> width
    assert (rounds, ands) == (levels(width), adders.carry_ands(width))


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=70),
    st.integers(1, 63),
)
def test_all_carries_give_all_bits_of_the_sum(pairs: list[tuple[int, int]], width: int) -> None:
    u, v = (to_planes(np.array(side, np.uint64)) for side in zip(*pairs, strict=True))
    carries, rounds, ands = evaluate(adders.all_carries, (u & v)[:width], (u ^ v)[:width])
    bits = u ^ v
    bits[1 : width + 1] ^= carries
    total = from_planes(bits, len(pairs))
    mask = (1 << width + 1) - 1
    assert [int(t) & mask for t in total] == [(a + b) & mask for a, b in pairs]
    assert (rounds, ands) == (levels(width), adders.all_carries_ands(width))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=70), st.integers(0, 1))
def test_all_ones_is_the_and_of_all(planes: list[int], full: int) -> None:
    words = np.array(planes, np.uint64).reshape(-1, 1) | (ONES * np.uint64(full))
    found, rounds, ands = evaluate(adders.all_ones, words)
    assert found[0, 0] == np.bitwise_and.reduce(words[:, 0])
    assert found.shape == (1, 1)
    assert (rounds, ands) == (levels(len(planes)), len(planes) - 1)


@pytest.mark.parametrize(
    ("planes", "carry", "every"),
    [(0, 0, 0), (1, 0, 0), (2, 1, 1), (62, 116, 301), (63, 118, 310), (64, 120, 321)],
)
def test_numbers_of_ands(planes: int, carry: int, every: int) -> None:
    assert adders.carry_ands(planes) == carry
    assert adders.all_carries_ands(planes) == every
