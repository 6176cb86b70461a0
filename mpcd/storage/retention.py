"""Ended jobs are forgotten some time after their deadline, when the daemon starts and once a day.

The time runs from the deadline, since until then the job could be proposed again: a job that is forgotten is
refused as too late, so nothing is ever signed for it a second time. Sessions stay for ever: by them it is
known again even if the clock is set back.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator

import structlog

from mpcd.clock import Clock
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.states import TERMINAL
from mpcd.storage.database import Database, StorageError

DAY_S = 86_400.0
_BY_SESSION = ("input_entries", "input_shares")
_BY_JOB = (
    "transitions",
    "consents",
    "notices",
    "slot_values",
    "output_shares",
    "results",
    "receipts",
    "evidence",
    "epochs",
    "decisions",
    "jobs",
)
_log = structlog.get_logger("mpcd.storage")


async def forget(database: Database, before_ms: int) -> int:
    """Delete the ended jobs whose deadline was before that time, with all that belongs to them; how many.

    Raises  StorageError
    """
    states = sorted(state.value for state in TERMINAL)
    marks = ",".join("?" * len(states))

    def work(c: sqlite3.Connection) -> int:
        query = f"SELECT job FROM jobs WHERE deadline_ms < ? AND state IN ({marks})"
        jobs = c.execute(query, (before_ms, *states)).fetchall()
        for table in _BY_SESSION:
            chosen = "session IN (SELECT session FROM sessions WHERE job = ?)"
            c.executemany(f"DELETE FROM {table} WHERE {chosen}", jobs)
        for table in _BY_JOB:
            c.executemany(f"DELETE FROM {table} WHERE job = ?", jobs)
        return len(jobs)

    return await database.run(work)


@contextlib.asynccontextmanager
async def keeping(database: Database, clock: Clock, retention_s: float) -> AsyncIterator[None]:
    """Forget old jobs now, and every day as long as the context lasts.

    Raises  StorageError from the first time; later a broken database is noticed by the daemon's other work
    """

    async def sweep() -> None:
        now_ms = int(clock.now().timestamp() * 1000)
        count = await forget(database, now_ms - int((retention_s + GRACE_S) * 1000))
        if count:
            _log.info("old jobs forgotten", jobs=count)

    async def daily() -> None:
        while True:
            await asyncio.sleep(DAY_S)
            try:
                await sweep()
            except StorageError as error:
                _log.error("old jobs cannot be forgotten", error=error.what)

    await sweep()
    task = asyncio.create_task(daily(), name="retention")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
