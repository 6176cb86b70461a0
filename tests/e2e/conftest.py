"""One town for all tests of a session: `pytest -n 2 --dist loadgroup` runs them in one worker, in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.town import BIDS, EVERYBODY, Town


@pytest.fixture(scope="session")
def running_town() -> Iterator[Town]:
    """The town with all daemons up. Its path is short: names of Unix sockets are."""
    with tempfile.TemporaryDirectory(prefix="mpcd-e2e-") as directory:
        town = Town.build(Path(directory) / "town")
        try:
            town.start()
            yield town
        finally:
            town.cluster.stop()


@pytest.fixture
def town(running_town: Town) -> Iterator[Town]:
    """The town with everybody's own bid. Afterwards all daemons still run and none has seen a bug."""
    running_town.bid(**BIDS)
    pids = running_town.cluster.pids()
    assert set(pids) == {"coordinator", *EVERYBODY}
    running_town.news()
    yield running_town
    assert running_town.cluster.pids() == pids, "a daemon has ended"
    bad = [line for line in running_town.news() if line["level"] == "error"]
    assert bad == []
