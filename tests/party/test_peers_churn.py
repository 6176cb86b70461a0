"""A peer that makes us dial again and again does harm to nobody but itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.errors import ChannelError
from mpcd.party.peer_service import PeerService
from mpcd.party.supervising import _is_done
from mpcd.transport.grpc_channel import Channels, channel_to
from tests.party.grpc_pair import JOB, Pair


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


async def _hang(*_: Any) -> Any:
    await asyncio.sleep(60)


async def _refuse(_service: PeerService, _requests: AsyncIterator[pb.SlotMessage], _context: Any) -> Any:
    raise ChannelError("no")


def test_a_channel_that_is_closed_under_a_call_is_a_channel_error_and_cancels_nobody(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC raises in the call what a cancelled task sees; whoever awaits it was not cancelled."""
    monkeypatch.setattr(PeerService, "DeliverKeys", _hang)

    async def run() -> None:
        async with pair.bob(), pair.calls() as calls:
            calling = asyncio.create_task(calls.deliver_keys("bob", pb.KeyContributions(job=JOB)))
            await asyncio.sleep(0.5)
            channel = calls._channels.to(calls._roster.member("bob"))
            await channel.close(None)
            with pytest.raises(ChannelError):
                await calling
            calls.renew(calls._roster.member("bob"))
            cancelled = asyncio.create_task(calls.deliver_keys("bob", pb.KeyContributions(job=JOB)))
            await asyncio.sleep(0.1)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled

    asyncio.run(run())


def test_a_peer_that_refuses_us_and_comes_again_and_again_is_not_dialled_without_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(member: Any, leaf: Any) -> Any:
        made.append(member.name)
        return channel_to(member, leaf)

    monkeypatch.setattr(PeerService, "Slots", _refuse)
    monkeypatch.setattr("mpcd.transport.grpc_channel.channel_to", counted)

    async def run() -> None:
        async with pair.bob(), pair.calls() as calls:
            until = asyncio.get_running_loop().time() + 3.0
            while asyncio.get_running_loop().time() < until:
                calls.send_slot("bob", pb.SlotMessage())
                calls.is_back("bob")
                await asyncio.sleep(0.01)

    asyncio.run(run())
    assert 1 <= len(made) <= 4  # one and then one in two seconds; sixty came of three seconds


def test_a_stream_whose_channel_is_closed_is_opened_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the middle of a write, to a peer that does not read for a moment."""
    ordinary, streams = PeerService.Slots, 0

    async def slow_at_first(
        service: PeerService, requests: AsyncIterator[pb.SlotMessage], context: Any
    ) -> Any:
        nonlocal streams
        streams += 1
        return await (_hang() if streams == 1 else ordinary(service, requests, context))

    monkeypatch.setattr(PeerService, "Slots", slow_at_first)

    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            for _ in range(40):
                calls.send_slot("bob", pb.SlotMessage(parts=[pb.SlotPart(label="x", body=bytes(250_000))]))
            await asyncio.sleep(1.0)
            member = calls._roster.member("bob")
            stuck = calls._channels.to(member)
            calls.renew(member)
            await stuck.close(None)
            calls.send_slot("bob", pb.SlotMessage(number=9))
            async with asyncio.timeout(15):
                while not any(getattr(message, "number", 0) == 9 for _, _, message in box.got):
                    box.news.clear()
                    await box.news.wait()

    asyncio.run(run())


def test_a_member_cannot_have_the_channels_to_another_closed(pair: Pair) -> None:
    async def run() -> None:
        leaves = pair.leaves("ada")
        channels = Channels(leaves)
        bob, hub = pair.roster.member("bob"), pair.roster.member("hub")
        of_bob = channels.to(bob)
        channels.renew(bob)
        for _ in range(50):
            channels.to(hub)
            channels.renew(hub)
        await asyncio.sleep(0)
        assert list(channels._old["bob"]) == [of_bob]
        assert len(channels._old["hub"]) <= 2
        await channels.close()

    asyncio.run(run())


def test_a_task_that_was_cancelled_by_nobody_ends_its_job() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def run() -> None:
        assert not await _is_done(JOB, cancelled)
        stopping = asyncio.create_task(_is_done(JOB, _hang))
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping

    asyncio.run(run())
