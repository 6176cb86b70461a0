"""The declared costs are the counters of real runs, byte by byte."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.program.cost import CostModel
from mpcd.protocols.engine import Engine
from mpcd.protocols.rep3 import compare, convert, costs
from mpcd.protocols.rep3.costs import Cost, batch_memory
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep3.three import parties, share, share_bits

LENGTH = 7
Args = tuple[list[Any], ...]


def _numbers(n: int) -> Args:
    return share(np.arange(n)), share(np.arange(n) - 5, 1)


def _one_number(n: int) -> Args:
    return (share(np.arange(n)),)


def _flags(n: int) -> Args:
    return share_bits(np.arange(n) % 2 == 0), share_bits(np.arange(n) % 3 == 0, 1)


def _one_flag(n: int) -> Args:
    return _flags(n)[:1]


def _lines(n: int) -> Args:
    return share(np.ones((n, LENGTH), np.int64)), share(np.ones((n, LENGTH), np.int64), 1)


def _matrices(n: int) -> Args:
    return share(np.ones((n, LENGTH), np.int64)), share(np.ones((LENGTH, 1), np.int64), 1)


OPERATIONS: dict[str, tuple[Callable[..., Rounds[Any]], Callable[[int], Args]]] = {
    "mul": (Rep3Engine.mul, _numbers),
    "inner": (Rep3Engine.inner, _lines),
    "matmul": (Rep3Engine.matmul, _matrices),
    "conj": (Rep3Engine.conj, _flags),
    "negative": (Rep3Engine.negative, _one_number),
    "parity": (Rep3Engine.parity, _one_number),
    "less_than": (Rep3Engine.less_than, _numbers),
    "less_than_full": (Rep3Engine.less_than_full, _numbers),
    "equal": (Rep3Engine.equal, _numbers),
    "range_check": (lambda e, x: compare.range_check(e.party, x, -3, 9), _one_number),
    "to_arithmetic": (Rep3Engine.to_arithmetic, _one_flag),
    "to_binary": (lambda e, x: convert.to_binary(e.party, x), _one_number),
    "open": (Rep3Engine.open, _one_number),
    "open_bits": (Rep3Engine.open_bits, _one_flag),
}


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("n", [0, 1, 64, 65, 700])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_declared_costs_are_the_counters_of_a_run(operation: str, n: int, checked: bool) -> None:
    step, args = OPERATIONS[operation]
    given = args(n)
    engines = [Rep3Engine(p, checked=checked) for p in parties()]
    found = lockstep([step(e, *(arg[e.me] for arg in given)) for e in engines])
    found.results()
    expected = costs.cost(operation, n, checked=checked, length=LENGTH)
    assert found.rounds == expected.rounds
    assert [found.payload_bytes[p] for p in range(3)] == [expected.sent] * 3


def test_every_interactive_operation_of_the_engine_has_a_cost() -> None:
    interactive = {
        name
        for name, f in vars(Engine).items()
        if callable(f) and str(getattr(f, "__annotations__", {}).get("return", "")).startswith("Rounds")
    }
    assert interactive
    assert interactive <= set(costs._OPERATIONS)
    assert set(costs._OPERATIONS) == set(OPERATIONS)


def test_the_headline_numbers() -> None:
    """Per element and party, for large arrays: what the documentation promises."""
    n = 64_000
    per_party = {name: costs.cost(name, n).sent / n for name in ("mul", "less_than", "to_arithmetic", "open")}
    assert {name: round(value, 1) for name, value in per_party.items()} == {
        "mul": 48.0, "less_than": 361.5, "to_arithmetic": 96.0, "open": 8.0,
    }  # fmt: skip
    assert costs.cost("mul", n, checked=False).total_bytes / n == 24
    assert costs.cost("open", n).total_bytes / n == 24


def test_the_cost_model() -> None:
    model: CostModel = costs.Rep3Costs()
    assert (model.rounds("mul"), model.bytes_sent("mul", 1)) == (6, 160)
    passive: CostModel = costs.Rep3Costs(checked=False)
    assert (passive.rounds("mul"), passive.bytes_sent("mul", 1)) == (1, 8)


def test_costs_add_up_one_after_the_other() -> None:
    both = Cost(1, 2).then(Cost(2, 10), costs.NOTHING)
    assert (both, both.total_bytes) == (Cost(3, 12), 36)


@pytest.mark.parametrize(
    ("operation", "results", "length"), [("division", 1, 1), ("mul", -1, 1), ("inner", 1, -1)]
)
def test_unknown_costs_are_refused(operation: str, results: int, length: int) -> None:
    with pytest.raises(UsageError):
        costs.cost(operation, results, length=length)


def test_a_daemon_can_use_costs_and_records_without_compiled_code() -> None:
    code = (
        "import sys, mpcd.protocols.rep3.costs, mpcd.protocols.rep3.batch; sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_conversion_is_one_batch_however_large_and_products_are_cut() -> None:
    """So is the memory that is said to be needed."""
    for operation, factor in (("to_arithmetic", 2), ("mul", 1)):
        small, large = (batch_memory(operation, n)[0].made for n in (1 << 23, 1 << 24))
        assert large == factor * small
