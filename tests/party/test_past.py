"""Jobs from before the last start: what was opened once is served for ever."""

from __future__ import annotations

import asyncio
import gc
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest
from mpcd.errors import NotFoundError, RefusedError
from mpcd.jobs.states import Event, State, advance
from mpcd.party import past
from mpcd.party.life import Life
from mpcd.party.office import Office
from mpcd.party.past import KEPT, Past
from mpcd.storage.jobs import JobRow, Transition
from mpcd.storage.retention import forget
from mpcd.storage.shares import OutputShare
from mpcd.storage.store import Store, store_in
from tests.party.offices import Town, job, signed
from tests.party.world import READER, InlineDatabase

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


def a_past(monkeypatch: pytest.MonkeyPatch) -> tuple[Past, Store, InlineDatabase, list[bytes]]:
    """A past over an empty store; which jobs it reads again."""
    database, read = InlineDatabase(), []

    async def revive(_house: Any, row: JobRow) -> Life:
        read.append(row.job)
        return cast(Life, SimpleNamespace(state=State(row.state)))

    monkeypatch.setattr(past, "revive", revive)
    store = store_in(database, bytes(32))
    house = SimpleNamespace(tools=SimpleNamespace(store=store))
    return Past(cast(Any, house)), store, database, read


def ended_job(number: int, state: State = State.SUCCEEDED) -> JobRow:
    job = number.to_bytes(32, "big")
    return JobRow(job, b"", "acme", job.hex(), state.value, "", 0, None, number, number)


def test_the_jobs_that_were_asked_for_last_are_at_hand_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        gone, store, _, read = a_past(monkeypatch)
        rows = [ended_job(number) for number in range(KEPT + 50)]
        for row in rows:
            await store.jobs.add(row)
        resumed = ended_job(9999, State.OPENING)
        await store.jobs.add(resumed)
        gone.put(resumed.job, cast(Life, SimpleNamespace(state=State.OPENING)))
        for row in rows:
            await gone.get(rows[0].job)
            await gone.get(row.job)
        assert len(gone) == KEPT
        assert len(read) == len(rows)  # the first one, used all the time, was read once
        await gone.get(rows[1].job)
        assert len(read) == len(rows) + 1
        await gone.get(resumed.job)  # what is being resumed is never given up for others
        assert len(read) == len(rows) + 1

    asyncio.run(run())


def test_a_job_that_was_forgotten_is_forgotten_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        gone, store, database, _ = a_past(monkeypatch)
        row = ended_job(1)
        await store.jobs.add(row)
        await gone.get(row.job)
        assert await forget(database, 1000) == 1
        with pytest.raises(NotFoundError):
            await gone.get(row.job)
        assert len(gone) == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("profile", "answered", "after"),
    [("guaranteed", True, "recovering"), ("guaranteed", False, "failed"), ("fair", True, "failed")],
)
def test_whoever_has_consented_may_be_gone_on_without(
    tmp_path: Path, profile: str, answered: bool, after: str
) -> None:
    """A daemon that ends between its consent and the others': its job is theirs, and it gets what is its."""

    async def scene(town: Town) -> None:
        specification = job(profile=profile)
        await town.propose(signed(specification), ("acme",))
        consent = (await town.answers(("acme",)))["acme"]
        house = town.offices["acme"].house
        tools = SimpleNamespace(store=store_in(InlineDatabase(), bytes(32)), clock=house.tools.clock)
        row = await house.tools.store.jobs.get(specification.job)
        await tools.store.jobs.add(row)
        if answered:
            await tools.store.consents.add(specification.job, {"acme": consent.to_bytes()})
        resumed = await past.sweep(tools.store, tools.clock)
        assert [r.job for r in resumed] == ([specification.job] if after == "recovering" else [])
        assert (await tools.store.jobs.get(specification.job)).state == after

    async def run() -> None:
        town = Town(tmp_path)
        try:
            await scene(town)
        finally:
            await town.close()

    asyncio.run(run())


def test_an_office_that_closes_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    """A job that was just admitted has not begun to live then."""

    async def run() -> None:
        town = Town(tmp_path)
        specification = job()
        await town.propose(signed(specification), ("acme",))
        await town.close()

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        asyncio.run(run())
        gc.collect()
    assert not [w for w in heard if "never awaited" in str(w.message)]


def test_a_job_that_was_forgotten_is_not_accepted_again_whatever_the_clock_says(tmp_path: Path) -> None:
    """It could be proposed once more after the clock was set back to before its deadline."""

    async def run() -> None:
        town = Town(tmp_path)
        try:
            specification = job()
            await town.offices["acme"].house.tools.store.jobs.use_session(specification.job, 0, SESSION)
            with pytest.raises(RefusedError, match="forgotten"):
                await town.propose(signed(specification), ("acme",))
            await town.propose(signed(job("another")), ("acme",))
        finally:
            await town.close()

    asyncio.run(run())
