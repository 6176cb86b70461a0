"""Standings of epochs and notes of what is opened."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from mpcd.storage.database import SqliteDatabase
from mpcd.storage.shares import OutputShare
from mpcd.storage.store import Store, store_in

JOB = b"j" * 32


async def opened(path: Path) -> tuple[SqliteDatabase, Store]:
    database = await SqliteDatabase.open(path / "party.db")
    return database, store_in(database, bytes(32))


def test_a_new_epoch_is_kept_once_and_removes_the_outputs_of_the_last_one(tmp_path: Path) -> None:
    async def story() -> None:
        database, store = await opened(tmp_path)
        await store.outputs.put(JOB, JOB, [OutputShare("x", "acme", 1, bytes(32), bytes(8), bytes(32))])
        await store.epochs.add(JOB, 1, b"first")
        assert await store.outputs.get(JOB, "x", "acme") == {}
        await store.epochs.add(JOB, 2, b"second")
        assert await store.epochs.of(JOB) == [b"first", b"second"]
        with pytest.raises(sqlite3.IntegrityError):
            await store.epochs.add(JOB, 2, b"another")
        await database.close()

    asyncio.run(story())


def test_the_first_note_of_what_is_opened_stays(tmp_path: Path) -> None:
    async def story() -> None:
        database, store = await opened(tmp_path)
        assert await store.decisions.get(JOB, ("x", "acme")) is None
        await store.decisions.put(JOB, {("x", "acme"): b"note", ("y", "acme"): b"of y"})
        await store.decisions.put(JOB, {("x", "acme"): b"another"})
        assert await store.decisions.get(JOB, ("x", "acme")) == b"note"
        await database.close()

    asyncio.run(story())
