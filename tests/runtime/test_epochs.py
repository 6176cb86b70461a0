"""Job processes in later epochs and with three parties: what was shared for four is computed on by three."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import numpy as np
import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import InternalError
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.batch import Recipe, describe, understand
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.scheme import REP3, REP4
from mpcd.ring.streams import stream_name
from mpcd.runtime.epochs import Epoch
from mpcd.runtime.workers import Job
from mpcd.transport.preface import JOB_BYTES
from tests.runtime.cluster import Cluster, auction, started
from tests.runtime.daemons import Bid, make_orders, next_epoch, port_of, reconstruct, run_job

BIDS = [420, 17, 1 << 62, 420]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory) as made:
        yield made


def _results(messages: Sequence[pb.FromWorker]) -> tuple[list[int], list[int]]:
    assert [m.WhichOneof("body") for m in messages] == ["result"] * len(messages), messages
    return reconstruct(messages, "winner"), reconstruct(messages, "price")


@pytest.mark.parametrize("checked", [True, False])
def test_three_of_four_come_to_the_same_result(cluster: Cluster, checked: bool) -> None:
    """A bid out of range is left out again, and the same one: what is shown twice is the same."""
    orders = auction(cluster, BIDS, missing="exclude")
    first = cluster.run(orders)
    second = cluster.run(next_epoch(orders, 1 if checked else 3, checked=checked))
    assert _results(first) == _results(second) == ([0], [420])
    assert {m.result.reveals for m in (*first, *second)} == {first[0].result.reveals}
    assert [row.owner for row in second[0].result.excluded] == ["party2"]
    assert _commitments(first).isdisjoint(_commitments(second))


def _commitments(messages: Sequence[pb.FromWorker]) -> set[bytes]:
    outputs = [output for m in messages for output in m.result.outputs]
    return {com for output in outputs for to in output.recipients for com in to.commitments.values()}


def test_three_parties_of_their_own(cluster: Cluster) -> None:
    """Shared in three pieces from the beginning; holders of a piece commit to it alike."""
    results = cluster.run(auction(cluster, [420, 17, 410], scheme=REP3))
    assert _results(results) == ([0], [410])
    for me, message in enumerate(results):
        assert all(set(o.summands) == set(REP3.held(me)) for o in message.result.outputs)
    assert len(_commitments(results)) == 2 * 2 * 3


def test_all_that_is_kept_at_the_end_is_known_alike(cluster: Cluster) -> None:
    """Of the last two rounds sender and backup keep the same digests, under the same key."""
    for orders in (auction(cluster, BIDS[:2] * 2), auction(cluster, [420, 17, 410], scheme=REP3)):
        results = cluster.run(orders)
        kept: dict[tuple[int, int, int, int], list[bytes]] = {}
        for message in results:
            for one in message.result.kept.digests:
                place = one.round, one.sender, one.backup, one.receiver
                kept.setdefault(place, []).append(one.digest)
            rounds = message.result.counters.rounds
            assert set(message.result.kept.accepted.values()) == {rounds}
        assert kept
        assert all(len(said) == 2 and len(set(said)) == 1 for said in kept.values())


# -- parties that stop -----------------------------------------------------------------------------


async def _with_one_apart(
    cluster: Cluster, orders: Sequence[pb.Order], apart: int, treat: Callable[[Job], None]
) -> tuple[list[pb.FromWorker], list[pb.FromWorker]]:
    """Run all processes; at the first question of one of them something happens to it."""
    order = orders[apart]
    run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
    port = port_of(cluster.links, order)
    job = await (await cluster.pool.reserve(30)).start()
    others = asyncio.ensure_future(
        run_job(cluster.pool, cluster.links, [o for o in orders if o is not order])
    )
    heard = []
    await job.send(pb.ToWorker(order=order))
    await port.expect(run, job.pass_socket)
    while (message := await job.receive()) is not None:
        heard.append(message)
        if message.WhichOneof("body") == "reveal":
            treat(job)
    job.close()
    port.forget(run)
    return await others, heard


def _failures(messages: Sequence[pb.FromWorker]) -> list[pb.Failure]:
    assert [m.WhichOneof("body") for m in messages] == ["failure"] * len(messages), messages
    return [m.failure for m in messages]


def test_a_killed_process_is_missed_by_its_peers(cluster: Cluster) -> None:
    orders = next_epoch(auction(cluster, [420, 17, 410, 55]), 0)
    others, _ = cluster.runner.run(_with_one_apart(cluster, orders, 2, Job.kill))
    reports = [failure.report for failure in _failures(others)]
    first = min(report.round for report in reports)
    assert {tuple(report.missing) for report in reports if report.round == first} == {(2,)}


def test_a_halted_process_says_what_it_keeps(cluster: Cluster) -> None:
    """The barrier has begun without it: it accuses nobody, but it can answer as sender and backup."""
    orders = auction(cluster, [420, 17, 410, 55])
    others, heard = cluster.runner.run(_with_one_apart(cluster, orders, 3, Job.halt))
    (failure,) = _failures(heard[-1:])
    (question,) = [m.reveal for m in heard if m.WhichOneof("body") == "reveal"]
    assert failure.kind == "stopped"
    assert not failure.report.missing
    assert not failure.report.HasField("complaint")
    assert failure.kept.digests == question.kept.digests
    assert failure.report.round == failure.counters.rounds
    assert all(set(f.report.missing) <= {0, 1, 2, 3} for f in _failures(others))


def test_a_process_that_stands_still_is_missed_after_the_round(cluster: Cluster) -> None:
    orders = auction(cluster, [420, 17, 410, 55])
    for order in orders:
        order.round_s = 3

    def freeze(job: Job) -> None:
        assert job.pid is not None
        os.kill(job.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(8, job.kill)

    others, _ = cluster.runner.run(_with_one_apart(cluster, orders, 1, freeze))
    reports = [failure.report for failure in _failures(others)]
    first = min(report.round for report in reports)
    assert {tuple(report.missing) for report in reports if report.round == first} == {(1,)}


def test_a_process_that_is_halted_while_it_waits_says_for_whom(cluster: Cluster) -> None:
    orders = auction(cluster, [420, 17, 410, 55])
    frozen, halted = 1, 0

    async def serve(order: pb.Order, jobs: dict[int, Job]) -> pb.FromWorker:
        run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
        job = jobs[order.me] = await (await cluster.pool.reserve(30)).start()
        await job.send(pb.ToWorker(order=order))
        await port_of(cluster.links, order).expect(run, job.pass_socket)
        last = pb.FromWorker()
        while (message := await job.receive()) is not None:
            last = message
            if message.WhichOneof("body") != "reveal":
                continue
            if order.me == frozen and job.pid is not None:
                os.kill(job.pid, signal.SIGSTOP)
                asyncio.get_running_loop().call_later(2, jobs[halted].halt)
                asyncio.get_running_loop().call_later(4, job.kill)
            else:
                await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=True)))
        job.close()
        port_of(cluster.links, order).forget(run)
        return last

    async def all_four() -> list[pb.FromWorker]:
        jobs: dict[int, Job] = {}
        return list(await asyncio.gather(*(serve(order, jobs) for order in orders)))

    messages = cluster.runner.run(all_four())
    (failure,) = _failures([messages[halted]])
    assert failure.kind == "stopped"
    assert list(failure.report.missing) == [frozen]
    assert failure.report.round == failure.counters.rounds + 1
    assert failure.kept.accepted[2] == failure.kept.accepted[3] == failure.report.round


# -- questions about batches -----------------------------------------------------------------------


def test_a_process_says_what_a_batch_should_have_been(cluster: Cluster) -> None:
    what, keys = describe("/v1", Recipe("rows", (2, 3))), {piece: bytes([piece]) * 16 for piece in range(3)}

    async def ask(what: bytes) -> pb.FromWorker | None:
        job = await (await cluster.pool.reserve(30)).start()
        try:
            await job.send(pb.ToWorker(batch=pb.BatchQuestion(what=what, keys=keys)))
            return await job.receive()
        finally:
            job.close()

    answer, refusal = cluster.runner.run(ask(what)), cluster.runner.run(ask(b"nothing"))
    assert answer is not None
    assert refusal is not None
    expected = replay.expected(*understand(what), keys)
    assert (dict(answer.batch.sent), answer.batch.shown) == (dict(expected.products), expected.shown)
    assert refusal.failure.kind == "usage"


def test_the_memory_of_a_process_that_is_asked_about_a_batch_is_limited(cluster: Cluster) -> None:
    what, keys = describe("/v1", Recipe("rows", (800_000, 1))), {piece: bytes(32) for piece in range(3)}

    async def ask(memory_bytes: int) -> pb.FromWorker | None:
        job = await (await cluster.pool.reserve(30)).start()
        try:
            question = pb.BatchQuestion(what=what, keys=keys, memory_bytes=memory_bytes)
            await job.send(pb.ToWorker(batch=question))
            return await job.receive()
        finally:
            job.close()

    planned = Rep3Costs().dispute_bytes("mul", 800_000)
    # The heap of a process grows by 64 MB at a time: of small limits a part is never used.
    answer, refusal = cluster.runner.run(ask(planned + (64 << 20))), cluster.runner.run(ask(planned // 2))
    assert answer is not None
    assert refusal is not None
    assert len(answer.batch.sent) == 3
    assert refusal.failure.kind == "memory"


# -- keys ------------------------------------------------------------------------------------------


def _orders() -> list[pb.Order]:
    return make_orders(b"", [], [], [1, 2, 3, 4])


def _words(order: pb.Order) -> set[bytes]:
    """Everything secret that an epoch computes with, and the first words of its streams."""
    epoch = Epoch(order)
    streams = epoch.engine().party.streams
    drawn = [streams.open_named(a, stream_name("/a")).draw(2).tobytes() for a in epoch.keys]
    places = [p for p in permutations(range(len(order.members)), 3) if order.me in p]
    disputes = [epoch.dispute_keys()(*place) for place in places]
    own = epoch.keys.values() if order.HasField("dropped") else ()
    return {*own, *drawn, *epoch.tag_keys().values(), *epoch.output_keys().values(), *disputes}


@pytest.mark.parametrize("scheme", [REP4, REP3])
def test_nothing_secret_of_one_epoch_is_used_in_another(scheme: object) -> None:
    """Session, epoch and history enter every key: two epochs that differ in one of them share nothing."""
    orders = _orders()
    if scheme is REP3:
        orders = next_epoch(orders, 2)
    base = _words(orders[0])
    for name, value in (("session", bytes(32)), ("epoch", 7), ("history", b"h" * 32)):
        other = pb.Order()
        other.CopyFrom(orders[0])
        setattr(other, name, value)
        assert base.isdisjoint(_words(other)), name


def test_whoever_is_dropped_does_not_know_the_keys_of_the_three() -> None:
    """It knows those of rep4 that they are made of; a secret of the two holders is mixed in."""
    orders = _orders()
    later = next_epoch(orders, 2)
    keys = [Epoch(order).keys for order in later]
    for piece in range(3):
        holders = sorted(REP3.holders(piece))
        assert len({keys[p][piece] for p in holders}) == 1
        changed = [pb.Order(), pb.Order()]
        for copy, p in zip(changed, holders, strict=True):
            copy.CopyFrom(later[p])
            copy.tag_secrets[holders[1 - holders.index(p)]] = bytes(32)
        assert Epoch(changed[0]).keys[piece] == Epoch(changed[1]).keys[piece] != keys[holders[0]][piece]


def test_the_dispute_about_a_message_is_closed_to_the_fourth_party() -> None:
    """Its key comes from K[O], which O alone lacks."""
    epochs = [Epoch(order) for order in _orders()]
    inside = {epochs[p].dispute_keys()(0, 1, 2) for p in range(3)}
    assert len(inside) == 1
    with pytest.raises(KeyError):
        epochs[3].dispute_keys()(0, 1, 2)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: setattr(order, "scheme", "rep5"),
        lambda order: setattr(order, "scheme", "rep4"),
        lambda order: setattr(order, "history", b""),
        lambda order: setattr(order, "dropped", 1),
        lambda order: order.roster.pop(),
        lambda order: order.members.add(),
    ],
)
def test_an_order_that_contradicts_itself_is_our_bug(spoil: Callable[[pb.Order], object]) -> None:
    order = next_epoch(_orders(), 2)[0]
    Epoch(order)
    spoil(order)
    with pytest.raises(InternalError):
        Epoch(order)


@pytest.mark.parametrize(("scheme", "me"), [("rep3", 0), ("rep4", 4)])
def test_a_scheme_has_its_number_of_parties(scheme: str, me: int) -> None:
    order = _orders()[0]
    order.scheme, order.me = scheme, me
    with pytest.raises(InternalError):
        Epoch(order)


def test_four_parties_are_never_without_checks() -> None:
    order = _orders()[0]
    order.unchecked = True
    with pytest.raises(InternalError):
        Epoch(order)


def test_conversion_keeps_the_value() -> None:
    """Every roster, every value: the three pieces add up to what the four summands did."""
    bid = Bid("a", "t", {"t.x": [5, -7], "t.y": [1 << 62, 0]})
    for dropped in range(4):
        orders = make_orders(b"", [bid], [], [1, 2, 3, 4])
        pieces: dict[int, np.ndarray] = {}
        for order in next_epoch(orders, dropped):
            epoch = Epoch(order)
            for a, words in epoch.pieces(epoch.share(order.inputs[0])).items():
                np.testing.assert_array_equal(pieces.setdefault(a, words), words)
        total = np.add.reduce([pieces[a] for a in range(3)]).view(np.int64)
        assert total.tolist() == [5, -7, 1 << 62, 0]
