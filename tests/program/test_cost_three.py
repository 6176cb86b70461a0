"""The estimate for three parties against runs: rounds exactly, bytes within a twentieth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mpcd
from mpcd.apps import auction
from mpcd.errors import UsageError
from mpcd.program.check import Checked
from mpcd.program.cost import estimate
from mpcd.program.evaluate import dims_of
from mpcd.protocols.costs import costs_of
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep4.costs import Rep4Costs
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.interpreter import run
from mpcd.runtime.lockstep import lockstep
from tests.runtime.engines import ENGINES


@mpcd.program
def squares(x: mpcd.Vector[mpcd.UInt16], y: mpcd.Vector[mpcd.UInt16]) -> object:
    """Sums of products, and how many are alike."""
    return mpcd.reveal(total=(x * y).sum(), alike=mpcd.count(x == y), larger=mpcd.count(x < y))


N = 300
CASES = {
    "auction": (
        auction.second_price.checked,
        {"bids": np.arange(9)},
        {"reserve": 3, "order": list(range(9))},
    ),
    "sums": (squares.checked, {"x": np.arange(N), "y": np.arange(N)[::-1].copy()}, {}),
}


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("engine", ["rep3", "rep3 unchecked"])
def test_three_parties_do_what_was_planned(engine: str, name: str) -> None:
    checked, inputs, parameters = CASES[name]
    setup = ENGINES[engine]
    engines = setup.engines()
    shares = {key: setup.share(np.asarray(value, np.int64), 1) for key, value in inputs.items()}
    dims = dims_of({n: checked.inputs[n] for n in inputs}, dict(inputs), checked.maxima)
    steps = [
        _party(checked, e, {key: given[me] for key, given in shares.items()}, dims, parameters)
        for me, e in enumerate(engines)
    ]
    done = lockstep(steps)
    done.results()
    cost = estimate(checked, dims, Rep3Costs(checked=engine == "rep3"))
    assert done.rounds == cost.rounds
    sent = max(done.payload_bytes.values())
    assert abs(sent - cost.bytes_sent) <= sent / 20


def _party(checked: Checked, engine: Any, shares: Any, dims: Any, parameters: Any) -> Rounds[None]:
    yield from run(checked, engine, shares, dims, parameters)


def test_the_number_of_parties_chooses_the_protocol() -> None:
    assert isinstance(costs_of(4), Rep4Costs)
    assert isinstance(costs_of(3), Rep3Costs)
    with pytest.raises(UsageError):
        costs_of(5)


def test_matrix_products_are_counted_by_their_shape() -> None:
    """16 bytes for every result and for a row and a column more, 8 for every opened factor."""
    model = Rep3Costs()
    assert model.bytes_sent("matmul", 6 * 5, 7, 5) == 16 * (6 * 5 + 5 + 7) + 96 + 8 * (6 * 7 + 7 * 5)
    assert model.bytes_sent("inner", 4, 9) > model.bytes_sent("inner", 4, 3) > model.bytes_sent("mul", 4)
