"""Calls between two daemons over real gRPC: what arrives, from whom, in which lengths; what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from mpcd._pb.v1 import common_pb2
from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.errors import ChannelError, NotFoundError, PeerError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.party import peers
from mpcd.party.peer_service import BULK_AT_ONCE, MAX_MORE, PeerService
from tests.party.grpc_pair import JOB, ROOM, Pair

NOTE = Envelope("mpcd.note", b"payload")


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def test_slot_messages_arrive_in_order_under_the_authenticated_name(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            for number in range(200):
                calls.send_slot("bob", pb.SlotMessage(job=JOB, slot="KEYS", number=number))
            await box.wait(200)
            assert [(kind, sender) for kind, sender, _ in box.got] == [("slot", "ada")] * 200
            assert [message.number for _, _, message in box.got] == list(range(200))
            assert calls.is_connected("bob")

    asyncio.run(run())


def test_messages_that_come_together_are_taken_one_by_one_up_to_a_limit(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            flood = [pb.SlotMessage(job=JOB, number=number) for number in range(1, 2 * MAX_MORE)]
            calls.send_slot("bob", pb.SlotMessage(job=JOB, number=0, more=flood))
            await box.wait(1)
            calls.send_slot("bob", pb.SlotMessage(job=JOB, number=1000))
            await box.wait(MAX_MORE + 2)
            assert [message.number for _, _, message in box.got] == [*range(MAX_MORE + 1), 1000]
            assert not any(message.more for _, _, message in box.got)

    asyncio.run(run())


def test_the_stream_is_opened_again_after_the_peer_was_restarted(pair: Pair) -> None:
    """What was sent while it was down may be lost or not; what comes later arrives."""

    async def run() -> None:
        async with pair.calls() as calls:
            calls.send_slot("bob", pb.SlotMessage(number=1))
            async with pair.bob() as box:
                await box.wait(1)
            calls.send_slot("bob", pb.SlotMessage(number=2))
            async with pair.bob() as box:
                calls.send_slot("bob", pb.SlotMessage(number=3))
                async with asyncio.timeout(10):
                    while not any(message.number == 3 for _, _, message in box.got):
                        box.news.clear()
                        await box.news.wait()

    asyncio.run(run())


def test_the_same_again_while_it_waits_is_sent_once(pair: Pair) -> None:
    """Signs of life to a peer that is away would push out letters."""

    async def run() -> None:
        async with pair.calls() as calls:
            calls.send_slot("bob", pb.SlotMessage(number=1))
            for _ in range(2 * peers.MAX_WAITING):
                calls.send_slot("bob", pb.SlotMessage(job=JOB))
            calls.send_slot("bob", pb.SlotMessage(number=2))
            async with pair.bob() as box:
                await box.wait(3)
                got = [message for _, _, message in box.got]
        assert [(m.number, m.job) for m in got] == [(1, b""), (0, JOB), (2, b"")]

    asyncio.run(run())


def test_a_peer_that_is_back_is_tried_at_once(pair: Pair) -> None:
    """It was away for so long that the next try of the stream, and of its channel, would be seconds away."""

    async def run() -> None:
        async with pair.calls() as calls:

            async def beat() -> None:
                while True:
                    calls.send_slot("bob", pb.SlotMessage(number=7))
                    await asyncio.sleep(0.1)

            beating = asyncio.create_task(beat())
            await asyncio.sleep(6.0)
            async with pair.bob() as box:
                calls.is_back("bob")
                began = asyncio.get_running_loop().time()
                await box.wait(1)
                took = asyncio.get_running_loop().time() - began
            beating.cancel()
        assert took < 0.6  # without the hint 1.4 to 3.5 s were seen

    asyncio.run(run())


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, ROOM])
def test_bulk_arrives_whole(pair: Pair, size: int) -> None:
    data = os.urandom(size)

    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            header = pb.InputHeader(job=JOB, input="x", boxes=[pb.SealedBox(summand=1, size_bytes=size)])
            await calls.deliver_input("bob", header, data)
            share = pb.ShareHeader(job=JOB, owner="ada", input="x", summand=2, size_bytes=size)
            await calls.forward_share("bob", share, data)
            assert [(kind, sender, what[1] == data) for kind, sender, what in box.got] == [
                ("input", "ada", True),
                ("share", "ada", True),
            ]
            box.output_body = data
            header2, body = await calls.fetch_output("bob", pb.FetchOutputRequest(job=JOB, body=True), size)
            assert header2.ready
            assert body == data

    asyncio.run(run())


def test_a_holder_that_is_asked_for_its_word_only_cannot_send_a_body(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            box.output_body = bytes(8)
            with pytest.raises(PeerError, match="wrong length"):
                await calls.fetch_output("bob", pb.FetchOutputRequest(job=JOB))

    asyncio.run(run())


@pytest.mark.parametrize("announced", [1 << 28, 3 << 20])
def test_a_holder_cannot_send_more_than_the_output_can_have(
    pair: Pair, announced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that announces or sends gigabytes is named, and not read to its end."""
    sent: list[int] = []

    async def endless(_service: PeerService, _request: Any, _context: Any) -> AsyncIterator[pb.OutputChunk]:
        header = pb.OutputHeader(ready=True, size_bytes=announced)
        for number in range(256):
            sent.append(number)
            yield pb.OutputChunk(header=header if number == 0 else None, data=bytes(1 << 20))

    monkeypatch.setattr(PeerService, "FetchOutput", endless)
    request = pb.FetchOutputRequest(job=JOB, body=True)

    async def run() -> None:
        async with pair.bob(), pair.calls() as calls:
            with pytest.raises(PeerError, match="bob sent an output of a wrong length"):
                await calls.fetch_output("bob", request, 3 << 20)

    asyncio.run(run())
    assert len(sent) < 64


