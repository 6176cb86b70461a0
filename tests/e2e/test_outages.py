"""Auctions between real daemons over TLS: all six organisations, two jobs at once, faults from outside.

Every test ends with an auction that succeeds: the daemons go on serving.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES
from mpcd.cli.local_cluster import COORDINATOR, write_bid
from mpcd.client.operator import Operator
from mpcd.errors import MpcdError, RefusedError, UsageError
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import verify
from tests.e2e.cluster import BIDDER, BIDS, READER, Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for all tests here: surviving what the others did to it is the point."""
    # Not tmp_path: the names of Unix sockets must be short.
    directory = Path(tempfile.mkdtemp(prefix="mpcd-e2e-"))
    made = Cluster(directory)
    try:
        made.start()
        yield made
    finally:
        made.local.stop()
        shutil.rmtree(directory, ignore_errors=True)


def test_an_auction_of_four(cluster: Cluster) -> None:
    """Second price; everybody learns the same; the receipt verifies offline with all four signatures."""
    job = cluster.submit(cluster.job_file())
    assert {name: end.state for name, end in cluster.ends(job, PARTIES).items()} == dict.fromkeys(
        PARTIES, "succeeded"
    )
    for name in PARTIES:
        assert cluster.results(job, name) == {"winner": 1, "price": 500}
    with Operator(cluster.local.socket("dana")) as operator:
        verdict = verify(operator.receipt(job, 10.0), Roster.load(cluster.local.roster()))
    assert verdict.valid
    assert set(verdict.signed) == set(PARTIES)


def test_a_fifth_only_bids_and_a_sixth_only_reads(cluster: Cluster) -> None:
    bidders = (*PARTIES, BIDDER)
    job = cluster.submit(cluster.job_file("six", bidders=bidders, readers=(READER,)))
    ends = cluster.ends(job, (*bidders, READER))
    assert {end.state for end in ends.values()} == {"succeeded"}, {n: e.detail for n, e in ends.items()}
    assert cluster.results(job, READER) == {"winner": 1, "price": BIDS[BIDDER]}
    for name in bidders:
        with pytest.raises(RefusedError):
            cluster.results(job, name)


def test_two_jobs_at_once_that_need_the_same_parties(cluster: Cluster) -> None:
    jobs = [cluster.submit(cluster.job_file(f"pair-{k}"), at=PARTIES[k]) for k in range(2)]
    for job in jobs:
        assert {end.state for end in cluster.ends(job, PARTIES).values()} == {"succeeded"}
        assert cluster.results(job, "crux") == {"winner": 1, "price": 500}


def test_submitting_twice_under_one_key_is_one_job(cluster: Cluster) -> None:
    file = cluster.job_file("once")
    first, again = cluster.submit(file, key="the-key"), cluster.submit(file, key="the-key")
    assert first == again
    assert cluster.wait(first).state == "succeeded"


@pytest.mark.parametrize(
    "content", ["", "amount\n", "amount\nmany\n", "amount\n-5\n", "amount\n99999999999\n"]
)
def test_a_bad_bid_is_refused_and_only_its_owner_sees_why(cluster: Cluster, content: str) -> None:
    """Missing, no row, not a number, negative, out of range."""
    path = cluster.local.config("crux").parent / "bid.csv"
    path.write_text(content)
    try:
        job = cluster.submit(cluster.job_file("bad-bid"))
        ends = cluster.ends(job, PARTIES)
        assert {end.state for end in ends.values()} == {"refused"}
        assert "bid.csv" in ends["crux"].detail
        for name in ("acme", "bolt", "dana"):
            assert "crux" in ends[name].detail
            assert "bid.csv" not in ends[name].detail
    finally:
        write_bid(path, BIDS["crux"])
    cluster.auction_works()


def test_a_job_file_for_an_unknown_party_names_file_and_party(cluster: Cluster) -> None:
    file = cluster.job_file("unknown", bidders=(*PARTIES, "zoe"))
    with pytest.raises(UsageError, match="zoe"):
        cluster.submit(file)


def test_the_coordinator_dies_once_the_job_has_begun(cluster: Cluster) -> None:
    """The job finishes without it; after its restart it knows the job and takes new ones."""
    job = cluster.submit(cluster.job_file("headless"))
    cluster.wait_state(job, "gathering")
    cluster.local.kill(COORDINATOR)
    try:
        assert {end.state for end in cluster.ends(job, PARTIES).values()} == {"succeeded"}
        with pytest.raises(MpcdError):
            cluster.submit(cluster.job_file("nobody-there"))
    finally:
        cluster.restart(COORDINATOR)
        cluster.wait_attached()
    cluster.auction_works()


@pytest.mark.parametrize("stage", ["gathering", "computing"])
def test_a_party_dies_and_the_others_end_the_job(cluster: Cluster, stage: str) -> None:
    """No output, nobody is accused, and after its restart the party takes part again."""
    job = cluster.submit(cluster.job_file(f"dies-{stage}", deadline="30s"))
    cluster.wait_state(job, stage, at="dana")
    cluster.local.kill("dana")
    try:
        ends = cluster.ends(job, ("acme", "bolt", "crux"))
        for name, end in ends.items():
            assert end.state in {"aborted", "expired", "succeeded"}, (name, end.state, end.detail)
        assert len({end.state == "succeeded" for end in ends.values()}) == 1
    finally:
        cluster.restart("dana")
    cluster.auction_works()


def test_results_are_served_after_a_restart(cluster: Cluster) -> None:
    job = cluster.submit(cluster.job_file("kept"))
    assert cluster.wait(job).state == "succeeded"
    cluster.wait(job, at="bolt")
    cluster.local.kill("bolt")
    cluster.restart("bolt")
    assert cluster.results(job, "bolt") == {"winner": 1, "price": 500}


def test_a_daemon_needs_its_ports_for_itself(cluster: Cluster) -> None:
    """A second daemon of the same configuration ends with a clear error and no traceback."""
    code, text = cluster.serve_again("acme")
    assert code in (3, 6)
    assert "in use" in text or "another daemon" in text
    assert "Traceback" not in text


def test_the_daemons_hold_no_kernels_and_no_core_dumps(cluster: Cluster) -> None:
    """Numba lives in the fork server; the daemon with the keys never loads it."""
    for name in PARTIES:
        pid = cluster.local.pids()[name]
        assert "numba" not in Path(f"/proc/{pid}/maps").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0 " in limits
