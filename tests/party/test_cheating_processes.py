"""A job process that fails or lies at one party: no wrong output, and records that name the right ones."""

from __future__ import annotations

import asyncio
import dataclasses

from structlog.testing import capture_logs

from mpcd._pb.v1 import worker_pb2
from mpcd.errors import InternalError
from mpcd.jobs.states import State
from mpcd.party import processes
from mpcd.party.ports import Delivery, Order, Product, Reveal, SharedOutput
from mpcd.testing.simulation.clock import run_virtually
from tests.party.cheats import CHEATER, evidence_of
from tests.party.links import add_up
from tests.party.world import (
    COMPUTING,
    READER,
    TOTAL,
    World,
    result_of,
    run_job,
    specification,
)


def test_other_commitments_of_one_party_are_outvoted_and_recorded() -> None:
    async def story() -> None:
        world, spec = World(), specification()

        def wrong(order: Order) -> Product:
            product = add_up(order)
            (output,) = product.outputs
            deliveries = tuple(
                Delivery(d.recipient, d.salts, {a: bytes(32) for a in d.commitments})
                for d in output.deliveries
            )
            return Product(
                (SharedOutput(output.name, output.shape, output.summands, deliveries),), b"\0" * 32
            )

        world.daemon(CHEATER).pool.compute = wrong
        ended = await run_job(world, spec)
        assert all(ended[name] is State.SUCCEEDED for name in (*COMPUTING, READER))
        assert await result_of(world, "acme", spec) == TOTAL
        assert await result_of(world, READER, spec) == TOTAL
        for name in ("acme", "bolt", "crux"):
            (record,) = await evidence_of(world, name)
            assert (record.kind, record.blamed) == ("contradiction", (CHEATER,))
            assert len(record.statements) == len(record.bodies) == 4

    run_virtually(story())


def test_a_job_process_that_fails_at_one_party_keeps_everything_closed() -> None:
    async def story() -> None:
        world, spec = World(), specification()

        async def die(order: Order, reveal: Reveal) -> None:
            raise InternalError("the job process ended")

        world.daemon(CHEATER).pool.run = die
        ended = await run_job(world, spec)
        assert ended[CHEATER] is State.FAILED
        assert all(ended[name] is State.ABORTED for name in (*COMPUTING, READER) if name != CHEATER)
        # It says that it leaves, so the others do not wait for signs of its life.
        assert asyncio.get_running_loop().time() < 6.0
        for name in ("acme", "bolt", "crux"):
            (record,) = await evidence_of(world, name)
            assert not record.blamed
            assert record.unreachable == (CHEATER,)

    run_virtually(story())


def test_what_was_outvoted_is_recorded_as_a_pair_and_the_job_succeeds() -> None:
    """Two lies of one party on two paths: one record of the reporter and the liar, and a line in the log."""

    async def story() -> None:
        world, spec = World(), specification()
        liar, seen = frozenset({0, 3}), ("range open/0/open", "range open/1/open")
        notices = tuple((path, liar) for path in seen)
        acme = world.daemon("acme")
        acme.pool.compute = lambda order: dataclasses.replace(add_up(order), outvoted=notices)
        with capture_logs() as lines:
            ended = await run_job(world, spec)
        assert all(state is State.SUCCEEDED for state in ended.values()), ended
        (record,) = await evidence_of(world, "acme")
        assert (record.kind, record.blamed, record.step) == ("bad-opening", ("acme", "dune"), seen[0])
        assert [line["parties"] for line in lines if line["event"] == "openings outvoted"] == [
            ["acme", "dune"]
        ]
        assert not await evidence_of(world, "bolt")

    run_virtually(story())


def test_a_job_process_that_names_one_party_alone_is_our_bug() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        alone = (("path", frozenset({3})),)
        world.daemon("acme").pool.compute = lambda order: dataclasses.replace(add_up(order), outvoted=alone)
        assert (await run_job(world, spec))["acme"] is State.FAILED
        assert not [r for r in await evidence_of(world, "acme") if r.blamed]

    run_virtually(story())


def test_the_result_of_a_job_process_carries_what_was_outvoted() -> None:
    result = worker_pb2.Result(notices=[worker_pb2.Pair(path="x/open", parties=[1, 2])])
    assert processes._product(result, (0, 1, 2, 3)).outvoted == (("x/open", frozenset({1, 2})),)
