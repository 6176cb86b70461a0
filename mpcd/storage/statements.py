"""What was signed: consents, our own slot values, receipts, evidence."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Mapping

from mpcd.errors import InternalError
from mpcd.storage.database import Database


class Consents:
    """Consents of all parties to a job, as signed envelopes in bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: bytes, envelopes: Mapping[str, bytes]) -> None:
        """Keep consents, party -> envelope, in one transaction; the first one of a party stays."""
        rows = [(job, party, envelope) for party, envelope in envelopes.items()]
        await self._database.run(
            lambda c: c.executemany(
                "INSERT INTO consents (job, party, envelope) VALUES (?,?,?) ON CONFLICT DO NOTHING", rows
            )
        )

    async def of(self, job: bytes) -> dict[str, bytes]:
        """party -> envelope."""
        return await self._database.read(
            lambda c: dict(c.execute("SELECT party, envelope FROM consents WHERE job = ?", (job,)).fetchall())
        )


class SlotValues:
    """The value that this party signs in a slot: fixed on the disk before it is signed, and for ever.

    A daemon that is restarted must not sign a second value for the same slot: that would be proof
    that it cheats.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fix(self, slot: bytes, job: bytes, value: bytes) -> None:
        """Persist `value` as ours in this slot.

        Raises  InternalError if another value was fixed before
        """

        def work(c: sqlite3.Connection) -> None:
            c.execute(
                "INSERT INTO slot_values (slot, job, value) VALUES (?,?,?) ON CONFLICT DO NOTHING",
                (slot, job, value),
            )
            (kept,) = c.execute("SELECT value FROM slot_values WHERE slot = ?", (slot,)).fetchone()
            if not hmac.compare_digest(kept, value):
                raise InternalError("a second value for a slot in which this party has signed one")

        await self._database.run(work)

    async def get(self, slot: bytes) -> bytes | None:
        """What was fixed, or None."""
        row = await self._database.read(
            lambda c: c.execute("SELECT value FROM slot_values WHERE slot = ?", (slot,)).fetchone()
        )
        return None if row is None else bytes(row[0])


class Receipts:
    """Receipts, as signed envelopes in bytes; a later one has more signatures and replaces the earlier."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, job: bytes, envelope: bytes) -> None:
        """Keep the receipt of a job; of one that was forgotten meanwhile, nothing is kept."""
        await self._database.run(
            lambda c: c.execute(
                "INSERT INTO receipts (job, envelope) SELECT job, ? FROM jobs WHERE job = ? "
                "ON CONFLICT (job) DO UPDATE SET envelope = excluded.envelope",
                (envelope, job),
            )
        )

    async def get(self, job: bytes) -> bytes | None:
        row = await self._database.read(
            lambda c: c.execute("SELECT envelope FROM receipts WHERE job = ?", (job,)).fetchone()
        )
        return None if row is None else bytes(row[0])


class Evidence:
    """Signed statements that prove a fault, and records of whom a fault concerns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: bytes, kind: str, body: bytes) -> None:
        await self._database.run(
            lambda c: c.execute("INSERT INTO evidence (job, kind, body) VALUES (?,?,?)", (job, kind, body))
        )

    async def of(self, job: bytes) -> list[tuple[str, bytes]]:
        """(kind, body), in the order in which they were found."""
        return await self._database.read(
            lambda c: c.execute(
                "SELECT kind, body FROM evidence WHERE job = ? ORDER BY number", (job,)
            ).fetchall()
        )
