"""The disk of a daemon fails, or the daemon is killed, at some fsync of a job; and a store that is put back.

The kernel is made to say so (`strace -e inject`), to the real daemon and its real database.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES
from tests.e2e.committee import wait_until
from tests.e2e.crash_matrix import LONG, Cell, Crashes, crashes

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("e2e-crashes"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: deploy/need strace:strace"),
]

SYNC, WRITE = "fdatasync,fsync", "pwrite64"
FAULTS = [
    *(("bolt", SYNC, "error=EIO", number) for number in (4, 9, 14)),
    *(("crux", SYNC, "signal=SIGKILL", number) for number in (5, 10, 15)),
    ("dana", WRITE, "error=ENOSPC", 40),
]
SAYS = {
    "error=EIO": "the database cannot be written (SQLITE_IOERR_FSYNC)",
    "error=ENOSPC": "the database cannot be written (SQLITE_FULL)",
}


@pytest.fixture(scope="module")
def four() -> Iterator[Crashes]:
    with crashes() as made:
        yield made


@contextlib.contextmanager
def injected(four: Crashes, name: str, calls: str, fault: str, number: int) -> Iterator[None]:
    """From now on the kernel fails the Nth of these calls of a daemon, and none after it."""
    pid = four.cluster.pids()[name]
    out = four.directory / "strace.log"
    command = ["strace", "-f", "-p", str(pid), "-e", f"trace={calls}", "-o", str(out)]
    inject = f"inject={calls}:{fault}:when={number}"
    with subprocess.Popen([*command, "-e", inject], stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        try:
            yield
        finally:
            tracer.kill()  # it may wait for ever for a process that it has seen killed


@pytest.mark.parametrize(("name", "calls", "fault", "number"), FAULTS)
def test_a_disk_fails_or_a_daemon_is_killed_at_a_write(
    four: Crashes, name: str, calls: str, fault: str, number: int
) -> None:
    """The daemon stops and says why, the others finish; what it has said before is on its disk."""
    others = [other for other in PARTIES if other != name]
    start = len(four.cluster.log(name).read_text())
    title = f"disk-{name}-{number}"
    with injected(four, name, calls, fault, number):
        job = four.submit(four.text(title, LONG), at=others[0])
        wait_until(lambda: name not in four.cluster.pids(), 40.0, lambda: f"{name} to stop")
    cell = Cell(name, "consented", "after-fsync")
    assert four.check(cell, job, four.ends(job, others)) == []
    text = four.cluster.log(name).read_text()[start:]
    if fault in SAYS:
        assert SAYS[fault] in text, text[-600:]
    stored = states_on_disk(four, name, job)
    assert states_told(text, job) <= stored
    assert four.get(job, others[0]).state == "succeeded"
    four.restart(name)
    assert four.check_restarted(cell, job) == []
    four.auction_works("next")


def states_told(log: str, job: bytes) -> set[str]:
    """The states of a job that a daemon has acted on, by its log."""
    lines = [json.loads(line) for line in log.splitlines() if '"event": "job"' in line]
    return {line["state"] for line in lines if line["job"] == job.hex()}


def states_on_disk(four: Crashes, name: str, job: bytes) -> set[str]:
    query = "SELECT before FROM transitions WHERE job = ?1 UNION SELECT after FROM transitions WHERE job = ?1"
    rows = four._rows(name, f"{query} UNION SELECT state FROM jobs WHERE job = ?1", job)
    return {state for (state,) in rows}


@pytest.mark.parametrize("lost", [False, True], ids=["an old copy", "a lost store"])
def test_peers_notice_a_store_that_is_not_the_latest(four: Crashes, lost: bool) -> None:
    """bolt's store is put back from before a job. The others go on without it, until it has its own again."""
    home, kept = four.directory / "bolt", four.directory / "kept"
    others = [other for other in PARTIES if other != "bolt"]
    four.cluster.kill("bolt")
    copy_store(home, kept / "old")
    four.restart("bolt")
    four.auction_works("before")
    four.cluster.kill("bolt")
    copy_store(home, kept / "latest")
    remove_store(home)
    if not lost:
        copy_store(kept / "old", home)
    start = {name: len(four.cluster.log(name).read_text()) for name in PARTIES}
    four.restart("bolt")
    job = four.submit(four.text("lost" if lost else "old-copy", LONG), at="acme")
    assert four.check(Cell("bolt", "consented", "after-fsync"), job, four.ends(job, others)) == []
    for name in others:
        told = four.cluster.log(name).read_text()[start[name] :]
        assert "the store of bolt, at its start" in told
        assert "peer has another store" in told
    assert "Put the latest store back" in four.cluster.log("bolt").read_text()[start["bolt"] :]
    four.cluster.kill("bolt")
    remove_store(home)
    copy_store(kept / "latest", home)
    four.restart("bolt")
    four.auction_works("after")


def copy_store(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob("party.db*"):
        if not file.name.endswith(".lock"):
            shutil.copy2(file, target / file.name)


def remove_store(home: Path) -> None:
    for file in home.glob("party.db*"):
        file.unlink()
