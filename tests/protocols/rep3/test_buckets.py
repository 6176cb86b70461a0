"""The parameters of bucket checks against the formula, counted out and played out."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb, log2

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.protocols.rep3.buckets import Buckets, choose, success

LIMIT = Fraction(1, 1 << 40)


def wrong_everywhere(b: Buckets, m: int) -> Fraction:
    """w(m): all wrong triples are in m buckets, which they fill."""
    return Fraction(comb(b.size, m), comb(b.total, m * b.depth))


@pytest.mark.parametrize("depth", range(2, 7))
def test_the_maximum_over_all_m_is_at_an_end(depth: int) -> None:
    for opened in range(depth * (depth - 1) + 1):
        for size in (1, 2, 3, 7, 20, 45):
            b = Buckets(size, depth, opened)
            assert success(b) == max(wrong_everywhere(b, m) for m in range(1, size + 1))


def test_more_open_triples_than_that_and_the_maximum_may_lie_inside() -> None:
    """Why `success` refuses: here neither end is the maximum of the last steps."""
    b = Buckets(40, 2, 30)
    w = [wrong_everywhere(b, m) for m in range(1, 41)]
    assert any(w[m - 1] * w[m + 1] < w[m] ** 2 for m in range(1, 39))
    with pytest.raises(UsageError):
        success(b)


@pytest.mark.parametrize("b", [Buckets(2, 2, 2), Buckets(3, 2, 1), Buckets(2, 3, 1)])
def test_the_formula_counts_the_ways_in_which_a_cheater_wins(b: Buckets) -> None:
    """Every choice of wrong triples: the cheater wins iff they fill whole buckets and none is open."""
    best = Fraction(0)
    for wrong in range(1, b.total + 1):
        wins = sum(_wins(b, frozenset(places)) for places in combinations(range(b.total), wrong))
        best = max(best, Fraction(wins, comb(b.total, wrong)))
    assert best == success(b)


def _wins(b: Buckets, wrong: frozenset[int]) -> bool:
    if any(k in wrong for k in range(b.size * b.depth, b.total)):
        return False
    return all(len({j * b.size + k in wrong for j in range(b.depth)}) == 1 for k in range(b.size))


def test_every_batch_is_secure_and_large_enough() -> None:
    for triples in (*range(1, 700), 4_689, 5_000, 100_000, 494_303, 1 << 20, 1 << 24):
        b = choose(triples)
        assert b.size >= triples
        assert success(b) < LIMIT
        assert choose(triples + 1).words >= b.words


@pytest.mark.parametrize(
    ("depth", "opened", "size", "bits"), [(3, 3, 1 << 19, 40.2), (4, 3, 5_000, 40.3), (5, 4, 480, 40.3)]
)
def test_known_parameters(depth: int, opened: int, size: int, bits: float) -> None:
    assert -log2(success(Buckets(size, depth, opened))) == pytest.approx(bits, abs=0.06)


def test_three_open_triples_are_too_few_for_a_middling_batch_of_depth_five() -> None:
    """All buckets wrong is then the best attack: 2^-34.4, though one wrong bucket has only 2^-47."""
    b = Buckets(1024, 5, 3)
    assert -log2(success(b)) == pytest.approx(34.4, abs=0.1)
    assert choose(1024).opened > 3


@pytest.mark.parametrize(
    ("triples", "depth"), [(5_000, 4), (1_000, 5), (340_000, 4), (350_000, 3), (460, 5), (241, 6)]
)
def test_the_depth_that_is_cheapest(triples: int, depth: int) -> None:
    assert choose(triples).depth == depth


def test_no_other_parameters_are_cheaper() -> None:
    for triples in (1, 2, 5, 30, 241, 452):
        chosen = choose(triples)
        for depth in range(2, 25):
            for opened in range(1, min(24, depth * (depth - 1)) + 1):
                for size in range(triples, triples + 12):
                    b = Buckets(size, depth, opened)
                    assert b.words >= chosen.words or success(b) >= LIMIT


def test_what_is_sent_for_a_batch() -> None:
    b = Buckets(10, 3, 2)
    assert (b.total, b.compared, b.shown, b.words) == (32, 20, 44, 76)


@pytest.mark.parametrize("triples", [0, -1, 1 << 40])
def test_impossible_batches_are_refused(triples: int) -> None:
    with pytest.raises(UsageError):
        choose(triples)


@pytest.mark.parametrize("b", [Buckets(0, 3, 3), Buckets(5, 1, 0), Buckets(5, 2, 3), Buckets(5, 3, -1)])
def test_parameters_without_a_bound_are_refused(b: Buckets) -> None:
    with pytest.raises(UsageError):
        success(b)


def test_the_attack_on_one_bucket_with_toy_parameters_wins_as_often_as_it_may() -> None:
    b = Buckets(8, 2, 2)
    p, runs = float(success(b)), 20_000
    assert p == pytest.approx(8 / comb(18, 2))
    random = np.random.default_rng(5)
    orders = random.permuted(np.tile(np.arange(b.total), (runs, 1)), axis=1)
    wins = sum(_wins(b, frozenset(np.flatnonzero(order < 2).tolist())) for order in orders)
    assert abs(wins - runs * p) < 4 * (runs * p * (1 - p)) ** 0.5
