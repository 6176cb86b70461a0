"""A party that the others hear, but that does not hear them, at the moment in which all agree to open."""

from __future__ import annotations

from typing import Any

from mpcd.jobs.states import State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import COMPUTING, TOTAL, World, result_of, run_job, specification

DEAF = "bolt"


def deaf_to(*others: str, and_lost: bool = False) -> tuple[dict[str, State], dict[str, int | None]]:
    """How a job ends if letters of BARRIER from these do not reach bolt; or nobody's reach anybody."""

    def lost(what: str, sender: str, to: str, message: Any) -> bool:
        if what != "slot" or message.slot != "BARRIER" or message.round == 0:
            return False
        return and_lost or (to == DEAF and sender in others)

    async def story() -> tuple[dict[str, State], dict[str, int | None]]:
        world, spec = World(lost=lost), specification()
        ended = await run_job(world, spec)
        return ended, {name: await result_of(world, name, spec) for name in ("acme",)}

    return run_virtually(story())


def test_it_asks_the_others_how_the_slot_went() -> None:
    """Its own READY reached them; they have opened, and it would say that nothing was."""
    ended, learnt = deaf_to(*(name for name in COMPUTING if name != DEAF))
    assert {ended[name] for name in COMPUTING} == {State.SUCCEEDED}
    assert learnt == {"acme": TOTAL}


def test_if_they_say_that_nothing_was_opened_it_believes_them() -> None:
    ended, learnt = deaf_to(and_lost=True)
    assert State.SUCCEEDED not in ended.values()
    assert learnt == {"acme": None}
