"""A whole job between six organisations in memory: four compute, a fifth only gives, a sixth only reads."""

from __future__ import annotations

import asyncio

import pytest

from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import verify
from mpcd.jobs.states import TERMINAL, State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import (
    COMPUTING,
    EVERYBODY,
    OWNER,
    READER,
    TOTAL,
    VALUES,
    World,
    result_of,
    roster,
    run_job,
    specification,
)


def test_the_job_succeeds_for_everybody_and_the_right_ones_learn_the_result() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        ended = await run_job(world, spec)
        assert ended == dict.fromkeys(EVERYBODY, State.SUCCEEDED)
        learnt = {name: await result_of(world, name, spec) for name in EVERYBODY}
        assert learnt == dict.fromkeys(EVERYBODY, None) | {"acme": TOTAL, READER: TOTAL}
        assert asyncio.get_running_loop().time() < 2.0

    run_virtually(story())


def test_everybody_has_the_receipt_with_all_signatures() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        await asyncio.sleep(1)
        for name in EVERYBODY:
            raw = await world.daemons[name].store.receipts.get(spec.job)
            assert raw is not None, name
            verdict = verify(Envelope.from_bytes(raw), roster())
            assert verdict.valid
            assert verdict.receipt.job == spec.job.hex()
            assert [line.owner for line in verdict.receipt.inputs] == list(VALUES)
        assert verdict.signed == COMPUTING

    run_virtually(story())


def test_the_states_are_those_of_the_table_in_order_and_persisted() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        for name in EVERYBODY:
            states = [state for _, state in world.daemons[name].states]
            expected = ["gathering", "computing", "verifying", "opening", "succeeded"]
            assert states == expected
            history = await world.daemons[name].store.jobs.history(spec.job)
            assert [step.after for step in history] == expected

    run_virtually(story())


def test_no_secret_of_an_input_stays_on_the_disk_after_the_end() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        for name in COMPUTING:
            daemon = world.daemons[name]
            count = daemon.database.connection.execute("SELECT count(*) FROM input_shares").fetchone()
            assert count == (0,)

    run_virtually(story())


def test_a_party_whose_data_is_unusable_fails_and_the_others_end_at_once() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.daemon("bolt").data.value = None
        ended = await run_job(world, spec)
        assert ended["bolt"] is State.FAILED
        assert all(ended[name] is State.ABORTED for name in EVERYBODY if name != "bolt")
        assert asyncio.get_running_loop().time() < 60.0

    run_virtually(story(), 200.0)


@pytest.mark.parametrize("missing", ["abort", "exclude"])
def test_an_owner_that_gives_nothing_is_treated_as_the_job_says(missing: str) -> None:
    async def story() -> None:
        world, spec = World(), specification(missing=missing)
        world.daemon(OWNER).data.value = None
        ended = await run_job(world, spec)
        if missing == "abort":
            assert all(ended[name] is State.ABORTED for name in (*COMPUTING, READER))
            assert await result_of(world, "acme", spec) is None
        else:
            assert all(ended[name] is State.SUCCEEDED for name in (*COMPUTING, READER))
            assert await result_of(world, READER, spec) == TOTAL - VALUES[OWNER]
            raw = await world.daemons["acme"].store.receipts.get(spec.job)
            assert raw is not None
            receipt = verify(Envelope.from_bytes(raw), roster()).receipt
            assert [line.owner for line in receipt.excluded] == [OWNER]

    run_virtually(story(), 300.0)


def test_cancelling_before_the_end_of_computing_ends_it_everywhere() -> None:
    async def story() -> None:
        world, spec = World(), specification()

        async def cancel() -> None:
            await asyncio.sleep(0.05)
            assert await world.daemons["crux"].lives[spec.job].cancel("no longer wanted")

        task = asyncio.create_task(cancel())
        ended = await run_job(world, spec)
        await task
        assert ended["crux"] is State.CANCELLED
        assert all(state in TERMINAL - {State.SUCCEEDED} for state in ended.values())
        assert not await world.daemons["crux"].lives[spec.job].cancel("again")

    run_virtually(story(), 300.0)


def test_a_job_that_has_ended_cannot_be_cancelled() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        for name in EVERYBODY:
            assert not await world.daemons[name].lives[spec.job].cancel("too late")
            assert world.daemons[name].lives[spec.job].state is State.SUCCEEDED

    run_virtually(story())


def test_a_late_beginning_of_one_party_costs_nothing_but_time() -> None:
    """A party that does not know the job yet loses slot messages; they are said again."""

    async def story() -> None:
        world, spec = World(), specification()

        async def later(name: str) -> State:
            await asyncio.sleep(2.0)
            await world.daemon(name).know(spec)
            return await world.daemons[name].begin(spec)

        task = asyncio.create_task(later("dune"))
        ended = await run_job(world, spec, tuple(n for n in EVERYBODY if n != "dune"))
        assert await task is State.SUCCEEDED
        assert set(ended.values()) == {State.SUCCEEDED}
        assert asyncio.get_running_loop().time() < 5.0

    run_virtually(story())
