"""Small daemons for tests: fork servers, ports for links, and orders for a program in any epoch."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.identity.certificates import issue_leaf, self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.party.link_port import LinkPort
from mpcd.protocols.rep4 import inputs
from mpcd.protocols.scheme import REP3, REP4, Scheme
from mpcd.runtime.workers import Job, WorkerPool
from mpcd.transport.preface import JOB_BYTES

PARTIES = 4


@dataclass(frozen=True)
class Bid:
    """One owner's rows for one table; `columns`: program input -> values.

    default   the job's default row, in the order of the columns; left_out: it stands in for all rows
    """

    owner: str
    table: str
    columns: Mapping[str, Sequence[int]]
    default: Sequence[int] = ()
    left_out: bool = False


def make_orders(
    program: bytes,
    bids: Sequence[Bid],
    outputs: Sequence[str],
    ports: Sequence[int],
    *,
    missing: str = "abort",
    parameters: Sequence[pb.Parameter] = (),
    order: Sequence[str] = (),
    deadline_s: float = 60,
    scheme: Scheme = REP4,
) -> list[pb.Order]:
    """What each of the daemons would give its job process in the first epoch of the scheme."""
    session, specification = secrets.token_bytes(32), secrets.token_bytes(32)
    now = datetime.now(UTC)
    everybody = range(scheme.parties)
    identities = [Identity.create(f"party{k}") for k in everybody]
    members = [
        pb.Member(name=i.name, identity_pem=self_signed_ca(i, now=now), host="127.0.0.1", port=port)
        for i, port in zip(identities, ports, strict=False)
    ]
    keys = [secrets.token_bytes(32) for _ in everybody]
    pairs = {(a, b): secrets.token_bytes(32) for a in everybody for b in range(a)}
    orders = []
    for me, identity in enumerate(identities):
        leaf = issue_leaf(identity, now=now, valid_s=3600, purpose="link")
        others = [k for k in everybody if k != me]
        orders.append(
            pb.Order(
                session=session,
                specification_hash=specification,
                me=me,
                members=members,
                program=program,
                parameters=parameters,
                order=order,
                missing=missing,
                keys={a: keys[a] for a in scheme.held(me)},
                tag_secrets={peer: pairs[max(me, peer), min(me, peer)] for peer in others},
                leaf_pem=leaf.certificate_pem,
                leaf_key_pem=leaf.key_pem,
                outputs=[pb.Output(name=name, recipients=["party0", "reader"]) for name in outputs],
                links_s=20,
                round_s=20,
                deadline_s=deadline_s,
                scheme=scheme.name,
                history=bytes(32),
                roster=everybody,
            )
        )
    for bid in bids:
        _share(bid, session, orders, scheme)
    return orders


def next_epoch(
    orders: Sequence[pb.Order], dropped: int, *, epoch: int = 1, checked: bool = True
) -> list[pb.Order]:
    """What the three others get when a job of four goes on without one of them."""
    roster = [p for p in range(len(orders)) if p != dropped]
    history = hashlib.sha256(bytes([epoch, dropped])).digest()
    later = []
    for me, party in enumerate(roster):
        order = pb.Order()
        order.CopyFrom(orders[party])
        del order.members[dropped]
        order.me, order.epoch, order.history = me, epoch, history
        order.scheme, order.unchecked, order.dropped = REP3.name, not checked, dropped
        order.roster[:] = roster
        order.tag_secrets.clear()
        for place, peer in enumerate(roster):
            if peer != party:
                order.tag_secrets[place] = orders[party].tag_secrets[peer]
        later.append(order)
    return later


def _share(bid: Bid, session: bytes, orders: Sequence[pb.Order], scheme: Scheme) -> None:
    columns = np.array(list(bid.columns.values()), np.int64).view(np.uint64)
    owner_key = secrets.token_bytes(32)
    shares = inputs.split(columns, inputs.Context(session, owner_key, bid.table), secrets.token_bytes, scheme)
    for order in orders:
        payloads = {a: payload for a, (payload, _) in shares.shares_for(order.me).items()}
        order.inputs.add(
            owner=bid.owner,
            owner_key=owner_key,
            table=bid.table,
            name=bid.table,
            rows=shares.rows,
            columns=list(bid.columns),
            payloads={} if bid.left_out else payloads,
            default_row=bid.default,
            left_out=bid.left_out,
        )


async def run_job(
    pool: WorkerPool, ports: Sequence[LinkPort], orders: Sequence[pb.Order], *, go: bool = True
) -> list[pb.FromWorker]:
    """Run job processes to their ends, each at the port that the others dial; the last message of each."""
    return list(await asyncio.gather(*(_serve(pool, port_of(ports, order), order, go) for order in orders)))


def port_of(ports: Sequence[LinkPort], order: pb.Order) -> LinkPort:
    """The port of the daemon whose process gets this order."""
    return ports[order.roster[order.me]]


async def _serve(pool: WorkerPool, port: LinkPort, order: pb.Order, go: bool) -> pb.FromWorker:
    run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
    job = await (await pool.reserve(30)).start()
    try:
        await job.send(pb.ToWorker(order=order))
        await port.expect(run, job.pass_socket)
        return await _listen(job, go)
    finally:
        port.forget(run)
        job.close()
        await job.wait()


async def _listen(job: Job, go: bool) -> pb.FromWorker:
    last = pb.FromWorker()
    while (message := await job.receive()) is not None:
        last = message
        if message.WhichOneof("body") == "reveal":
            await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=go)))
    return last


def reconstruct(results: Sequence[pb.FromWorker], output: str) -> list[int]:
    """The value of an output, from all parties' shares."""
    summands: dict[int, np.ndarray] = {}
    for message in results:
        (share,) = [o for o in message.result.outputs if o.name == output]
        for a, words in share.summands.items():
            value = np.frombuffer(words, "<u8")
            if a in summands:
                np.testing.assert_array_equal(summands[a], value)
            summands[a] = value
    assert sorted(summands) == list(range(len(summands)))
    total = np.add.reduce(list(summands.values()))
    return [int(v) for v in total.view(np.int64)]


def cache_dir(base: Path) -> Path:
    """Where kernels of the tests are cached; kept between runs, for compiling takes long."""
    return base / "numba"
