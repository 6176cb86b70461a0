"""Comparisons and the AND: right for all values, and as cheap as their documentation says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.rep3 import compare, gates
from mpcd.protocols.rep3.buckets import choose
from mpcd.protocols.rep3.sizes import EQUAL_ANDS, SIGN_ANDS
from mpcd.ring.bits import words_for
from tests.protocols.rep3.boolean import play, players
from tests.protocols.rep3.three import EDGES, MAX, MIN, reveal_bits, share, share_bits

Ints = npt.NDArray[np.int64]
numbers = st.one_of(st.sampled_from(EDGES.tolist()), st.integers(MIN, MAX), st.integers(-3, 3))
lists = st.lists(numbers, min_size=1, max_size=80)
PAIRS = np.repeat(EDGES, EDGES.size), np.tile(EDGES, EDGES.size)


def compared(step: Callable[..., Any], *xs: Ints, checked: bool) -> npt.NDArray[np.bool_]:
    shares = [share(x, k) for k, x in enumerate(xs)]
    return reveal_bits(play(step, *shares, checked=checked).results())


@pytest.mark.parametrize("checked", [True, False])
def test_every_pair_of_edge_values(checked: bool) -> None:
    x, y = PAIRS
    np.testing.assert_array_equal(compared(compare.less_than_full, x, y, checked=checked), x < y)
    np.testing.assert_array_equal(compared(compare.equal, x, y, checked=checked), x == y)
    np.testing.assert_array_equal(compared(compare.negative, EDGES, checked=checked), EDGES < 0)
    inside = (abs(x) <= 2**62 - 1) & (abs(y) <= 2**62 - 1) & (x != MIN) & (y != MIN)
    np.testing.assert_array_equal(
        compared(compare.less_than, x[inside], y[inside], checked=checked), x[inside] < y[inside]
    )


@settings(max_examples=25, deadline=None)
@given(lists, st.booleans(), st.data())
def test_comparisons_are_those_of_integers(values: list[int], checked: bool, data: st.DataObject) -> None:
    x = np.array(values, np.int64)
    y = np.array([data.draw(st.one_of(st.just(v), numbers)) for v in values], np.int64)
    np.testing.assert_array_equal(compared(compare.less_than_full, x, y, checked=checked), x < y)
    np.testing.assert_array_equal(compared(compare.equal, x, y, checked=checked), x == y)
    np.testing.assert_array_equal(compared(compare.negative, x, checked=checked), x < 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 63), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
def test_equality_sees_every_bit(bit: int, values: list[int]) -> None:
    """Two numbers that differ in one bit, whatever the pieces are."""
    x = np.array(values, np.uint64)
    y = x ^ np.uint64(1 << bit)
    for seed in range(3):
        done = play(compare.equal, share(x, seed), share(y, seed + 10), checked=False)
        assert not reveal_bits(done.results()).any()


RANGES = [
    (0, 0),
    (-3, 9),
    (MIN, 0),
    (0, MAX),
    (MIN, MAX - 1),
    (MIN + 1, MAX),
    (MIN, MIN),
    (MAX, MAX),
    (-1, MAX),
]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_ranges_are_exact(low: int, high: int) -> None:
    x = np.unique(
        np.concatenate([EDGES, [v for b in (low, high) for v in (b - 1, b, b + 1) if MIN <= v <= MAX]])
    )
    for checked in (True, False):
        done = play(compare.range_check, share(x), low, high, checked=checked)
        np.testing.assert_array_equal(reveal_bits(done.results()), (x >= low) & (x <= high))


def test_the_full_range_needs_no_round() -> None:
    done = play(compare.range_check, share(EDGES), MIN, MAX)
    assert done.rounds == 0
    assert reveal_bits(done.results()).all()


@pytest.mark.parametrize(("low", "high"), [(1, 0), (MIN - 1, 0), (0, MAX + 1)])
def test_what_is_no_range_is_refused(low: int, high: int) -> None:
    with pytest.raises(UsageError, match="range"):
        next(compare.range_check(players(checked=True)[0], share(EDGES)[0], low, high))


@pytest.mark.parametrize("step", [compare.less_than, compare.less_than_full, compare.equal])
def test_shapes_must_be_equal(step: Any) -> None:
    with pytest.raises(UsageError, match="shapes"):
        next(step(players(checked=True)[0], share(EDGES)[0], share(EDGES[1:])[0]))


@pytest.mark.parametrize("checked", [True, False])
def test_shapes_are_kept(checked: bool) -> None:
    x = np.arange(-6, 6).reshape(3, 4)
    done = play(compare.negative, share(x), checked=checked).results()
    assert done[0].shape == (3, 4)
    np.testing.assert_array_equal(reveal_bits(done), x < 0)


# -- AND ------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200), st.booleans())
def test_conj_is_and(pairs: list[tuple[bool, bool]], checked: bool) -> None:
    x, y = (np.array(side) for side in zip(*pairs, strict=True))
    done = play(gates.conj, share_bits(x), share_bits(y, 1), checked=checked)
    np.testing.assert_array_equal(reveal_bits(done.results()), x & y)


@pytest.mark.parametrize("checked", [True, False])
def test_conj_needs_equal_shapes(checked: bool) -> None:
    x, y = share_bits(np.zeros(3, bool)), share_bits(np.zeros(4, bool))
    with pytest.raises(UsageError, match="planes"):
        next(gates.conj(players(checked=checked)[0], x[0], y[0]))

    def inside(p: Any, x: Any, y: Any) -> Any:
        c = yield from gates.gates(p, 1)
        return (yield from c.conj(x, y))

    with pytest.raises(UsageError, match="planes"):
        play(inside, x, y, checked=checked).results()


def test_gates_give_no_more_ands_than_were_ordered() -> None:
    def twice(p: Any, x: Any) -> Any:
        c = yield from gates.gates(p, choose(1).size)
        yield from c.at(0).conj(x, x)
        return (yield from c.at(1).conj(x, x))

    with pytest.raises(InternalError, match="0 are left"):
        play(twice, share_bits(np.ones(3, bool))).results()


# -- costs ----------------------------------------------------------------------------------------------


def _numbers(n: int) -> tuple[Any, ...]:
    return share(np.arange(n)), share(np.arange(n) - 5, 1)


OPERATIONS: dict[str, tuple[Any, Callable[[int], tuple[Any, ...]], int, int]] = {
    "conj": (gates.conj, lambda n: (share_bits(np.ones(n, bool)), share_bits(np.ones(n, bool))), 1, 1),
    "negative": (compare.negative, lambda n: _numbers(n)[:1], SIGN_ANDS, 8),
    "less_than": (compare.less_than, _numbers, SIGN_ANDS, 8),
    "less_than_full": (compare.less_than_full, _numbers, 3 * SIGN_ANDS + 1, 9),
    "equal": (compare.equal, _numbers, EQUAL_ANDS, 8),
    "range_check": (compare.range_check, lambda n: (*_numbers(n)[:1], -3, 9), 2 * SIGN_ANDS + 1, 9),
}
"""Operation: step, arguments for n results, ANDs of a plane, rounds of gates."""


@pytest.mark.parametrize("n", [0, 1, 64, 65, 700])
@pytest.mark.parametrize("name", OPERATIONS)
def test_costs(name: str, n: int) -> None:
    step, args, ands, rounds = OPERATIONS[name]
    words = ands * words_for(n)
    done = play(step, *args(n), checked=False)
    assert done.rounds == rounds
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), 8 * words)
    done = play(step, *args(n))
    assert done.rounds == 5 + rounds
    batch = 8 * choose(max(words, 1)).words + 32 + 64
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), batch + 16 * words)


def test_the_numbers_of_the_documentation() -> None:
    assert (SIGN_ANDS, EQUAL_ANDS) == (241, 188)
