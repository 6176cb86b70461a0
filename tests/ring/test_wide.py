"""Arithmetic modulo 2^128 against Python's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpcd.ring import kernels_wide, wide
from mpcd.ring.streams import Words

MODULUS = 2**128
EDGE = np.array([0, 1, 2, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1], np.uint64)
Numbers = npt.NDArray[Any]
words = arrays(np.uint64, (2, 7), elements=st.sampled_from([*map(int, EDGE), 12345678901234567890]))


def numbers(x: Words, axis: int) -> Numbers:
    """Wide words as Python integers; `axis` is that of the rows."""
    low, high = np.moveaxis(x.astype(object), axis, 0)
    return np.asarray(low + (high << 64))


def same(found: Numbers, expected: Numbers) -> None:
    np.testing.assert_array_equal(found, expected % MODULUS)


def draw(seed: int, *shape: int) -> Words:
    """Random words, every third from the edges."""
    random = np.random.default_rng(seed)
    out = random.integers(0, 2**64, shape, np.uint64)
    return np.where(random.integers(0, 3, shape) == 0, random.choice(EDGE, shape), out)


def terms(x: Numbers, y: Numbers) -> Numbers:
    return np.asarray(x[0] * y[0] + x[0] * y[1] + x[1] * y[0])


@given(words, words)
@settings(deadline=None)
def test_sums(x: Words, y: Words) -> None:
    a, b = numbers(x, 0), numbers(y, 0)
    same(numbers(wide.add(x, y), 0), a + b)
    same(numbers(wide.subtract(x, y), 0), a - b)
    same(numbers(wide.negative(x), 0), -a)


@pytest.mark.parametrize(("m", "k"), [(81, 1), (5, 40), (3, 0), (0, 3)])
def test_inner_terms(m: int, k: int) -> None:
    x, y = draw(1, 2, m, k), draw(2, 2, m, k)
    out = np.empty((2, m), np.uint64)
    kernels_wide.inner_terms(x, y, out)
    same(numbers(out, 0), terms(x.astype(object), y.astype(object)).sum(axis=-1))


@pytest.mark.parametrize(("m", "k", "n"), [(4, 30, 5), (1, 1, 1), (2, 0, 3)])
def test_matmul_terms(m: int, k: int, n: int) -> None:
    x, y = draw(3, 2, m, k), draw(4, 2, n, k)
    out = np.empty((2, m, n), np.uint64)
    kernels_wide.matmul_terms(x, y, out)
    a, b = x.astype(object), y.astype(object).transpose(0, 2, 1)
    same(numbers(out, 0), a[0] @ b[0] + a[0] @ b[1] + a[1] @ b[0] + np.zeros((m, n), object))


def test_mask_terms() -> None:
    x, y = draw(5, 2, 2, 40), draw(6, 2, 3, 40)
    out = np.empty((2, 3), np.uint64)
    kernels_wide.mask_terms(x, y, out)
    a = numbers(x, 1)[:, np.newaxis]
    same(numbers(out, 0), terms(a, y.astype(object)).sum(axis=-1))


def test_scaled_and_summed_rows() -> None:
    factors, x = draw(7, 6), draw(8, 2, 6, 20)
    a, f = x.astype(object), factors.astype(object)
    mask = draw(9, 2, 2, 120)
    out = mask.copy()
    kernels_wide.scale_rows(factors, x, out)
    same(numbers(out, 1), (a * f[:, np.newaxis]).reshape(2, 120) - numbers(mask, 1))
    mask = draw(10, 2, 2, 20)
    out = mask.copy()
    kernels_wide.sum_rows(factors, x, out)
    same(numbers(out, 1), (a * f[:, np.newaxis]).sum(axis=1) - numbers(mask, 1))


def test_residues() -> None:
    factors, c, masked = draw(11, 6), draw(12, 2, 2, 6, 4), draw(13, 2, 2, 4)
    opened, y = draw(14, 2, 20), draw(15, 2, 4, 20)
    out = np.empty((2, 2, 4), np.uint64)
    kernels_wide.residues(factors, c, masked, opened, y, out)
    combined = (numbers(c, 1) * factors.astype(object)[:, np.newaxis]).sum(axis=1)
    used = (y.astype(object) * numbers(opened, 0)).sum(axis=-1)
    same(numbers(out, 1), combined - numbers(masked, 1) - used)
