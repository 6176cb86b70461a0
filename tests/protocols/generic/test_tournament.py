"""Tournaments: winners, ties, odd numbers of rows, rounds; and what an unchecked input does to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.generic.tournament import largest, two_largest
from mpcd.protocols.rep4 import compare
from mpcd.protocols.rep4.costs import cost
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from tests.protocols.generic.engines import ENGINES, Numbers, opened, run
from tests.protocols.rep4.four import MAX, MIN, parties, reveal_bits, share
from tests.protocols.rep4.four import run as run_four

NARROW = st.integers(-(2**62), 2**62 - 1)
FEW = st.integers(-2, 2)
"""So few values that nearly every tournament has ties."""


def with_positions(e: AnyEngine, table: Any) -> Any:
    """Add a last line that holds each row's number."""
    positions = np.arange(table.shape[1], dtype=np.int64)[np.newaxis]
    return e.join([table, e.constant(positions)], 0)


def best(e: AnyEngine, keys: Any) -> Rounds[Any]:
    """The largest key and its position."""
    return largest(e.at("best"), with_positions(e, e.reshape(keys, (1, *keys.shape))))


def best_two(e: AnyEngine, keys: Any) -> Rounds[Any]:
    """The two largest keys and their positions."""
    table = with_positions(e, e.reshape(keys, (1, *keys.shape)))
    return two_largest(e.at("best"), table, default=(-7, -1))


def best_two_full(e: AnyEngine, keys: Any) -> Rounds[Any]:
    table = with_positions(e, e.reshape(keys, (1, *keys.shape)))
    return two_largest(e.at("best"), table, default=(-7, -1), full=True)


def ranking(keys: Numbers) -> Numbers:
    """Positions from the largest key to the smallest, equal keys in the order of the rows."""
    return np.argsort(-keys.astype(object), kind="stable")


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(st.one_of(st.lists(NARROW, min_size=1, max_size=20), st.lists(FEW, min_size=1, max_size=20)))
def test_the_first_of_the_largest_wins(engine: str, values: list[int]) -> None:
    keys = np.array(values, np.int64)
    (found,) = opened(engine, best, keys)
    winner = int(np.argmax(keys))
    assert found.tolist() == [keys[winner], winner]


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=25, deadline=None)
@given(st.one_of(st.lists(NARROW, min_size=2, max_size=20), st.lists(FEW, min_size=2, max_size=20)))
def test_the_second_follows_in_the_same_order(engine: str, values: list[int]) -> None:
    keys = np.array(values, np.int64)
    first, second = opened(engine, best_two, keys)
    order = ranking(keys)
    assert first.tolist() == [keys[order[0]], order[0]]
    assert second.tolist() == [keys[order[1]], order[1]]


@pytest.mark.parametrize("n", range(2, 14))
def test_every_number_of_rows_with_the_two_best_at_many_places(n: int) -> None:
    """Places of the two largest, and of two that are equal: about twelve for every n, evenly spread."""
    cases = [np.zeros(n, np.int64) for _ in range(2 * n * n)]
    for i in range(n):
        for j in range(n):
            cases[2 * (i * n + j)][[i, j]] = 5, 3
            cases[2 * (i * n + j) + 1][[i, j]] = 5, 5
    for keys in cases[:: max(1, len(cases) // 12)]:
        first, second = opened("toy", best_two, keys)
        assert [first[1], second[1]] == ranking(keys)[:2].tolist()


def test_one_row_has_a_public_second() -> None:
    first, second = opened("rep4", best_two, np.array([4]))
    assert first.tolist() == [4, 0]
    assert second.tolist() == [-7, -1]
    assert run("rep4", best_two, np.array([4])).rounds == 2


def test_columns_travel_with_their_keys() -> None:
    table = np.array([[3, 9, 4, 9, 1], [10, 11, 12, 13, 14], [MIN, MAX, -1, 0, 1]])

    def step(e: AnyEngine, rows: Any) -> Rounds[Any]:
        return two_largest(e, rows, default=(0, 0, 0))

    for engine in ENGINES:
        first, second = opened(engine, step, table)
        assert (first.tolist(), second.tolist()) == ([9, 11, MAX], [9, 13, 0])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([MIN, MIN + 1, -1, 0, 1, MAX - 1, MAX, 2**62]), min_size=2, max_size=9))
def test_full_comparisons_hold_for_every_key(values: list[int]) -> None:
    keys = np.array(values, np.int64)
    first, second = opened("rep4", best_two_full, keys)
    assert [first[1], second[1]] == ranking(keys)[:2].tolist()


@pytest.mark.parametrize(("n", "levels"), [(1, 0), (2, 1), (3, 2), (5, 3), (8, 3), (9, 4)])
def test_rounds_grow_with_the_logarithm(n: int, levels: int) -> None:
    keys = np.arange(n)
    opening = 1
    assert run("rep4", best, keys).rounds == 11 * levels + opening
    assert run("rep4", best_two, keys).rounds == max(0, 12 * levels - 1) + 2 * opening


def test_bytes_of_one_level() -> None:
    """256 rows meet once: 128 comparisons, 128 selections of two columns; then the levels get smaller."""
    found = run("rep4", best, np.arange(256))
    expected = cost("open", 2)
    for pairs in (128, 64, 32, 16, 8, 4, 2, 1):
        one = cost("less_than", pairs).then(cost("to_arithmetic", pairs), cost("mul", 2 * pairs))
        expected = expected.then(one)
    assert tuple(found.payload_bytes[p] for p in range(4)) == expected.sent


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 0)])
def test_an_empty_table_is_refused(shape: tuple[int, ...]) -> None:
    e = Rep4Engine(parties()[0])
    with pytest.raises(UsageError):
        next(largest(e, share(np.zeros(shape, np.int64))[0]))
    with pytest.raises(UsageError):
        next(two_largest(e, share(np.zeros((2, 1), np.int64))[0], default=(1,)))


def test_an_input_out_of_range_makes_a_loser_win_and_the_range_check_names_it() -> None:
    """Why declared ranges are checked inside the computation: an owner shares 2^63 + 50 as its bid.

    100 - (2^63 + 50) has its top bit set, so the cheater beats the bid 100; 2^63 + 50 - 40 has it set,
    too, so it then loses against the bid 40, which wins instead of 100. The cheater has chosen the winner.
    """
    bids = np.array([100, 2**63 + 50, 40, 7], np.uint64).view(np.int64)
    (found,) = opened("rep4", best, bids)
    assert found.tolist() == [40, 2]

    inside = reveal_bits(run_four(compare.range_check, share(bids), 0, 2**32 - 1).results())
    assert inside.tolist() == [True, False, True, True]
