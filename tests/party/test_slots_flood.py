"""A peer that repeats itself, forges or floods costs itself its place, and the others nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.party.slot_early import EARLY_BYTES, MAX_MARKS, Early
from mpcd.party.slots import MAX_FORGED, SlotKey
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import JOB, Network
from tests.party.test_slots import KEY, after, body, clock_message, decide, letter, mark, signed

FAR = SlotKey("HAVE", b"s" * 32)


def counted(net: Network, me: int, forged: list[int]) -> None:
    """Note every verification at `me` that fails."""
    seat = net.slots[me]._seat
    inner = seat.verify

    def verify(party: int, words: bytes, signature: bytes) -> bool:
        good = inner(party, words, signature)
        if not good:
            forged.append(party)
        return good

    object.__setattr__(seat, "verify", verify)


def forgeries(number: int, key: SlotKey = KEY) -> SlotMessage:
    """Marks in the names of all honest parties; no two messages are alike."""
    parts = [SlotPart(label="timeout", body=bytes([p]) + number.to_bytes(64, "big")) for p in range(3)]
    return SlotMessage(job=JOB, session=key.session, slot=key.family, round=0, parts=parts)


def goodbyes(number: int) -> SlotMessage:
    parts = [SlotPart(label="left", body=bytes([p]) + number.to_bytes(64, "big")) for p in range(3)]
    return SlotMessage(job=JOB, round=0, parts=parts)


@pytest.mark.parametrize("forged_by", [forgeries, goodbyes], ids=["running slot", "goodbye"])
def test_who_forges_marks_is_soon_not_heard_any_more(forged_by: Callable[[int], SlotMessage]) -> None:
    async def story() -> None:
        net = Network()
        for p in range(3):
            net.join(p)
        failed: list[int] = []
        counted(net, 0, failed)
        loop = asyncio.get_running_loop()
        for number in range(1000):
            loop.call_later(0.5, net.slots[0].deliver, 3, forged_by(number))
        # It is silent at 0 then, and its words count where it did not forge: they reach 0 with the others'.
        for p in range(3):
            loop.call_later(0.6, net.slots[p].deliver, 3, clock_message(mark("done", 3)))
            loop.call_later(0.6, net.slots[p].deliver, 3, letter(1, signed(b"late", 3)))
        outcomes = await asyncio.gather(*(decide(net, p, after(1.0)) for p in range(3)))
        assert MAX_FORGED < len(failed) <= MAX_FORGED + 3
        assert outcomes == [{**{p: Agreed(body(p)) for p in range(3)}, 3: Agreed(b"late")}] * 3
        assert loop.time() < 10.0

    run_virtually(story())


def test_what_a_forger_says_afterwards_is_silence() -> None:
    async def story() -> None:
        net = Network()
        for p in range(3):
            net.join(p)
        for p in range(3):
            for number in range(MAX_FORGED):
                net.slots[p].deliver(3, goodbyes(number))
            net.slots[p].deliver(3, clock_message(mark("done", 3)))
            net.slots[p].deliver(3, letter(1, signed(b"too late", 3)))
        outcomes = await asyncio.gather(*(decide(net, p) for p in range(3)))
        assert [o[3] for o in outcomes] == [Bottom()] * 3

    run_virtually(story())


def test_forgeries_that_came_early_count_too() -> None:
    async def story() -> None:
        net = Network()
        net.join(0)
        failed: list[int] = []
        counted(net, 0, failed)
        for number in range(MAX_FORGED):
            net.slots[0].deliver(3, forgeries(number))
        assert failed == []
        task = asyncio.create_task(decide(net, 0, after(1.0)))
        await asyncio.sleep(0.1)
        assert net.slots[0]._forged[3] == len(failed) > MAX_FORGED // 2
        task.cancel()

    run_virtually(story())


def test_marks_that_others_forged_do_not_count_against_whom_they_name() -> None:
    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        for number in range(MAX_FORGED):
            net.slots[0].deliver(3, goodbyes(number))
        outcomes = await asyncio.gather(*(decide(net, p) for p in range(3)))
        assert all(outcomes[0][p] == Agreed(body(p)) for p in range(3))

    run_virtually(story())


def test_a_goodbye_is_verified_once() -> None:
    async def story() -> None:
        net = Network()
        net.join(0)
        asked: list[int] = []

        def verify(party: int, _words: bytes, _signature: bytes) -> bool:
            asked.append(party)
            return True

        object.__setattr__(net.slots[0]._seat, "verify", verify)
        for _ in range(100):
            net.slots[0].deliver(3, SlotMessage(job=JOB, round=0, parts=[mark("left", 3)]))
        assert asked == [3]

    run_virtually(story())


def test_a_peer_that_repeats_itself_fills_no_place() -> None:
    early = Early()
    for _ in range(1000):
        early.keep(KEY, clock_message(mark("done", 3)))
        early.keep(KEY, letter(1, signed(b"first", 3)))
        early.keep(KEY, letter(1, signed(b"second", 3)))
    assert len(early) == 2
    clock, first = early.take(KEY)
    assert (list(clock.parts), first) == ([mark("done", 3)], letter(1, signed(b"first", 3)))
    assert early.take(KEY) == []
    assert (len(early), early._bytes) == (0, 0)


def test_marks_of_a_peer_add_up_until_we_are_there() -> None:
    """It said done, then timeout, then passed on a certificate: all of it counts, in whatever messages."""
    early, said = Early(), [mark("done", 3), mark("timeout", 3), mark("timeout", 1)]
    original = clock_message(said[0])
    early.keep(KEY, original)
    early.keep(KEY, clock_message(*said[:2]))
    early.keep(KEY, clock_message(*said[1:]))
    assert [part for message in early.take(KEY) for part in message.parts] == said
    assert list(original.parts) == said[:1]


def test_what_one_peer_can_leave_with_us_is_bounded() -> None:
    early = Early()
    for number in range(1000):
        early.keep(KEY, forgeries(number))
    (clock,) = early.take(KEY)
    assert len(clock.parts) <= MAX_MARKS
    for number in range(20):
        part = SlotPart(label="x", body=bytes(EARLY_BYTES // 8))
        early.keep(FAR, SlotMessage(job=JOB, round=number + 1, parts=[part]))
    assert early._bytes <= EARLY_BYTES
    assert 0 < len(early.take(FAR)) < 8
    assert early._bytes == 0
