"""The table of jobs and their transitions.

This file checks no transition: callers get the next state from the table in `mpcd.jobs.states` and
persist it here before they act on it. A transition is written only if the job is still in the state from
which it starts.
"""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass, field

from mpcd.errors import InternalError, NotFoundError
from mpcd.storage.database import Database

_COLUMNS = (
    "job, envelope, submitter, idempotency_key, state, detail, attempt, session, created_ms, deadline_ms"
)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as this daemon knows it. job is the hash (32 bytes), envelope the signed job in bytes;
    times are wall-clock milliseconds since 1970."""

    job: bytes
    envelope: bytes = field(repr=False)
    submitter: str
    idempotency_key: str
    state: str
    detail: str
    attempt: int
    session: bytes | None
    created_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a job's life; `detail` says why, in words without secrets."""

    event: str
    before: str
    after: str
    detail: str
    at_ms: int


class Jobs:
    """Jobs and what happened to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: JobRow) -> JobRow:
        """Add a job, or return the one that is there already under the same hash or idempotency key."""

        def work(c: sqlite3.Connection) -> JobRow:
            c.execute(
                f"INSERT INTO jobs ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                astuple(row),
            )
            found = c.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE job = ? OR (submitter = ? AND idempotency_key = ?)",
                (row.job, row.submitter, row.idempotency_key),
            ).fetchone()
            return JobRow(*found)

        return await self._database.run(work)

    async def get(self, job: bytes) -> JobRow:
        """Raises  NotFoundError"""
        rows = await self._select("WHERE job = ?", (job,))
        if not rows:
            raise NotFoundError(f"there is no job {job.hex()[:16]}")
        return rows[0]

    async def recent(self, limit: int) -> list[JobRow]:
        """The newest jobs first."""
        return await self._select("ORDER BY created_ms DESC, job LIMIT ?", (limit,))

    async def in_states(self, states: frozenset[str]) -> list[JobRow]:
        """All jobs in one of these states, the oldest first."""
        marks = ",".join("?" * len(states))
        return await self._select(f"WHERE state IN ({marks}) ORDER BY created_ms, job", tuple(sorted(states)))

    async def advance(self, job: bytes, step: Transition) -> None:
        """Persist one transition.

        Raises  InternalError if the job is not in state `step.before`: somebody else moved it
        """

        def work(c: sqlite3.Connection) -> None:
            moved = c.execute(
                "UPDATE jobs SET state = ?, detail = ? WHERE job = ? AND state = ?",
                (step.after, step.detail, job, step.before),
            )
            if moved.rowcount != 1:
                raise InternalError(f"job {job.hex()[:16]} is not in state {step.before}")
            c.execute(
                "INSERT INTO transitions (job, event, before, after, detail, at_ms) VALUES (?,?,?,?,?,?)",
                (job, step.event, step.before, step.after, step.detail, step.at_ms),
            )

        await self._database.run(work)

    async def history(self, job: bytes) -> list[Transition]:
        """Every transition of a job, in order."""

        def work(c: sqlite3.Connection) -> list[Transition]:
            rows = c.execute(
                "SELECT event, before, after, detail, at_ms FROM transitions WHERE job = ? ORDER BY number",
                (job,),
            )
            return [Transition(*row) for row in rows]

        return await self._database.read(work)

    async def use_session(self, job: bytes, attempt: int, session: bytes) -> None:
        """Note the job's session. A session is used once in the life of this database.

        Raises  InternalError if this session, or one for this attempt, was used before
        """

        def work(c: sqlite3.Connection) -> None:
            try:
                c.execute(
                    "INSERT INTO sessions (session, job, attempt) VALUES (?,?,?)", (session, job, attempt)
                )
            except sqlite3.IntegrityError:
                raise InternalError(f"the session of job {job.hex()[:16]} was used before") from None
            c.execute("UPDATE jobs SET session = ?, attempt = ? WHERE job = ?", (session, attempt, job))

        await self._database.run(work)

    async def was_forgotten(self, job: bytes) -> bool:
        """Whether a job that is not here had a session once: sessions are kept when jobs are forgotten."""

        def work(c: sqlite3.Connection) -> bool:
            query = "SELECT EXISTS (SELECT 1 FROM sessions WHERE job = ?1) AND NOT EXISTS "
            return bool(c.execute(query + "(SELECT 1 FROM jobs WHERE job = ?1)", (job,)).fetchone()[0])

        return await self._database.run(work)

    async def _select(self, tail: str, values: tuple[object, ...]) -> list[JobRow]:
        def work(c: sqlite3.Connection) -> list[JobRow]:
            return [JobRow(*row) for row in c.execute(f"SELECT {_COLUMNS} FROM jobs {tail}", values)]

        return await self._database.read(work)
