"""Jobs with one cheater in them, and what the others have recorded of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.evidence import verify as verify_evidence
from mpcd.jobs.states import State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import (
    READER,
    World,
    result_of,
    roster,
    run_job,
    specification,
)

CHEATER = "dune"
Twist = Callable[[str, str, str, Any], Any]


async def evidence_of(world: World, name: str) -> list[Evidence]:
    """All records of a party, verified as a stranger would."""
    (job,) = world.daemons[name].lives
    raw = await world.daemons[name].store.evidence.of(job)
    return [verify_evidence(Envelope.from_bytes(body), roster()) for _, body in raw]


def job_with(twist: Twist, **changes: Any) -> tuple[World, dict[str, State], dict[str, int | None]]:
    async def story() -> tuple[World, dict[str, State], dict[str, int | None]]:
        world, spec = World(twist=twist), specification(**changes)
        ended = await run_job(world, spec)
        return world, ended, {name: await result_of(world, name, spec) for name in ("acme", READER)}

    return run_virtually(story())


def records(world: World, name: str) -> list[Evidence]:
    return asyncio.run(evidence_of(world, name))
