"""A party takes part only if its job processes have the memory for all epochs that a job may come to."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from mpcd.apps import auction
from mpcd.identity.config import PartyLimits
from mpcd.jobs.policy import Decision
from mpcd.party.proposals import Proposal, _with_range_checks, bounds, inspect, judge
from mpcd.program.cost import Estimate, estimate
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep4.costs import Rep4Costs
from tests.party.offices import Town, job, signed


def inspected(profile: str) -> Proposal:
    specification = job(profile=profile)
    return inspect(signed(specification), specification)


def test_where_the_output_is_guaranteed_an_epoch_of_three_must_have_room() -> None:
    fair, guaranteed = inspected("fair"), inspected("guaranteed")
    dims = bounds(guaranteed.specification, guaranteed.checked)
    three = estimate(guaranteed.checked, dims, Rep3Costs())
    assert guaranteed.cost.memory_bytes >= three.memory_bytes > 2 * fair.cost.memory_bytes
    assert fair.cost.memory_bytes >= estimate(fair.checked, dims, Rep4Costs()).memory_bytes
    assert (guaranteed.cost.rounds, guaranteed.cost.bytes_sent) == (fair.cost.rounds, fair.cost.bytes_sent)


def test_a_dispute_about_a_range_check_must_have_room() -> None:
    checked, n, model = auction.first_price.checked, 1000, Rep3Costs()
    cost = _with_range_checks(Estimate(0, 0, 0, {}, 0), checked, {"n": n}, model)
    assert cost.memory_bytes == model.dispute_bytes("range_check", n)
    assert cost.memory_bytes > model.working_bytes("range_check", n) + model.element_bytes * n


@pytest.mark.parametrize("running", [1, 3])
def test_a_job_for_which_no_process_has_the_memory_is_refused(tmp_path: Path, running: int) -> None:
    async def scene() -> None:
        town = Town(tmp_path)
        house = town.offices["acme"].house
        guaranteed, fair = inspected("guaranteed"), inspected("fair")
        needed = guaranteed.cost.memory_bytes

        def judged(proposal: Proposal, memory: int) -> Decision:
            limits = PartyLimits.model_construct(running=running, memory=memory * running)
            return judge(proposal, house.config.model_copy(update={"limits": limits}), house.catalogue)

        assert judged(guaranteed, needed).kind == "accept"
        refused = judged(guaranteed, needed - 1)
        assert refused.kind == "refuse"
        assert f"a job process of this party may have {needed - 1}" in refused.reason
        assert judged(fair, needed - 1).kind == "accept"
        others = guaranteed.specification.model_copy(update={"computing": ("bolt", "crux", "dune")})
        assert judged(dataclasses.replace(guaranteed, specification=others), needed - 1).kind == "accept"
        await town.close()

    asyncio.run(scene())
