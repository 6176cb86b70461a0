"""Four organisations that compute, real daemons; one of them, dana, may be a cheating daemon.

Jobs are named: what dana does differently (`mpcd.testing.edits`) goes by the name of a job, so that one
start of the daemon serves many tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.cluster import is_ready
from mpcd.cli.job import read_job
from mpcd.cli.local_cluster import COORDINATOR, PROCESSES_FILE, LocalCluster
from mpcd.client.operator import Operator
from mpcd.errors import ChannelError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.evidence import verify as verify_evidence
from mpcd.jobs.receipt import Verdict, verify

DANA = "dana"
HONEST = tuple(name for name in PARTIES if name != DANA)
BIDS = {"acme": 300, "bolt": 700, "crux": 500, DANA: 150}
OUTPUTS = {"winner": PARTIES.index("bolt"), "price": 500}
X, LINKS = 731, 300
CHAIN = f"""\
import mpcd as mpc


@mpc.program
def slow(x: mpc.Vector[mpc.Int(0, 1000)], y: mpc.Vector[mpc.Int(-1, 1)]):
    z = x
    for _ in range({LINKS}):
        z = z * y
    return mpc.reveal(total=z.sum())
"""
DATA = """\
  numbers:
    file: numbers.csv
    columns:
      x: {type: int, min: 0, max: 1000}
  signs:
    file: signs.csv
    columns:
      y: {type: int, min: -1, max: 1}
