"""Signatures that came too late for the exchange of receipts, fetched when the operator asks."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from mpcd.errors import ChannelError
from mpcd.identity.envelope import Envelope, Signature
from mpcd.jobs.receipt import combine
from mpcd.party.late_receipts import complete
from mpcd.storage.jobs import JobRow
from mpcd.storage.store import Store, store_in
from tests.jobs.test_receipt import FOUR, receipt
from tests.party.world import COMPUTING, OWNER, InlineDatabase, identities, roster

JOB = b"j" * 32
ME = COMPUTING[0]


def signed(*names: str, **changes: Any) -> Envelope:
    epochs = ({"protocol": "rep4", "computing": COMPUTING},)
    one = receipt(roster(), computing=COMPUTING, epochs=epochs, excluded=(), job=JOB, **changes)
    return combine([one.envelope(identities()[name]) for name in names])


class Others:
    """What the other parties answer; who is not in it is silent."""

    def __init__(self, answers: dict[str, Envelope | None]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def fetch_receipt(self, party: str, _job: bytes, _wait_ms: int) -> Envelope | None:
        self.asked.append(party)
        if party not in self.answers:
            raise ChannelError(f"{party} is silent")
        return self.answers[party]


async def store_with(envelope: Envelope | None) -> Store:
    store = store_in(InlineDatabase(), bytes(32))
    await store.jobs.add(JobRow(JOB, b"", ME, "key", "succeeded", "", 0, None, 0, 0))
    if envelope is not None:
        await store.receipts.put(JOB, envelope.to_bytes())
    return store


def completed(own: Envelope | None, others: Others) -> tuple[Envelope | None, Envelope | None]:
    """What the operator gets, and what is kept then."""

    async def run() -> tuple[Envelope | None, Envelope | None]:
        store = await store_with(own)
        found = await complete(JOB, ME, store, cast(Any, others), roster())
        raw = await store.receipts.get(JOB)
        return found, None if raw is None else Envelope.from_bytes(raw)

    return asyncio.run(run())


def test_the_signatures_of_all_who_can_be_asked_are_added_and_kept() -> None:
    others = Others({"bolt": signed("bolt", "dune"), "crux": None})
    found, kept = completed(signed(ME), others)
    assert found == kept == signed(ME, "bolt", "dune")
    assert sorted(others.asked) == ["bolt", "crux", "dune"]


def test_nobody_is_asked_for_what_is_there() -> None:
    others = Others({})
    whole = signed(*COMPUTING)
    assert completed(whole, others) == (whole, whole)
    assert completed(None, others) == (None, None)
    assert others.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        signed("bolt", attempt=7),
        Envelope("mpcd.note", signed(ME).payload).sign(identities()["bolt"]),
        signed(ME).with_signatures([Signature("bolt", bytes(64))]),
        signed(ME, OWNER),
        signed("bolt", outputs=({"output": "price", "to": ("acme",), "commitments": FOUR[::-1]},)),
    ],
    ids=["run", "type", "forged", "outsider", "outputs"],
)
def test_other_bytes_forgeries_and_outsiders_are_not_taken(answer: Envelope) -> None:
    own = signed(ME)
    assert completed(own, Others({"bolt": answer})) == (own, own)
