"""Who gives no sign of life is not waited for; who works is, whatever a cheater does."""

from __future__ import annotations

import asyncio

import pytest

from mpcd.party.slots import SILENT_DELTAS
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import DELTA, Network
from tests.party.test_slots import STAGE_S, after, body, clock_message, decide, mark

CHEATER = 3


def slot(
    *,
    works_s: tuple[float, float, float] = (0.0, 0.0, 0.0),
    breathes: bool = True,
    deaf: tuple[int, ...] = (),
) -> tuple[list[Outcome], float]:
    """Three parties that work so long, and a fourth that says nothing in the slot, but is alive to some."""

    async def story() -> tuple[list[Outcome], float]:
        net = Network(delay=lambda p, to, _: None if p == CHEATER and to in deaf else 0.9 * DELTA)
        for p in range(4):
            net.join(p)

        async def breathe() -> None:
            while breathes:
                net.slots[CHEATER].alive()
                for p in {0, 1, 2} - {*deaf}:
                    net.send(CHEATER, p, clock_message(mark("timeout", CHEATER)))
                await asyncio.sleep(DELTA / 2)

        breath = asyncio.create_task(breathe())
        outcomes = await asyncio.gather(*(decide(net, p, after(works_s[p])) for p in range(3)))
        breath.cancel()
        return outcomes, asyncio.get_running_loop().time()

    return run_virtually(story())


def test_a_party_of_which_nothing_is_heard_is_waited_for_some_deltas_and_is_bottom() -> None:
    outcomes, took = slot(breathes=False)
    assert outcomes == [{**{p: Agreed(body(p)) for p in range(3)}, CHEATER: Bottom()}] * 3
    assert (SILENT_DELTAS + 4) * DELTA <= took < (SILENT_DELTAS + 6) * DELTA


def test_a_party_that_is_alive_is_waited_for_until_the_stage_timer() -> None:
    """Its own word that its time is up changes nothing as long as all others hear it."""
    outcomes, took = slot()
    assert outcomes == [{**{p: Agreed(body(p)) for p in range(3)}, CHEATER: Bottom()}] * 3
    assert STAGE_S + 4 * DELTA <= took < STAGE_S + 6 * DELTA


def test_whoever_is_silent_to_one_party_does_not_make_it_leave_out_another_that_works() -> None:
    """Party 0 hears nothing of the cheater, which tells the others of a timeout: two timeouts would do."""
    outcomes, took = slot(works_s=(0.0, 0.0, 12.0), deaf=(0,))
    assert all(outcome[2] == Agreed(body(2)) for outcome in outcomes)
    assert took >= 12.0


def test_nobody_is_given_up_while_our_own_work_goes_on() -> None:
    """All others are done but the cheater, which is silent to us: no slot starts without ourselves."""
    outcomes, took = slot(works_s=(9.0, 0.0, 0.0), deaf=(0,))
    assert all(outcome[0] == Agreed(body(0)) for outcome in outcomes)
    assert took >= 9.0


def test_a_party_that_stood_still_itself_gives_nobody_up_for_that() -> None:
    """What was said meanwhile is in its mailbox; it has not looked."""

    async def story() -> None:
        net = Network()
        net.join(0)
        loop, peers = asyncio.get_running_loop(), (1, 2, 3)
        for _ in range(4):
            net.slots[0].alive()
            await asyncio.sleep(DELTA / 2)
        assert net.slots[0].given_up(peers) == pytest.approx(SILENT_DELTAS * DELTA)
        await asyncio.sleep(2 * DELTA)
        net.slots[0].alive()
        assert net.slots[0].given_up(peers) == pytest.approx(loop.time() + SILENT_DELTAS * DELTA)

    run_virtually(story())


def test_whoever_has_left_is_not_waited_for_whatever_it_sends() -> None:
    async def story() -> None:
        net = Network()
        for p in (0, CHEATER):
            net.join(p)
        net.slots[CHEATER].leave()
        await asyncio.sleep(DELTA)
        net.slots[CHEATER].alive()
        await asyncio.sleep(DELTA)
        assert net.slots[0].given_up([CHEATER]) < 0

    run_virtually(story())


def test_a_party_that_stood_still_does_not_look_at_its_watch_before_its_mail() -> None:
    """The slot may wake first, before the next sign of life."""

    async def story() -> None:
        net = Network()
        net.join(0)
        net.slots[0].alive()
        await asyncio.sleep((SILENT_DELTAS + 1) * DELTA)
        now = asyncio.get_running_loop().time()
        assert net.slots[0].given_up([1, 2, 3]) == pytest.approx(now + SILENT_DELTAS * DELTA)

    run_virtually(story())
