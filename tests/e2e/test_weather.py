"""Real daemons on hosts of their own, behind a network with weather."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.cluster import is_ready
from mpcd.cli.job import read_job
from mpcd.cli.local_cluster import COORDINATOR
from mpcd.client.operator import Operator
from mpcd.testing.network.village import Village
from mpcd.testing.network.weather import Weather
from tests.e2e.village_cluster import VillageCluster

pytestmark = pytest.mark.e2e

BIDS = {"acme": 300, "bolt": 700, "crux": 500, "dana": 150}
OUTPUTS = {"winner": PARTIES.index("bolt"), "price": 500}
JOB_S = 120.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[VillageCluster]:
    hosts = [COORDINATOR, *BIDS]
    with tempfile.TemporaryDirectory(prefix="mpcd-") as home, Village(hosts, seed=11) as village:
        made = VillageCluster.settle(Path(home) / "c", dict(BIDS), village, delta="2s")
        made.start()
        try:
            made.wait_ready(is_ready, 120.0)
            yield made
        finally:
            made.stop()


def run_auction(cluster: VillageCluster, name: str) -> pb.OperatorJob:
    """Submit the auction at acme and wait for its end; if it succeeded everybody has the right outputs."""
    file = cluster.directory / f"{name}.yaml"
    file.write_text(job_text("auction").replace("name: auction", f"name: {name}", 1))
    job_file, program = read_job(file)
    with Operator(cluster.socket("acme")) as acme:
        job, _ = acme.submit(job_file, str(file), program)
        *_, last = acme.watch(job, JOB_S)
    if last.state == "succeeded":
        for party in BIDS:
            with Operator(cluster.socket(party)) as operator:
                found = operator.result(job, JOB_S).items()
                assert {output: int(value) for output, value in found} == OUTPUTS
    return last


def test_a_slow_network_only_makes_jobs_slow(cluster: VillageCluster) -> None:
    cluster.village.set_all(Weather(delay_s=0.02, jitter_s=0.005))
    assert run_auction(cluster, "slow").state == "succeeded"


def test_losses_and_doubled_packets_change_nothing(cluster: VillageCluster) -> None:
    before = cluster.village.tally.dropped
    cluster.village.set_all(Weather(delay_s=0.002, jitter_s=0.004, loss=0.02, duplicate=0.02))
    assert run_auction(cluster, "lossy").state == "succeeded"
    assert cluster.village.tally.dropped > before
