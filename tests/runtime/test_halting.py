"""A job process that is halted says at once what it keeps, whatever it is doing, and nothing after that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.apps import primitives
from mpcd.protocols.rounds import Round, Rounds
from mpcd.runtime.driver import drive
from mpcd.runtime.halting import Halting
from mpcd.runtime.kept import Record
from mpcd.runtime.workers import Job
from mpcd.testing.cheating_daemon import CheatingPool
from mpcd.transport.preface import JOB_BYTES
from tests.runtime.cluster import Cluster, started
from tests.runtime.daemons import Bid, make_orders, port_of
from tests.runtime.test_driver import codec

BUSY_ROUND = 40
ENOUGH_S = 1.0
"""Half of the Delta that a party has by default."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edits")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, directory: Path) -> Iterator[Cluster]:
    with started(tmp_path_factory, lambda limit, cache: CheatingPool(limit, cache, directory)) as made:
        yield made


def chain(cluster: Cluster, directory: Path, edit: str) -> list[pb.Order]:
    """Orders for a thousand products, one after the other; all processes do this besides."""
    bids = [Bid("party0", "x", {"x": [1] * 2000}), Bid("party1", "y", {"y": [-1] * 2000})]
    orders = make_orders(primitives.chain.canonical, bids, ["total"], cluster.ports)
    (directory / orders[0].specification_hash.hex()).write_text(edit)
    return orders


async def halt_after(
    cluster: Cluster, orders: Sequence[pb.Order], halted: int, pause_s: float
) -> tuple[list[pb.FromWorker], float]:
    """Run all, halt one so long after it has begun to compute: all last words, and how long its word took."""
    took = -1.0

    async def serve(order: pb.Order) -> pb.FromWorker:
        nonlocal took
        run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
        job = await (await cluster.pool.reserve(30)).start()
        await job.send(pb.ToWorker(order=order))
        await port_of(cluster.links, order).expect(run, job.pass_socket)
        began, last, halting = 0.0, pb.FromWorker(), None

        async def halt(job: Job) -> None:
            nonlocal began
            await asyncio.sleep(pause_s)
            began = time.monotonic()
            job.halt()

        while (message := await job.receive()) is not None:
            last = message
            if message.WhichOneof("body") == "reveal":
                await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=True)))
                if order.me == halted:
                    halting = asyncio.create_task(halt(job))
            if message.WhichOneof("body") == "failure" and order.me == halted:
                took = time.monotonic() - began
        if halting is not None:
            await halting
        job.close()
        port_of(cluster.links, order).forget(run)
        return last

    return list(await asyncio.gather(*map(serve, orders))), took


def test_a_process_in_the_middle_of_a_long_kernel_says_what_it_keeps(
    cluster: Cluster, directory: Path
) -> None:
    """Four are in such a kernel on this machine, which takes each of them several seconds."""
    orders = chain(cluster, directory, f"chain busy round={BUSY_ROUND}")
    messages, took = cluster.runner.run(halt_after(cluster, orders, 2, 1.5))
    assert [m.WhichOneof("body") for m in messages] == ["failure"] * 4, messages
    assert 0 < took < ENOUGH_S
    halted = messages[2].failure
    assert (halted.kind, halted.report.round, list(halted.report.missing)) == ("stopped", BUSY_ROUND, [])
    assert dict(halted.kept.accepted) == dict.fromkeys((0, 1, 3), BUSY_ROUND)
    check(messages, 2)
    others = [digests(messages[k].failure.kept) for k in (0, 1, 3)]
    mine = digests(halted.kept)
    shared = [(mine[place], kept[place]) for kept in others for place in mine.keys() & kept.keys()]
    assert shared
    assert all(one == other for one, other in shared)


