"""Guaranteed output between real daemons: dana cheats, stops or is killed, and the three others finish."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from mpcd.cli.auction_job import PARTIES
from tests.e2e.committee import DANA, HONEST, OUTPUTS, Committee, X, auction, committee, slow
from tests.e2e.test_cheating import LIES
from tests.e2e.test_kills import AFTER_READY, BEFORE_READY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400), pytest.mark.xdist_group("e2e-recovery")]

POINTS = {**BEFORE_READY, **AFTER_READY}
HOLDS = tuple(f"{name}-* {edit}" for name, edit in POINTS.items())
HOPELESS = {"two-boxes", "two-nonces"}
"""Dana's input is then missing, and the job says abort: two holders cannot open it; another session."""


@pytest.fixture(scope="module")
def four() -> Iterator[Committee]:
    with committee() as made:
        made.start(*HOLDS, "process-* hold round=160", *(line for lie in LIES for line in lie.lines))
        yield made
        made.no_tracebacks()


def check_output(four: Committee, name: str, job: bytes, expected: dict[str, int] = OUTPUTS) -> None:
    """The honest three have it, and a receipt that says who computed to the end."""
    for party, last in four.ends(job).items():
        assert last.state == "succeeded", (name, party, last.state, last.detail)
        assert four.outputs(job, party) == expected, name
        verdict = four.receipt(job, party)
        assert verdict.valid, name
        for fault in verdict.receipt.faults:
            assert DANA in {*fault.blamed, *fault.link, *fault.unreachable}, (name, fault)
        for record in four.evidence(job, party):
            assert not record.blamed or DANA in record.blamed, (name, record)


def job_of(name: str, deadline: str) -> str:
    made = slow if name.startswith(("middle", "process")) else auction
    return made(name, deadline, "guaranteed")


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie.name not in HOPELESS], ids=lambda lie: lie.name)
def test_a_lie_keeps_the_output_from_nobody(four: Committee, lie: object) -> None:
    name = getattr(lie, "name", "")
    job = four.submit(auction(name, "85s", "guaranteed"))
    check_output(four, name, job)


def test_a_job_process_is_killed(four: Committee) -> None:
    job = four.submit(job_of("process-k", "60s"))
    four.wait_held(["round=160"])
    os.kill(four.held["round=160"]["pid"], signal.SIGKILL)
    check_output(four, "process-k", job, {"total": X})
    last = four.end(job, DANA)
    assert last.state == "succeeded", last.detail
    assert four.outputs(job, DANA) == {"total": X}


def test_a_daemon_is_killed_at_any_point_and_gets_its_outputs_later(four: Committee) -> None:
    jobs = {name: four.submit(job_of(f"{name}-g", "85s")) for name in POINTS}
    four.wait_held(
        edit.removeprefix("hold ") if "round=" in edit else f"{name}-g {edit.removeprefix('hold ')}"
        for name, edit in POINTS.items()
    )
    four.cluster.kill(DANA)
    four.start_dana()
    for name, job in jobs.items():
        # Of an auction that dana's bid is missing from, nothing is opened: the job says so.
        if name in ("consented", "early"):
            assert {last.state for last in four.ends(job).values()} <= {"aborted", "expired"}
            continue
        expected = {"total": X} if name == "middle" else OUTPUTS
        check_output(four, name, job, expected)
        last = four.end(job, DANA)
        assert last.state == "succeeded", (name, last.state, last.detail)
        assert four.outputs(job, DANA) == expected
    assert all(four.cluster.pids().get(name) for name in (*HONEST, *PARTIES))
