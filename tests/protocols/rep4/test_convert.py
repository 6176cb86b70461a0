"""Conversions between numbers and bits: results, costs, views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.rep4 import convert
from mpcd.ring.bits import from_planes, to_planes, words_for
from tests.protocols.rep4.four import (
    EDGES,
    parties,
    reveal,
    reveal_bits,
    reveal_planes,
    run,
    share,
    share_bits,
)

INT64 = st.one_of(st.sampled_from([int(v) for v in EDGES]), st.integers(-(2**63), 2**63 - 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(INT64, max_size=70), st.integers(0, 2**32))
def test_the_bits_of_a_number_are_its_bits(values: list[int], seed: int) -> None:
    x = np.array(values, np.int64)
    bits = run(convert.to_binary, share(x, seed), seed=seed).results()
    planes = reveal_planes(bits)
    np.testing.assert_array_equal(from_planes(planes, x.size), x.view(np.uint64))


def test_every_edge_value_keeps_its_shape() -> None:
    x = np.stack([EDGES, EDGES[::-1]])
    bits = run(convert.to_binary, share(x)).results()
    assert bits[0].shape == x.shape
    np.testing.assert_array_equal(reveal_planes(bits)[:, 0], to_planes(x.reshape(-1).view(np.uint64))[:, 0])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), max_size=150), st.integers(0, 2**32))
def test_flags_become_zero_and_one(flags: list[bool], seed: int) -> None:
    x = np.array(flags, np.bool_)
    found = reveal(run(convert.to_arithmetic, share_bits(x, seed), seed=seed).results())
    np.testing.assert_array_equal(found, x.astype(np.int64))


def test_flags_keep_their_shape() -> None:
    x = np.arange(12).reshape(3, 4) % 3 == 0
    np.testing.assert_array_equal(reveal(run(convert.to_arithmetic, share_bits(x)).results()), x)


def test_only_one_plane_becomes_numbers() -> None:
    bits = run(convert.to_binary, share(EDGES)).results()
    with pytest.raises(UsageError):
        next(convert.to_arithmetic(parties()[0], bits[0]))


def test_halves_need_arrays_of_one_size() -> None:
    x, y = share(EDGES)[0], share(EDGES[:-1])[0]
    with pytest.raises(UsageError):
        next(convert.halves(parties()[0], [x, y]))


@pytest.mark.parametrize("n", [1, 64, 100, 6400])
def test_costs(n: int) -> None:
    """The formulas of the docstrings, in bytes of all parties together."""
    words = words_for(n)
    whole = run(convert.to_binary, share(np.arange(n)))
    assert whole.rounds == 8
    assert sum(whole.payload_bytes.values()) == 8 * words * (128 + 63 * 4 + 310 * 6)
    flags = run(convert.to_arithmetic, share_bits(np.arange(n) % 2 == 0))
    assert flags.rounds == 2
    assert sum(flags.payload_bytes.values()) == 48 * n


def test_bits_behind_the_last_flag_do_not_matter() -> None:
    x = np.ones(3, np.bool_)
    shared = share_bits(x, seed=5)
    assert any(bits.data[0, 0, 0] >> np.uint64(3) for bits in shared)
    np.testing.assert_array_equal(reveal_bits(shared), x)
    np.testing.assert_array_equal(reveal(run(convert.to_arithmetic, shared).results()), np.ones(3))
