"""Daemons on this machine for the tests of job processes, and an auction for them to run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.apps.auction import second_price
from mpcd.party.link_port import LinkPort
from mpcd.runtime.workers import WorkerPool
from tests.party.grpc_pair import free_port
from tests.runtime.daemons import PARTIES, Bid, make_orders, run_job

OWNERS = [f"party{k}" for k in range(PARTIES)]


@dataclass
class Cluster:
    """Room for four job processes on this machine."""

    runner: asyncio.Runner
    pool: WorkerPool
    links: list[LinkPort]
    ports: list[int]
    listening: contextlib.AsyncExitStack

    def run(self, orders: Sequence[pb.Order], *, go: bool = True) -> list[pb.FromWorker]:
        return self.runner.run(run_job(self.pool, self.links, orders, go=go))


@contextlib.contextmanager
def started(
    tmp_path_factory: pytest.TempPathFactory, make_pool: Callable[[int, Path], WorkerPool] = WorkerPool
) -> Iterator[Cluster]:
    """A cluster that runs until the block ends.

    make_pool  from how many processes there are and where kernels are kept
    """
    with asyncio.Runner() as runner:
        cache = tmp_path_factory.getbasetemp().parent / "mpcd-test-kernels"
        made = runner.run(_cluster(make_pool(PARTIES, cache), runner))
        yield made
        runner.run(_close(made))


async def _cluster(pool: WorkerPool, runner: asyncio.Runner) -> Cluster:
    pool.launch()
    await pool.ready()
    links, ports = [LinkPort(16) for _ in range(PARTIES)], [free_port() for _ in range(PARTIES)]
    listening = contextlib.AsyncExitStack()
    for link, port in zip(links, ports, strict=True):
        await listening.enter_async_context(link.listening(f"127.0.0.1:{port}"))
    return Cluster(runner, pool, links, ports, listening)


async def _close(cluster: Cluster) -> None:
    await cluster.listening.aclose()
    await cluster.pool.close()


def auction(cluster: Cluster, bids: Sequence[int], **options: object) -> list[pb.Order]:
    """Orders for a second-price auction with one bid each."""
    return make_orders(
        second_price.canonical,
        [Bid(owner, "bids", {"bids": [bid]}) for owner, bid in zip(OWNERS, bids, strict=False)],
        list(second_price.checked.outputs),
        cluster.ports,
        parameters=[pb.Parameter(name="reserve", values=[100], scalar=True)],
        order=["party2", "party0", "party1", "party3"],
        **options,  # type: ignore[arg-type]
    )
