"""The tables of a daemon, as a list of migrations: entry k brings a database from version k to k + 1.

Rows that hold secrets (`sealed`) are encrypted by `vault.py` under the storage key; the row's identity is
the associated data. Transitions and evidence are only ever added,
until the whole job is forgotten (`retention.py`).
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        job BLOB PRIMARY KEY, envelope BLOB NOT NULL, submitter TEXT NOT NULL, idempotency_key TEXT NOT NULL,
        state TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', attempt INTEGER NOT NULL DEFAULT 0,
        session BLOB, created_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
        UNIQUE (submitter, idempotency_key)
    ) STRICT;
    CREATE TABLE transitions (
        number INTEGER PRIMARY KEY, job BLOB NOT NULL REFERENCES jobs (job), event TEXT NOT NULL,
        before TEXT NOT NULL, after TEXT NOT NULL, detail TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX transitions_by_job ON transitions (job, number);
    CREATE TABLE consents (
        job BLOB NOT NULL REFERENCES jobs (job), party TEXT NOT NULL, envelope BLOB NOT NULL,
        PRIMARY KEY (job, party)
    ) STRICT;
    CREATE TABLE sessions (
        session BLOB PRIMARY KEY, job BLOB NOT NULL, attempt INTEGER NOT NULL, UNIQUE (job, attempt)
    ) STRICT;
    CREATE TABLE slot_values (slot BLOB PRIMARY KEY, job BLOB NOT NULL, value BLOB NOT NULL) STRICT;
    CREATE TABLE input_entries (
        session BLOB NOT NULL, owner TEXT NOT NULL, input TEXT NOT NULL, entry BLOB NOT NULL,
        PRIMARY KEY (session, owner, input, entry)
    ) STRICT;
    CREATE TABLE input_shares (
        session BLOB NOT NULL, owner TEXT NOT NULL, input TEXT NOT NULL, summand INTEGER NOT NULL,
        sealed BLOB NOT NULL, PRIMARY KEY (session, owner, input, summand)
    ) STRICT;
    CREATE TABLE output_shares (
        job BLOB NOT NULL, session BLOB NOT NULL, output TEXT NOT NULL, recipient TEXT NOT NULL,
        summand INTEGER NOT NULL, commitment BLOB NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (job, output, recipient, summand)
    ) STRICT;
    CREATE TABLE results (
        job BLOB NOT NULL, output TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (job, output)
    ) STRICT;
    CREATE TABLE receipts (job BLOB PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
    CREATE TABLE evidence (
        number INTEGER PRIMARY KEY, job BLOB NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
    """,
    # The coordinator's: what parties have signed about a job, the newest of each kind and party.
    """
    CREATE TABLE notices (
        job BLOB NOT NULL REFERENCES jobs (job), kind TEXT NOT NULL, party TEXT NOT NULL,
        number INTEGER NOT NULL, envelope BLOB NOT NULL, PRIMARY KEY (job, kind, party)
    ) STRICT;
    """,
    # Epochs after the first, and signed notes of what is opened.
    """
    CREATE TABLE epochs (
        job BLOB NOT NULL, epoch INTEGER NOT NULL, standing BLOB NOT NULL, PRIMARY KEY (job, epoch)
    ) STRICT;
    CREATE TABLE decisions (
        job BLOB NOT NULL, output TEXT NOT NULL, recipient TEXT NOT NULL, envelope BLOB NOT NULL,
        PRIMARY KEY (job, output, recipient)
    ) STRICT;
    """,
    # Starts of this daemon, and the last one seen of each other identity.
    """
    CREATE TABLE starts (number INTEGER PRIMARY KEY AUTOINCREMENT, mark BLOB NOT NULL) STRICT;
    CREATE TABLE peer_starts (
        identity BLOB PRIMARY KEY, number INTEGER NOT NULL, mark BLOB NOT NULL
    ) STRICT;
    """,
)
