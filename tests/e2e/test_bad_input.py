"""Bids that cannot be used: the owner is told what and where, the others only whose fault it is."""

from __future__ import annotations

import os
import signal
import sqlite3
import time

import pytest

from mpcd.cli.auction_job import PARTIES, job_text
from tests.e2e.town import JOB_S, Town

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

# What stands in the file (None: there is none) and what its owner is told. The numbers are canaries.
BAD = {
    "missing": (None, "bid.csv: there is no such file"),
    "not a number": ("amount\n7734421x\n", "bid.csv:2:amount: the cell is not a whole number"),
    "negative": ("amount\n-7734421\n", "bid.csv:2:amount: the number is outside its range"),
    "out of range": ("amount\n77344217734421\n", "bid.csv:2:amount: the number is outside its range"),
    "two rows": ("amount\n7734421\n7734422\n", "bid.csv: the file has 2 rows, at most 1 are allowed"),
    "no rows": ("amount\n", "bid.csv: the file has a header line at most and no rows"),
    "empty": ("", "bid.csv: the file is empty"),
    "no header": ("7734421\n7734422\n", "bid.csv:1: the column 'amount' is missing"),
    "not text": ("amount\n\udcff7734421\n", "bid.csv:2: not UTF-8"),
}
TOLD = "crux: this party cannot use its own data for this job; its operator sees why"


def _everything_said(town: Town, job: bytes) -> str:
    """What all parties' operators and logs say of a job."""
    shown = [town.wait(job, at=name) for name in PARTIES]
    logs = [log.read_text() for log in town.directory.glob("*/daemon.log")]
    return "\n".join([*map(str, shown), *logs])


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_bid_costs_one_job(town: Town, kind: str) -> None:
    content, complaint = BAD[kind]
    file = town.bid_file("crux")
    file.unlink()
    if content is not None:
        file.write_bytes(content.encode(errors="surrogateescape"))
    job = town.submit()
    ends = {name: town.wait(job, at=name) for name in PARTIES}
    assert {end.state for end in ends.values()} == {"refused"}
    assert complaint in ends["crux"].detail
    assert "(to mend it: " in ends["crux"].detail
    for name in ("acme", "bolt", "dana"):
        assert ends[name].detail == TOLD
    assert "773442" not in _everything_said(town, job)
    town.bid(crux=650)
    assert town.auction() == ("bolt", 650)


def test_the_command_line_says_it_before_and_after(town: Town) -> None:
    """A directory in the place of the file: nobody can read that, not even root."""
    file = town.bid_file("crux")
    file.unlink()
    file.mkdir()
    try:
        said = town.mpcd("job", "submit", town.job_file(), "--watch", at="crux")
        assert said.code == 10
        words = f"crux: {file}: cannot read the file: Is a directory (to mend it: it must be a file"
        assert f"problem    {words}" in said.err
        assert f"refused: {words}" in said.err
        planned = town.mpcd_here("job", "plan", town.job_file(), at="crux")
        assert planned.code == 10
        assert words in planned.out
        others = town.mpcd_here("job", "show", said.out.strip(), at="bolt")
        assert others.code == 0
        assert TOLD in others.out
        assert str(file) not in others.out
        nothing = town.mpcd_here("job", "result", said.out.strip(), at="bolt")
        assert nothing.code == 2
        assert "the job has no results: it ended refused" in nothing.err
    finally:
        file.rmdir()
    town.bid(crux=650)
    assert town.auction() == ("bolt", 650)


def _has_consented(town: Town, job: bytes, name: str) -> bool:
    with sqlite3.connect(f"file:{town.directory / name}/party.db?mode=ro", uri=True) as database:
        (count,) = database.execute(
            "SELECT count(*) FROM consents WHERE job = ? AND party = ?", (job, name)
        ).fetchone()
    database.close()
    return bool(count)


def test_a_bid_that_changes_after_the_consent_is_not_used(town: Town) -> None:
    """dana sleeps, so that nobody begins before crux has changed its mind."""
    dana = town.cluster.pids()["dana"]
    os.kill(dana, signal.SIGSTOP)
    try:
        job = town.submit()
        deadline = time.monotonic() + JOB_S
        while not _has_consented(town, job, "crux"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        town.bid(crux=7734421)
    finally:
        os.kill(dana, signal.SIGCONT)
    ends = {name: town.wait(job, at=name) for name in PARTIES}
    assert "succeeded" not in {end.state for end in ends.values()}
    assert ends["crux"].state == "failed"
    assert "bid.csv: the data changed after this party consented to the job" in ends["crux"].detail
    assert {ends[name].state for name in ("acme", "bolt", "dana")} == {"aborted"}
    for name in ("acme", "bolt", "dana"):
        assert "crux" in ends[name].detail
    assert "7734421" not in _everything_said(town, job)
    town.bid(crux=650)
    assert town.auction() == ("bolt", 650)


def test_a_job_nobody_answers_can_be_cancelled_while_it_waits(town: Town) -> None:
    dana = town.cluster.pids()["dana"]
    os.kill(dana, signal.SIGSTOP)
    try:
        job = town.submit()
        with town.operator() as operator:
            assert operator.get(job).state == "proposed"
            operator.cancel(job, "dana sleeps")
        assert town.wait(job).state == "cancelled"
    finally:
        os.kill(dana, signal.SIGCONT)
    assert {town.wait(job, at=name).state for name in ("bolt", "crux")} == {"cancelled"}
    assert town.auction() == ("bolt", 650)


def test_with_defaults_a_bid_that_changes_after_the_consent_costs_its_owner_its_bid_alone(town: Town) -> None:
    """crux is out, with everything but its row: its default is the highest bid, and it is the winner."""
    text = job_text("auction", deadline="120s").replace("rows: 1}", "rows: 1, default: 810}")
    text += "missing: default\n"
    dana = town.cluster.pids()["dana"]
    os.kill(dana, signal.SIGSTOP)
    try:
        job = town.submit(text)
        deadline = time.monotonic() + JOB_S
        while not _has_consented(town, job, "crux"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        town.bid(crux=7734421)
    finally:
        os.kill(dana, signal.SIGCONT)
    ends = {name: town.wait(job, at=name) for name in PARTIES}
    states = {name: end.state for name, end in ends.items()}
    others = dict.fromkeys(("acme", "bolt", "dana"), "succeeded")
    assert states == {"crux": "failed", **others}, {name: end.detail for name, end in ends.items()}
    assert town.outputs(job, at="dana") == {"winner": 2, "price": 700}
    result = town.mpcd_here("job", "result", job.hex(), at="bolt")
    assert "winner = 2 (row 1 of crux)" in result.out
    receipt = town.directory / "default-receipt.json"
    assert town.mpcd_here("job", "receipt", job.hex(), "-o", receipt, at="acme").code == 0
    checked = town.mpcd_here("receipt", "verify", receipt, "--roster", town.cluster.roster())
    assert checked.code == 0
    assert "input      crux: 1 rows for bids, all of them the default row of the job" in checked.out
    assert "excluded   crux: bids, no input came in time; the default row of the job was used" in checked.out
    assert "7734421" not in _everything_said(town, job)
    town.bid(crux=650)
    assert town.auction() == ("bolt", 650)
