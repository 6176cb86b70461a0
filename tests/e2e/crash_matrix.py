"""Daemons that are killed at every point of every state: the cells, one cluster for all of them, the checks.

A batch is one daemon and one point, with a job for every state: each job stands still when it has come to its
point, and with the last one the daemon is killed (`mpcd.testing.crashes`). So one crash fills many cells.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.local_cluster import COORDINATOR, PROCESSES_FILE
from mpcd.client.operator import Operator
from mpcd.errors import MpcdError, NotFoundError
from mpcd.testing.edits import POINTS
from tests.e2e.committee import BIDS, Committee, wait_until

STAGES = ("proposed", "consented", "gathering", "computing", "verifying", "recovering", "opening")
DELTA_S, STAGE_S, HEARTBEAT_S = 1.0, 5.0, 2.0
"""The machine of the tests does other work too: a shorter delta would be broken by it now and then."""
CRASH_S = 40.0
"""Until all jobs of a batch have come to their points."""
SHORT, LONG = "14s", "75s"
SPARE_S = 5.0
"""For a machine that does other work at the same time."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One daemon that is killed at one point of one state of a job."""

    who: str
    stage: str
    point: str

    @property
    def job(self) -> str:
        return f"{self.stage}-{self.point}-{self.who[:4]}"  # names of jobs are short

    @property
    def hopeless(self) -> bool:
        """Without this daemon's consent there is no job."""
        return self.stage == "proposed" and self.point in ("before-write", "after-fsync")

    @property
    def edits(self) -> tuple[str, ...]:
        """What its daemon does; to be `recovering` it must lose its job process first."""
        crash = f"{self.job} crash at={self.stage} point={self.point}"
        return (crash, f"{self.job} die round=2") if self.stage == "recovering" else (crash,)

    def __str__(self) -> str:
        return f"{self.who} {self.stage} {self.point}"


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a cell.

    noticed_s    from the kill until every survivor has logged that the daemon is gone
    delivered_s  from the point of the crash until the last survivor had its outputs, None if there are none
    """

    who: str
    stage: str
    point: str
    ended: str
    problems: tuple[str, ...]
    noticed_s: float | None
    delivered_s: float | None

    def line(self) -> str:
        return json.dumps(asdict(self))


def batch(who: str, point: str, stages: Iterable[str] = STAGES) -> list[Cell]:
    return [Cell(who, stage, point) for stage in stages]


EVERYTHING = [batch(who, point) for who in PARTIES for point in POINTS]
SAMPLE = [
    batch("acme", "before-write", ("consented", "computing", "recovering", "opening")),
    batch("bolt", "after-fsync", ("proposed", "gathering", "verifying", "opening")),
    batch("crux", "after-send", ("consented", "gathering", "computing", "recovering")),
    batch("dana", "after-receive", ("gathering", "computing", "verifying", "opening")),
]


class Crashes(Committee):
    """The committee, of which any daemon may be one that crashes."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        for name in PARTIES:
            config = self.cluster.config(name)
            text = re.sub(r"\n  (stage|delta): .*", "", config.read_text())
            timing = f"\ntiming:\n  delta: {DELTA_S}s\n  stage: {STAGE_S}s\n"
            config.write_text(text.replace("\ntiming:\n", timing))

    def start_crashing(self, name: str, edits: Sequence[str]) -> None:
        """Start one daemon that crashes, in place of the one that runs."""
        self.cluster.kill(name)
        words = [word for edit in edits for word in ("--edit", edit)]
        kind = ["--coordinator"] if name == COORDINATOR else []
        command = [sys.executable, "-m", "mpcd.testing.cheat", *kind, "--config"]
        with self.cluster.log(name).open("ab") as log:
            process = subprocess.Popen(
                [*command, str(self.cluster.config(name)), *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"", 10.0, lambda: name)
        pids = {**self.cluster.pids(), name: process.pid}
        (self.directory / PROCESSES_FILE).write_text(json.dumps(pids))
        self.ready()

    def restart(self, name: str) -> None:
        self.cluster.start((name,))
        self.ready()

    def wait_killed(self, name: str, start: int) -> dict[str, dict[str, Any]]:
        """Wait until the daemon has killed itself; its lines about points, by the name of the job."""
        raw = self.cluster.log(name)

        def lines() -> dict[str, dict[str, Any]]:
            found = [json.loads(x) for x in raw.read_text()[start:].splitlines() if '"crash point"' in x]
            return {said["name"]: said for said in found}

        with contextlib.suppress(AssertionError):
            wait_until(lambda: name not in self.cluster.pids(), CRASH_S, lambda: name)
        self.cluster.kill(name)
        return lines()

    def noticed(self, name: str, since: float) -> dict[str, float]:
        """When each survivor logged that a daemon is gone, in seconds after its end."""
        found: dict[str, float] = {}
        for other in PARTIES:
            for line in self.cluster.log(other).read_text().splitlines() if other != name else ():
                if '"peer lost"' in line and f'"party": "{name}"' in line:
                    at = datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp() - since
                    if at >= 0:  # before, it is the ordinary daemon that was ended for the one that crashes
                        found.setdefault(other, at)
        return found

    def text(self, name: str, deadline: str) -> str:
        """An auction in which whoever is missing does not bid."""
        return job_text(name, deadline=deadline, profile="guaranteed") + "missing: exclude\n"

    # -- a batch of cells ---------------------------------------------------------------------------------

    def run(self, cells: Sequence[Cell]) -> list[Found]:
        """Kill one daemon at these points, start it again, and see what has come of each job."""
        (who,) = {cell.who for cell in cells}
        others = [name for name in PARTIES if name != who]
        log = self.cluster.log(who)
        self.start_crashing(who, [edit for cell in cells for edit in cell.edits])
        start = len(log.read_text())
        text = {cell: self.text(cell.job, SHORT if cell.hopeless else LONG) for cell in cells}
        jobs = {cell: self.submit(text[cell], at=others[0]) for cell in cells}
        points = self.wait_killed(who, start)
        killed = max((said["time"] for said in points.values()), default=time.time())
        ends = {cell: self.ends(job, others) for cell, job in jobs.items()}
        noticed = self.noticed(who, killed)
        self.restart(who)
        found = []
        for cell, job in jobs.items():
            problems = [*self.check(cell, job, ends[cell]), *self.check_restarted(cell, job)]
            late = [name for name in others if noticed.get(name, 1e9) > 2 * HEARTBEAT_S]
            problems += [f"{name} has not noticed in time ({noticed})" for name in late]
            if cell.job not in points:
                problems.append("it never came to its point")
            point = points.get(cell.job, {}).get("time", killed)
            opened = all(last.state == "succeeded" for last in ends[cell].values())
            delivered = max(last.history[-1].at_ms for last in ends[cell].values()) / 1000 - point
            states = "/".join(sorted({last.state for last in ends[cell].values()}))
            found.append(
                Found(
                    cell.who, cell.stage, cell.point, states, tuple(problems),
                    round(max(noticed.values(), default=-1), 3), round(delivered, 3) if opened else None,
                )
            )  # fmt: skip
        return found

    def check(self, cell: Cell, job: bytes, ends: dict[str, pb.OperatorJob]) -> list[str]:
        """What is wrong with how the survivors ended."""
        problems = []
        for name, last in ends.items():
            if last.history[-1].at_ms > last.deadline_ms + 1000 * SPARE_S:
                problems.append(f"{name} ended after the deadline")
            records = self.evidence(job, name)
            problems += [f"{name} blames {r.blamed}: {r.detail}" for r in records if r.blamed]
            if cell.hopeless:
                opened = self.results_on_disk(job, name)
                if last.state != "expired" or opened:
                    problems.append(f"{name}: {last.state} ({last.detail}), {opened} outputs")
            elif last.state != "succeeded":
                problems.append(f"{name}: {last.state} ({last.detail})")
            else:
                problems += self._check_outputs(cell, job, name)
        return problems

    def _check_outputs(self, cell: Cell, job: bytes, name: str) -> list[str]:
        """The outputs are those of the bids that count; who is left out, and why somebody is at fault."""
        verdict = self.receipt(job, name)
        receipt = verdict.receipt
        left_out = {line.owner for line in receipt.excluded}
        with self.operator(name) as operator:
            outputs, origins = operator.result_with_rows(job, 10.0)
        bids = sorted((amount, bidder) for bidder, amount in BIDS.items() if bidder not in left_out)
        said = (origins["winner"].owner, int(outputs["price"]))
        problems = []
        if said != (bids[-1][1], bids[-2][0]):
            problems.append(f"{name} has {said}, without {left_out}")
        if not left_out <= {cell.who} or not verdict.valid:
            problems.append(f"{name}: a receipt without {left_out}, valid: {verdict.valid}")
        wrong = [f for f in receipt.faults if f.blamed or cell.who not in {*f.link, *f.unreachable}]
        return problems + [f"{name}: a receipt with {fault}" for fault in wrong]

    def check_restarted(self, cell: Cell, job: bytes) -> list[str]:
        """What is wrong with what the daemon says of the job after its restart."""
        with self.operator(cell.who) as operator:
            try:
                *_, last = operator.watch(job, 40.0)
            except NotFoundError:
                return [] if cell.hopeless else ["the restarted daemon does not know the job"]
            except MpcdError as error:
                return [f"the restarted daemon: {error.what}"]
        if cell.hopeless:
            return [] if last.state in ("failed", "expired") else [f"after the restart: {last.state}"]
        if last.state != "succeeded":
            return [f"after the restart: {last.state} ({last.detail})"]
        return self._check_outputs(cell, job, cell.who)

    def serves_the_next(self) -> None:
        """All four take part in the next job, in full."""
        self.auction_works("next")

    def jobs_at(self, name: str) -> dict[str, pb.OperatorJob]:
        with Operator(self.cluster.socket(name)) as operator:
            return {job.name: job for job in operator.jobs()}


@contextlib.contextmanager
def crashes() -> Iterator[Crashes]:
    """The committee with all daemons up; they and their files are gone afterwards."""
    # Not tmp_path: the names of Unix sockets must be short.
    directory = Path(tempfile.mkdtemp(prefix="mpcd-x-"))
    made = Crashes(directory)
    try:
        made.start()
        yield made
        made.no_tracebacks()
    finally:
        made.cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)