def test_wherever_it_is_halted_what_it_says_is_its_last_word(cluster: Cluster, directory: Path) -> None:
    dice = random.Random(7)
    for halted in (0, 1, 2, 3) * 3:
        orders = chain(cluster, directory, "")
        messages, took = cluster.runner.run(halt_after(cluster, orders, halted, dice.uniform(0.0, 0.2)))
        if messages[halted].WhichOneof("body") == "result":
            continue  # it had come to its end
        assert messages[halted].failure.kind == "stopped"
        assert took < ENOUGH_S
        check(messages, halted)


def check(messages: Sequence[pb.FromWorker], halted: int) -> None:
    """Nobody has a frame of a later round from it than the one that it says it is stuck in."""
    last = messages[halted].failure.report.round
    for k, message in enumerate(messages):
        if k != halted:
            assert message.failure.kept.accepted[halted] <= last
            assert message.failure.report.round <= last + 1


def digests(kept: pb.Kept) -> dict[tuple[int, int, int, int], bytes]:
    return {(d.round, d.sender, d.backup, d.receiver): d.digest for d in kept.digests}


class Held:
    """Stands for the right to speak, and remembers when it was taken and given back."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __enter__(self) -> None:
        self.log.append("taken")

    def __exit__(self, *_: object) -> None:
        self.log.append("given back")


def test_a_round_is_recorded_and_said_with_the_right_to_speak() -> None:
    log: list[str] = []

    class Recording(Record):
        def begin(self, number: int, r: Round) -> None:
            log.append("recorded")
            super().begin(number, r)

        def arrived(self, peers: Iterable[int]) -> None:
            log.append("all has come")

    def step() -> Rounds[None]:
        for k in range(2):
            log.append("computes")
            yield Round(f"/{k}", absent=frozenset({1, 2, 3}))

    class Nobody:
        me, peers, waited = 0, frozenset[int](), None

        def pending(self, number: int) -> frozenset[int]:
            return frozenset()

        def exchange(self, *_: object) -> dict[int, memoryview]:
            log.append("said")
            return {}

        def close(self) -> None: ...

    record = Recording(0, lambda *_: b"")
    drive(step(), codec(0), Nobody(), round_timeout_s=1, record=record, speaking=Held(log))
    one = ["computes", "taken", "recorded", "said", "all has come", "given back"]
    assert log == one * 2


def test_the_thread_waits_for_whoever_speaks_and_is_the_last_to_speak(tmp_path: Path) -> None:
    """In a process of its own, as it ends that."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _halted_while_it_speaks(theirs)
    theirs.close()
    said = b""
    while data := ours.recv(100):
        said += data
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert said == b"round.report."


def _halted_while_it_speaks(pipe: socket.socket) -> None:
    """SIGTERM comes in the middle of a round: first that is over, then the thread reports."""
    try:
        signal.signal(signal.SIGTERM, lambda *_: None)
        halting = Halting(lambda: pipe.sendall(b"report."))
        halting.watch()
        with halting.speaking:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.3)
            pipe.sendall(b"round.")
        threading.Event().wait(0.3)
        with halting.speaking:  # never: the thread does not give it back
            pipe.sendall(b"another round.")
    finally:
        os._exit(1)


def test_a_process_that_sleeps_although_it_was_signalled_is_signalled_again() -> None:
    """The signal came just before it went to sleep: nothing interrupts that."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _asleep(theirs)
    theirs.close()
    began = time.monotonic()
    assert ours.recv(100) == b"report."
    assert time.monotonic() - began < 5
    os.waitpid(child, 0)


def _asleep(pipe: socket.socket) -> None:
    class Woken(Exception): ...

    def wake(*_: object) -> None:
        raise Woken

    try:
        signal.signal(signal.SIGTERM, wake)
        halting = Halting(lambda: pipe.sendall(b"report."))
        halting.watch()
        with contextlib.suppress(Woken), halting.speaking:
            os.write(
                halting._wake, bytes([signal.SIGTERM])
            )  # all that is seen of a signal that came too early
            time.sleep(30)
        threading.Event().wait(10)
    finally:
        os._exit(1)
