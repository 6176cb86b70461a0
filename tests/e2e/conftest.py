"""One cluster for all end-to-end tests: starting it takes seconds, and surviving the others is the point."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    # Not tmp_path: the names of Unix sockets must be short.
    directory = Path(tempfile.mkdtemp(prefix="mpcd-e2e-"))
    made = Cluster(directory)
    try:
        made.start()
        yield made
    finally:
        made.local.stop()
        shutil.rmtree(directory, ignore_errors=True)
