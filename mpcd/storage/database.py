"""The database file of a daemon: one connection writes, owned by one thread, one transaction at a time.

A call returns when its transaction is on the disk (WAL, synchronous=FULL), so "persist, then act" is
`await database.run(...)` before the act. Queries have a connection of their own in the event loop's thread:
it sees what is on the disk, and does not queue behind transactions that are on their way there. After a
failed fsync nothing that the operating system says about the file can be trusted: the database refuses all
further work and the daemon has to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from mpcd.errors import StorageError as StorageError
from mpcd.errors import UsageError
from mpcd.storage.schema import MIGRATIONS

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""What happens inside one transaction."""


class Database(Protocol):
    """What the tables need; tests put a failing or a recording one in its place."""

    async def run(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return its result once that is durable.

        Raises  StorageError; whatever `work` raises, with nothing changed
        """
        ...

    async def read(self, work: Work[T]) -> T:
        """Run one short query that changes nothing; it sees every transaction whose `run` has returned.

        Raises  StorageError
        """
        ...


class SqliteDatabase:
    """A `Database` in a file of mode 0600."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        reader: sqlite3.Connection | None,
        lock: int,
        writer: ThreadPoolExecutor,
        where: str,
    ) -> None:
        """reader: None for a database in memory, which has one connection only"""
        self.failed: asyncio.Future[StorageError] = asyncio.get_running_loop().create_future()
        """Done when the disk has failed, whoever it was that wrote: the daemon must then stop."""
        self._connection = connection
        self._reader = reader
        self._lock = lock
        self._writer = writer
        self._where = where
        self._broken: StorageError | None = None

    @classmethod
    async def open(cls, path: Path | str) -> SqliteDatabase:
        """Open or create the file, check it, and bring it to the present version.

        Raises  StorageError if it is damaged, cannot be read or another process has it open;
                UsageError if a newer mpcd wrote it
        """
        writer = ThreadPoolExecutor(1, thread_name_prefix="mpcd-storage")
        loop = asyncio.get_running_loop()
        try:
            connection, lock = await loop.run_in_executor(writer, _open_alone, str(path))
        except BaseException:
            writer.shutdown(wait=False)
            raise
        reader = None if str(path) == ":memory:" else _open_reader(str(path))
        return cls(connection, reader, lock, writer, str(path))

    @property
    def broken(self) -> StorageError | None:
        """Why the database takes no more work, if it does not: the daemon must then stop."""
        return self._broken

    async def run(self, work: Work[T]) -> T:
        loop = asyncio.get_running_loop()
        # A transaction that has begun is finished even if its caller is cancelled.
        return await asyncio.shield(loop.run_in_executor(self._writer, self._transaction, work))

    async def read(self, work: Work[T]) -> T:
        if self._reader is None:
            return await self.run(work)
        if self._broken is not None:
            raise self._broken
        try:
            return work(self._reader)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise self._fault(error) from error

    async def close(self) -> None:
        """Finish what was begun and close the file."""
        if self._reader is not None:
            self._reader.close()
        await asyncio.get_running_loop().run_in_executor(self._writer, self._connection.close)
        self._writer.shutdown()
        os.close(self._lock)

    def _transaction(self, work: Work[T]) -> T:
        if self._broken is not None:
            raise self._broken
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                if isinstance(result, sqlite3.Cursor):
                    # Freed in the caller's thread, its statement would be reset while it is used again here.
                    result.close()
                self._connection.execute("COMMIT")
            except BaseException:
                _roll_back(self._connection)
                raise
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise self._fault(error) from error
        return result

    def _fault(self, error: sqlite3.Error) -> StorageError:
        code = getattr(error, "sqlite_errorname", "") or "SQLITE_ERROR"
        fault = StorageError(
            f"the database cannot be written ({code})",
            where=self._where,
            fix="look at free space and health of the disk, then start the daemon again",
        )
        if "FSYNC" in code or "CORRUPT" in code or "NOTADB" in code:
            self._broken = fault
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon has stopped
            self.failed.get_loop().call_soon_threadsafe(self._tell, fault)
        return fault

    def _tell(self, fault: StorageError) -> None:
        if not self.failed.done():
            self.failed.set_result(fault)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            # The error that led here is the one to report; SQLite has rolled back by itself.
            return


def _open_alone(path: str) -> tuple[sqlite3.Connection, int]:
    lock = _lock(path)
    try:
        return _open(path), lock
    except BaseException:
        os.close(lock)
        raise


def _lock(path: str) -> int:
    """Keep other daemons away: a second one would take the jobs of the first for left over, and end them.

    The lock is on a file of its own, since closing any handle of the database would drop SQLite's locks.
    """
    name = os.devnull if path == ":memory:" else f"{path}.lock"
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if path != ":memory:":
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
    except BlockingIOError:
        raise StorageError(
            "another daemon has this database open",
            where=path,
            fix="stop it, or give each daemon a store of its own",
        ) from None
    except OSError as error:
        raise StorageError(
            f"the database cannot be opened: {error.strerror}",
            where=path,
            fix="let store: name a file in a directory that exists and that the daemon may write",
        ) from None
    return handle


def _open(path: str) -> sqlite3.Connection:
    try:
        if path != ":memory:":
            # Created by us: the mode is right from the first moment, and SQLite copies it to -wal and -shm.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            os.chmod(path, 0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        _check(connection, path)
        _migrate(connection, path)
    except (OSError, sqlite3.DatabaseError) as error:
        raise StorageError(
            f"the database cannot be opened: {error}",
            where=path,
            fix="restore the file from a backup, or look at its owner and mode",
        ) from error
    return connection


def _open_reader(path: str) -> sqlite3.Connection:
    """For queries. SQLite shows it a transaction once its commit is on the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _check(connection: sqlite3.Connection, path: str) -> None:
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise StorageError("the database is damaged", where=path, fix="restore the file from a backup")


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise UsageError(
            f"a newer mpcd wrote this database (version {version}, known up to {len(MIGRATIONS)})",
            where=path,
            fix="install that version again",
        )
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(f"BEGIN; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")
