"""How a job went on after faults, and what its last roster has agreed to open."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from mpcd.storage.database import Database

Place = tuple[str, str]
"""(output, recipient)."""


class Epochs:
    """Who computes in which epoch of a job, and why: written before the epoch begins, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: bytes, epoch: int, standing: bytes) -> None:
        """Keep how an epoch stands; outputs of earlier epochs, which will never be opened, are removed."""

        def work(c: sqlite3.Connection) -> None:
            c.execute("INSERT INTO epochs (job, epoch, standing) VALUES (?,?,?)", (job, epoch, standing))
            c.execute("DELETE FROM output_shares WHERE job = ?", (job,))

        await self._database.run(work)

    async def of(self, job: bytes) -> list[bytes]:
        """The standings of all epochs after the first, in order."""
        rows = await self._database.read(
            lambda c: c.execute("SELECT standing FROM epochs WHERE job = ? ORDER BY epoch", (job,)).fetchall()
        )
        return [bytes(row[0]) for row in rows]


class Decisions:
    """Our signed notes of what is opened, one for every output and recipient: served for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, job: bytes, notes: Mapping[Place, bytes]) -> None:
        """Keep the notes in one transaction, before the first share leaves."""
        rows = [(job, *place, envelope) for place, envelope in notes.items()]
        await self._database.run(
            lambda c: c.executemany(
                "INSERT INTO decisions (job, output, recipient, envelope) VALUES (?,?,?,?) "
                "ON CONFLICT DO NOTHING",
                rows,
            )
        )

    async def get(self, job: bytes, place: Place) -> bytes | None:
        """The note for one recipient, or None if nothing was opened here."""
        row = await self._database.read(
            lambda c: c.execute(
                "SELECT envelope FROM decisions WHERE job = ? AND output = ? AND recipient = ?", (job, *place)
            ).fetchone()
        )
        return None if row is None else bytes(row[0])
