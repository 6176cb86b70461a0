"""The parties of a protocol as processes on this machine, joined by mutually authenticated TLS links.

What runs between the clock's start and stop is what runs in a job process: the engine's steps, frames, tags,
links. Keys and input shares are dealt beforehand by the harness.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.link_round import Listener
from benchmarks.settings import SESSION, Setting
from mpcd.errors import InternalError
from mpcd.identity.certificates import Leaf, issue_leaf, self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rep3.sharing import Bits3
from mpcd.protocols.rep4.sharing import Bits4
from mpcd.protocols.rounds import Round, Rounds
from mpcd.ring.memory import collect_rarely, keep_freed_memory
from mpcd.runtime.driver import Counters, drive
from mpcd.runtime.frames import FrameCodec
from mpcd.transport.hello import Meeting, Peer
from mpcd.transport.links import Links
from mpcd.transport.meeting import open_links

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """One benchmark item in one setting: `prepare` deals the inputs and returns the step to be timed.

    The step's result is a sharing, or output name -> sharing; opened, it must equal `expected`.
    """

    name: str
    count: int
    setting: Setting
    prepare: Callable[[AnyEngine], Rounds[Any]]
    expected: Any


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the repetitions; `cpu_s`, `memory_bytes` and `sent_bytes` are those of one party."""

    seconds: float
    fastest_s: float
    cpu_s: float
    rounds: int
    sent_bytes: int
    payload_bytes: int
    memory_bytes: int


def measure(work: Work, repeat: int) -> Measured:
    """Run an item in fresh processes, `repeat` times after one warm-up."""
    reports = _in_processes(work.setting.parties, lambda me, links: _party(me, links, work, repeat))
    slowest = [max(times) for times in zip(*(r["seconds"] for r in reports), strict=True)]
    return Measured(
        seconds=statistics.median(slowest),
        fastest_s=min(slowest),
        cpu_s=statistics.median(r["cpu"] for r in reports),
        rounds=reports[0]["rounds"],
        sent_bytes=max(r["sent"] for r in reports),
        payload_bytes=max(r["payload"] for r in reports),
        memory_bytes=max(r["memory"] for r in reports),
    )


def _party(me: int, links: Links, work: Work, repeat: int) -> dict[str, Any]:
    tag_keys = {k: bytes(15) + bytes([1 << me | 1 << k]) for k in links.peers}
    codec = FrameCodec(me, range(work.setting.parties), SESSION, 0, tag_keys)
    base = work.setting.engine(me)
    report: dict[str, Any] = {"seconds": [], "cpu": []}
    for run in range(repeat + 1):
        step = work.prepare(base.at("run", run))
        drive(iter_barrier(run), codec, links, round_timeout_s=TIMEOUT_S)
        counters, payload = Counters(), [0]
        cpu, began = time.process_time(), time.perf_counter()
        step = _count(step, payload) if not run else step  # in the warm-up, for it takes time
        result = drive(step, codec, links, round_timeout_s=TIMEOUT_S, counters=counters)
        if run:
            report["seconds"].append(time.perf_counter() - began)
            report["cpu"].append(time.process_time() - cpu)
        else:
            report["payload"] = payload[0]
        drive(_compare(base.at("open", run), result, work), codec, links, round_timeout_s=TIMEOUT_S)
        report |= {"rounds": counters.rounds, "sent": counters.sent_bytes}
    report["cpu"] = statistics.median(report["cpu"])
    report["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return report


def iter_barrier(run: int) -> Rounds[None]:
    """One empty round: everybody is there."""
    yield Round(f"barrier/{run}")


def _compare(engine: AnyEngine, result: Any, work: Work) -> Rounds[None]:
    """Open the result and stop the benchmark if it is wrong."""
    expected = work.expected if isinstance(work.expected, dict) else {"": work.expected}
    for name, sharing in (result if isinstance(result, dict) else {"": result}).items():
        scope = engine.at(name)
        opened = yield from (scope.open_bits if isinstance(sharing, Bits4 | Bits3) else scope.open)(sharing)
        if not np.array_equal(np.ravel(np.asarray(opened)), np.ravel(expected[name])):
            raise InternalError(f"{work.name}: the result is wrong")


def _count(step: Rounds[Any], payload: list[int]) -> Rounds[Any]:
    """Pass a step through, adding up the bytes of the messages themselves."""
    inbox = None
    while True:
        try:
            r = step.send(inbox)  # type: ignore[arg-type]
        except StopIteration as stop:
            return stop.value
        payload[0] += sum(m.nbytes if isinstance(m, np.ndarray) else len(m) for m in r.send.values())
        inbox = yield r


def _in_processes(parties: int, body: Callable[[int, Links], dict[str, Any]]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    identities = [Identity.create(f"party{k}") for k in range(parties)]
    pems = [self_signed_ca(identity, now=now) for identity in identities]
    leaves = [issue_leaf(identity, now=now, valid_s=3600, purpose="link") for identity in identities]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(parties)]
    peers = {k: Peer(k, f"party{k}", pems[k], *listeners[k].getsockname()) for k in range(parties)}
    read, write = os.pipe()
    children = []
    for me in range(parties):
        child = os.fork()
        if child == 0:
            os.close(read)
            keep_freed_memory()  # these two as the fork server does for job processes
            collect_rarely()
            try:
                report = body(me, _links(me, peers, leaves[me], listeners[me]))
                os.write(write, (json.dumps({"me": me, **report}) + "\n").encode())
                os._exit(0)
            finally:  # whatever happened, this process must not go on as if it were the parent
                traceback.print_exc()
                os._exit(1)
        children.append(child)
    os.close(write)
    reports = sorted(_read_all(read), key=lambda r: int(r["me"]))
    for child in children:
        os.waitpid(child, 0)
    if len(reports) != parties:
        sys.exit("a party of the benchmark failed; its error stands above")
    return reports


def _links(me: int, peers: dict[int, Peer], leaf: Leaf, listener: socket.socket) -> Links:
    others = {k: peer for k, peer in peers.items() if k != me}
    return open_links(
        Meeting(SESSION, bytes(32), epoch=0, attempt=0, me=me), others, leaf, Listener(listener), 20
    )


def _read_all(descriptor: int) -> Iterator[dict[str, Any]]:
    with open(descriptor) as lines:
        for line in lines:
            yield json.loads(line)
