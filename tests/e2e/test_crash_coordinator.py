"""The coordinator is killed at every point of what it does for a job, or for good once the job has begun."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from mpcd.cli.auction_job import PARTIES
from mpcd.cli.local_cluster import COORDINATOR
from mpcd.errors import MpcdError
from tests.e2e.committee import DANA, OUTPUTS, wait_until
from tests.e2e.crash_matrix import LONG, Cell, Crashes, crashes
from tests.e2e.test_kills import coordinators_list

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("e2e-crashes")]

POINTS = ("before-write", "after-fsync", "after-send", "after-receive")
CELLS = [
    *(Cell(COORDINATOR, stage, point) for stage in ("proposed", "consented") for point in POINTS),
    # The last state that it writes: nobody is told, and nobody has anything more to say.
    *(Cell(COORDINATOR, "succeeded", point) for point in POINTS[:2]),
]
SAMPLE = [cell for number, cell in enumerate(CELLS) if number % 3 == 0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell" in metafunc.fixturenames:
        chosen = CELLS if metafunc.config.getoption("--crash") == "all" else SAMPLE
        metafunc.parametrize("cell", chosen, ids=str)


@pytest.fixture(scope="module")
def four() -> Iterator[Crashes]:
    with crashes() as made:
        yield made


def test_the_coordinator_is_killed_and_started_again(four: Crashes, cell: Cell) -> None:
    """Either nobody has heard of the job, or it comes to its end; what the parties signed is told again."""
    log = four.cluster.log(COORDINATOR)
    start = len(log.read_text())
    four.start_crashing(COORDINATOR, cell.edits)
    # Parties may not have noticed yet that the one before is gone.
    wait_until(lambda: log.read_text()[start:].count("party attached") == len(PARTIES), 60.0, log.read_text)
    try:
        four.submit(four.text(cell.job, LONG))
    except MpcdError:
        assert cell.stage == "proposed", "the job was taken"
    assert four.wait_killed(COORDINATOR, start).keys() == {cell.job}
    four.restart(COORDINATOR)
    if (cell.stage, cell.point) == ("proposed", "before-write"):
        assert not any(cell.job in four.jobs_at(name) for name in PARTIES)
        assert cell.job not in four.jobs_at("acme")
        four.auction_works("next")
        return
    wait_until(lambda: all(cell.job in four.jobs_at(name) for name in PARTIES), 30.0, lambda: cell.job)
    job = four.jobs_at("acme")[cell.job].job
    assert set(four.states(job, PARTIES).values()) == {"succeeded"}, four.details(job, PARTIES)
    assert {name: four.outputs(job, name) for name in PARTIES} == dict.fromkeys(PARTIES, OUTPUTS)
    seen: dict[bytes, str] = {}

    def told() -> bool:
        seen.update(asyncio.run(coordinators_list(four)))
        return seen.get(job) == "succeeded"

    wait_until(told, 20.0, lambda: f"the coordinator to say so, not {seen.get(job)}")


def test_the_coordinator_is_killed_for_good_once_inputs_are_agreed(four: Crashes) -> None:
    """The job finishes among the parties, and each reads its result from its own daemon."""
    four.start_crashing(DANA, ["good-* hold at=computing"])
    job = four.submit(four.text("good-1", LONG))
    four.wait_held(["good-1 at=computing"])
    four.cluster.kill(COORDINATOR)
    os.kill(four.cluster.pids()[DANA], signal.SIGUSR1)
    for name, last in four.ends(job, PARTIES).items():
        assert last.state == "succeeded", (name, last.state, last.detail)
        assert four.outputs(job, name) == OUTPUTS
        assert four.receipt(job, name).valid
    four.restart(COORDINATOR)
    four.auction_works("next")
