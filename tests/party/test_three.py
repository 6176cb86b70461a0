"""Jobs of three computing parties: rep3 from the beginning, fair, and no party to spare."""

from __future__ import annotations

from typing import Any

import pytest

from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import verify
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.links import Cheat
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

THREE = COMPUTING[:3]


def job(**changes: Any) -> Specification:
    return specification(computing=THREE, protocol="rep3", profile="fair", **changes)


def test_three_compute_for_six() -> None:
    async def story() -> None:
        world, spec = World(), job()
        ended = await run_job(world, spec)
        assert ended == dict.fromkeys(EVERYBODY, State.SUCCEEDED)
        assert await result_of(world, "acme", spec) == TOTAL
        assert await result_of(world, READER, spec) == TOTAL
        raw = await world.daemons[READER].store.receipts.get(spec.job)
        assert raw is not None
        receipt = verify(Envelope.from_bytes(raw), roster()).receipt
        assert (receipt.protocol, receipt.computing, len(receipt.epochs)) == ("rep3", THREE, 1)
        assert {len(line.commitments) for line in receipt.inputs} == {3}
        assert {len(line.commitments) for line in receipt.outputs} == {3}

    run_virtually(story())


FAULTS = {
    "dies": Cheat(dies={(0, 2)}),
    "silent": Cheat(mute={(0, 2, 0), (0, 2, 2)}),
    "lies": Cheat(lie={(0, 2, 0)}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_ends_the_job_for_all_alike(name: str) -> None:
    async def story() -> None:
        world, spec = World(), job()
        world.daemon("bolt").pool.cheat = FAULTS[name]
        ended = await run_job(world, spec)
        assert State.SUCCEEDED not in ended.values(), ended
        assert await result_of(world, "acme", spec) is None
        assert await result_of(world, READER, spec) is None
        for who in ("acme", "crux"):
            for _, body in await world.daemons[who].store.evidence.of(spec.job):
                assert b"bolt" in Envelope.from_bytes(body).payload

    run_virtually(story())


def test_an_owner_whose_boxes_do_not_open_at_one_of_two_holders_is_in_all_the_same() -> None:
    """The other holder of each piece passes it on."""

    async def story() -> None:
        def deaf(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "input" and (sender, to) == (OWNER, "crux")

        world, spec = World(lost=deaf), job()
        ended = await run_job(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}, ended
        assert await result_of(world, READER, spec) == sum(VALUES.values())

    run_virtually(story())


def test_guaranteed_output_is_refused() -> None:
    with pytest.raises(ValueError, match="needs four computing parties"):
        specification(computing=THREE, protocol="rep3", profile="guaranteed")
