"""Starts of a daemon, counted in its store, and which starts of other daemons were seen.

A store that was put back from an old copy, lost, or is used twice has forgotten what its daemon signed and
which sessions it took part in. It cannot know that by itself, but others can: every start adds a number and a
random mark to the store, a daemon shows the newest ones, and whoever has seen another mark under one of these
numbers, or a higher number, knows that this is not the store that it has met.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from mpcd.errors import UsageError
from mpcd.storage.database import Database

MARK_BYTES = 16
SHOWN = 128
"""Marks that a daemon shows: who has not met it in so many starts can tell an older number only."""
_MAX_NUMBER = 1 << 62


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a daemon. number: from 1; marks: of this start and those before it, at most SHOWN.

    Raises  UsageError if it is not well-formed
    """

    number: int
    marks: tuple[bytes, ...]

    def __post_init__(self) -> None:
        count = len(self.marks)
        if not 1 <= count <= SHOWN or not count <= self.number < _MAX_NUMBER:
            raise UsageError("a start shows its number and the marks up to it")
        if any(len(mark) != MARK_BYTES for mark in self.marks):
            raise UsageError(f"a mark of a start has {MARK_BYTES} bytes")

    def mark_of(self, number: int) -> bytes | None:
        """The mark of an earlier start, if it is shown."""
        back = self.number - number
        return self.marks[back] if 0 <= back < len(self.marks) else None


class Starts:
    """Our own starts, and the last start of each other identity."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self) -> Start:
        """Count a start of our own; durable when this returns, before anybody is shown it."""

        def work(c: sqlite3.Connection) -> Start:
            c.execute("INSERT INTO starts (mark) VALUES (?)", (secrets.token_bytes(MARK_BYTES),))
            query = "SELECT number, mark FROM starts ORDER BY number DESC LIMIT ?"
            rows = c.execute(query, (SHOWN,)).fetchall()
            return Start(int(rows[0][0]), tuple(bytes(mark) for _, mark in rows))

        return await self._database.run(work)

    async def meet(self, identity: bytes, start: Start) -> int | None:
        """Remember the start that another daemon shows. If it contradicts the one that was seen last, nothing
        is changed, and the number of that one is returned."""

        def last(c: sqlite3.Connection) -> tuple[int, bytes] | None:
            row = c.execute("SELECT number, mark FROM peer_starts WHERE identity = ?", (identity,)).fetchone()
            return None if row is None else (int(row[0]), bytes(row[1]))

        def work(c: sqlite3.Connection) -> int | None:
            known = last(c)
            if known is not None and _contradicts(start, *known):
                return known[0]
            c.execute(
                "INSERT INTO peer_starts (identity, number, mark) VALUES (?,?,?) "
                "ON CONFLICT (identity) DO UPDATE SET number = excluded.number, mark = excluded.mark",
                (identity, start.number, start.marks[0]),
            )
            return None

        if await self._database.read(last) == (start.number, start.marks[0]):
            return None  # a stream was opened again
        return await self._database.run(work)


def _contradicts(start: Start, number: int, mark: bytes) -> bool:
    """Whether a daemon that was once in start `number` under this mark cannot be in `start` now."""
    return start.number < number or start.mark_of(number) not in (None, mark)
