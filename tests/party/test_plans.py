"""Plans: the rounds and bytes of a job, its range checks included, are those of its run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpcd as mpc
from mpcd._pb.v1 import worker_pb2
from mpcd.apps.auction import second_price
from mpcd.errors import ConfigError
from mpcd.party.plans import plan
from mpcd.party.proposals import _with_range_checks
from mpcd.party.submissions import specify
from mpcd.program.check import Checked
from mpcd.program.cost import Estimate, estimate
from mpcd.protocols.rep4.costs import Rep4Costs
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from mpcd.runtime import arguments
from mpcd.runtime.interpreter import run
from mpcd.runtime.lockstep import Run, lockstep
from tests.party.offices import PROGRAM, Town, job, signed
from tests.protocols.rep4.four import parties, share


class Offers(mpc.Table):
    """What somebody offers."""

    price: mpc.UInt16
    amount: mpc.UInt8


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


def with_town(directory: Path, scene: Callable[[Town], None]) -> None:
    async def run() -> None:
        town = Town(directory)
        try:
            scene(town)
        finally:
            await town.close()

    asyncio.run(run())


WORDS = {
    "abort": "out of its declared range, ends the job without outputs.",
    "exclude": "is left out, and so is a row out of its declared range.",
    "default": "each of its rows by the public default row, and so is a row out of its declared range.",
}


@pytest.mark.parametrize("missing", WORDS)
def test_a_plan_says_what_happens_without_an_input(tmp_path: Path, missing: str) -> None:
    def scene(town: Town) -> None:
        entry = {"dataset": "bids", "argument": "bids", "rows": 1}
        given = [{"party": bidder, **entry} for bidder in ("acme", "bolt", "echo")]
        if missing == "default":
            given = [{**one, "default": 40 + k} for k, one in enumerate(given)]
        reply = plan(town.offices["acme"].house, job(missing=missing, inputs=given))
        assert reply.acceptable
        first, *more = [fact.text for fact in reply.facts if fact.topic == "missing"]
        assert WORDS[missing] in first
        rows = [
            f"{bidder}'s default row for bids: {40 + k}" for k, bidder in enumerate(("acme", "bolt", "echo"))
        ]
        assert more == (rows if missing == "default" else [])

    with_town(tmp_path, scene)


JOB = """\
apiVersion: mpcd/v1
kind: Job
name: auction
program: {kind: app, name: second-price}
computing: [acme, bolt, crux, dune]
inputs:
  - {party: acme, dataset: bids, argument: bids, rows: 1, default: 0}
  - {party: echo, dataset: bids, argument: bids, rows: 1, default: 4294967295}
results: [{output: winner, to: [acme]}, {output: price, to: [acme]}]
parameters: {reserve: 1}
order: [acme, echo]
missing: default
"""


@pytest.mark.parametrize(
    ("default", "place", "message"),
    [
        ("4294967296", "8:68", r"the default for bids must lie in \[0, 4294967295\]"),
        ("-1", "8:68", r"the default for bids must lie in \[0, 4294967295\]"),
        (
            "{bid: 1}",
            "8:68",
            "bids is one column without a name .to mend it: write one number, as default: 0",
        ),
    ],
)
def test_a_default_that_does_not_fit_is_shown_in_the_job_file(
    tmp_path: Path, default: str, place: str, message: str
) -> None:
    def scene(town: Town) -> None:
        house = town.offices["acme"].house
        assert specify(house, JOB.encode(), "job.yaml", PROGRAM, "").missing == "default"
        wrong = JOB.replace("4294967295", default).encode()
        with pytest.raises(ConfigError, match=message) as caught:
            specify(house, wrong, "job.yaml", PROGRAM, "")
        assert caught.value.where == f"job.yaml:{place}"

    with_town(tmp_path, scene)


@mpc.program
def offers(offers: Offers) -> object:
    """What all offers are worth."""
    return mpc.reveal(worth=mpc.dot(offers.price, offers.amount))


@pytest.mark.parametrize(
    ("default", "place", "message"),
    [
        ("{price: 1, amount: 256}", "8:81", r"the default for offers.amount must lie in \[0, 255\]"),
        ("{price: 1, amuont: 2}", "8:81", r"offers has no column 'amuont' \(did you mean 'amount'\?\)"),
        ("{price: 1}", "8:70", "the column amount of offers needs a default, too .to mend it: add amount: 0"),
        ("1", "8:70", "has the columns price, amount: .* write default: {price: 0, amount: 0}"),
    ],
)
def test_a_column_that_does_not_fit_is_shown_in_the_job_file(
    tmp_path: Path, default: str, place: str, message: str
) -> None:
    text = JOB.replace("argument: bids", "argument: offers").replace("order: [acme, echo]\n", "")
    text = text.replace("{reserve: 1}", "{}").replace("default: 0}", "default: {price: 0, amount: 0}}")
    text = text.replace("default: 4294967295", f"default: {default}")
    results = "results: [{output: worth, to: [acme]}]"
    text = "\n".join(results if line.startswith("results") else line for line in text.split("\n"))

    def scene(town: Town) -> None:
        with pytest.raises(ConfigError, match=message) as caught:
            specify(town.offices["acme"].house, text.encode(), "job.yaml", offers.canonical, "")
        assert caught.value.where == f"job.yaml:{place}"

    with_town(tmp_path, scene)
