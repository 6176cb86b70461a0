"""Slots among those who are still in, slots of a later epoch, and who is waited for how long."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, cast

import pytest

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.party.slot_clock import mark_words
from mpcd.party.slots import SlotKey
from mpcd.protocols.agreement.chains import Chain, encode, statement
from mpcd.protocols.agreement.dolev_strong import LABEL, Agreed, Bottom, Outcome
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import DELTA, JOB, Network, sign_as

KEY = SlotKey("BARRIER", b"s" * 32, number=2, epoch=1)
SLOT_ID = slot_name("BARRIER", b"s" * 32, 1, 2, (0, 1, 2))
ROSTER, DROPPED = frozenset({0, 1, 2}), 3
STAGE_S = 20.0


async def come(net: Network, me: int, **how: Any) -> Outcome:
    by = asyncio.get_running_loop().time() + STAGE_S
    return await net.slots[me].decide(
        KEY, **{"work": None, "value": lambda: b"of %d" % me, "by": by, "max_body": 64, **how}
    )


def say(kind: str) -> SlotMessage:
    mark = bytes([DROPPED]) + sign_as(DROPPED)(mark_words(kind, SLOT_ID, JOB))
    return message(0, SlotPart(label=kind, body=mark))


def message(number: int, *parts: SlotPart) -> SlotMessage:
    return SlotMessage(
        job=JOB, session=KEY.session, epoch=1, slot="BARRIER", number=2, round=number, parts=parts
    )


def test_a_party_that_was_dropped_is_neither_heard_nor_waited_for() -> None:
    async def story() -> tuple[list[Outcome], float]:
        net = Network()
        for p in ROSTER:
            net.join(p)
        words = statement(SLOT_ID, DROPPED, hashlib.sha256(b"of 3").digest())
        chain = Chain(DROPPED, b"of 3", ((DROPPED, sign_as(DROPPED)(words)),))
        letter = message(1, SlotPart(label=LABEL, body=encode([chain])))
        for p in ROSTER:
            for words_ in (say("timeout"), say("done"), letter):
                net.slots[p].deliver(DROPPED, words_)
        outcomes = await asyncio.gather(*(come(net, p, among=ROSTER) for p in sorted(ROSTER)))
        return list(outcomes), asyncio.get_running_loop().time()

    outcomes, took = run_virtually(story())
    assert outcomes == [{p: Agreed(b"of %d" % p) for p in ROSTER}] * 3
    assert took < 0.1


def test_the_timer_of_a_dropped_party_begins_nothing() -> None:
    """With one honest timer it would be a certificate, if it counted."""

    async def story() -> float:
        net = Network()
        for p in ROSTER:
            net.join(p)
            net.slots[p].deliver(DROPPED, say("timeout"))
        slow = {0: None, 1: asyncio.sleep(9 * DELTA), 2: asyncio.sleep(9 * DELTA)}
        hurry = {"patience": lambda: 2 * DELTA}
        runs = (come(net, p, among=ROSTER, work=slow[p], **(hurry if p == 0 else {})) for p in slow)
        await asyncio.gather(*runs)
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) >= 9 * DELTA


@pytest.mark.parametrize("other", [SlotKey("BARRIER", b"s" * 32, 2), SlotKey("BARRIER", b"s" * 32, 1, 1)])
def test_slots_of_different_epochs_and_numbers_are_different(other: SlotKey) -> None:
    """What was signed in one epoch says nothing in another one."""

    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        for key in (KEY, other):
            by = asyncio.get_running_loop().time() + STAGE_S
            word = repr(key).encode()
            runs = (
                net.slots[p].decide(key, work=None, value=word.__bytes__, by=by, max_body=200)
                for p in range(4)
            )
            for outcome in await asyncio.gather(*runs):
                assert outcome == dict.fromkeys(range(4), Agreed(repr(key).encode()))
        assert len({slot for slot, _ in net.fixed[0]}) == 2

    run_virtually(story())


@pytest.mark.parametrize("strange", [{"among": frozenset({0, 2})}, {"about": b"another question"}], ids=str)
def test_who_takes_a_slot_for_another_one_is_not_heard(strange: dict[str, Any]) -> None:
    """A signature holds for this roster and this question only."""

    async def story() -> list[Outcome]:
        net = Network()
        for p in range(4):
            net.join(p)
        common: dict[str, Any] = {"among": ROSTER, "about": b"the question"}
        how = [common, common, common | strange]
        runs = (come(net, p, **how[p]) for p in sorted(ROSTER))
        return list(cast(Any, await asyncio.gather(*runs, return_exceptions=True)))

    first, second, _ = run_virtually(story())
    assert first == second == {0: Agreed(b"of 0"), 1: Agreed(b"of 1"), 2: Bottom()}


def test_who_is_done_waits_for_the_others_no_longer_than_its_patience() -> None:
    async def story() -> float:
        net = Network()
        for p in range(3):
            net.join(p)
        await asyncio.gather(*(come(net, p, patience=lambda: 2 * DELTA) for p in range(3)))
        return asyncio.get_running_loop().time()

    took = run_virtually(story())
    assert 6 * DELTA <= took < 6 * DELTA + 0.1


def test_impatience_does_not_make_a_party_give_the_job_up() -> None:
    """Its own short timer says nothing about how long the others may need."""

    async def story() -> list[Outcome]:
        net = Network(grace_s=DELTA)
        for p in range(4):
            net.join(p)
        runs = (
            come(net, p, work=asyncio.sleep(10 * DELTA) if p else None, patience=lambda: 2 * DELTA)
            for p in range(4)
        )
        return list(await asyncio.gather(*runs))

    assert run_virtually(story()) == [{p: Agreed(b"of %d" % p) for p in range(4)}] * 4


def test_work_that_is_not_done_at_the_entry_is_ended_before_the_value_is_taken() -> None:
    async def story() -> None:
        net, seen = Network(), []
        for p in range(4):
            net.join(p)

        async def end() -> None:
            seen.append("ended")

        def value() -> bytes:
            seen.append("value")
            return b"v"

        await asyncio.gather(
            come(net, 0, work=asyncio.sleep(100), value=value, at_entry=end),
            *(come(net, p, patience=lambda: 2 * DELTA) for p in (1, 2, 3)),
        )
        assert seen == ["ended", "value"]

    run_virtually(story())


def test_who_ends_its_work_at_the_entry_is_heard_although_every_message_takes_a_delay() -> None:
    """It enters a delay after the others, says its value half a delay later, and that takes another delay."""

    async def story() -> list[Outcome]:
        def slow(sender: int, to: int, _message: SlotMessage) -> float:
            return 0.98 * DELTA if 2 in (sender, to) else 0.001

        net = Network(delay=slow)
        for p in range(3):
            net.join(p)
        ends = {"at_entry": lambda: asyncio.sleep(0.49 * DELTA)}
        runs = [come(net, p, patience=lambda: 2 * DELTA, **ends) for p in (0, 1)]
        return list(await asyncio.gather(*runs, come(net, 2, work=asyncio.sleep(100), **ends)))

    agreed: Outcome = {p: Agreed(b"of %d" % p) for p in range(3)}
    assert run_virtually(story()) == [agreed | {3: Bottom()}] * 3
