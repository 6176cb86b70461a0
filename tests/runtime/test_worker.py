"""Job processes end to end: four of them over TLS links, from order to result, and every way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import mpcd
from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.apps.auction import second_price
from mpcd.program.text import parse
from mpcd.runtime.reports import by_name
from mpcd.transport.preface import JOB_BYTES
from tests.runtime.cluster import Cluster, auction, started
from tests.runtime.daemons import PARTIES, Bid, make_orders, reconstruct, run_job


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory) as made:
        yield made


def _failures(messages: Sequence[pb.FromWorker]) -> list[pb.Failure]:
    assert [m.WhichOneof("body") for m in messages] == ["failure"] * len(messages), messages
    return [m.failure for m in messages]


def test_anauction(cluster: Cluster) -> None:
    """Two equal highest bids: the public order decides, and the price is that very bid."""
    results = cluster.run(auction(cluster, [420, 17, 420, 55]))
    assert (reconstruct(results, "winner"), reconstruct(results, "price")) == ([2], [420])


def test_the_result_is_what_the_daemons_need(cluster: Cluster) -> None:
    """Holders of a summand commit to it alike, recipients are told apart, work is counted."""
    results = [m.result for m in cluster.run(auction(cluster, [420, 17, 410, 55]))]
    commitments: dict[tuple[str, int], set[bytes]] = {}
    for result in results:
        for output in result.outputs:
            for recipient in output.recipients:
                for a, com in recipient.commitments.items():
                    commitments.setdefault((output.name + recipient.name, a), set()).add(com)
    assert all(len(coms) == 1 for coms in commitments.values())
    assert len({com for coms in commitments.values() for com in coms}) == 2 * 2 * PARTIES
    for me, result in enumerate(results):
        assert all(set(o.summands) == set(range(PARTIES)) - {me} for o in result.outputs)
        counters = result.counters
        assert counters.rounds == results[0].counters.rounds > 0
        assert counters.link_sent_bytes == counters.payload_sent_bytes + 8 * 3 * counters.rounds
        assert counters.seconds > 0
        assert 10_000_000 < counters.peak_rss_bytes < 500_000_000
    assert len({result.reveals for result in results}) == 1
    sent = sum(r.counters.link_sent_bytes for r in results)
    assert sent == sum(r.counters.link_received_bytes for r in results)


@mpcd.program
def product(x: mpcd.Vector[mpcd.UInt16], y: mpcd.Vector[mpcd.UInt16]) -> object:
    """Products of all pairs."""
    return mpcd.reveal(z=x * y)


def test_many_products(cluster: Cluster) -> None:
    """Frames of megabytes through links and driver; two owners' rows one behind the other."""

    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 1 << 16, (2, 20_000))
    half = 12_000
    bids = [
        Bid("party0", "x", {"x": x[:half].tolist()}),
        Bid("guest", "y", {"y": y.tolist()}),
        Bid("party3", "x", {"x": x[half:].tolist()}),
    ]
    results = cluster.run(make_orders(product.canonical, bids, ["z"], cluster.ports))
    np.testing.assert_array_equal(reconstruct(results, "z"), x * y)


def test_a_bid_out_of_range_ends_the_job_and_is_named(cluster: Cluster) -> None:
    """A cheating owner's bid of 2^62 is found inside the computation, whoever shared it."""
    for failure in _failures(cluster.run(auction(cluster, [420, 1 << 62, 410, -1]))):
        assert failure.kind == "input"
        assert [(row.owner, row.table, row.row) for row in failure.rows] == [
            ("party1", "bids", 0),
            ("party3", "bids", 0),
        ]


def test_a_bid_out_of_range_can_be_left_out(cluster: Cluster) -> None:
    results = cluster.run(auction(cluster, [420, 1 << 62, 410, 55], missing="exclude"))
    assert [row.owner for row in results[0].result.excluded] == ["party1"]
    assert (reconstruct(results, "winner"), reconstruct(results, "price")) == ([0], [410])


