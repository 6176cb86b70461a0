"""Jobs from before the last start: what was opened once is served for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest
from mpcd.jobs.states import Event, State, advance
from mpcd.party.office import Office
from mpcd.storage.jobs import Transition
from mpcd.storage.shares import OutputShare
from mpcd.storage.store import Store
from tests.party.offices import Town, job, signed
from tests.party.world import READER

SESSION = b"s" * 32
TO_READY = (Event.ALL_CONSENTED, Event.BEGIN, Event.INPUTS_AGREED, Event.OUTPUTS_SHARED)


async def replay(store: Store, job: bytes, events: tuple[Event, ...]) -> None:
    """Take a proposed job through these events, as a life would have."""
    state = State.PROPOSED
    for event in events:
        after = advance(state, event)
        await store.jobs.advance(job, Transition(event.value, state.value, after.value, "", 0))
        state = after


@pytest.mark.parametrize(
    ("events", "served"),
    [
        ((*TO_READY, Event.READY_TO_OPEN, Event.FAILURE), True),
        ((*TO_READY, Event.READY_TO_OPEN, Event.OPENED), True),
        ((*TO_READY, Event.NOT_READY), False),
    ],
    ids=["failed after the opening", "succeeded", "never opened"],
)
def test_what_was_opened_is_served_after_any_number_of_restarts(
    tmp_path: Path, events: tuple[Event, ...], served: bool
) -> None:
    """A holder whose own fetching failed after all had agreed to open owes its shares to the others."""

    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        house = town.offices["acme"].house
        store = house.tools.store
        for name, envelope in answers.items():
            await store.consents.add(specification.job, {name: envelope.to_bytes()})
        await store.jobs.use_session(specification.job, 0, SESSION)
        await replay(store, specification.job, events)
        shares = [OutputShare("price", READER, a, bytes([a]) * 32, bytes(8), bytes(32)) for a in (1, 2, 3)]
        await store.outputs.put(specification.job, SESSION, shares)
        request = FetchOutputRequest(job=specification.job, output="price", summand=1, body=True)
        for _ in range(2):
            restarted = Office(house)
            header, body = await restarted.output(READER, request)
            assert (header.ready, body) == (served, bytes(8) if served else b"")

    async def run() -> None:
        town = Town(tmp_path)
        try:
            await scene(town)
        finally:
            await town.close()

    asyncio.run(run())
