"""The party's side of the coordinator's stream, against a real coordinator over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from mpcd._pb.v1 import coordinator_pb2 as pb
from mpcd.clock import SystemClock
from mpcd.errors import ChannelError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.states import State
from mpcd.party.attach import CoordinatorLink, attached
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.leaves import Leaves
from mpcd.transport.wire import to_wire
from tests.coordinator.world import World, make_world

WAIT_S = 15.0


class Ear:
    """What one party heard."""

    def __init__(self) -> None:
        self.proposals: list[Envelope] = []
        self.sets: list[tuple[bytes, list[Envelope]]] = []
        self.refusals: list[Envelope] = []
        self.cancellations: list[Envelope] = []
        self.news = asyncio.Event()

    async def proposal(self, envelope: Envelope) -> None:
        self.proposals.append(envelope)
        self.news.set()

    async def consent_set(self, job: bytes, consents: list[Envelope]) -> None:
        self.sets.append((job, consents))
        self.news.set()

    async def refusal(self, envelope: Envelope) -> None:
        self.refusals.append(envelope)
        self.news.set()

    async def cancellation(self, envelope: Envelope) -> None:
        self.cancellations.append(envelope)
        self.news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.news.clear()
                await self.news.wait()


def _link(world: World, name: str, ear: Ear) -> tuple[CoordinatorLink, Channels]:
    hub = world.roster.coordinator
    assert hub is not None
    channels = Channels(Leaves(world.identities[name], SystemClock()))
    link = CoordinatorLink(
        hub, channels, world.roster.hash, ear, version="1", heartbeat_s=0.2, lost_after_s=1.0
    )
    return link, channels


def test_what_was_said_while_the_coordinator_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    """Also what had been told before: the coordinator may have lost it or not."""
    world = make_world(tmp_path)

    async def run() -> None:
        ear = Ear()
        link, channels = _link(world, "bob", ear)
        specification = world.specification()
        async with attached(link):
            async with world.coordinator(), world.stub("ada") as ada:
                await ear_attached(link)
                await ada.Submit(pb.SubmitJobRequest(job=to_wire(world.signed(specification))))
                await ear.until(lambda: len(ear.proposals) == 1)
            link.say(specification.job, world.consent(specification, "bob"))
            link.say(specification.job, world.report(specification, "bob", State.PROPOSED))
            async with world.coordinator(), world.stub("ada") as ada:
                async with asyncio.timeout(WAIT_S):
                    async for view in ada.Watch(pb.GetJobRequest(job=specification.job)):
                        if view.parties[1].state == State.PROPOSED:
                            break
                # The job is proposed again: the party may have forgotten it.
                await ear.until(lambda: len(ear.proposals) == 2)
        await channels.close()

    asyncio.run(run())


def test_a_cancellation_and_a_refusal_arrive(tmp_path: Path) -> None:
    world = make_world(tmp_path)

    async def run() -> None:
        ear = Ear()
        link, channels = _link(world, "bob", ear)
        other = Ear()
        second, more_channels = _link(world, "fay", other)
        async with world.coordinator(), world.stub("ada") as ada, attached(link), attached(second):
            await ear_attached(link)
            await ear_attached(second)
            specification = world.specification()
            await ada.Submit(pb.SubmitJobRequest(job=to_wire(world.signed(specification))))
            await other.until(lambda: bool(other.proposals))
            link.say(specification.job, world.consent(specification, "bob", no="no"))
            await other.until(lambda: bool(other.refusals))
        await channels.close()
        await more_channels.close()

    asyncio.run(run())


def test_submitting_without_a_coordinator_says_that_it_cannot_be_reached(tmp_path: Path) -> None:
    world = make_world(tmp_path)

    async def run() -> None:
        link, channels = _link(world, "bob", Ear())
        with pytest.raises(ChannelError, match="cannot be reached"):
            await link.submit(world.signed(world.specification()))
        await channels.close()

    asyncio.run(run())


async def ear_attached(link: CoordinatorLink) -> None:
    """Until the coordinator has answered."""
    async with asyncio.timeout(WAIT_S):
        while not link.attached:
            await asyncio.sleep(0.01)


def test_a_stream_that_has_failed_takes_nothing_from_the_next_one(tmp_path: Path) -> None:
    """gRPC goes on asking it for messages, and what it says is lost."""
    world = make_world(tmp_path)

    async def run() -> None:
        link, channels = _link(world, "bob", Ear())
        old = link._messages(0)
        await anext(old)
        ended = asyncio.ensure_future(anext(old, None))
        await asyncio.sleep(0.05)
        link._stream += 1
        new = link._messages(1)
        await anext(new)
        told = asyncio.ensure_future(anext(new))
        await asyncio.sleep(0.05)
        statement = world.signed(world.specification())
        link.say(b"j" * 32, statement)
        message = await told
        while message.WhichOneof("kind") == "heartbeat":
            message = await anext(new)
        assert message.statement == to_wire(statement)
        assert await ended is None
        await channels.close()

    asyncio.run(run())
