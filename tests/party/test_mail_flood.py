"""Mail that a cheater sends for made-up sessions must not crowd out the mail of honest parties."""

from __future__ import annotations

from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import KeyContributions
from mpcd.errors import RefusedError
from mpcd.jobs.states import State
from mpcd.party.desk import SESSIONS_KEPT
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import READER, TOTAL, World, result_of, run_job, specification

CHEAT, VICTIM = "dune", "bolt"


class Flood:
    """Before anything else the cheater fills the victim's desk, and it keeps its last letter of one slot
    from the victim, so that the victim is the last to know the session or to take keys."""

    def __init__(self, world: World, job: bytes, slot: str) -> None:
        self.world, self.job, self.slot = world, job, slot
        self.withheld = 0

    def __call__(self, what: str, sender: str, to: str, message: Any) -> bool:
        if what != "slot" or (sender, to) != (CHEAT, VICTIM):
            return False
        lost = bool(message.slot == self.slot and message.round == 2)
        self.withheld += lost
        return lost

    async def fill(self) -> None:
        life = self.world.daemons[VICTIM].lives[self.job]
        for k in range(SESSIONS_KEPT):
            await life.keys(CHEAT, KeyContributions(job=self.job, session=bytes([k]) * 32))
        with pytest.raises(RefusedError):
            await life.keys(CHEAT, KeyContributions(job=self.job, session=b"x" * 32))


@pytest.mark.parametrize("slot", ["SESSION", "KEYS"])
def test_made_up_sessions_do_not_turn_honest_parties_against_each_other(slot: str) -> None:
    """Otherwise the victim refuses what others send it early, and complains that they have not sent it."""

    async def story() -> None:
        world, spec = World(), specification()
        flood = Flood(world, spec.job, slot)
        world.lost = flood
        begun = world.daemon(VICTIM).know

        async def know(known: Any) -> Any:
            life = await begun(known)
            await flood.fill()
            return life

        world.daemon(VICTIM).know = know  # type: ignore[method-assign,assignment]
        ended = await run_job(world, spec)
        assert flood.withheld
        assert set(ended.values()) == {State.SUCCEEDED}, ended
        assert await result_of(world, READER, spec) == TOTAL

    run_virtually(story())
