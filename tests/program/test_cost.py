"""Cost estimates: exact where they promise to be, and limits that refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mpcd.apps import auction, primitives
from mpcd.errors import RefusedError, UsageError
from mpcd.lang.tracing import Definition
from mpcd.program.check import check
from mpcd.program.cost import CostModel, check_fits, check_limits, estimate
from mpcd.program.limits import MAX_NODES, Limits
from mpcd.program.nodes import Node, Program
from mpcd.program.text import parse
from mpcd.program.types import Type
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep4.costs import Rep4Costs
from tests.program.test_text import doubling
from tests.runtime.engines import ENGINES, execute

COSTS: dict[str, CostModel] = {
    "rep4": Rep4Costs(),
    "rep3": Rep3Costs(),
    "rep3 unchecked": Rep3Costs(checked=False),
}


@pytest.mark.parametrize("engine", COSTS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 9])
@pytest.mark.parametrize("definition", [auction.first_price, auction.second_price])
def test_auctions_take_the_promised_rounds(definition: Definition, n: int, engine: str) -> None:
    cost = estimate(definition.checked, {"n": n}, COSTS[engine])
    parameters = {"reserve": 3, "order": list(range(n))}
    _, rounds = execute(ENGINES[engine], definition.checked, {"bids": np.arange(n)}, parameters)
    assert rounds == cost.rounds
    assert cost.output_cells == 2


def test_a_chain_has_one_round_per_product() -> None:
    cost = estimate(primitives.chain.checked, {"n": 10}, Rep4Costs())
    assert cost.rounds == primitives.CHAIN
    assert cost.operations == {"mul": 10 * primitives.CHAIN}


def test_large_levels_take_their_rounds_several_times() -> None:
    checked = primitives.products.checked
    assert estimate(checked, {"n": 1 << 20}, Rep4Costs()).rounds == 1
    assert estimate(checked, {"n": 1 << 20}, Rep4Costs(), block_elements=1 << 16).rounds == 4


def test_memory_counts_what_is_alive_at_once() -> None:
    """Operands, product and messages of a million elements; a chain of a thousand needs no more."""
    product = estimate(primitives.products.checked, {"n": 1 << 20}, Rep4Costs())
    chain = estimate(primitives.chain.checked, {"n": 1 << 20}, Rep4Costs())
    assert 5 * 24 * 2**20 <= product.memory_bytes <= 7 * 24 * 2**20
    assert chain.memory_bytes <= product.memory_bytes + 24 * 2**20


def test_memory_is_enough_to_compute_the_largest_batch_again() -> None:
    """A dispute about a batch of rep3 takes it, in a process that has no operands; batches are of blocks."""
    n, model = 1 << 20, Rep3Costs()
    for checked in (primitives.products.checked, primitives.comparisons.checked):
        cost = estimate(checked, {"n": n}, model)
        again = max(model.dispute_bytes(operation, model.block_elements) for operation in cost.operations)
        working = max(model.working_bytes(operation, model.block_elements) for operation in cost.operations)
        assert working < again <= cost.memory_bytes
    # Of comparisons of few numbers a dispute takes most.
    small = estimate(primitives.comparisons.checked, {"n": 1000}, model)
    assert small.memory_bytes == model.dispute_bytes("less_than", 1000)


def test_limits_refuse_and_name_the_limit() -> None:
    cost = estimate(primitives.chain.checked, {"n": 10}, Rep4Costs())
    check_limits(cost, Limits())
    for limits, word in (
        (Limits(rounds=999), "rounds"),
        (Limits(bytes_sent=1), "bytes sent"),
        (Limits(memory_bytes=1), "memory bytes"),
        (Limits(output_cells=0), "output cells"),
    ):
        with pytest.raises(RefusedError, match=word):
            check_limits(cost, limits)


def test_lengths_beyond_the_declared_are_refused() -> None:
    for dims in ({"n": 0}, {"n": (1 << 20) + 1}, {}, {"n": 1, "m": 1}):
        with pytest.raises(UsageError, match="dimension"):
            estimate(primitives.chain.checked, dims, Rep4Costs())


def test_small_integers_of_an_engine_refuse_wide_programs() -> None:
    check_fits(auction.second_price.checked, 34)
    with pytest.raises(RefusedError, match="33"):
        check_fits(primitives.comparisons.checked, 33)


def test_work_beyond_all_measure_is_refused_quickly() -> None:
    """Estimating block by block would take days here."""
    square = (("n", 1 << 32), ("m", 1 << 32))
    nodes = (
        Node("input", name="x", declared=Type("int", ("n", "m"), True, 0, 1)),
        Node("mul", (0, 0)),
    )
    checked = check(Program("huge", "", square, nodes, (("out", 1),)))
    with pytest.raises(RefusedError, match="elements"):
        estimate(checked, dict(square), Rep4Costs())


def test_the_largest_program_is_estimated_quickly() -> None:
    checked = parse(doubling(MAX_NODES - 1))
    start = time.process_time()
    cost = estimate(checked, {"n": 5}, Rep4Costs())
    assert cost.rounds == 2  # the output becomes an integer
    assert cost.memory_bytes < 1000  # and no value outlives its last use
    assert time.process_time() - start < 1
