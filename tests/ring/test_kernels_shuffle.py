"""Compiled permutations: against a plain one, and exactly uniform."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import InternalError
from mpcd.ring.kernels_shuffle import fisher_yates, permutation
from mpcd.ring.streams import Stream, Streams

KEY = bytes(range(16))


def stream(key: bytes = KEY, path: str = "/x") -> Stream:
    return Streams({0: key}).open(0, path)


def plain(draws: list[int], length: int) -> tuple[list[int], int]:
    """Fisher and Yates with 32-bit draws, by the definition of an unbiased draw; also what is left to do."""
    order, left = list(range(length)), length
    for x in draws:
        if left < 2:
            break
        if (x * left) % 2**32 < 2**32 % left:
            continue
        left -= 1
        chosen = (x * (left + 1)) >> 32
        order[left], order[chosen] = order[chosen], order[left]
    return order, left


def halves(words: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> list[int]:
    return [int(half) for half in np.ascontiguousarray(words).view("<u4")]


@given(st.integers(0, 300), st.binary(min_size=16, max_size=16))
def test_as_the_plain_one(length: int, key: bytes) -> None:
    order = permutation(stream(key), length)
    expected, _ = plain(halves(stream(key).draw(length + 10)), length)
    assert order.tolist() == expected


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(0, 40))
def test_any_draws_rejected_ones_included(words: list[int], length: int) -> None:
    draws = np.array(words, np.uint64)
    order, left = np.arange(length, dtype=np.intp), np.array([length], np.intp)
    fisher_yates(draws, order, left)
    expected, rest = plain(halves(draws), length)
    assert (order.tolist(), int(left[0])) == (expected, rest)


@pytest.mark.parametrize("length", [3, 5, 6, 7, 12, 100])
def test_draws_that_would_favour_some_numbers_are_rejected(length: int) -> None:
    """Exactly 2^32 mod n draws are rejected, so every number is left with as many as any other."""
    excess = 2**32 % length
    rejected = 0
    for low in range(2 * length):
        # The draws x with (x * n) mod 2^32 = low, one of them if n is odd.
        if length % 2 == 0 and low % 2:
            continue
        odd, shift = length, 0
        while odd % 2 == 0:
            odd, shift = odd // 2, shift + 1
        if low % (1 << shift):
            continue
        x = (low >> shift) * pow(odd, -1, 2**32) % 2 ** (32 - shift)
        order, left = np.arange(length, dtype=np.intp), np.array([length], np.intp)
        fisher_yates(np.array([x | (1 << 63)], np.uint64), order, left)
        _, rest = plain([x, 1 << 31], length)
        assert left[0] == rest
        rejected += (1 << shift) if (x * length) % 2**32 < excess else 0
    assert rejected == excess


def test_all_orders_are_equally_likely() -> None:
    """Every pair of numbers to draw for three elements, by the middles of their intervals."""
    seen: Counter[tuple[int, ...]] = Counter()
    for first, second in product(range(3), range(2)):
        x = (first * 2**32) // 3 + 2**30 | ((second * 2**31) + 2**30) << 32
        order, left = np.arange(3, dtype=np.intp), np.array([3], np.intp)
        fisher_yates(np.array([x], np.uint64), order, left)
        seen[tuple(order.tolist())] += 1
    assert len(seen) == 6


def test_where_an_element_goes_is_uniform() -> None:
    length, runs = 20, 4000
    places = np.zeros((length, length))
    streams = Streams({0: KEY})
    for run in range(runs):
        places[np.arange(length), permutation(streams.open(0, f"/{run}"), length)] += 1
    expected = runs / length
    chi_square = ((places - expected) ** 2 / expected).sum()
    freedom = (length - 1) ** 2
    assert abs(chi_square - freedom) < 4.5 * (2 * freedom) ** 0.5


def test_a_long_order_takes_several_slices_and_is_an_order() -> None:
    order = permutation(stream(), 300_001)
    assert np.array_equal(np.sort(order), np.arange(300_001))
    assert abs(float(np.corrcoef(order, np.arange(300_001))[0, 1])) < 0.01


@pytest.mark.parametrize("length", [-1, (1 << 31) + 1])
def test_impossible_lengths_are_refused(length: int) -> None:
    with pytest.raises(InternalError):
        permutation(stream(), length)