def test_nothing_is_shown_without_agreement(cluster: Cluster) -> None:
    for failure in _failures(cluster.run(auction(cluster, [420, 17, 410, 55]), go=False)):
        assert (failure.kind, failure.step) == ("refused", "ranges")


def test_a_party_that_never_comes_is_named(cluster: Cluster) -> None:
    orders = auction(cluster, [420, 17, 410, 55])
    for order in orders:
        order.links_s = 4
    alone = cluster.runner.run(run_job(cluster.pool, cluster.links, orders[:3]))
    for failure in _failures(alone):
        assert (failure.kind, failure.report.round) == ("stopped", 0)
        assert list(failure.report.missing) == [3]


def test_the_deadline_ends_it(cluster: Cluster) -> None:
    orders = auction(cluster, [420, 17, 410, 55], deadline_s=0.3)
    alone = cluster.runner.run(run_job(cluster.pool, cluster.links, orders[:1]))
    assert _failures(alone)[0].kind == "deadline"


def test_the_memory_limit_ends_it(cluster: Cluster) -> None:
    column = [1] * 200_000
    bids = [Bid("party0", "x", {"x": column}), Bid("party1", "y", {"y": column})]
    orders = make_orders(product.canonical, bids, ["z"], cluster.ports)
    orders[2].memory_bytes = 1 << 20
    failures = _failures(cluster.run(orders))
    assert failures[2].kind == "memory"
    for failure in (failures[k] for k in (0, 1, 3)):
        assert failure.kind == "stopped"
        assert list(failure.report.missing) == [2]


def test_tag_secrets_that_differ_look_like_a_failed_tag(cluster: Cluster) -> None:
    """Whoever gets a tag that does not fit complains, with a digest of what came."""
    orders = auction(cluster, [420, 17, 410, 55])
    orders[3].tag_secrets[1] = bytes(32)
    failures = _failures(cluster.run(orders))
    complaints = [f.report.complaint for f in failures if f.report.HasField("complaint")]
    assert complaints
    for complaint in complaints:
        assert {complaint.backup, complaint.receiver} == {1, 3}
        assert len(complaint.digest) == 32


def test_errors_carry_no_values(cluster: Cluster) -> None:
    """An input that does not fit is an error of our caller's, told without what is in it."""
    orders = auction(cluster, [420, 17, 410, 55])
    for order in orders:
        order.inputs[0].columns[:] = ["offers"]
    for failure in _failures(cluster.run(orders)):
        assert failure.kind == "usage"
        assert "420" not in failure.text


def test_a_killed_party_is_noticed_at_once(cluster: Cluster) -> None:
    async def body() -> list[pb.Failure]:
        orders = auction(cluster, [420, 17, 410, 55])
        order = orders[1]
        run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
        others = [0, 2, 3]
        job = await (await cluster.pool.reserve(20)).start()
        survivors = asyncio.ensure_future(run_job(cluster.pool, cluster.links, [orders[k] for k in others]))
        await job.send(pb.ToWorker(order=order))
        await cluster.links[1].expect(run, job.pass_socket)
        while (message := await job.receive()) is not None and message.WhichOneof("body") != "reveal":
            pass
        job.kill()
        assert await job.wait() == -9
        job.close()
        cluster.links[1].forget(run)
        return _failures(await survivors)

    failures = cluster.runner.run(body())
    assert [f.kind for f in failures] == ["stopped"] * 3
    first = min(f.report.round for f in failures)
    assert {tuple(f.report.missing) for f in failures if f.report.round == first} == {(1,)}


def test_the_program_is_the_one_that_was_approved() -> None:
    """The order carries canonical bytes: what is parsed is what was hashed."""
    assert parse(second_price.canonical).outputs.keys() == {"winner", "price"}


def test_faults_name_parties_as_people_know_them() -> None:
    names = ["acme", "bolt", "crux", "dana"]
    said = by_name("nothing from parties [1, 3] in round 3; party 0 is gone, party 9 too", names)
    assert said == "nothing from bolt, dana in round 3; acme is gone, party 9 too"
