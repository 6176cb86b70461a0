"""The party's own data against a program: which column, which range, and that it stays as consented to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from mpcd.apps.catalogue import CATALOGUE
from mpcd.errors import DataError
from mpcd.identity.config import Column, Source
from mpcd.jobs.document import InputEntry
from mpcd.party.datasets import Datasets

CHECKED = CATALOGUE["second-price"].definition.checked
ENTRY = InputEntry(party="acme", dataset="bids", argument="bids", rows=2)
COLUMN = Column(min=0, max=1000)


def datasets(path: Path, columns: dict[str, Column], consented: dict[str, bytes] | None = None) -> Datasets:
    sources = {"bids": Source(file=str(path), columns=columns)}
    return Datasets(sources, bytes(32), b"j" * 32, CHECKED, consented or {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "bids.csv"
    file.write_text("bid,other\n7,1\n9,2\n")
    return file


def test_what_is_read_is_what_was_offered(path: Path) -> None:
    offered = datasets(path, {"bid": COLUMN}).offer(ENTRY)
    assert (offered.rows, offered.dataset) == (2, "bids")
    consented = {"bids": bytes.fromhex(offered.digest)}
    words = asyncio.run(datasets(path, {"bid": COLUMN}, consented).read(ENTRY))
    np.testing.assert_array_equal(words, np.array([[7, 9]], np.uint64))


def test_data_that_changed_after_the_consent_is_not_used(path: Path) -> None:
    offered = datasets(path, {"bid": COLUMN}).offer(ENTRY)
    path.write_text("bid,other\n7,1\n8,2\n")
    changed = datasets(path, {"bid": COLUMN}, {"bids": bytes.fromhex(offered.digest)})
    with pytest.raises(DataError, match="changed"):
        asyncio.run(changed.read(ENTRY))


def test_a_column_that_the_program_does_not_use_may_change(path: Path) -> None:
    offered = datasets(path, {"bid": COLUMN}).offer(ENTRY)
    path.write_text("bid,other\n7,5\n9,6\n")
    assert datasets(path, {"bid": COLUMN}).offer(ENTRY) == offered


@pytest.mark.parametrize(
    ("columns", "entry", "word"),
    [
        ({"bid": COLUMN}, ENTRY.model_copy(update={"dataset": "bid"}), "dataset"),
        ({"bid": COLUMN, "other": COLUMN}, ENTRY, "column"),
        ({"bid": Column(min=-1, max=5)}, ENTRY, "the program takes"),
        ({"bid": COLUMN}, ENTRY.model_copy(update={"rows": 1}), "rows"),
    ],
)
def test_what_does_not_fit_is_refused(
    path: Path, columns: dict[str, Column], entry: InputEntry, word: str
) -> None:
    with pytest.raises(DataError, match=word):
        datasets(path, columns).offer(entry)


def test_digests_differ_between_jobs(path: Path) -> None:
    first = datasets(path, {"bid": COLUMN})
    second = Datasets(first.sources, first.key, b"k" * 32, CHECKED, {})
    assert first.offer(ENTRY).digest != second.offer(ENTRY).digest
