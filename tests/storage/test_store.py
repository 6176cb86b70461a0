"""The tables: what is kept, what is refused, and that no secret is readable in the files."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from mpcd.errors import InternalError, NotFoundError, UsageError
from mpcd.storage.database import SqliteDatabase, StorageError
from mpcd.storage.jobs import JobRow, Transition
from mpcd.storage.shares import OutputShare
from mpcd.storage.store import Store, store_in
from mpcd.storage.vault import Vault

T = TypeVar("T")
KEY = bytes(range(32))
JOB, OTHER = b"j" * 32, b"o" * 32
SESSION = b"s" * 32
ROW = JobRow(JOB, b"envelope", "acme", "key-1", "proposed", "", 0, None, 1000, 9000)
STEP = Transition("all consented", "proposed", "consented", "", 2000)


def using(path: Path, story: Callable[[Store], Awaitable[T]], key: bytes = KEY) -> T:
    async def run() -> T:
        database = await SqliteDatabase.open(path / "party.db")
        try:
            return await story(store_in(database, key))
        finally:
            await database.close()

    return asyncio.run(run())


def test_one_idempotency_key_of_one_submitter_is_one_job(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        assert (await store.jobs.add(ROW)).job == JOB
        assert (await store.jobs.add(replace(ROW, job=OTHER))).job == JOB
        assert (await store.jobs.add(replace(ROW, job=OTHER, submitter="bolt"))).job == OTHER
        assert [row.job for row in await store.jobs.recent(10)] == [JOB, OTHER]

    using(tmp_path, story)


def test_a_job_moves_only_from_the_state_it_is_in(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.jobs.add(ROW)
        await store.jobs.advance(JOB, STEP)
        with pytest.raises(InternalError, match="not in state proposed"):
            await store.jobs.advance(JOB, STEP)
        assert (await store.jobs.get(JOB)).state == "consented"
        assert await store.jobs.history(JOB) == [STEP]
        assert [r.job for r in await store.jobs.in_states(frozenset({"consented", "failed"}))] == [JOB]
        assert await store.jobs.in_states(frozenset({"proposed"})) == []
        with pytest.raises(NotFoundError):
            await store.jobs.get(OTHER)

    using(tmp_path, story)


def test_a_session_is_used_once(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.jobs.add(ROW)
        await store.jobs.use_session(JOB, 1, SESSION)
        assert (await store.jobs.get(JOB)).session == SESSION
        for job, attempt, session in ((JOB, 2, SESSION), (OTHER, 1, SESSION), (JOB, 1, b"t" * 32)):
            with pytest.raises(InternalError, match="used before"):
                await store.jobs.use_session(job, attempt, session)
        await store.jobs.use_session(JOB, 2, b"u" * 32)

    using(tmp_path, story)


def test_a_slot_has_one_value_for_ever(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.slot_values.fix(b"BARRIER/1", JOB, b"ready")
        await store.slot_values.fix(b"BARRIER/1", JOB, b"ready")

    async def after_a_restart(store: Store) -> None:
        with pytest.raises(InternalError, match="second value"):
            await store.slot_values.fix(b"BARRIER/1", JOB, b"not ready")
        assert await store.slot_values.get(b"BARRIER/1") == b"ready"
        assert await store.slot_values.get(b"BARRIER/2") is None

    using(tmp_path, story)
    using(tmp_path, after_a_restart)


def test_consents_receipts_and_evidence(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.jobs.add(ROW)
        await store.consents.add(JOB, {"acme": b"first"})
        await store.consents.add(JOB, {"acme": b"second", "bolt": b"third"})
        assert await store.consents.of(JOB) == {"acme": b"first", "bolt": b"third"}
        assert await store.receipts.get(JOB) is None
        await store.receipts.put(JOB, b"two signatures")
        await store.receipts.put(JOB, b"four signatures")
        assert await store.receipts.get(JOB) == b"four signatures"
        await store.evidence.add(JOB, "equivocation", b"a")
        await store.evidence.add(JOB, "equivocation", b"b")
        assert [body for _, body in await store.evidence.of(JOB)] == [b"a", b"b"]

    using(tmp_path, story)


SECRET, SALT, VALUE = b"secret payload canary 1", b"salt canary 22", b"result canary 333"
SHARE = OutputShare("winner", "acme", 2, b"c" * 32, SECRET, SALT)


async def fill(store: Store) -> None:
    bid = ("acme", "bid")
    await store.inputs.add_entries(SESSION, [(bid, b"entry 1"), (bid, b"entry 2")])
    await store.inputs.put(SESSION, {bid: {1: (SECRET, SALT), 3: (b"other", SALT)}})
    await store.outputs.put(JOB, SESSION, [SHARE, replace(SHARE, summand=3)])
    await store.results.put(JOB, {"winner": VALUE})


def test_shares_and_results_come_back(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        assert await store.inputs.entries(SESSION) == [b"entry 1", b"entry 2"]
        assert await store.inputs.get(SESSION, ("acme", "bid")) == {1: (SECRET, SALT), 3: (b"other", SALT)}
        assert await store.outputs.get(JOB, "winner", "acme") == {2: SHARE, 3: replace(SHARE, summand=3)}
        assert await store.outputs.get(JOB, "winner", "bolt") == {}
        assert await store.results.of(JOB) == {"winner": VALUE}
        await store.inputs.forget(SESSION)
        await store.outputs.forget(JOB)
        assert await store.inputs.get(SESSION, ("acme", "bid")) == {}
        assert await store.outputs.get(JOB, "winner", "acme") == {}

    using(tmp_path, story)


def test_no_secret_is_readable_in_the_files(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"entry 1" in files  # the control: what is public is found
        for canary in (SECRET, SALT, VALUE):
            assert canary not in files

    using(tmp_path, story)


@pytest.mark.parametrize("table", ["input_shares", "output_shares"])
def test_a_row_that_was_moved_or_changed_does_not_open(tmp_path: Path, table: str) -> None:
    using(tmp_path, fill)
    with sqlite3.connect(tmp_path / "party.db") as c:
        c.execute(f"UPDATE {table} SET summand = 0 WHERE summand = 3")
    c.close()

    async def read(store: Store) -> None:
        inputs = table == "input_shares"
        reading = (
            store.inputs.get(SESSION, ("acme", "bid")) if inputs else store.outputs.get(JOB, "winner", "acme")
        )
        with pytest.raises(StorageError, match="does not open"):
            await reading

    using(tmp_path, read)


def test_another_storage_key_opens_nothing(tmp_path: Path) -> None:
    using(tmp_path, fill)

    async def read(store: Store) -> None:
        with pytest.raises(StorageError, match="storage key"):
            await store.results.of(JOB)

    using(tmp_path, read, key=bytes(32))


def test_a_storage_key_has_32_bytes() -> None:
    with pytest.raises(UsageError, match="32"):
        Vault(b"short")


def test_two_rows_with_one_secret_look_different() -> None:
    vault = Vault(KEY)
    assert vault.seal((b"r",), SECRET) != vault.seal((b"r",), SECRET)


def test_repr_shows_no_share() -> None:
    assert "canary" not in repr(SHARE)