def test_transfers_that_never_end_are_limited_in_number_for_each_sender(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            begun: list[str] = []

            def room_for(sender: str, _job: bytes) -> int:
                begun.append(sender)
                return ROOM

            monkeypatch.setattr(box, "room_for", room_for)
            flood = [calls.stub("bob").ForwardShares() for _ in range(2 * BULK_AT_ONCE)]
            await asyncio.gather(*(call.write(pb.ShareChunk(header=_announced(8))) for call in flood))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while len(begun) <= BULK_AT_ONCE:
                        await asyncio.sleep(0.01)
            assert len(begun) == BULK_AT_ONCE
            for call in flood:
                call.cancel()
            # Once they have ended there is room again.
            await calls.forward_share("bob", _announced(8), bytes(8))
            assert ("share", "ada") in [(kind, sender) for kind, sender, _ in box.got]

    asyncio.run(run())


def _announced(size: int, job: bytes = JOB) -> pb.ShareHeader:
    return pb.ShareHeader(job=job, size_bytes=size)


@pytest.mark.parametrize(
    ("header", "data", "error"),
    [
        (_announced(ROOM + 1), b"", UsageError),
        (_announced(1 << 62), b"", UsageError),
        (_announced(10), bytes(9), UsageError),
        (_announced(10), bytes(11), UsageError),
        (_announced(10, job=bytes(32)), bytes(10), NotFoundError),
    ],
)
def test_bulk_of_another_length_or_job_than_expected_is_refused(
    pair: Pair, header: pb.ShareHeader, data: bytes, error: type[Exception]
) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            with pytest.raises(error):
                await calls.forward_share("bob", header, data)
            assert box.got == []

    asyncio.run(run())


def test_small_calls_carry_what_they_should(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            await calls.deliver_keys("bob", pb.KeyContributions(job=JOB))
            await calls.announce_session("bob", NOTE)
            await calls.deliver_receipt("bob", JOB, NOTE)
            assert await calls.fetch_receipt("bob", JOB, 5) is None
            box.stored = NOTE
            assert await calls.fetch_receipt("bob", JOB, 5) == NOTE
            assert [(kind, sender) for kind, sender, _ in box.got] == [
                (kind, "ada") for kind in ("keys", "session", "receipt", "fetch_receipt", "fetch_receipt")
            ]
            assert box.got[1][2] == NOTE
            assert box.got[2][2] == (JOB, NOTE)

    asyncio.run(run())


def test_a_refusal_comes_back_in_words_and_without_paths(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob(), pair.calls() as calls:
            with pytest.raises(RefusedError, match="another set") as caught:
                await calls.show_consents("bob", pb.ConsentNote(job=JOB))
            assert "secret" not in str(caught.value)

    asyncio.run(run())


def test_a_peer_that_is_down_is_a_channel_error(pair: Pair) -> None:
    async def run() -> None:
        async with pair.calls() as calls:
            with pytest.raises(ChannelError):
                await calls.deliver_keys("bob", pb.KeyContributions(job=JOB))

    asyncio.run(run())


CALLS: dict[str, Any] = {
    "Slots": lambda stub: stub.Slots(iter([pb.SlotMessage()]), timeout=5),
    "ShowConsents": lambda stub: stub.ShowConsents(pb.ConsentNote(), timeout=5),
    "DeliverKeys": lambda stub: stub.DeliverKeys(pb.KeyContributions(), timeout=5),
    "AnnounceSession": lambda stub: stub.AnnounceSession(common_pb2.Envelope(), timeout=5),
    "DeliverInput": lambda stub: stub.DeliverInput(iter([pb.InputChunk()]), timeout=5),
    "ForwardShares": lambda stub: stub.ForwardShares(iter([pb.ShareChunk()]), timeout=5),
    "FetchOutput": lambda stub: stub.FetchOutput(pb.FetchOutputRequest(), timeout=5).read(),
    "DeliverReceipt": lambda stub: stub.DeliverReceipt(pb.ReceiptNote(), timeout=5),
    "FetchReceipt": lambda stub: stub.FetchReceipt(pb.FetchReceiptRequest(), timeout=5),
}


def test_the_matrix_has_every_rpc() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["Peer"].methods}
    assert set(CALLS) == methods


@pytest.mark.parametrize("method", CALLS)
def test_the_coordinator_may_call_no_rpc_of_a_party(pair: Pair, method: str) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls("hub") as calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await CALLS[method](calls.stub("bob"))
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert box.got == []

    asyncio.run(run())


def test_a_control_message_over_its_limit_is_refused(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            with pytest.raises(UsageError):
                await calls.deliver_keys("bob", pb.KeyContributions(job=bytes(70_000)))
            assert box.got == []

    asyncio.run(run())
