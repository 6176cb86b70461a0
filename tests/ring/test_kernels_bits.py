"""The compiled transposition against the one in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpcd.protocols.rounds import Words
from mpcd.ring import bits, kernels_bits


@given(arrays(np.uint64, st.integers(0, 200)))
def test_both_give_the_same_planes_and_come_back(values: Words) -> None:
    planes = kernels_bits.to_planes(values)
    np.testing.assert_array_equal(planes, bits.to_planes(values))
    np.testing.assert_array_equal(kernels_bits.from_planes(planes, values.size), values)


@pytest.mark.parametrize("count", [64 * 8, 64 * 8 + 1, 64 * 17 - 1])
def test_groups_of_blocks_do_not_overlap(count: int) -> None:
    values = np.random.default_rng(count).integers(0, 2**64, count, np.uint64)
    values.setflags(write=False)
    planes = kernels_bits.to_planes(values.reshape(1, -1))
    np.testing.assert_array_equal(planes, bits.to_planes(values))
    np.testing.assert_array_equal(kernels_bits.from_planes(planes[:, :], count), values)


def test_bit_j_of_number_e_is_bit_e_of_plane_j() -> None:
    values = np.zeros(70, np.uint64)
    values[65] = np.uint64(1) << np.uint64(5)
    planes = kernels_bits.to_planes(values)
    assert planes.shape == (64, 2)
    assert planes[5, 1] == 2
    assert np.bitwise_count(planes).sum() == 1
