"""Conversions between numbers and bits: right for all values, and as cheap as said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.rep3 import convert
from mpcd.protocols.rep3.buckets import choose
from mpcd.protocols.rep3.gates import gates
from mpcd.protocols.rep3.sharing import Bits3
from mpcd.protocols.rep3.sizes import BINARY_ANDS
from mpcd.protocols.rounds import run_locally
from mpcd.ring.bits import from_planes
from tests.protocols.rep3.boolean import play, players
from tests.protocols.rep3.three import (
    EDGES,
    MAX,
    MIN,
    dealt,
    reveal,
    reveal_planes,
    share,
    share_bits,
    share_planes,
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(EDGES.tolist()), st.integers(MIN, MAX)), min_size=1, max_size=80),
    st.booleans(),
    st.integers(0, 100),
)
def test_the_bits_of_a_number_are_its_bits(values: list[int], checked: bool, seed: int) -> None:
    x = np.array(values, np.int64)
    found = play(convert.to_binary, share(x, seed), checked=checked, seed=seed).results()
    assert (found[0].shape, found[0].planes) == (x.shape, 64)
    np.testing.assert_array_equal(from_planes(reveal_planes(found), x.size).view(np.int64), x)


def test_bits_cost_what_is_said() -> None:
    assert BINARY_ANDS == 426
    words = 426 * 2
    done = play(convert.to_binary, share(np.arange(100)), checked=False)
    assert (done.rounds, set(done.payload_bytes.values())) == (8, {8 * words})
    done = play(convert.to_binary, share(np.arange(100)))
    assert (done.rounds, set(done.payload_bytes.values())) == (
        13,
        {8 * choose(words).words + 96 + 16 * words},
    )


def test_carries_are_saved_of_arrays_of_one_size_only() -> None:
    p = players(checked=False)[0]
    c = run_locally(gates(p, 1))
    with pytest.raises(UsageError, match="one size"):
        next(convert.carry_save(p, c, [share(np.arange(3))[0], share(np.arange(4))[0]]))


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("n", [1, 64, 65, 1000])
def test_flags_become_numbers(n: int, checked: bool) -> None:
    x = np.random.default_rng(n).integers(0, 2, n).astype(bool)
    for seed in range(3):
        done = play(convert.to_arithmetic, share_bits(x, seed), checked=checked, seed=seed)
        np.testing.assert_array_equal(reveal(done.results()), x.astype(np.int64))


@pytest.mark.parametrize("pieces", range(8))
def test_every_combination_of_the_three_pieces(pieces: int) -> None:
    parts = [np.array([pieces >> k & 1], np.uint64) for k in range(3)]
    shares = [Bits3(d.data[:, np.newaxis], (1,)) for d in dealt(parts)]
    done = play(convert.to_arithmetic, shares, checked=False)
    assert reveal(done.results()).tolist() == [pieces.bit_count() % 2]


@pytest.mark.parametrize("n", [0, 1, 65, 300])
def test_numbers_cost_what_is_said(n: int) -> None:
    done = play(convert.to_arithmetic, share_bits(np.ones(n, bool)), checked=False)
    assert (done.rounds, dict(done.payload_bytes)) == (2, dict.fromkeys(range(3), 16 * n))
    done = play(convert.to_arithmetic, share_bits(np.ones(n, bool)))
    assert (done.rounds, dict(done.payload_bytes)) == (7, dict.fromkeys(range(3), 96 * n + 112))


def test_a_table_of_flags_keeps_its_shape() -> None:
    x = np.arange(12).reshape(3, 4) % 3 == 0
    found = play(convert.to_arithmetic, share_bits(x)).results()
    assert found[0].shape == (3, 4)
    np.testing.assert_array_equal(reveal(found), x)


def test_only_one_plane_becomes_numbers() -> None:
    x = share_planes(np.zeros((2, 1), np.uint64), (5,))[0]
    with pytest.raises(UsageError, match="one plane"):
        next(convert.to_arithmetic(players(checked=True)[0], x))
