"""Everything that a party daemon keeps, subject by subject, over one database."""

from __future__ import annotations

from dataclasses import dataclass

from mpcd.storage.database import Database
from mpcd.storage.epochs import Decisions, Epochs
from mpcd.storage.jobs import Jobs
from mpcd.storage.shares import InputShares, OutputShares, Results
from mpcd.storage.starts import Starts
from mpcd.storage.statements import Consents, Evidence, Receipts, SlotValues
from mpcd.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Store:
    """The tables; tests substitute the `Database` beneath or single tables."""

    jobs: Jobs
    consents: Consents
    slot_values: SlotValues
    inputs: InputShares
    outputs: OutputShares
    results: Results
    receipts: Receipts
    evidence: Evidence
    epochs: Epochs
    decisions: Decisions
    starts: Starts


def store_in(database: Database, storage_key: bytes) -> Store:
    """The tables of a daemon.

    Raises  UsageError if the storage key is not 32 bytes
    """
    vault = Vault(storage_key)
    return Store(
        jobs=Jobs(database),
        consents=Consents(database),
        slot_values=SlotValues(database),
        inputs=InputShares(database, vault),
        outputs=OutputShares(database, vault),
        results=Results(database, vault),
        receipts=Receipts(database),
        evidence=Evidence(database),
        epochs=Epochs(database),
        decisions=Decisions(database),
        starts=Starts(database),
    )
