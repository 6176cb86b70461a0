"""A cluster of real daemons for the end-to-end tests: four compute and bid, one only bids, one only reads."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.cluster import is_ready
from mpcd.cli.job import read_job
from mpcd.cli.local_cluster import COORDINATOR, LocalCluster
from mpcd.client.operator import Operator

BIDDER, READER = "echo", "fern"
BIDS = {"acme": 300, "bolt": 700, "crux": 500, "dana": 150, BIDDER: 650}
START_S = 180.0
JOB_S = 90.0


class Cluster:
    """The daemons, and the calls that the tests make at them."""

    def __init__(self, directory: Path, delta: str = "1s") -> None:
        self.local = LocalCluster.create(directory, {**BIDS, READER: None}, delta=delta)
        self.directory = directory

    def start(self) -> None:
        self.local.start()
        self.local.wait_ready(is_ready, START_S)

    def restart(self, name: str) -> None:
        """Start one daemon again after `kill`."""
        self.local.start((name,))
        if name != COORDINATOR:
            self.local.wait_ready(is_ready, START_S)

    def job_file(self, name: str = "auction", **terms: Any) -> Path:
        path = self.directory / f"{name}.yaml"
        path.write_text(job_text(name, **terms))
        return path

    def submit(self, file: Path, at: str = "acme", key: str = "") -> bytes:
        job_file, program = read_job(file)
        with Operator(self.local.socket(at)) as operator:
            return operator.submit(job_file, str(file), program, key)[0]

    def wait(self, job: bytes, at: str = "acme", timeout_s: float = JOB_S) -> pb.OperatorJob:
        """The job once it has ended at one party."""
        self._wait_known(job, at)
        with Operator(self.local.socket(at)) as operator:
            *_, last = operator.watch(job, timeout_s)
            return last

    def wait_state(self, job: bytes, state: str, at: str = "acme") -> pb.OperatorJob:
        """The job as soon as it is in a state, or has ended, at one party."""
        self._wait_known(job, at)
        with Operator(self.local.socket(at)) as operator:
            for view in operator.watch(job, JOB_S):
                if view.state == state or view.ended:
                    return view
        raise AssertionError("the daemon stopped telling")

    def results(self, job: bytes, at: str) -> dict[str, int]:
        with Operator(self.local.socket(at)) as operator:
            return {name: int(value) for name, value in operator.result(job, 10.0).items()}

    def ends(self, job: bytes, names: Sequence[str]) -> dict[str, pb.OperatorJob]:
        """How the job ended at each of these parties."""
        return {name: self.wait(job, at=name) for name in names}

    def auction_works(self) -> None:
        """The four go on serving: a fresh auction succeeds."""
        job = self.submit(self.job_file("afterwards"))
        assert self.wait(job).state == "succeeded"
        assert self.results(job, "acme") == {"winner": PARTIES.index("bolt"), "price": 500}

    def wait_attached(self) -> None:
        """All parties see the coordinator again."""
        self.local.wait_ready(is_ready, START_S)

    def serve_again(self, name: str) -> tuple[int, str]:
        """Start a second daemon with the configuration of one that runs: its exit code and what it says."""
        command = [sys.executable, "-m", "mpcd", "party", "serve", "--config", str(self.local.config(name))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def _wait_known(self, job: bytes, at: str) -> None:
        deadline = time.monotonic() + JOB_S
        with Operator(self.local.socket(at)) as operator:
            while job not in {known.job for known in operator.jobs()}:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{at} never heard of the job")
                time.sleep(0.05)
