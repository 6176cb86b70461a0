"""A party that has left the job is not waited for, but what it said before it left still counts.

The messages of honest parties take less than Delta, each its own time; the cheater is faster than everybody.
"""

from __future__ import annotations

import asyncio
import hashlib

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.party.slot_clock import mark_words
from mpcd.party.slots import SlotKey
from mpcd.protocols.agreement.chains import Chain, encode, statement
from mpcd.protocols.agreement.dolev_strong import LABEL, Equivocated, Outcome
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import DELTA, JOB, Network, sign_as

KEY = SlotKey("READY-OPEN", b"s" * 32)
SLOT_ID = slot_name("READY-OPEN", b"s" * 32, 0, 0)
LEAVER, VICTIM, OTHER, CHEATER = range(4)
SLOW = 0.9 * DELTA


def message(number: int, parts: list[SlotPart]) -> SlotMessage:
    return SlotMessage(
        job=JOB, session=KEY.session, slot=KEY.family, number=KEY.number, round=number, parts=parts
    )


def letter(number: int, *bodies: bytes) -> SlotMessage:
    chains = []
    for body in bodies:
        words = statement(SLOT_ID, CHEATER, hashlib.sha256(body).digest())
        chains.append(Chain(CHEATER, body, ((CHEATER, sign_as(CHEATER)(words)),)))
    return message(number, [SlotPart(label=LABEL, body=encode(chains))])


class Town(Network):
    """The cheater shows its second value to one party, and passes that party's goodbye on at once."""

    def begin(self) -> None:
        done = SlotPart(
            label="done", body=bytes([CHEATER]) + sign_as(CHEATER)(mark_words("done", SLOT_ID, JOB))
        )
        for p in (LEAVER, VICTIM, OTHER):
            values = (b"ready", b"not ready") if p == LEAVER else (b"ready",)
            for words in (message(0, [done]), letter(1, *values), letter(2)):
                self.slots[p].deliver(CHEATER, words)

    def send(self, sender: int, to: int, message: SlotMessage) -> None:
        if to == CHEATER and any(part.label == "left" for part in message.parts):
            self.slots[VICTIM].deliver(CHEATER, message)
        super().send(sender, to, message)


def slow_last_letter(sender: int, to: int, message: SlotMessage) -> float | None:
    late = (sender, to) == (LEAVER, VICTIM) and (message.round == 2 or not message.slot)
    return SLOW if late else 0.001


async def decide(net: Network, me: int) -> Outcome:
    outcome = await net.slots[me].decide(
        KEY, work=None, value=lambda: b"ready", by=asyncio.get_running_loop().time() + 20, max_body=64
    )
    if me == LEAVER:
        net.slots[me].leave()
    return outcome


def test_a_goodbye_that_overtakes_a_letter_does_not_split_the_honest_parties() -> None:
    """Otherwise the victim takes the cheater's READY for its only word and opens, and the others do not."""
    net = Town(delay=slow_last_letter)

    async def story() -> list[Outcome]:
        for p in (LEAVER, VICTIM, OTHER):
            net.join(p)
        net.begin()
        return list(await asyncio.gather(*(decide(net, p) for p in (LEAVER, VICTIM, OTHER))))

    outcomes = run_virtually(story())
    assert [type(outcome[CHEATER]) for outcome in outcomes] == [Equivocated] * 3


def test_a_party_that_left_long_ago_is_not_waited_for() -> None:
    async def story() -> float:
        net = Network()
        for p in range(4):
            net.join(p)
        net.slots[LEAVER].leave()
        await asyncio.sleep(2 * DELTA)
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(decide(net, p) for p in (VICTIM, OTHER, CHEATER)))
        return asyncio.get_running_loop().time() - began

    assert run_virtually(story()) < 0.1 * DELTA