"""
DELTA_S, ROUND_S, STAGE_S, START_S, JOB_S = 0.5, 4.0, 10.0, 120.0, 90.0


class Committee:
    """The cluster, and short words for what tests do with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cluster = LocalCluster.create(directory, dict(BIDS), delta=f"{DELTA_S}s")
        self._read = 0
        self.holding = False
        self.held: dict[str, dict[str, Any]] = {}
        for name in PARTIES:
            config = self.cluster.config(name)
            text = config.read_text().replace("\ndata:\n", f"\ndata:\n{DATA}")
            text = text.replace("\ntiming:\n", f"\ntiming:\n  round: {ROUND_S}s\n  stage: {STAGE_S}s\n")
            config.write_text(f"{text}\nlimits: {{running: 8}}\n")
            (directory / name / "numbers.csv").write_text(f"x\n{X}\n")
            (directory / name / "signs.csv").write_text("y\n-1\n")
        (directory / "slow.py").write_text(CHAIN)

    # -- daemons ------------------------------------------------------------------------------------------

    def start(self, *edits: str) -> None:
        """Start everybody; dana with these edits."""
        self.cluster.start((COORDINATOR, *HONEST))
        self.start_dana(*edits)

    def start_dana(self, *edits: str) -> None:
        """Start dana: the ordinary daemon, or with edits the cheating one."""
        self.holding = bool(edits)
        if not edits:
            self.cluster.start((DANA,))
        else:
            words = [word for edit in edits for word in ("--edit", edit)]
            command = [sys.executable, "-m", "mpcd.testing.cheat", "--config"]
            command += [str(self.cluster.config(DANA)), *words]
            with self.cluster.log(DANA).open("ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            wait_until(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"", 10.0, lambda: DANA)
            pids = {**self.cluster.pids(), DANA: process.pid}
            (self.directory / PROCESSES_FILE).write_text(json.dumps(pids))
        self.ready()

    def restart_dana(self, *edits: str) -> None:
        self.cluster.kill(DANA)
        self.start_dana(*edits)

    def ready(self) -> None:
        """Wait until all parties see the coordinator."""
        self.cluster.wait_ready(is_ready, START_S)

    def signal_dana(self, number: signal.Signals) -> None:
        os.kill(self.cluster.pids()[DANA], number)

    def release(self) -> None:
        """Let go all jobs that dana's daemon holds."""
        self.signal_dana(signal.SIGUSR1)

    def release_processes(self) -> None:
        """Let go all job processes of dana that are held."""
        for pid in set(self.job_processes()) & {said.get("pid") for said in self._held().values()}:
            with contextlib.suppress(ProcessLookupError):  # its daemon may have ended it by now
                os.kill(pid, signal.SIGUSR1)

    def job_processes(self, name: str = DANA) -> list[int]:
        """Process numbers of the job processes of a party, found the way an administrator would."""
        return [pid for server in self.fork_server(name) for pid in children(server)]

    def fork_server(self, name: str = DANA) -> list[int]:
        return children(self.cluster.pids()[name])

    # -- jobs ---------------------------------------------------------------------------------------------

    def submit(self, text: str, *, at: str = "acme") -> bytes:
        name = re.search(r"^name: (.*)$", text, re.MULTILINE)
        assert name is not None
        file = self.directory / f"{name[1]}.yaml"
        file.write_text(text)
        job_file, program = read_job(file)
        with self.operator(at) as operator:
            return operator.submit(job_file, str(file), program)[0]

    def operator(self, name: str = "acme") -> Operator:
        return Operator(self.cluster.socket(name))

    def get(self, job: bytes, at: str) -> pb.OperatorJob:
        with self.operator(at) as operator:
            return operator.get(job)

    def end(self, job: bytes, at: str) -> pb.OperatorJob:
        """The job once it has ended at a party."""
        with self.operator(at) as operator:
            *_, last = operator.watch(job, JOB_S)
        return last

    def ends(self, job: bytes, names: Sequence[str] = HONEST) -> dict[str, pb.OperatorJob]:
        return {name: self.end(job, name) for name in names}

    def states(self, job: bytes, names: Sequence[str] = HONEST) -> dict[str, str]:
        return {name: last.state for name, last in self.ends(job, names).items()}

    def outputs(self, job: bytes, at: str) -> dict[str, int]:
        with self.operator(at) as operator:
            return {name: int(value) for name, value in operator.result(job, 10.0).items()}

    def auction_works(self, name: str = "afterwards") -> None:
        """The four go on serving: a fresh auction gives everybody the outputs."""
        job = self.submit(auction(f"{name}-{time.monotonic_ns()}", deadline="60s"))
        states = self.states(job, PARTIES)
        assert set(states.values()) == {"succeeded"}, self.details(job, PARTIES)
        for party in PARTIES:
            assert self.outputs(job, party) == OUTPUTS

    def details(self, job: bytes, names: Sequence[str] = HONEST) -> dict[str, tuple[str, str]]:
        """How it ended and why, for messages of failing tests."""
        return {name: ((last := self.get(job, name)).state, last.detail) for name in names}

    def receipt(self, job: bytes, at: str) -> Verdict:
        with self.operator(at) as operator:
            return verify(operator.receipt(job, 10.0), Roster.load(self.cluster.roster()))

    # -- what is written down -----------------------------------------------------------------------------

    def evidence(self, job: bytes, at: str) -> list[Evidence]:
        """All records of a party, verified as a stranger would."""
        roster = Roster.load(self.cluster.roster())
        rows = self._rows(at, "SELECT body FROM evidence WHERE job = ? ORDER BY number", job)
        return [verify_evidence(Envelope.from_bytes(body), roster) for (body,) in rows]

    def results_on_disk(self, job: bytes, at: str) -> int:
        """How many outputs a party has stored: what it keeps, not what it shows."""
        return len(self._rows(at, "SELECT output FROM results WHERE job = ?", job))

    def _rows(self, at: str, query: str, job: bytes) -> list[tuple[Any, ...]]:
        database = self.directory / at / "party.db"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as c:
            return c.execute(query, (job,)).fetchall()

    def wait_held(self, points: Iterable[str], timeout_s: float = 30.0) -> None:
        """Wait until dana stands at all these points: `NAME STAGE` of the daemon, `round=K` of a process."""
        wanted = set(points)
        wait_until(lambda: wanted <= self._held().keys(), timeout_s, lambda: f"{wanted - self.held.keys()}")

    def _held(self) -> dict[str, dict[str, Any]]:
        raw = self.cluster.log(DANA).read_bytes()
        fresh = raw[self._read : raw.rfind(b"\n") + 1]
        self._read += len(fresh)
        for line in fresh.decode().splitlines():
            if '"held"' in line:
                said = json.loads(line)
                self.held[said["point"] if "point" in said else f"{said['name']} {said['stage']}"] = said
        return self.held

    def no_tracebacks(self) -> None:
        """No daemon has logged a bug."""
        for log in self.directory.glob("*/daemon.log"):
            bad = [line for line in log.read_text().splitlines() if "Traceback" in line or '"bug"' in line]
            assert not bad, (log, bad)


@contextlib.contextmanager
def committee() -> Iterator[Committee]:
    """A committee whose daemons are not started yet; they and their files are gone afterwards."""
    # Not tmp_path: the names of Unix sockets must be short.
    directory = Path(tempfile.mkdtemp(prefix="mpcd-c-"))
    made = Committee(directory)
    try:
        yield made
    finally:
        with contextlib.suppress(KeyError):
            made.signal_dana(signal.SIGCONT)
        made.cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def auction(name: str, deadline: str = "20s", profile: str = "fair") -> str:
    """A second-price auction between the four."""
    return job_text(name, deadline=deadline, profile=profile)


def slow(name: str, deadline: str = "20s", profile: str = "fair") -> str:
    """A job with some hundred rounds, one after another; everybody learns x."""
    return (
        f"apiVersion: mpcd/v1\nkind: Job\nname: {name}\n"
        "program: {kind: file, path: slow.py, function: slow}\n"
        f"computing: [{', '.join(PARTIES)}]\ninputs:\n"
        "  - {party: acme, dataset: numbers, argument: x, rows: 1}\n"
        "  - {party: bolt, dataset: signs, argument: y, rows: 1}\n"
        f"results:\n  - {{output: total, to: [{', '.join(PARTIES)}]}}\n"
        f"profile: {profile}\ndeadline: {deadline}\n"
    )


def children(pid: int) -> list[int]:
    """The child processes of a process, from /proc."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (command) state parent ...; a command may hold spaces.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def wait_until(ready: Callable[[], bool], timeout_s: float, what: Callable[[], str]) -> None:
    """Look again and again, until the time is up."""
    end = time.monotonic() + timeout_s
    while not ready():
        assert time.monotonic() < end, f"waited {timeout_s:g} s for {what()}"
        time.sleep(0.02)


def is_gone(operation: Callable[[], object]) -> bool:
    """Whether nobody answers."""
    try:
        operation()
    except ChannelError:
        return True
    return False
