"""One party goes at any moment of a job with guaranteed output, or is not heard: all others get it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.states import State
from mpcd.party.past import RESUMED
from mpcd.testing.simulation.clock import run_virtually
from tests.party.test_life_faults import MOMENTS, OTHER_MOMENTS, KillAt, revive, the_next_job_works
from tests.party.test_recovery import job, receipts_of
from tests.party.world import (
    COMPUTING,
    DEADLINE,
    EVERYBODY,
    OWNER,
    READER,
    STAGE,
    VALUES,
    World,
    result_of,
    run_job,
)

OWNERS = ("acme", OWNER)
SUM = sum(VALUES[name] for name in OWNERS)
"""Nobody who falls silent gives an input here."""


async def everybody_else_has_it(world: World, ended: dict[str, State], victim: str) -> None:
    assert asyncio.get_running_loop().time() <= DEADLINE + GRACE_S
    others = {name: state for name, state in ended.items() if name != victim}
    assert set(others) == set(EVERYBODY) - {victim}
    assert set(others.values()) == {State.SUCCEEDED}, ended
    spec = next(iter(world.daemons["acme"].lives.values())).case.terms.specification
    assert await result_of(world, READER, spec) == SUM
    assert await result_of(world, "acme", spec) == SUM
    for receipt in (await receipts_of(world, spec)).values():
        for line in receipt.faults:
            assert (line.blamed, line.unreachable) == ((), (victim,))


@pytest.mark.parametrize("victim", ["bolt", "dune"])
@pytest.mark.parametrize("moment", [*MOMENTS, *OTHER_MOMENTS], ids=str)
def test_a_party_killed_at_any_moment_keeps_the_output_from_nobody(
    moment: tuple[str, int], victim: str
) -> None:
    async def story() -> None:
        world, spec = World(), job(owners=OWNERS)
        world.lost = KillAt(world, victim, moment)
        ended = await run_job(world, spec)
        await everybody_else_has_it(world, ended, victim)
        await the_next_job_works(world)

    run_virtually(story())


@pytest.mark.parametrize("family", ["SESSION", "KEYS", "KEY-COMPLAINT", "INPUTS", "HAVE", "START", "BARRIER"])
def test_a_party_that_is_not_heard_in_one_slot_is_done_without(family: str) -> None:
    """It hears all others, and gets what it is to get like any recipient."""

    async def story() -> None:
        def lost(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "slot" and sender == "crux" and message.slot == family

        world, spec = World(lost=lost), job(owners=OWNERS)
        ended = await run_job(world, spec)
        await everybody_else_has_it(world, ended, "crux")
        assert ended["crux"] is State.SUCCEEDED, ended

    run_virtually(story())


def test_a_party_that_never_has_a_process_is_done_without_before_the_time_is_up() -> None:
    async def story() -> None:
        world, spec = World(), job(owners=OWNERS)
        world.daemon("crux").pool.slots = 0
        ended = await run_job(world, spec)
        await everybody_else_has_it(world, ended, "crux")
        assert ended["crux"] is State.SUCCEEDED
        assert all(world.daemons[name].pool.taken == 0 for name in COMPUTING)

    run_virtually(story())


def test_a_party_whose_data_is_gone_costs_its_input_and_nothing_else() -> None:
    async def story() -> None:
        world, spec = World(), job(missing="exclude")
        world.daemon("bolt").data.value = None
        ended = await run_job(world, spec)
        assert ended["bolt"] is State.FAILED
        assert {ended[name] for name in EVERYBODY if name != "bolt"} == {State.SUCCEEDED}
        assert await result_of(world, READER, spec) == sum(VALUES.values()) - VALUES["bolt"]

    run_virtually(story())


@pytest.mark.parametrize("away_s", [0.5, 3.0])
@pytest.mark.parametrize(
    "moment", [("SESSION", 1), ("INPUTS", 1), ("START", 0), ("BARRIER", 0), ("BARRIER", 1)]
)
def test_a_daemon_that_was_restarted_takes_no_part_any_more_and_gets_its_output(
    moment: tuple[str, int], away_s: float
) -> None:
    """It says at once that it has left: nobody waits for a timer of a stage."""

    async def story() -> None:
        world, spec = World(), job(owners=(OWNER,))
        world.lost = KillAt(world, "acme", moment)

        async def come_back() -> State:
            while not world.dead:
                await asyncio.sleep(0.01)
            await asyncio.sleep(away_s)
            daemon = await revive(world, "acme")
            (row,) = await daemon.store.jobs.in_states(RESUMED)
            life = await daemon.know(spec)
            life.case.state, life.case.session = State(row.state), row.session
            return await life.resume()

        back = asyncio.create_task(come_back())
        ended = await run_job(world, spec)
        assert asyncio.get_running_loop().time() < away_s + 1.2 * STAGE
        assert await back is State.SUCCEEDED
        assert {ended[name] for name in EVERYBODY if name != "acme"} == {State.SUCCEEDED}
        for name in ("acme", READER):
            assert await result_of(world, name, spec) == VALUES[OWNER]

    run_virtually(story())


def test_two_that_fall_silent_one_after_the_other_end_the_job_for_all() -> None:
    async def story() -> None:
        def lost(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "slot" and (sender, message.slot) in {("crux", "KEYS"), ("dune", "START")}

        world, spec = World(lost=lost), job(owners=OWNERS)
        ended = await run_job(world, spec)
        assert State.SUCCEEDED not in ended.values(), ended
        assert await result_of(world, READER, spec) is None
        assert [world.daemons[name].pool.orders for name in ("acme", "bolt")] == [[], []], "two begin nothing"

    run_virtually(story())
