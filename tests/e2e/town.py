"""A town of six organisations on this machine: real daemons, real TLS, and the command line as users type it.

acme, bolt, crux and dana compute; erin only bids; finn only reads results. Every daemon runs one job
process at a time, so that jobs contend for them.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.cluster import is_ready
from mpcd.cli.job import read_job
from mpcd.cli.local_cluster import BID, LocalCluster, write_bid
from mpcd.cli.main import main
from mpcd.client.operator import Operator

BIDS = {"acme": 500, "bolt": 700, "crux": 650, "dana": 300, "erin": 600}
READER = "finn"
EVERYBODY = (*BIDS, READER)
JOB_S = 60.0
COMMAND_S = 60.0
DELTA = "3s"
"""Longer than any pause of a daemon while other tests run beside; no test waits for it to pass."""
MANY = 20_000
MORE_DATA = """\
  sign:
    file: sign.csv
    columns:
      sign: {type: int, min: -1, max: 1}
  many:
    file: many.csv
    columns:
      number: {type: int, min: 0, max: 65535}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def mpcd(*words: str | Path, cwd: Path | None = None, config: Path | None = None) -> Said:
    """Type a command at a shell. Whatever happens, a user is shown no traceback."""
    environment = {key: value for key, value in os.environ.items() if key != "MPCD_CONFIG"}
    if config is not None:
        environment["MPCD_CONFIG"] = str(config)
    done = subprocess.run(
        [sys.executable, "-m", "mpcd", *map(str, words)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return _said(done.returncode, done.stdout, done.stderr)


def mpcd_here(*words: str | Path, config: Path) -> Said:
    """The same inside this process, which has everything imported: for long lists of commands."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with mock.patch.dict(os.environ, MPCD_CONFIG=str(config)), redirect_stdout(out), redirect_stderr(err):
        try:
            with mock.patch.object(sys, "argv", ["mpcd", *map(str, words)]):
                main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return _said(int(code), out.getvalue(), err.getvalue())


def _said(code: int, out: str, err: str) -> Said:
    assert "Traceback" not in out + err, err
    return Said(code, out, err)


class Town:
    """The cluster, and short words for what tests do with it."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.directory = cluster.directory
        self._seen: dict[str, int] = {}
        self._files = 0

    @classmethod
    def build(cls, directory: Path, *, delta: str = DELTA, running: int = 1) -> Town:
        """Make the files; nothing runs yet."""
        cluster = LocalCluster.create(directory, {**BIDS, READER: None}, delta=delta)
        for name in EVERYBODY:
            config = cluster.config(name)
            text = config.read_text().replace("\ndata:\n", f"\ndata:\n{MORE_DATA}")
            config.write_text(f"{text}\nlimits: {{running: {running}}}\n")
            (directory / name / "sign.csv").write_text("sign\n-1\n")
            (directory / name / "many.csv").write_text("\n".join(["number", *map(str, range(MANY)), ""]))
        return cls(cluster)

    def start(self) -> None:
        """Start all daemons and wait until they are ready."""
        self.cluster.start()
        self.cluster.wait_ready(is_ready, 120.0)

    # -- bids and jobs ------------------------------------------------------------------------------------

    def bid(self, **amounts: int | str) -> None:
        """Write bids; a text is written as it is in place of the number."""
        for name, amount in amounts.items():
            write_bid(self.bid_file(name), amount)

    def bid_file(self, name: str) -> Path:
        return self.directory / name / BID.file

    def job_file(self, text: str | None = None) -> Path:
        """A file of its own with this job; the auction of four by default."""
        self._files += 1
        file = self.directory / f"job{self._files}.yaml"
        file.write_text(job_text("auction") if text is None else text)
        return file

    def operator(self, name: str = "acme") -> Operator:
        return Operator(self.cluster.socket(name))

    def submit(self, text: str | None = None, *, at: str = "acme", key: str = "") -> bytes:
        """Submit a job over the socket of a party; its hash."""
        file = self.job_file(text)
        job_file, program = read_job(file)
        with self.operator(at) as operator:
            job, _ = operator.submit(job_file, str(file), program, key)
        return job

    def wait(self, job: bytes, *, at: str = "acme") -> pb.OperatorJob:
        """The job once it has ended at this party."""
        self._wait_known(job, at)
        with self.operator(at) as operator:
            *_, last = operator.watch(job, JOB_S)
        return last

    def _wait_known(self, job: bytes, at: str) -> None:
        """The coordinator tells a party of a job a moment after the submitter has its answer."""
        deadline = time.monotonic() + JOB_S
        with self.operator(at) as operator:
            while job not in {known.job for known in operator.jobs()}:
                assert time.monotonic() < deadline, f"{at} never heard of the job"
                time.sleep(0.02)

    def run(self, text: str | None = None, *, at: str = "acme") -> pb.OperatorJob:
        """Submit a job and wait for its end."""
        return self.wait(self.submit(text, at=at), at=at)

    def outputs(self, job: bytes, *, at: str) -> dict[str, int]:
        """What this party was given."""
        self._wait_known(job, at)
        with self.operator(at) as operator:
            return {name: int(value) for name, value in operator.result(job, JOB_S).items()}

    def auction(
        self, bidders: Sequence[str] = PARTIES, readers: Sequence[str] = PARTIES, *, at: str = "acme"
    ) -> tuple[str | None, int]:
        """Run an auction: who won and at which price; all readers must say the same."""
        last = self.run(job_text("auction", bidders=bidders, readers=readers), at=at)
        assert last.state == "succeeded", (last.state, last.detail)
        (found,) = {tuple(sorted(self.outputs(last.job, at=reader).items())) for reader in readers}
        outputs = dict(found)
        return (bidders[outputs["winner"]] if outputs["winner"] >= 0 else None), outputs["price"]

    # -- commands -----------------------------------------------------------------------------------------

    def mpcd(self, *words: str | Path, at: str = "acme") -> Said:
        """Type a command as the operator of a party."""
        return mpcd(*words, config=self.cluster.config(at), cwd=self.directory)

    def mpcd_here(self, *words: str | Path, at: str = "acme") -> Said:
        """The same command without the time that a new process takes."""
        return mpcd_here(*words, config=self.cluster.config(at))

    # -- what is left behind ------------------------------------------------------------------------------

    def news(self) -> list[dict[str, Any]]:
        """Lines that the daemons have logged since the last call; all are JSON."""
        lines: list[dict[str, Any]] = []
        for log in sorted(self.directory.glob("*/daemon.log")):
            text = log.read_text(errors="replace")
            fresh = text[self._seen.get(str(log), 0) :]
            end = fresh.rfind("\n") + 1
            self._seen[str(log)] = self._seen.get(str(log), 0) + end
            assert "Traceback" not in fresh, fresh
            lines += [{"daemon": log.parent.name, **json.loads(line)} for line in fresh[:end].splitlines()]
        return lines


def chain_text(name: str = "chain") -> str:
    """A job of a thousand dependent products of one number of acme's and one of bolt's."""
    return pair_text(name, "chain", "sign", 1, "total")


def pair_text(name: str, program: str, dataset: str, rows: int, output: str) -> str:
    """A job with a vector of acme's and one of bolt's; acme learns the output."""
    return (
        f"apiVersion: mpcd/v1\nkind: Job\nname: {name}\nprogram: {{kind: app, name: {program}}}\n"
        f"computing: [{', '.join(PARTIES)}]\ninputs:\n"
        f"  - {{party: acme, dataset: {dataset}, argument: x, rows: {rows}}}\n"
        f"  - {{party: bolt, dataset: {dataset}, argument: y, rows: {rows}}}\n"
        f"results:\n  - {{output: {output}, to: [acme]}}\ndeadline: 60s\n"
    )
