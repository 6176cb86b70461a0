"""Every compiled loop is bit-equal to plain NumPy, also in the middle of an array and at its borders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.ring import kernels

Words = npt.NDArray[np.uint64]
Op = Callable[[Any, Any], Any]

RINGS = [
    pytest.param(np.add, np.subtract, np.multiply, kernels.mul_cyclic, kernels.mul_row, id="integers"),
    pytest.param(
        np.bitwise_xor, np.bitwise_xor, np.bitwise_and, kernels.and_cyclic, kernels.and_row, id="bits"
    ),
]
FILLER = np.uint64(0xDEAD)


def words(seed: int, *shape: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def term(add: Op, mul: Op, x: Words, y: Words, a: int, b: int) -> Words:
    found: Words = add(mul(x[a], y[b]), mul(x[b], y[a]))
    return found


@pytest.mark.parametrize(("add", "sub", "mul", "cyclic", "row"), RINGS)
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 50), (7, 8), (3, 49), (5, 5)])
def test_cyclic_rows(add: Op, sub: Op, mul: Op, cyclic: Op, row: Op, start: int, stop: int) -> None:
    x, y, pads = words(1, 3, 50), words(2, 3, 50), words(3, 3, 50)
    out, sent, backed = (np.full(shape, FILLER) for shape in ((3, 50), 50, 50))
    cyclic(x, y, *pads, start, stop, out, sent, backed)  # type: ignore[call-arg]

    inside, width = slice(start, stop), stop - start
    own = mul(x, y)
    expected_backed = sub(add(own[0], term(add, mul, x, y, 0, 1))[inside], pads[1, :width])
    expected_sent = sub(add(own[1], term(add, mul, x, y, 1, 2))[inside], pads[2, :width])
    np.testing.assert_array_equal(backed[inside], expected_backed)
    np.testing.assert_array_equal(sent[inside], expected_sent)
    np.testing.assert_array_equal(out[0, inside], add(expected_backed, pads[0, :width]))
    np.testing.assert_array_equal(out[1, inside], add(expected_sent, pads[1, :width]))
    np.testing.assert_array_equal(out[2, inside], pads[2, :width])
    for array in (out.T, sent, backed):
        assert (array[:start] == FILLER).all()
        assert (array[stop:] == FILLER).all()


@pytest.mark.parametrize(("add", "sub", "mul", "cyclic", "row"), RINGS)
@pytest.mark.parametrize(("a", "b"), [(0, 1), (2, 0), (1, 2)])
@pytest.mark.parametrize(("start", "stop", "offset"), [(0, 50, 0), (25, 50, 25), (30, 41, 25), (4, 4, 0)])
def test_one_row(
    add: Op, sub: Op, mul: Op, cyclic: Op, row: Op, a: int, b: int, start: int, stop: int, offset: int
) -> None:
    x, y, pad, out = words(1, 3, 50), words(2, 3, 50), words(3, 50), words(4, 3, 50)
    before, message = out.copy(), np.full(50 - offset, FILLER)
    row(x, y, a, b, a, b, pad, start, stop, out, message, offset)  # type: ignore[call-arg]

    inside, width = slice(start, stop), stop - start
    expected = sub(term(add, mul, x, y, a, b)[inside], pad[:width])
    np.testing.assert_array_equal(message[start - offset : stop - offset], expected)
    before[a, inside] = add(before[a, inside], pad[:width])
    before[b, inside] = add(before[b, inside], expected)
    np.testing.assert_array_equal(out, before)
    assert (message[: start - offset] == FILLER).all()
    assert (message[stop - offset :] == FILLER).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 6), st.integers(0, 9), st.integers(0, 99))
def test_inner_terms(m: int, k: int, seed: int) -> None:
    x, y, out = words(seed, 3, m, k), words(seed + 1, 3, m, k), np.full((3, m), FILLER)
    kernels.inner_terms(x, y, out)
    np.testing.assert_array_equal(out, folded(x, y, lambda a, b: (a * b).sum(axis=-1, dtype=np.uint64)))


@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 1, 1), (3, 4, 5), (2, 513, 17), (3, 1100, 33), (0, 3, 2), (2, 0, 3)]
)
def test_matmul_terms(m: int, k: int, n: int) -> None:
    """The sizes reach over the borders of tiles."""
    x, y, out = words(m, 3, m, k), words(n, 3, k, n), np.zeros((3, m, n), np.uint64)
    kernels.matmul_terms(x, np.ascontiguousarray(y.transpose(0, 2, 1)), out)
    np.testing.assert_array_equal(out, folded(x, y, np.matmul))


def folded(x: Words, y: Words, product: Op) -> list[Any]:
    """The three terms with the outsider's own product folded into the cyclic rows."""
    p = [[product(x[i], y[j]) for j in range(3)] for i in range(3)]
    return [p[0][0] + p[0][1] + p[1][0], p[1][1] + p[1][2] + p[2][1], p[0][2] + p[2][0]]


def test_operands_may_be_read_only() -> None:
    x, out, sent, backed = words(1, 3, 4), np.empty((3, 4), np.uint64), *np.empty((2, 4), np.uint64)
    x.flags.writeable = False
    kernels.mul_cyclic(x, x, *x, 0, 4, out, sent, backed)


def test_warm_up_loads_every_kernel() -> None:
    kernels.warm_up()
