"""Plans: the rounds and bytes of a job, its range checks included, are those of its run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpcd as mpc
from mpcd._pb.v1 import worker_pb2
from mpcd.apps.auction import second_price
from mpcd.party.plans import plan
from mpcd.party.proposals import _with_range_checks
from mpcd.program.check import Checked
from mpcd.program.cost import Estimate, estimate
from mpcd.protocols.rep4.costs import Rep4Costs
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from mpcd.runtime import arguments
from mpcd.runtime.interpreter import run
from mpcd.runtime.lockstep import Run, lockstep
from tests.party.offices import Town, job, signed
from tests.protocols.rep4.four import parties, share


@mpc.program
def unchecked(x: mpc.Vector[mpc.Int64], y: mpc.Vector[mpc.Int64]) -> object:
    """How many numbers are equal; none can be outside of its range."""
    return mpc.reveal(same=mpc.count(x == y))


def job_process(
    checked: Checked, engine: Rep4Engine, columns: Any, dims: Any, parameters: Any
) -> Rounds[Any]:
    """The rounds of a job process: check, open the bits, run the program."""
    bits = yield from arguments.find_failing(checked, engine, arguments.Arguments(columns, {}))
    yield from arguments.open_failing(engine, bits)
    return (yield from run(checked, engine.at("program"), columns, dims, parameters))


def play(checked: Checked, n: int, parameters: dict[str, Any]) -> tuple[Estimate, Run[Any]]:
    shares = {name: share(np.arange(n), k) for k, name in enumerate(checked.inputs)}
    (dim,) = checked.maxima
    dims = {dim: n}
    steps = [
        job_process(checked, Rep4Engine(p), {m: s[p.me] for m, s in shares.items()}, dims, parameters)
        for p in parties()
    ]
    planned = _with_range_checks(estimate(checked, dims, Rep4Costs()), checked, dims, Rep4Costs())
    return planned, lockstep(steps)


@pytest.mark.parametrize("n", [4, 500])
def test_the_plan_of_an_auction_is_its_run(n: int) -> None:
    planned, actual = play(second_price.checked, n, {"reserve": 1, "order": np.arange(n)})
    actual.results()
    assert planned.rounds == actual.rounds
    busiest = max(actual.payload_bytes.values())
    assert busiest <= planned.bytes_sent <= 1.05 * busiest


def test_the_auction_of_four_takes_47_rounds() -> None:
    planned, _ = play(second_price.checked, 4, {"reserve": 1, "order": np.arange(4)})
    assert planned.rounds == 47


def test_inputs_of_any_value_are_not_checked_and_cost_no_check() -> None:
    planned, actual = play(unchecked.checked, 100, {})
    actual.results()
    assert planned.rounds == actual.rounds
    assert "range_check" not in planned.operations


def test_progress_says_how_many_rounds_there_will_be(tmp_path: Path) -> None:
    async def scene() -> None:
        town = Town(tmp_path)
        try:
            specification = job()
            await town.propose(signed(specification), ("crux",))
            office = town.offices["crux"]
            office.told(specification.job, worker_pb2.Progress())
            planned = plan(office.house, specification).rounds
            assert office.planned == {specification.job: planned}
            office.told(b"a job that has ended", worker_pb2.Progress())
            assert office.planned == {specification.job: planned}
            assert planned == 47
        finally:
            await town.close()

    asyncio.run(scene())
