"""A daemon whose store is not the latest: streams of it are refused, and both sides say so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.errors import RefusedError
from mpcd.party import peers
from mpcd.party.greeting import Greeting
from mpcd.storage.database import SqliteDatabase
from mpcd.storage.store import store_in
from tests.party.grpc_pair import JOB, START, Pair


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


async def until(lines: list[Any], event: str) -> Any:
    async with asyncio.timeout(10):
        while not (found := [line for line in lines if line["event"] == event]):
            await asyncio.sleep(0.01)
    return found


def test_a_stream_begins_with_the_start(pair: Pair) -> None:
    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            calls.send_slot("bob", pb.SlotMessage(job=JOB))
            await box.wait(1)
            calls.start = pb.Start(number=2, marks=[bytes(16)])
            await calls.close()
            with capture_logs() as lines:
                calls.send_slot("bob", pb.SlotMessage(job=JOB))
                (line,) = await until(lines, "peer refuses us")
                assert (line["party"], line["error"], line["log_level"]) == ("bob", "another start", "error")
            assert len(box.got) == 1

    asyncio.run(run())


def test_who_is_refused_says_so_once_and_goes_on_asking(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_PAUSES_S", (0.01,))

    async def run() -> None:
        async with pair.bob() as box, pair.calls() as calls:
            calls.start = pb.Start(number=2, marks=[bytes(16)])
            with capture_logs() as lines:
                for _ in range(20):
                    calls.send_slot("bob", pb.SlotMessage(job=JOB))
                    await asyncio.sleep(0.02)
                assert len(await until(lines, "peer refuses us")) == 1
            calls.start = START
            async with asyncio.timeout(10):
                while not box.got:
                    calls.send_slot("bob", pb.SlotMessage(job=JOB))
                    await asyncio.sleep(0.02)

    asyncio.run(run())


def test_an_old_store_is_told_to_both_operators(pair: Pair) -> None:
    new, old = (pb.Start(number=n, marks=[bytes([k]) * 16 for k in range(n, 0, -1)]) for n in (7, 6))

    async def run() -> None:
        database = await SqliteDatabase.open(":memory:")
        greeting = Greeting(store_in(database, bytes(32)), pair.roster)
        await greeting.meet("ada", new)
        with capture_logs() as lines:
            for _ in range(2):
                with pytest.raises(
                    RefusedError, match=r"store of ada, at its start 6, .* start 7.*latest store"
                ):
                    await greeting.meet("ada", old)
        (line,) = lines
        assert (line["event"], line["party"]) == ("peer has another store", "ada")
        assert "start 7" in line["error"]
        await greeting.meet("ada", new)
        await database.close()

    asyncio.run(run())
