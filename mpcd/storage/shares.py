"""What is secret on the disk: shares of inputs, shares of outputs, results. All of it is encrypted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mpcd.identity.encoding import pack, unpack
from mpcd.storage.database import Database
from mpcd.storage.vault import Vault

InputKey = tuple[str, str]
"""(owner, input name)."""


@dataclass(frozen=True, slots=True)
class OutputShare:
    """One summand of an output for one recipient, the salt of its commitment, and the commitment."""

    output: str
    recipient: str
    summand: int
    commitment: bytes
    payload: bytes = field(repr=False)
    salt: bytes = field(repr=False)


class InputShares:
    """The owner-signed entries of a session and the summands that this party holds."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def add_entries(self, session: bytes, entries: Iterable[tuple[InputKey, bytes]]) -> None:
        """Keep signed entries. Two different ones of one owner are both kept: together they are proof."""
        rows = [(session, *key, entry) for key, entry in entries]
        await self._database.run(
            lambda c: c.executemany(
                "INSERT INTO input_entries (session, owner, input, entry) VALUES (?,?,?,?) "
                "ON CONFLICT DO NOTHING",
                rows,
            )
        )

    async def entries(self, session: bytes) -> list[bytes]:
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT entry FROM input_entries WHERE session = ? ORDER BY entry", (session,)
            ).fetchall()
        )
        return [row[0] for row in rows]

    async def put(self, session: bytes, shares: Mapping[InputKey, Mapping[int, tuple[bytes, bytes]]]) -> None:
        """Keep verified summands: input -> a -> (payload, salt), in one transaction."""

        def work(c: sqlite3.Connection) -> None:
            for key, held in shares.items():
                for a, (payload, salt) in held.items():
                    sealed = self._vault.seal(_input_row(session, key, a), pack([payload, salt]))
                    c.execute(
                        "INSERT INTO input_shares (session, owner, input, summand, sealed) "
                        "VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
                        (session, *key, a, sealed),
                    )

        await self._database.run(work)

    async def get(self, session: bytes, key: InputKey) -> dict[int, tuple[bytes, bytes]]:
        """a -> (payload, salt) of everything that is here."""
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT summand, sealed FROM input_shares WHERE session = ? AND owner = ? AND input = ?",
                (session, *key),
            ).fetchall()
        )
        return {a: self._pair(_input_row(session, key, a), sealed) for a, sealed in rows}

    async def forget(self, session: bytes) -> None:
        """Remove the summands of a session that has ended; the signed entries stay."""
        await self._database.run(
            lambda c: c.execute("DELETE FROM input_shares WHERE session = ?", (session,))
        )

    def _pair(self, row: tuple[bytes, ...], sealed: bytes) -> tuple[bytes, bytes]:
        payload, salt = unpack(self._vault.open(row, sealed), max_parts=2, what="a stored share")
        return payload, salt


class OutputShares:
    """The summands of outputs that this party holds for their recipients, until they are fetched."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(self, job: bytes, session: bytes, shares: Sequence[OutputShare]) -> None:
        """Persist all output shares of a job in one transaction, before READY is signed."""

        def work(c: sqlite3.Connection) -> None:
            for s in shares:
                row = _output_row(job, session, s.output, s.recipient, s.summand)
                sealed = self._vault.seal(row, pack([s.payload, s.salt]))
                c.execute(
                    "INSERT INTO output_shares "
                    "(job, session, output, recipient, summand, commitment, sealed) VALUES (?,?,?,?,?,?,?)",
                    (job, session, s.output, s.recipient, s.summand, s.commitment, sealed),
                )

        await self._database.run(work)

    async def get(self, job: bytes, output: str, recipient: str) -> dict[int, OutputShare]:
        """summand -> share, of one output for one recipient."""
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT session, summand, commitment, sealed FROM output_shares "
                "WHERE job = ? AND output = ? AND recipient = ?",
                (job, output, recipient),
            ).fetchall()
        )
        found: dict[int, OutputShare] = {}
        for session, a, commitment, sealed in rows:
            plain = self._vault.open(_output_row(job, session, output, recipient, a), sealed)
            payload, salt = unpack(plain, max_parts=2, what="a stored share")
            found[a] = OutputShare(output, recipient, a, commitment, payload, salt)
        return found

    async def forget(self, job: bytes) -> None:
        """Remove the shares of a job that did not open: nobody will ever ask for them."""
        await self._database.run(lambda c: c.execute("DELETE FROM output_shares WHERE job = ?", (job,)))


class Results:
    """The outputs that this party was to learn, in clear under the storage key."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(self, job: bytes, values: Mapping[str, bytes]) -> None:
        """Keep outputs, output -> value, in one transaction."""
        rows = [
            (job, output, self._vault.seal((b"results", job, output.encode()), value))
            for output, value in values.items()
        ]
        await self._database.run(
            lambda c: c.executemany(
                "INSERT INTO results (job, output, sealed) VALUES (?,?,?) ON CONFLICT DO NOTHING", rows
            )
        )

    async def of(self, job: bytes) -> dict[str, bytes]:
        """output -> value."""
        rows = await self._database.read(
            lambda c: c.execute("SELECT output, sealed FROM results WHERE job = ?", (job,)).fetchall()
        )
        return {
            output: self._vault.open((b"results", job, output.encode()), sealed) for output, sealed in rows
        }


def _input_row(session: bytes, key: InputKey, a: int) -> tuple[bytes, ...]:
    return (b"input_shares", session, key[0].encode(), key[1].encode(), bytes([a]))


def _output_row(job: bytes, session: bytes, output: str, recipient: str, a: int) -> tuple[bytes, ...]:
    return (b"output_shares", job, session, output.encode(), recipient.encode(), bytes([a]))
