"""Programs on shared data give what the definition of their operations gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import mpcd as mpc
from mpcd.apps.auction import first_price, first_price_in_clear, second_price, second_price_in_clear
from mpcd.errors import RefusedError, UsageError
from mpcd.lang.tracing import Definition
from mpcd.program.check import Checked
from mpcd.program.evaluate import evaluate
from mpcd.program.types import lengths
from mpcd.runtime.interpreter import run
from mpcd.runtime.lockstep import lockstep
from tests.runtime.engines import ENGINES, Setup, execute
from tests.toy.engine import ToyEngine, share_bits


@pytest.fixture(params=sorted(ENGINES))
def setup(request: pytest.FixtureRequest) -> Setup:
    return ENGINES[request.param]


def both(setup: Setup, definition: Definition, block: int | None = None, **given: Any) -> None:
    """Assert that shared and cleartext results are equal."""
    checked = definition.checked
    assert_same(setup, checked, given, block)


def assert_same(setup: Setup, checked: Checked, given: Mapping[str, Any], block: int | None = None) -> None:
    parameters = {k: v for k, v in given.items() if k in checked.parameters}
    inputs = {k: np.asarray(v) for k, v in given.items() if k in checked.inputs}
    expected = evaluate(checked, inputs, parameters)
    found, _ = execute(setup, checked, inputs, parameters, block=block)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], np.asarray(expected[name], np.int64).reshape(-1), name)


@mpc.program
def everything(
    x: mpc.Vector[mpc.Int16], y: mpc.Vector[mpc.Int16], s: mpc.Secret[mpc.Int16], p: mpc.Public[mpc.Int16]
) -> object:
    """One of each elementwise operation, with shared, single and public operands."""
    flag = (x < y) | ~((x == y) ^ (y <= p)) & (s > x)
    picked = mpc.where(flag, x * s, y - p)
    single = mpc.where(s < p, s, 7)
    wide = mpc.where(s < 3, x, y)
    return mpc.reveal(
        flag=flag,
        picked=picked,
        single=single,
        wide=wide,
        public=mpc.where(flag, 3, p),
        least=mpc.minimum(x, 5) + mpc.maximum(p, y),
        folded=mpc.dot(x, y) + mpc.dot(x, mpc.where(p < 3, x, y)),
        count=mpc.count(flag),
        top=abs(x).max() - (-y).min(),
        flags=mpc.where(flag, x < 3, y < s),
        by_public=mpc.where(p < 3, x, y),
    )


@pytest.mark.parametrize("n", [1, 2, 65])
def test_every_operation_on_shares_is_its_definition(setup: Setup, n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.integers(-50, 50, (2, n))
    for p in (-4, 12):
        both(setup, everything, x=x, y=y, s=-3, p=p)


def test_blocks_give_the_same_as_the_whole(setup: Setup) -> None:
    """200 elements in blocks of 64: pieces of numbers and of bits are cut and joined right."""
    rng = np.random.default_rng(5)
    x, y = rng.integers(-50, 50, (2, 200))
    both(setup, everything, block=64, x=x, y=y, s=2, p=3)


def test_more_blocks_than_may_be_alive_run_in_turn(setup: Setup) -> None:
    @mpc.program
    def product(x: mpc.Vector[mpc.Int16], y: mpc.Vector[mpc.Int16]) -> object:
        return mpc.reveal(z=x * y)

    x, y = np.random.default_rng(6).integers(-50, 50, (2, 64 * 9 + 1))
    inputs = {"x": x, "y": y}
    found, rounds = execute(setup, product.checked, inputs, {}, block=64)
    np.testing.assert_array_equal(found["z"], x * y)
    assert rounds == 3 * setup.product_rounds  # ten blocks, four at a time
    assert execute(setup, product.checked, inputs, {})[1] == setup.product_rounds


def test_independent_operations_share_rounds(setup: Setup) -> None:
    @mpc.program
    def wide(x: mpc.Vector[mpc.Int8]) -> object:
        a, b, c = x * x, x * (x + 1), x * (x - 1)
        return mpc.reveal(out=(a + b + c).sum(), other=(a * b).sum())

    found, rounds = execute(setup, wide.checked, {"x": np.array([1, 2, -3])}, {})
    assert rounds == 2 * setup.product_rounds
    assert found["out"] == [3 * 14]
    assert found["other"] == [2 + 24 + 54]


people, k = mpc.Dim("people"), mpc.Dim("k", max=10)


class People(mpc.Table, dim=people):
    age: mpc.UInt8
    ill: mpc.Bool


@mpc.program
def study(
    p: People,
    m: mpc.Matrix[mpc.Int8, people, 3],  # type: ignore[type-arg, valid-type]
    w: mpc.Matrix[mpc.Int8, 3, k],  # type: ignore[type-arg, valid-type]
) -> object:
    return mpc.reveal(
        years=mpc.where(p.ill, p.age, 0).sum(), ill=mpc.count(p.ill), product=m @ w, rows=(m * m).sum()
    )


def test_tables_and_matrices(setup: Setup) -> None:
    rng = np.random.default_rng(1)
    given = {
        "p.age": rng.integers(0, 120, 5),
        "p.ill": rng.integers(0, 2, 5).astype(bool),
        "m": rng.integers(-9, 9, (5, 3)),
        "w": rng.integers(-9, 9, (3, 2)),
    }
    assert_same(setup, study.checked, given)


def test_full_range_comparison_is_exact(setup: Setup) -> None:
    @mpc.program
    def full(x: mpc.Vector[mpc.Int64], y: mpc.Vector[mpc.Int64]) -> object:
        return mpc.reveal(less=x < y, same=x == y, best=x.max())

    edges = [-(2**63), -(2**62) - 1, -1, 0, 1, 2**62, 2**63 - 1]
    pairs = np.array([(a, b) for a in edges for b in edges])
    both(setup, full, x=pairs[:, 0], y=pairs[:, 1])


def test_tables_and_matrices_in_blocks(setup: Setup) -> None:
    """Truth values arrive in blocks, too, and matrices are cut across their rows."""
    rng = np.random.default_rng(2)
    given = {
        "p.age": rng.integers(0, 120, 150),
        "p.ill": rng.integers(0, 2, 150).astype(bool),
        "m": rng.integers(-9, 9, (150, 3)),
        "w": rng.integers(-9, 9, (3, 2)),
    }
    assert_same(setup, study.checked, given, block=64)


def test_inputs_that_are_bits_already_are_taken_as_they_are() -> None:
    @mpc.program
    def both_true(x: mpc.Vector[mpc.Bool], y: mpc.Vector[mpc.Bool]) -> object:
        return mpc.reveal(count=mpc.count(x & y))

    rng = np.random.default_rng(3)
    x, y = (rng.integers(0, 2, 300).astype(bool) for _ in range(2))
    shares = share_bits(x, 1), share_bits(y, 2)
    for block in (64, 1 << 20):
        steps = []
        for me in (0, 1):
            bits = {"x": shares[0][me], "y": shares[1][me]}
            engine = ToyEngine(me, block_elements=block)
            steps.append(run(both_true.checked, engine, {}, {"n": 300}, {}, bits=bits))
        found = [r["count"].data for r in lockstep(steps).results()]
        assert int(sum(found)[0]) == int((x & y).sum())


BIDS = [
    ([5], [0]),
    ([0], [0]),
    ([4, 9], [1, 0]),
    ([9, 9], [1, 0]),
    ([9, 9], [0, 1]),
    ([3, 9, 9, 9, 1], [3, 2, 4, 0, 1]),
    ([7, 7, 7, 7, 7, 7, 7], [6, 5, 4, 3, 2, 1, 0]),
    ([2**32 - 1, 0, 2**32 - 1], [2, 1, 0]),
]


@pytest.mark.parametrize(("bids", "order"), BIDS)
@pytest.mark.parametrize("reserve", [0, 5, 9, 10])
def test_auctions_on_shares_are_their_twins(
    setup: Setup, bids: list[int], order: list[int], reserve: int
) -> None:
    public = {"reserve": reserve, "order": order}
    for definition, twin in ((first_price, first_price_in_clear), (second_price, second_price_in_clear)):
        found, _ = execute(setup, definition.checked, {"bids": np.array(bids)}, public)
        assert {k: v.tolist() for k, v in found.items()} == {
            k: [v] for k, v in twin(bids, reserve, order).items()
        }


def test_wrong_arguments_are_refused_before_anything_is_sent(setup: Setup) -> None:
    checked = second_price.checked
    inputs = {"bids": np.array([1, 2])}
    with pytest.raises(UsageError, match="exactly once"):
        execute(setup, checked, inputs, {"reserve": 0, "order": [1, 1]})
    with pytest.raises(UsageError, match="reserve is missing"):
        execute(setup, checked, inputs, {"order": [1, 0]})
    with pytest.raises(UsageError, match="outside its range"):
        execute(setup, checked, inputs, {"reserve": -1, "order": [1, 0]})


def test_an_engine_with_too_small_integers_is_refused() -> None:
    class Narrow:
        signed_bits = 16

    steps = run(second_price.checked, Narrow(), {}, {"n": 2}, {})  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="16-bit"):
        next(steps)


def test_dead_values_are_dropped() -> None:
    from mpcd.program.schedule import schedule

    levels = schedule(second_price.checked)
    dropped = [v for level in levels for values in level.dead.values() for v in values]
    kept = {v for _, v in second_price.checked.program.outputs}
    assert sorted([*dropped, *kept]) == list(range(len(second_price.checked.types)))
    assert len(levels) == 4
    assert lengths((2, "n"), {"n": 3}) == (2, 3)
