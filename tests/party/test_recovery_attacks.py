"""What a cheater says at a barrier to cost an honest party its place."""

from __future__ import annotations

import asyncio

from mpcd.jobs.states import State
from mpcd.party.ports import Kept, Order, Reveal, Stop
from mpcd.protocols.agreement.words import Complaint, Stopped
from tests.party.test_recovery import play
from tests.party.world import COMPUTING, World

A, B, C, D = range(4)


def test_a_complaint_about_the_meeting_costs_nobody_its_place_but_who_complains() -> None:
    """crux does not let acme meet it, and then complains about a tag of acme, which has sent nothing yet and
    thus kept nothing: acme could answer nothing, and that is how one is absent."""

    async def not_met(order: Order, _reveal: Reveal) -> None:
        await asyncio.sleep(0)
        if order.epoch == 0:
            raise Stop("no link", report=Stopped(0, frozenset({C})), kept=Kept())

    async def lie(order: Order, _reveal: Reveal) -> None:
        await asyncio.sleep(0)
        if order.epoch == 0:
            complaint = Complaint(A, B, b"d" * 32)
            raise Stop("a lie", report=Stopped(0, complaint=complaint), kept=Kept())

    def script(world: World) -> None:
        world.daemon(COMPUTING[A]).pool.run = not_met
        world.daemon(COMPUTING[C]).pool.run = lie

    _, ended, receipt = play(script)
    assert set(ended.values()) == {State.SUCCEEDED}, ended
    assert receipt is not None
    (line,) = receipt.faults
    assert COMPUTING[A] not in line.unreachable
    assert COMPUTING[C] in {*line.unreachable, *line.blamed, *line.link}
