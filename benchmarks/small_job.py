"""The smallest job on a running cluster: from submission to the result at every recipient."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.cluster import START_S, is_ready
from mpcd.cli.job import read_job
from mpcd.cli.local_cluster import LocalCluster
from mpcd.client.operator import Operator

JOBS = 10


def measure_small_job() -> str:
    """One sentence with the time to start a cluster and the times of auctions of four bids on it."""
    with tempfile.TemporaryDirectory(prefix="mpcd-") as folder:
        bids = dict(zip(PARTIES, (310, 290, 400, 120), strict=True))
        cluster = LocalCluster.create(Path(folder) / "c", bids)
        began = time.perf_counter()
        cluster.start()
        try:
            cluster.wait_ready(is_ready, START_S)
            start_s = time.perf_counter() - began
            times = [_auction(cluster, k) for k in range(JOBS + 1)][1:]
        finally:
            cluster.stop()
    return (
        f"smallest job (auction of 4 bids, all recipients served): median {statistics.median(times):.3f} s, "
        f"{min(times):.3f} to {max(times):.3f} s in {JOBS} jobs; starting the cluster took {start_s:.2f} s"
    )


def _auction(cluster: LocalCluster, k: int) -> float:
    file = cluster.directory / f"auction-{k}.yaml"
    file.write_text(job_text(f"auction-{k}"))
    job_file, program = read_job(file)
    began = time.perf_counter()
    with Operator(cluster.socket(PARTIES[0])) as operator:
        job, _ = operator.submit(job_file, str(file), program)
    for name in PARTIES:
        with Operator(cluster.socket(name)) as operator:
            outputs = operator.result(job, 30.0)
            assert (int(outputs["winner"].ravel()[0]), int(outputs["price"].ravel()[0])) == (2, 310)
    return time.perf_counter() - began
