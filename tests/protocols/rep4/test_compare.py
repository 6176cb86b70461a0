"""Comparisons: results at every edge, costs, and what the declared limits really are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.rep4 import compare
from mpcd.protocols.rounds import Rounds
from mpcd.ring.bits import words_for
from tests.protocols.rep4.four import EDGES, MAX, MIN, parties, reveal_bits, run, share

INT64 = st.one_of(st.sampled_from([int(v) for v in EDGES]), st.integers(MIN, MAX))
NARROW = st.one_of(st.sampled_from([0, 1, -1, 2**62 - 1, -(2**62), 2**61]), st.integers(-(2**62), 2**62 - 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(INT64, max_size=70), st.integers(0, 2**32))
def test_the_sign_is_exact_everywhere(values: list[int], seed: int) -> None:
    x = np.array(values, np.int64)
    np.testing.assert_array_equal(
        reveal_bits(run(compare.negative, share(x, seed), seed=seed).results()), x < 0
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NARROW, NARROW), max_size=70), st.integers(0, 2**32))
def test_less_than_is_exact_for_63_bits(pairs: list[tuple[int, int]], seed: int) -> None:
    x, y = np.array(pairs, np.int64).reshape(-1, 2).T
    shares = share(x, seed), share(y, seed + 1)
    np.testing.assert_array_equal(reveal_bits(run(compare.less_than, *shares, seed=seed).results()), x < y)


def test_less_than_full_at_all_pairs_of_edges() -> None:
    x, y = np.meshgrid(EDGES, EDGES)
    found = reveal_bits(run(compare.less_than_full, share(x, 1), share(y, 2)).results())
    np.testing.assert_array_equal(found, x < y)


def test_less_than_is_wrong_beyond_its_limit_and_the_full_one_is_not() -> None:
    """So that nobody takes the limit for caution: 2^63 - 1 < -2^62 comes out as true."""
    x, y = np.array([MAX]), np.array([-(2**62)])
    assert reveal_bits(run(compare.less_than, share(x), share(y, 1)).results())[0]
    assert not reveal_bits(run(compare.less_than_full, share(x), share(y, 1)).results())[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(INT64, INT64, st.booleans()), max_size=70), st.integers(0, 2**32))
def test_equal_is_exact_everywhere(rows: list[tuple[int, int, bool]], seed: int) -> None:
    x = np.array([a for a, _, _ in rows], np.int64)
    y = np.array([a if same else b for a, b, same in rows], np.int64)
    found = reveal_bits(run(compare.equal, share(x, seed), share(y, seed + 1), seed=seed).results())
    np.testing.assert_array_equal(found, x == y)


def test_equal_notices_every_single_bit() -> None:
    x = np.zeros(64, np.uint64)
    y = np.uint64(1) << np.arange(64, dtype=np.uint64)
    assert not reveal_bits(run(compare.equal, share(x), share(y, 1)).results()).any()


BOUNDS = [
    (0, 0), (0, 2**32 - 1), (-5, 7), (MAX, MAX), (MIN, MIN), (MIN, 0), (0, MAX), (-(2**62), 2**62 - 1),
    (-1, MAX - 1),  # high - low = 2^63 - 1: the widest range that two signs can check
    (-1, MAX), (MIN, -1 + 1), (MIN, MAX - 1), (MIN + 1, MAX), (MIN, MAX), (-(2**62), MAX), (MIN, 2**62),
]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_the_range_check_is_exact_for_every_value_and_every_range(low: int, high: int) -> None:
    around = [w % 2**64 for b in (low, high) for w in range(b - 2, b + 3)]
    x = np.array([*around, *EDGES.view(np.uint64), 2**63 + 50], np.uint64)
    found = reveal_bits(run(compare.range_check, share(x, 3), low, high).results())
    signed = x.view(np.int64)
    np.testing.assert_array_equal(found, (signed >= low) & (signed <= high))


def test_the_two_signs_alone_would_reject_good_values_of_a_wide_range() -> None:
    """Why wide ranges go by their complement: in [MIN, MAX - 1] the value 5 fails the plain check."""
    plain = run(compare._inside, share(np.array([5])), MIN, MAX - 1).results()
    assert not reveal_bits(plain)[0]
    exact = run(compare.range_check, share(np.array([5])), MIN, MAX - 1).results()
    assert reveal_bits(exact)[0]


@settings(max_examples=40, deadline=None)
@given(INT64, INT64, st.lists(INT64, min_size=1, max_size=5))
def test_range_check_at_random_ranges(a: int, b: int, values: list[int]) -> None:
    low, high = min(a, b), max(a, b)
    x = np.array(values, np.int64)
    found = reveal_bits(run(compare.range_check, share(x), low, high).results())
    np.testing.assert_array_equal(found, (x >= low) & (x <= high))


@pytest.mark.parametrize(("low", "high"), [(1, 0), (MIN - 1, 0), (0, MAX + 1)])
def test_a_range_must_be_one(low: int, high: int) -> None:
    with pytest.raises(UsageError):
        next(compare.range_check(parties()[0], share(EDGES)[0], low, high))


@pytest.mark.parametrize("operation", [compare.less_than, compare.less_than_full, compare.equal])
def test_shapes_must_be_equal(operation: Callable[..., Rounds[Any]]) -> None:
    with pytest.raises(UsageError):
        next(operation(parties()[0], share(EDGES)[0], share(EDGES[:1])[0]))


@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (2, 0, 3), (1, 64)])
def test_every_shape_works(shape: tuple[int, ...]) -> None:
    x = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape) - 4
    found = reveal_bits(run(compare.less_than_full, share(x), share(np.zeros_like(x), 1)).results())
    np.testing.assert_array_equal(found, x < 0)
    np.testing.assert_array_equal(
        reveal_bits(run(compare.range_check, share(x), -2, 3).results()), (x >= -2) & (x <= 3)
    )


@pytest.mark.parametrize("n", [1, 64, 100, 6400])
def test_costs(n: int) -> None:
    """The formulas of the docstrings, in bytes of all parties together."""
    x, y, words = share(np.arange(n)), share(np.arange(n)[::-1].copy(), 1), words_for(n)
    sign = 8 * words * (128 + 63 * 4 + 118 * 6)
    table: list[tuple[Callable[..., Rounds[Any]], tuple[Any, ...], int, int]] = [
        (compare.negative, (x,), 8, sign),
        (compare.less_than, (x, y), 8, sign),
        (compare.less_than_full, (x, y), 9, 3 * sign + 8 * words * 6),
        (compare.equal, (x, y), 7, 8 * words * (128 + 63 * 6)),
        (compare.range_check, (x, 0, 9), 9, 2 * sign + 8 * words * 6),
        (compare.range_check, (x, MIN, MAX), 0, 0),
    ]
    for step, args, rounds, expected in table:
        found = run(step, *args)
        found.results()
        assert (found.rounds, sum(found.payload_bytes.values())) == (rounds, expected)


def test_a_comparison_of_many_values_sends_34_bytes_per_value_and_party() -> None:
    n = 6400
    found = run(compare.less_than, share(np.arange(n)), share(np.arange(n), 1))
    assert sum(found.payload_bytes.values()) == 136 * n
    assert all(abs(found.payload_bytes[p] / n - 34) < 0.1 for p in range(4))
    found = run(compare.equal, share(np.arange(n)), share(np.arange(n), 1))
    assert sum(found.payload_bytes.values()) == int(63.25 * n)
