"""Old jobs: forgotten with everything of theirs once they have ended and are past their deadline for long."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mpcd.clock import SystemClock
from mpcd.errors import InternalError, NotFoundError
from mpcd.storage import retention
from mpcd.storage.database import SqliteDatabase
from mpcd.storage.jobs import JobRow, Transition
from mpcd.storage.notices import Notices
from mpcd.storage.retention import keeping
from mpcd.storage.shares import OutputShare
from mpcd.storage.starts import Start
from mpcd.storage.store import Store, store_in

HOUR_S = 3600.0
OLD, NEW, STUCK = b"o" * 32, b"n" * 32, b"s" * 32
KEPT = {"sessions", "starts", "peer_starts", "sqlite_sequence"}


async def fill(store: Store, database: SqliteDatabase, job: bytes, state: str, deadline_s: float) -> None:
    """A job with something in every table; its deadline is so many seconds from now."""
    deadline_ms = int((datetime.now(UTC).timestamp() + deadline_s) * 1000)
    row = JobRow(job, b"e", "acme", job.hex(), "opening", "", 0, None, 1000, deadline_ms)
    await store.jobs.add(row)
    await store.jobs.advance(job, Transition("event", "opening", state, "", 2000))
    await store.jobs.use_session(job, 0, job)
    await store.consents.add(job, {"acme": b"consent"})
    await store.slot_values.fix(b"slot of " + job, job, b"value")
    await store.inputs.add_entries(job, [(("acme", "bids"), b"entry")])
    await store.inputs.put(job, {("acme", "bids"): {1: (b"payload", b"salt")}})
    await store.epochs.add(job, 1, b"standing")
    await store.decisions.put(job, {("price", "acme"): b"note"})
    await store.outputs.put(job, job, [OutputShare("price", "acme", 1, bytes(32), bytes(8), bytes(32))])
    await store.results.put(job, {"price": bytes(8)})
    await store.receipts.put(job, b"receipt")
    await store.evidence.add(job, "silence", b"evidence")
    await store.starts.begin()
    await store.starts.meet(job, Start(1, (bytes(16),)))
    await Notices(database).put(job, "kind", "acme", 1, b"notice")


def counts(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as c:
        tables = [name for (name,) in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {t: c.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def test_a_start_forgets_what_is_old_and_ended_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        store = store_in(database, bytes(32))
        await fill(store, database, OLD, "succeeded", -2 * HOUR_S)
        full = counts(tmp_path / "party.db")
        assert {name for name, n in full.items() if n == 0} <= KEPT, "a table is not tested here"
        await fill(store, database, NEW, "succeeded", -HOUR_S / 2)
        await fill(store, database, STUCK, "verifying", -2 * HOUR_S)
        async with keeping(database, SystemClock(), HOUR_S):
            with pytest.raises(NotFoundError):
                await store.jobs.get(OLD)
            assert {row.job for row in await store.jobs.recent(9)} == {NEW, STUCK}
            await store.receipts.put(OLD, b"a receipt that comes late")
            assert await store.receipts.get(OLD) is None
            jobs = (OLD, NEW, STUCK, b"x" * 32)
            assert [await store.jobs.was_forgotten(job) for job in jobs] == [True, False, False, False]
        left = counts(tmp_path / "party.db")
        assert {name: n for name, n in left.items() if name not in KEPT} == {
            name: 2 * n for name, n in full.items() if name not in KEPT
        }
        # A session is never used twice, not even by a job that was forgotten.
        with pytest.raises(InternalError, match="used before"):
            await store.jobs.use_session(NEW, 1, OLD)
        await database.close()

    asyncio.run(story())


def test_a_daemon_that_runs_for_long_forgets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "DAY_S", 1.0)  # what is filled in first takes less

    async def story() -> None:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        store = store_in(database, bytes(32))
        async with asyncio.timeout(10), keeping(database, SystemClock(), HOUR_S):
            await fill(store, database, OLD, "aborted", -2 * HOUR_S)
            while await store.jobs.recent(1):
                await asyncio.sleep(0.01)
        await database.close()

    asyncio.run(story())
