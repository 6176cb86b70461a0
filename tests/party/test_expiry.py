"""A job whose deadline passes before it can compute ends `expired` at everybody, whatever role it has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import OutputHeader
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.states import State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import EVERYBODY, OWNER, PACE, READER, Twist, World, run_job, specification

DEADLINE_S = 0.9 * PACE.stage_s
LIAR = "dune"


def everybody_expires(lost: str, twist: Twist = lambda what, sender, to, message: message) -> None:
    async def story() -> None:
        world, spec = World(twist=twist), specification(deadline=DEADLINE_S)
        world.lost = lambda what, sender, to, message: what == lost and OWNER in (sender, to)
        ended = await run_job(world, spec)
        assert ended == dict.fromkeys(EVERYBODY, State.EXPIRED)
        assert DEADLINE_S <= asyncio.get_running_loop().time() <= DEADLINE_S + GRACE_S

    run_virtually(story())


@pytest.mark.parametrize("lost", ["input", "session"])
def test_an_owner_that_cannot_be_reached_makes_a_job_expire_everywhere(lost: str) -> None:
    everybody_expires(lost)


def test_one_that_says_aborted_makes_nobody_believe_it() -> None:
    """The reader asks how the job went; of two answers one is the liar's, but the deadline has passed."""

    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "output" and sender == LIAR and to == READER and message[0].state == "expired":
            return OutputHeader(state="aborted", ready=False), b""
        return message

    everybody_expires("input", twist)
