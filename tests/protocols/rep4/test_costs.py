"""The declared costs are the counters of real runs, party by party and byte by byte."""

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
from mpcd.protocols.rep4 import compare, convert, costs, multiply, opening
from mpcd.protocols.rep4.costs import Cost
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from tests.protocols.rep4.four import run, share, share_bits

Args = tuple[Any, ...]


def _numbers(n: int) -> Args:
    return share(np.arange(n)), share(np.arange(n) - 5, 1)


def _one_number(n: int) -> Args:
    return (share(np.arange(n)),)


def _flags(n: int) -> Args:
    return share_bits(np.arange(n) % 2 == 0), share_bits(np.arange(n) % 3 == 0, 1)


def _one_flag(n: int) -> Args:
    return _flags(n)[:1]


def _lines(n: int) -> Args:
    return share(np.ones((n, 7), np.int64)), share(np.ones((n, 7), np.int64), 1)


def _matrices(n: int) -> Args:
    return share(np.ones((n, 7), np.int64)), share(np.ones((7, 1), np.int64), 1)


OPERATIONS: dict[str, tuple[Callable[..., Rounds[Any]], Callable[[int], Args]]] = {
    "mul": (multiply.mul, _numbers),
    "inner": (multiply.inner, _lines),
    "matmul": (multiply.matmul, _matrices),
    "conj": (multiply.conj, _flags),
    "negative": (compare.negative, _one_number),
    "parity": (lambda p, x: Rep4Engine(p).parity(x), _one_number),
    "less_than": (compare.less_than, _numbers),
    "less_than_full": (compare.less_than_full, _numbers),
    "equal": (compare.equal, _numbers),
    "range_check": (compare.range_check, lambda n: (*_one_number(n), -3, 9)),
    "to_arithmetic": (convert.to_arithmetic, _one_flag),
    "to_binary": (convert.to_binary, _one_number),
    "open": (opening.open_to, _one_number),
    "open_bits": (opening.open_bits_to, _one_flag),
}


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 129, 5000])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_declared_costs_are_the_counters_of_a_run(operation: str, n: int) -> None:
    step, args = OPERATIONS[operation]
    found = run(step, *args(n))
    found.results()
    expected = costs.cost(operation, n)
    assert found.rounds == expected.rounds
    assert tuple(found.payload_bytes[p] for p in range(4)) == expected.sent


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
    per_party = {name: costs.cost(name, n).total_bytes / n / 4 for name in OPERATIONS}
    rounded = {name: round(value, 2) for name, value in per_party.items()}
    assert rounded == {
        "mul": 12.0, "inner": 12.0, "matmul": 12.0, "conj": 0.19, "negative": 34.0, "less_than": 34.0,
        "parity": 0.0,
        "less_than_full": 102.19, "equal": 15.81, "range_check": 68.19, "to_arithmetic": 12.0,
        "to_binary": 70.0, "open": 16.0, "open_bits": 0.25,
    }  # fmt: skip
    rounds = {name: costs.cost(name, n).rounds for name in OPERATIONS}
    assert rounds == {
        "mul": 1, "inner": 1, "matmul": 1, "conj": 1, "negative": 8, "less_than": 8, "less_than_full": 9,
        "parity": 0,
        "equal": 7, "range_check": 9, "to_arithmetic": 2, "to_binary": 8, "open": 1, "open_bits": 1,
    }  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nobody_sends_much_more_than_the_others(operation: str) -> None:
    """Large arrays are balanced; in `equal` the two parties that hand over the halves send 68% more."""
    sent = costs.cost(operation, 64_000).sent
    limit = 1.7 if operation == "equal" else 1.1
    assert max(sent) <= limit * min(sent)


def test_the_cost_model_counts_the_busiest_party() -> None:
    model: CostModel = costs.Rep4Costs()
    assert model.rounds("less_than") == 8
    assert model.bytes_sent("mul", 1) == 16
    assert model.bytes_sent("mul", 0) == 0


def test_costs_add_up_one_after_the_other() -> None:
    both = Cost(1, (1, 2, 3, 4)).then(Cost(2, (10, 0, 0, 0)), costs.NOTHING)
    assert both == Cost(3, (11, 2, 3, 4))
    assert (both.total_bytes, both.busiest_bytes) == (20, 11)


@pytest.mark.parametrize(("operation", "results"), [("division", 1), ("mul", -1)])
def test_unknown_costs_are_refused(operation: str, results: int) -> None:
    with pytest.raises(UsageError):
        costs.cost(operation, results)


def test_a_daemon_can_use_keys_inputs_outputs_and_costs_without_compiled_code() -> None:
    """The daemon never imports Numba: it would cost every daemon its start and 100 MB."""
    names = ", ".join(f"mpcd.protocols.rep4.{name}" for name in ("keys", "inputs", "outputs", "costs"))
    code = f"import sys, {names}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
