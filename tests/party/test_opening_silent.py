"""A holder that neither answers nor breaks the connection: recipients turn to the next one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from mpcd.jobs.states import State
from mpcd.party.life import Life
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import COMPUTING, READER, TOTAL, World, result_of, run_job, specification


@dataclass
class Stopped(World):
    """One holder hangs when it is asked for a summand, as a stopped process does."""

    holder: str = ""

    async def call(self, what: str, sender: str, to: str, message: Any) -> Life:
        if what == "output" and to == self.holder and message.body:
            await asyncio.sleep(100_000.0)
        return await super().call(what, sender, to, message)


@pytest.mark.parametrize("holder", COMPUTING)
def test_a_silent_holder_does_not_keep_recipients_from_the_next(holder: str) -> None:
    async def story() -> None:
        world, spec = Stopped(holder=holder), specification()
        ended = await run_job(world, spec)
        for name in {"acme", READER}:
            assert ended[name] is State.SUCCEEDED
            assert await result_of(world, name, spec) == TOTAL

    run_virtually(story())
