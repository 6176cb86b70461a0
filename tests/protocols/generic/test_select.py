"""Selection of rows by shared bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.generic.select import mux, mux_arithmetic, spread
from mpcd.protocols.rep4.costs import cost
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from tests.protocols.generic.engines import ENGINES, opened, run
from tests.protocols.rep4.four import MAX, MIN, parties, share, share_bits


def choose(e: AnyEngine, key: object, yes: object, no: object) -> Rounds[object]:
    """Rows of `yes` where the key is negative."""
    bit = yield from e.at("sign").negative(key)
    return (yield from mux(e.at("mux"), bit, yes, no))


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.integers(0, 70), st.integers(0, 2**32))
def test_whole_rows_are_chosen(engine: str, columns: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    key = random.integers(-2, 2, rows)
    yes, no = random.integers(MIN, MAX, (2, columns, rows), endpoint=True)
    (found,) = opened(engine, choose, key, yes, no, seed=seed)
    np.testing.assert_array_equal(found, np.where(key < 0, yes, no))


def test_cost_in_rep4_is_one_conversion_per_row_and_one_product_per_cell() -> None:
    key, table = np.arange(100) - 50, np.ones((3, 100), np.int64)
    found = run("rep4", choose, key, table, table)
    expected = cost("negative", 100).then(cost("to_arithmetic", 100), cost("mul", 300), cost("open", 300))
    assert found.rounds == expected.rounds
    assert tuple(found.payload_bytes[p] for p in range(4)) == expected.sent


def test_shapes_that_do_not_fit_are_refused() -> None:
    e = Rep4Engine(parties()[0])
    table, bits = share(np.ones((2, 3), np.int64))[0], share(np.ones(2, np.int64))[0]
    with pytest.raises(UsageError):
        next(mux_arithmetic(e, bits, table, table))
    with pytest.raises(UsageError):
        next(mux_arithmetic(e, share(np.ones(3, np.int64))[0], table, e.reshape(table, (3, 2))))


def test_spreading_repeats_a_vector() -> None:
    e = Rep4Engine(parties()[0])
    x = share(np.arange(3))[0]
    np.testing.assert_array_equal(spread(e, x, 2).data, np.stack([x.data, x.data], axis=1))
    assert spread(e, x, 0).shape == (0, 3)
    assert share_bits(np.ones(3, np.bool_))[0].shape == (3,)
