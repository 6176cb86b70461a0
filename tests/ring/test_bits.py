"""Packing and planes: compiled and plain versions agree with the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.ring import bits, kernels_bits


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=200))
def test_flags_survive_packing_and_padding_is_zero(values: list[bool]) -> None:
    flags = np.array(values, np.bool_)
    words = bits.pack(flags)
    assert words.size == bits.words_for(flags.size)
    np.testing.assert_array_equal(bits.unpack(words, flags.size), flags)
    assert not bits.unpack(words, 64 * words.size)[flags.size :].any()
    np.testing.assert_array_equal(words & bits.tail_mask(flags.size), words)


def test_flag_e_is_bit_e_mod_64_of_word_e_div_64() -> None:
    for e in (0, 1, 63, 64, 100):
        flags = np.zeros(130, np.bool_)
        flags[e] = True
        words = bits.pack(flags)
        assert int(words[e // 64]) == 1 << (e % 64)
        assert np.count_nonzero(words) == 1


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128])
def test_the_tail_mask_covers_exactly_the_flags(count: int) -> None:
    np.testing.assert_array_equal(bits.unpack(bits.tail_mask(count), 128)[:count], True)
    assert int(np.bitwise_count(bits.tail_mask(count)).sum()) == count


@pytest.mark.parametrize("to_planes", [bits.to_planes, kernels_bits.to_planes])
@pytest.mark.parametrize("from_planes", [bits.from_planes, kernels_bits.from_planes])
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 600, 1025])
def test_plane_j_packs_bit_j_of_every_number(
    to_planes: Callable[..., Any], from_planes: Callable[..., Any], count: int
) -> None:
    values = np.random.default_rng(count).integers(0, 2**64, count, np.uint64)
    planes = to_planes(values)
    assert planes.shape == (64, bits.words_for(count))
    for j in range(64):
        np.testing.assert_array_equal(planes[j], bits.pack((values >> np.uint64(j)) & np.uint64(1) == 1))
    np.testing.assert_array_equal(from_planes(planes, count), values)
