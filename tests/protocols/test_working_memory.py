"""What the cost models say of memory, against what is allocated while operations run."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpcd.program.cost import CostModel
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.batch import Recipe
from mpcd.protocols.rep3.buckets import choose
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.protocols.rep3.sizes import SIGN_ANDS
from mpcd.protocols.rep4.costs import Rep4Costs
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from mpcd.ring.bits import words_for
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep3 import three
from tests.protocols.rep4 import four

N = 20_000
Step = Callable[..., Rounds[Any]]


def allocated(steps: list[Rounds[Any]]) -> float:
    """Bytes that one party allocates at most while all run side by side, its results included."""
    tracemalloc.start()
    try:
        lockstep(steps).results()
        return tracemalloc.get_traced_memory()[1] / len(steps)
    finally:
        tracemalloc.stop()


def runs(scheme: str, operation: str) -> tuple[list[Rounds[Any]], CostModel]:
    x, y = np.arange(N), np.arange(N) - 5
    if scheme == "rep4":
        four_engines = [Rep4Engine(p) for p in four.parties()]
        a, b = four.share(x), four.share(y, 1)
        return [getattr(e, operation)(a[e.me], b[e.me]) for e in four_engines], Rep4Costs()
    checked = scheme == "rep3"
    engines = [Rep3Engine(p, checked=checked) for p in three.parties()]
    left, right = three.share(x), three.share(y, 1)
    return [getattr(e, operation)(left[e.me], right[e.me]) for e in engines], Rep3Costs(checked=checked)


@pytest.mark.parametrize("operation", ["mul", "less_than", "less_than_full", "equal"])
@pytest.mark.parametrize("scheme", ["rep4", "rep3", "rep3 unchecked"])
def test_the_memory_of_an_operation_is_neither_more_nor_much_less_than_estimated(
    scheme: str, operation: str
) -> None:
    steps, model = runs(scheme, operation)
    needed = allocated(steps)
    planned = model.working_bytes(operation, N) + model.element_bytes * N
    assert 0.95 * needed <= planned <= 2 * needed, (planned / N, needed / N)


def test_other_batches_of_three_parties_are_counted() -> None:
    model = Rep3Costs()
    lines = [three.share(np.ones((N // 10, 10), np.int64), k) for k in (0, 1)]
    engines = [Rep3Engine(p) for p in three.parties()]
    needed = allocated([e.inner(lines[0][e.me], lines[1][e.me]) for e in engines])
    assert needed <= model.working_bytes("inner", N // 10, 10) <= 2 * needed
    flags = three.share_bits(np.arange(N) % 2 == 0)
    needed = allocated([e.to_arithmetic(flags[e.me]) for e in [Rep3Engine(p) for p in three.parties()]])
    assert needed <= model.working_bytes("to_arithmetic", N) + model.element_bytes * N <= 2 * needed
    assert model.working_bytes("matmul", 6 * 5, 7, 5) > model.working_bytes("matmul", 6 * 5, 3, 5) > 0
    assert model.working_bytes("mul", 1 << 30) < 1 << 30  # block after block


LARGE = {
    "mul": (N, 1, 1),
    "inner": (N // 50, 50, 1),
    "matmul": (200 * 100, 300, 100),
    "to_arithmetic": (N, 1, 1),
    "conj": (64 * N, 1, 1),
    "less_than": (N, 1, 1),
    "range_check": (N, 1, 1),
}


@pytest.mark.parametrize("operation", LARGE)
def test_a_batch_in_dispute_is_computed_in_the_memory_that_is_estimated(operation: str) -> None:
    """A job process then has the same limit as in an epoch."""
    results, length, columns = LARGE[operation]
    keys = {piece: bytes([piece]) * 32 for piece in range(3)}
    replay.expected("/warm", recipe_of(operation, 64, 2, 1), keys)
    gc.disable()  # as good as in a job process
    tracemalloc.start()
    try:
        replay.expected("/place", recipe_of(operation, *LARGE[operation]), keys)
        needed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    planned = Rep3Costs().dispute_bytes(operation, results, length, columns)
    assert 0.95 * needed <= planned <= (2 if operation != "matmul" else 4) * needed, (planned, needed)
    assert planned < 2 * Rep3Costs().working_bytes(operation, results, length, columns)


def recipe_of(operation: str, results: int, length: int, columns: int) -> Recipe:
    """Of the batch that an operation makes."""
    ands = {"conj": 1, "less_than": SIGN_ANDS, "range_check": 2 * SIGN_ANDS + 1}
    if operation in ands:
        b = choose(ands[operation] * words_for(results))
        return Recipe("words", (b.size, b.depth, b.opened))
    if operation == "matmul":
        return Recipe("matrix", (results // columns, length, columns))
    return Recipe("rows", (2 * results if operation == "to_arithmetic" else results, length))


def test_there_are_no_disputes_that_take_memory_without_checks_or_in_rep4() -> None:
    assert Rep3Costs(checked=False).dispute_bytes("mul", N) == Rep4Costs().dispute_bytes("mul", N) == 0
    assert Rep3Costs().dispute_bytes("open", N) == 0
