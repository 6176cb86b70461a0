"""What has to happen before any test module is imported."""

from __future__ import annotations

import pytest
from hypothesis import settings

from mpcd.transport import grpc_environment

grpc_environment.prepare()

# How long an example takes depends on what else the machine does: no deadline, but pytest's own.
settings.register_profile("mpcd", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("mpcd")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of single test files: pytest takes them from here only."""
    group = parser.getgroup("tests of mpcd")
    group.addoption("--crash", default="sample", choices=("sample", "all"), help="cells of the crash matrix")
    group.addoption("--crash-report", metavar="FILE", help="append what came of each cell, as JSON lines")
