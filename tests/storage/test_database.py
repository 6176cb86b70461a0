"""The database file: durable, private, checked at the start, and silent for ever after a failed fsync."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import stat
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mpcd.errors import UsageError
from mpcd.storage.database import SqliteDatabase, StorageError
from mpcd.storage.schema import MIGRATIONS


def count(c: sqlite3.Connection) -> int:
    return int(c.execute("SELECT count(*) FROM evidence").fetchone()[0])


def add(c: sqlite3.Connection) -> None:
    c.execute("INSERT INTO evidence (job, kind, body) VALUES (x'00', 'k', x'01')")


def add_page(c: sqlite3.Connection) -> None:
    c.execute("INSERT INTO evidence VALUES (NULL, x'00', 'k', zeroblob(2000))")


def write_and_die(path: Path) -> None:
    async def story() -> None:
        database = await SqliteDatabase.open(path)
        await database.run(add)
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(story())


def test_what_was_acknowledged_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "party.db"
    killed = multiprocessing.get_context("spawn").Process(target=write_and_die, args=(path,))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL

    async def story() -> int:
        database = await SqliteDatabase.open(path)
        try:
            return await database.run(count)
        finally:
            await database.close()

    assert asyncio.run(story()) == 1


def test_one_daemon_at_a_time(tmp_path: Path) -> None:
    """A second one would take the running jobs of the first for left over."""
    path = tmp_path / "party.db"

    async def story() -> None:
        first = await SqliteDatabase.open(path)
        with pytest.raises(StorageError, match="another daemon has this database open"):
            await SqliteDatabase.open(path)
        await first.run(add)
        await first.close()
        await (await SqliteDatabase.open(path)).close()

    asyncio.run(story())


def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    async def story() -> None:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        await database.run(add)
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert len(list(tmp_path.iterdir())) == 4  # database, two of SQLite's, lock
        await database.close()

    asyncio.run(story())


def pragma(c: sqlite3.Connection, name: str) -> Any:
    return c.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    async def story() -> list[Any]:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        names = ("journal_mode", "synchronous", "foreign_keys", "user_version")
        try:
            return [await database.run(partial(pragma, name=name)) for name in names]
        finally:
            await database.close()

    assert asyncio.run(story()) == ["wal", 2, 1, len(MIGRATIONS)]


def test_a_query_sees_what_was_written_and_waits_for_nobody(tmp_path: Path) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def slow(c: sqlite3.Connection) -> None:
        add(c)
        busy.set()
        assert go_on.wait(20)

    async def story() -> list[int]:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        await database.run(add)
        seen = [await database.read(count)]
        writing = asyncio.create_task(database.run(slow))
        while not busy.is_set():
            await asyncio.sleep(0.005)
        seen.append(await database.read(count))
        go_on.set()
        await writing
        seen.append(await database.read(count))
        with pytest.raises(StorageError, match="READONLY"):
            await database.read(add)
        await database.close()
        return seen

    assert asyncio.run(story()) == [1, 1, 2]


def test_a_failed_transaction_changes_nothing(tmp_path: Path) -> None:
    def fail(c: sqlite3.Connection) -> None:
        add(c)
        raise UsageError("no")

    async def story() -> int:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        with pytest.raises(UsageError):
            await database.run(fail)
        try:
            return await database.run(count)
        finally:
            await database.close()

    assert asyncio.run(story()) == 0


@pytest.mark.parametrize("damage", ["not a database", "page"])
def test_a_damaged_file_is_refused_with_a_clear_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "party.db"

    async def fill() -> None:
        database = await SqliteDatabase.open(path)
        for _ in range(50):
            await database.run(add_page)
        await database.close()

    asyncio.run(fill())
    raw = bytearray(path.read_bytes())
    if damage == "page":
        raw[-40960:-20480] = b"\xa5" * 20480
    else:
        raw[:100] = b"#" * 100
    path.write_bytes(raw)
    with pytest.raises(StorageError, match="database"):
        asyncio.run(SqliteDatabase.open(path))


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "party.db"
    with sqlite3.connect(path) as c:
        c.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    c.close()
    with pytest.raises(UsageError, match="newer"):
        asyncio.run(SqliteDatabase.open(path))


def test_a_directory_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        asyncio.run(SqliteDatabase.open(tmp_path / "no" / "party.db"))


class Failing(sqlite3.OperationalError):
    """An error as SQLite raises it when the disk fails."""

    def __init__(self, name: str) -> None:
        super().__init__("disk I/O error")
        self.sqlite_errorname = name


@pytest.mark.parametrize(("name", "stops"), [("SQLITE_IOERR_FSYNC", True), ("SQLITE_FULL", False)])
def test_after_a_failed_fsync_nothing_more_is_written(tmp_path: Path, name: str, stops: bool) -> None:
    def fail(_c: sqlite3.Connection) -> None:
        raise Failing(name)

    async def story() -> None:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        with pytest.raises(StorageError, match=name):
            await database.run(fail)
        await asyncio.sleep(0)
        assert isinstance(database.failed.result(), StorageError), "the daemon is told, whoever wrote"
        assert (database.broken is not None) == stops
        if stops:
            with pytest.raises(StorageError, match=name):
                await database.run(add)
            with pytest.raises(StorageError, match=name):
                await database.read(count)
        else:
            await database.run(add)
        await database.close()

    asyncio.run(story())


def test_a_cancelled_caller_does_not_tear_its_transaction(tmp_path: Path) -> None:
    async def story() -> int:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        task = asyncio.ensure_future(database.run(add))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        try:
            return await database.run(count)
        finally:
            await database.close()

    assert asyncio.run(story()) == 1


def test_no_open_cursor_leaves_the_writers_thread(tmp_path: Path) -> None:
    """Freed in another thread, it would reset a statement that the writer is using again by then."""

    async def story() -> None:
        database = await SqliteDatabase.open(tmp_path / "party.db")
        cursor = await database.run(lambda c: c.execute("SELECT 1"))
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            cursor.fetchone()
        await database.close()

    asyncio.run(story())
