"""Every daemon is killed at every point of every state of a job, and started again: real processes.

`--crash all` fills all cells; without it a sample does that has every state, point and party.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.crash_matrix import EVERYTHING, SAMPLE, Cell, Crashes, crashes

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("e2e-crashes")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cells" in metafunc.fixturenames:
        chosen = EVERYTHING if metafunc.config.getoption("--crash") == "all" else SAMPLE
        metafunc.parametrize("cells", chosen, ids=lambda cells: f"{cells[0].who}-{cells[0].point}")


@pytest.fixture(scope="module")
def four() -> Iterator[Crashes]:
    with crashes() as made:
        yield made


def test_a_party_is_killed(four: Crashes, cells: Sequence[Cell], pytestconfig: pytest.Config) -> None:
    found = four.run(cells)
    report = pytestconfig.getoption("--crash-report")
    if report is not None:
        with Path(report).open("a") as file:
            file.writelines(f"{one.line()}\n" for one in found)
    assert not [one for one in found if one.problems]
    four.serves_the_next()
