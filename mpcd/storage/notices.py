"""What parties have signed about a job, as the coordinator keeps it: the newest of each kind and party."""

from __future__ import annotations

import sqlite3

from mpcd.storage.database import Database


class Notices:
    """Signed envelopes by (job, kind, party)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, job: bytes, kind: str, party: str, number: int, envelope: bytes) -> bool:
        """Keep a notice unless one with this or a higher number is there; whether it was kept."""

        def work(c: sqlite3.Connection) -> bool:
            cursor = c.execute(
                "INSERT INTO notices (job, kind, party, number, envelope) VALUES (?,?,?,?,?) "
                "ON CONFLICT (job, kind, party) DO UPDATE SET number = excluded.number, "
                "envelope = excluded.envelope WHERE excluded.number > number",
                (job, kind, party, number, envelope),
            )
            return cursor.rowcount == 1

        return await self._database.run(work)

    async def of(self, job: bytes) -> list[tuple[str, str, bytes]]:
        """(kind, party, envelope) of everything known about a job."""
        return await self._database.read(
            lambda c: c.execute(
                "SELECT kind, party, envelope FROM notices WHERE job = ? ORDER BY kind, party", (job,)
            ).fetchall()
        )
