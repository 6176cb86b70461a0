"""Slots that others have left or never come to: the last one there is not kept waiting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from mpcd.errors import DeadlineError
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import DELTA, Network

KEY = SlotKey("INPUTS", b"s" * 32)
STAGE_S = 20.0


async def come(slots: Slots, value: bytes = b"v") -> Outcome:
    by = asyncio.get_running_loop().time() + STAGE_S
    return await slots.decide(KEY, work=None, value=lambda: value, by=by, max_body=64)


def test_two_have_left_and_one_is_dead_so_the_last_one_waits_for_nobody() -> None:
    """Those who left will never time out; waiting for a second timer would be in vain."""

    async def story() -> tuple[Outcome, float]:
        net = Network()
        for p in range(3):
            net.join(p)
        last = asyncio.create_task(come(net.slots[0]))
        await asyncio.sleep(1.0)
        net.slots[1].leave()
        net.slots[2].leave()
        return await last, asyncio.get_running_loop().time()

    outcome, took = run_virtually(story())
    assert outcome == {0: Agreed(b"v"), **dict.fromkeys((1, 2, 3), Bottom())}
    assert took < 1.0 + 4 * DELTA + 0.1


def test_one_that_leaves_does_not_cut_a_stage_short() -> None:
    """A cheater alone does not choose when a slot begins."""

    async def story() -> tuple[list[Outcome], float]:
        net = Network()
        for p in range(4):
            net.join(p)
        net.slots[3].leave()
        outcomes = [net.slots[p].decide(KEY, work=asyncio.sleep(9.0), value=lambda: b"v", by=20.0, max_body=8)
                    for p in range(3)]  # fmt: skip
        return await asyncio.gather(*outcomes), asyncio.get_running_loop().time()

    outcomes, took = run_virtually(story())
    assert took >= 9.0
    assert all(outcome[p] == Agreed(b"v") for outcome in outcomes for p in range(3))


def test_nobody_is_waited_for_longer_than_the_job_lasts() -> None:
    async def story() -> tuple[Any, float]:
        net = Network()
        net.join(0)
        alone = Slots(replace(net.slots[0]._seat, latest=STAGE_S + 1.0))
        (lost,) = await asyncio.gather(come(alone), return_exceptions=True)
        return lost, asyncio.get_running_loop().time()

    lost, took = run_virtually(story())
    assert isinstance(lost, DeadlineError)
    assert STAGE_S + 1.0 <= took < STAGE_S + 1.1
