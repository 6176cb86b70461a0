"""Somebody is killed, or stops without a word, in every stage of a job: real processes, real signals.

dana's daemon holds jobs at exact points (`mpcd.testing.edits`), one job at each; then one signal from
outside hits all of them. What must hold for every job: the others end by the deadline and a bounded time
after it, nobody has a wrong output, and either no honest party has any output or all recipients have.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from mpcd._pb.v1.coordinator_pb2 import ListJobsRequest
from mpcd._pb.v1.coordinator_pb2_grpc import CoordinatorStub
from mpcd.cli.auction_job import PARTIES
from mpcd.cli.local_cluster import COORDINATOR
from mpcd.clock import SystemClock
from mpcd.errors import MpcdError
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.transport.grpc_channel import Channels
from mpcd.transport.leaves import Leaves
from tests.e2e.committee import (
    DANA,
    DELTA_S,
    HONEST,
    OUTPUTS,
    ROUND_S,
    Committee,
    X,
    auction,
    committee,
    slow,
    wait_until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("e2e-kills")]

SLOT_S = 5 * DELTA_S
SPARE_S = 5.0
"""For a machine that does other work at the same time."""

# point -> where dana's daemon holds the job of that name
BEFORE_READY = {
    "consented": "hold at=consented",
    "early": "hold at=gathering",
    "keys": "hold slot=KEYS",
    "late": "hold slot=START",
    "start": "hold at=computing",
    "checks": "hold round=1",
    "middle": "hold round=150",
    "verifying": "hold at=verifying",
}
AFTER_READY = {"ready": "hold after=BARRIER.0.1", "opening": "hold at=opening"}
COORDINATOR_POINTS = {"proposed": "hold at=proposed", "gathering": "hold at=gathering"}
EDITS = (
    *(f"{name}-* {edit}" for name, edit in {**BEFORE_READY, **AFTER_READY, **COORDINATOR_POINTS}.items()),
    # READY is signed, and a single other party has seen it.
    "ready-* mute slot=BARRIER.0.1 round=1 but=acme",
    *(f"process{k}-* hold round={k}" for k in (2, 151, 152, 153)),
)


@pytest.fixture(scope="module")
def four() -> Iterator[Committee]:
    with committee() as made:
        made.start(*EDITS)
        yield made
        made.no_tracebacks()


@pytest.fixture
def facing(four: Committee) -> Committee:
    """The committee with a dana that holds jobs."""
    if not four.holding:
        four.restart_dana(*EDITS)
    return four


def submit_all(four: Committee, names: list[str], suffix: str, deadline: str = "20s") -> dict[str, bytes]:
    """One job per point; those that are held in a late round are long ones."""
    long = ("middle", "process15")
    made = {
        name: four.submit((slow if name.startswith(long) else auction)(f"{name}-{suffix}", deadline))
        for name in names
    }
    four.wait_held(
        edit.removeprefix("hold ") if "round=" in edit else f"{name}-{suffix} {edit.removeprefix('hold ')}"
        for name, edit in {**BEFORE_READY, **AFTER_READY, **COORDINATOR_POINTS}.items()
        if name in names
    )
    return made


def expected(name: str) -> dict[str, int]:
    return {"total": X} if name.startswith(("middle", "process15")) else OUTPUTS


def check_no_output(four: Committee, name: str, job: bytes) -> None:
    """The honest three have ended in time without an output, and accuse nobody."""
    for party, last in four.ends(job).items():
        assert last.state in ("aborted", "expired"), (name, party, last.state, last.detail)
        assert "opening" not in {step.state for step in last.history}
        assert four.results_on_disk(job, party) == 0
        late_s = (last.history[-1].at_ms - last.deadline_ms) / 1000
        assert late_s < 2 * SLOT_S + SPARE_S, (name, party, late_s)
        for record in four.evidence(job, party):
            assert record.blamed == (), (name, party, record)
    assert four.results_on_disk(job, DANA) == 0


def check_output(four: Committee, name: str, job: bytes) -> None:
    """The honest three have the right output, without waiting for the deadline."""
    for party, last in four.ends(job).items():
        assert last.state == "succeeded", (name, party, last.state, last.detail)
        assert four.outputs(job, party) == expected(name)
        assert last.history[-1].at_ms < last.deadline_ms
    verdict = four.receipt(job, "bolt")
    assert verdict.valid
    assert "bolt" in verdict.signed


# -- a party ---------------------------------------------------------------------------------------------


def test_a_daemon_stops_without_a_word(facing: Committee) -> None:
    """SIGSTOP: connections stay open and nothing is said. Later it wakes up and finds out."""
    four = facing
    jobs = submit_all(four, [*BEFORE_READY, *AFTER_READY], "stop")
    four.signal_dana(signal.SIGSTOP)
    try:
        for name in AFTER_READY:
            check_output(four, name, jobs[name])
        for name in BEFORE_READY:
            check_no_output(four, name, jobs[name])
    finally:
        four.signal_dana(signal.SIGCONT)
    four.release()
    four.release_processes()
    for name, job in jobs.items():
        state = four.end(job, DANA).state
        if name in AFTER_READY and state == "succeeded":
            assert four.outputs(job, DANA) == expected(name)
        else:
            assert state != "succeeded"
            assert four.results_on_disk(job, DANA) == 0
    four.auction_works()


def test_a_daemon_is_killed(facing: Committee) -> None:
    """SIGKILL; after its restart it says the truth about each job, and serves the next."""
    four = facing
    jobs = submit_all(four, [*BEFORE_READY, *AFTER_READY], "kill")
    four.cluster.kill(DANA)
    for name in AFTER_READY:
        check_output(four, name, jobs[name])
    for name in BEFORE_READY:
        check_no_output(four, name, jobs[name])
    four.start_dana()
    for name, job in jobs.items():
        last = four.end(job, DANA)
        if name in AFTER_READY:
            assert last.state == "succeeded", (name, last.state, last.detail)
            assert four.outputs(job, DANA) == expected(name)
        else:
            assert last.state == "failed", (name, last.state)
            said = "opened nothing" if name == "verifying" else "the daemon was restarted"
            assert said in last.detail
            with pytest.raises(MpcdError):
                four.outputs(job, DANA)
    four.auction_works()


# -- a job process ---------------------------------------------------------------------------------------


def test_job_processes_are_killed_or_stop(facing: Committee) -> None:
    """SIGKILL in the checks and in the middle, SIGSTOP in the middle; then the fork server itself."""
    four = facing
    jobs = submit_all(four, ["process2", "process151", "process152"], "p")
    four.wait_held(("round=2", "round=151", "round=152"))
    pids = {point: four.held[point]["pid"] for point in ("round=2", "round=151", "round=152")}
    assert set(pids.values()) <= set(four.job_processes())
    for point in ("round=2", "round=151"):
        os.kill(pids[point], signal.SIGKILL)
    os.kill(pids["round=152"], signal.SIGSTOP)
    for name, job in jobs.items():
        check_no_output(four, name, job)
        ended = {party: four.end(job, party).history[-1].at_ms for party in HONEST}
        assert max(ended.values()) - min(ended.values()) < 1000 * (ROUND_S + SPARE_S)
        last = four.end(job, DANA)
        if name == "process152":
            assert last.state in ("aborted", "expired"), (last.state, last.detail)
        else:
            assert (last.state, "killed by signal 9" in last.detail) == ("failed", True), last.detail
    four.auction_works()
    jobs = submit_all(four, ["process153"], "p")
    four.wait_held(("round=153",))
    (server,) = four.fork_server()
    os.kill(server, signal.SIGKILL)
    check_no_output(four, "process153", jobs["process153"])
    assert four.end(jobs["process153"], DANA).state == "failed"
    four.auction_works()


# -- the coordinator -------------------------------------------------------------------------------------


def test_the_coordinator_is_killed(facing: Committee) -> None:
    """Before the consents: the job expires at its deadline. After: it goes on without the coordinator."""
    four = facing
    begun = ["consented", "gathering", "start", "verifying", "opening"]
    jobs = submit_all(four, ["proposed", *begun], "c", deadline="12s")
    four.cluster.kill(COORDINATOR)
    four.release()
    with pytest.raises(MpcdError):
        four.submit(auction("nobody-there"))
    for name in begun:
        for party, last in four.ends(jobs[name], PARTIES).items():
            assert last.state == "succeeded", (name, party, last.state, last.detail)
            assert four.outputs(jobs[name], party) == OUTPUTS
    for party, last in four.ends(jobs["proposed"], PARTIES).items():
        assert last.state == "expired", (party, last.state, last.detail)
        assert last.history[-1].at_ms < last.deadline_ms + 1000 * SPARE_S
    four.cluster.start((COORDINATOR,))
    four.ready()
    wanted = {jobs[name]: "expired" if name == "proposed" else "succeeded" for name in jobs}
    seen: dict[bytes, str] = {}

    def listed() -> bool:
        seen.update(asyncio.run(coordinators_list(four)))
        return wanted.items() <= seen.items()

    wait_until(listed, 20.0, lambda: f"{wanted}, not {seen}")
    four.auction_works()


async def coordinators_list(four: Committee) -> dict[bytes, str]:
    """The jobs as the coordinator shows them to acme."""
    home = four.cluster.config("acme").parent
    channels = Channels(Leaves(Identity.load(home / "identity.key"), SystemClock()))
    member = Roster.load(four.cluster.roster()).coordinator
    assert member is not None
    try:
        stub: Any = CoordinatorStub(channels.to(member))  # type: ignore[no-untyped-call]
        reply = await stub.List(ListJobsRequest(limit=100), timeout=10.0)
        return {view.job: view.state for view in reply.jobs}
    finally:
        await channels.close()
