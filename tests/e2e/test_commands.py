"""The commands at a shell, from the plan of a job to its receipt: words, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.exit_codes import ExitCode
from tests.e2e.town import READER, Said, Town, mpcd

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def _kind(said: Said, kind: str) -> dict[str, object]:
    """The one JSON object that a command printed, of this kind; nothing else is on standard output."""
    assert said.code == ExitCode.OK, said.err
    found = said.json
    assert (found.pop("kind"), found.pop("version")) == (kind, 1)
    assert isinstance(found, dict)
    return found


def test_from_plan_to_receipt_at_a_shell(town: Town, tmp_path: Path) -> None:
    file = town.job_file(job_text("walk"))
    plan = town.mpcd("job", "plan", file)
    assert plan.code == ExitCode.OK
    assert "acme, bolt, crux, dana learn price" in plan.out
    assert "any two together can read everything" in plan.out
    assert "cost       47 rounds, at most " in plan.out
    submitted = town.mpcd("job", "submit", file, "--watch", "--key", "walk")
    assert submitted.code == ExitCode.OK, submitted.err
    job = submitted.out.strip()
    assert len(bytes.fromhex(job)) == 32
    assert submitted.err.splitlines()[-1] == "succeeded"
    for name in (job, job[:12], "walk"):
        result = town.mpcd("job", "result", name, at="dana")
        assert (result.code, result.out) == (ExitCode.OK, "price = 650\nwinner = 1 (row 1 of bolt)\n")
    receipt = tmp_path / "walk.receipt"
    assert town.mpcd("job", "receipt", "walk", "-o", receipt, "--wait", "30", at="crux").code == ExitCode.OK
    verified = mpcd("receipt", "verify", receipt, "--roster", town.cluster.roster(), cwd=tmp_path)
    assert verified.code == ExitCode.OK
    assert verified.out.startswith("valid: 4 of 4 computing parties signed, 2 are needed\n")
    assert f"job        {job}\n" in verified.out


def test_the_same_key_at_a_shell_is_the_same_job(town: Town) -> None:
    file = town.job_file(job_text("twice"))
    first = _kind(town.mpcd_here("job", "submit", file, "--key", "twice", "--json"), "job-submitted")
    again = _kind(town.mpcd_here("job", "submit", file, "--key", "twice", "--json"), "job-submitted")
    assert again == {**first, "existed": True}
    assert first["existed"] is False
    assert town.mpcd_here("job", "watch", "twice").code == ExitCode.OK


def test_json_for_programs(town: Town) -> None:
    file = town.job_file(job_text("program", readers=["acme", READER]))
    plan = _kind(town.mpcd_here("job", "plan", file, "--json"), "plan")
    assert plan["acceptable"] is True
    watched = town.mpcd_here("job", "submit", file, "--watch", "--json")
    lines = [json.loads(line) for line in watched.out.splitlines()]
    states = list(dict.fromkeys(line["state"] for line in lines))
    assert watched.code == ExitCode.OK
    assert {line["kind"] for line in lines} == {"job-progress"}
    assert states[-1] == "succeeded"
    assert [line["ended"] for line in lines] == [False] * (len(lines) - 1) + [True]
    job = lines[-1]["job"]
    shown = _kind(town.mpcd_here("job", "show", job, "--json"), "job")
    assert [step["state"] for step in shown["history"]] == [  # type: ignore[attr-defined]
        "consented", "gathering", "computing", "verifying", "opening", "succeeded",
    ]  # fmt: skip
    listed = _kind(town.mpcd_here("job", "list", "--json", "--limit", "1"), "jobs")
    assert listed["jobs"] == [shown]
    result = _kind(town.mpcd_here("job", "result", job, "--json", "--wait", "30", at=READER), "job-result")
    assert result == {
        "outputs": {"winner": 1, "price": 650},
        "rows": {"winner": {"row": 1, "owner": "bolt", "owner_row": 0}},
    }
    refused = town.mpcd_here("job", "result", job, "--json", "--wait", "30", at="bolt")
    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
    assert "not among those who learn an output" in refused.err


def test_a_job_at_a_shell_for_people(town: Town) -> None:
    job = town.run(job_text("people")).job.hex()
    shown = town.mpcd_here("job", "show", job[:8])
    assert shown.code == ExitCode.OK
    assert f"job        {job}\n" in shown.out
    assert "name       people, submitted by acme\n" in shown.out
    assert "state      succeeded\n" in shown.out
    listed = town.mpcd_here("job", "list", "--limit", "1")
    header, row = listed.out.splitlines()
    assert header.split() == ["JOB", "NAME", "STATE", "SUBMITTER", "DETAIL"]
    assert row.split() == [job[:12], "people", "succeeded", "acme"]
    watched = town.mpcd_here("job", "watch", "people")
    assert (watched.code, watched.out, watched.err) == (ExitCode.OK, "", "succeeded\n")
    cancelled = town.mpcd_here("job", "cancel", "people")
    assert cancelled.code == ExitCode.USAGE
    assert "the job has ended already: it succeeded" in cancelled.err


def test_how_a_daemon_is(town: Town) -> None:
    town.auction()
    said = town.mpcd_here("party", "status")
    assert said.code == ExitCode.OK
    assert said.out.startswith("acme  mpcd ")
    assert "coordinator attached\n" in said.out
    status = _kind(town.mpcd_here("party", "status", "--json"), "party-status")
    roster = _kind(town.mpcd_here("roster", "show", town.cluster.roster(), "--json"), "roster")
    assert status["roster"] == roster["hash"]
    assert {peer["name"] for peer in status["peers"] if peer["connected"]} >= set(PARTIES) - {"acme"}  # type: ignore[attr-defined]


def test_a_receipt_is_checked_offline_and_every_change_is_noticed(town: Town, tmp_path: Path) -> None:
    job = town.run().job.hex()
    good = tmp_path / "good"
    assert town.mpcd_here("job", "receipt", job, "-o", good, "--wait", "30").code == ExitCode.OK
    check: list[str | Path] = ["receipt", "verify", "--roster", town.cluster.roster()]
    valid = _kind(town.mpcd_here(*check, good, "--json"), "receipt")
    assert (valid["valid"], valid["signed"]) == (True, sorted(PARTIES))
    text, bad = good.read_text(), tmp_path / "bad"
    for at in range(0, len(text.rstrip()), 37):
        changed = "A" if text[at] != "A" else "B"
        bad.write_text(text[:at] + changed + text[at + 1 :])
        said = town.mpcd_here(*check, bad)
        # One signature that does not verify leaves three good ones, and says so.
        worse = said.code == ExitCode.OK and "3 of 4 computing parties signed" in said.out
        assert worse or said.code in (ExitCode.PROBLEMS_FOUND, ExitCode.USAGE, ExitCode.REFUSED), (at, said)
    bad.write_text("no receipt\n")
    said = town.mpcd_here(*check, bad)
    assert (said.code, said.err) == (ExitCode.USAGE, f"mpcd: {bad}: this is not a receipt\n")
    assert town.mpcd_here(*check, tmp_path / "none").code == ExitCode.NOT_FOUND


def test_no_daemon_no_configuration(town: Town, tmp_path: Path) -> None:
    said = mpcd("job", "list", cwd=tmp_path)
    assert said.code == ExitCode.NOT_FOUND
    assert "name it with --config, or set MPCD_CONFIG" in said.err
    asleep = tmp_path / "party.yaml"
    asleep.write_text(town.cluster.config("acme").read_text())
    said = town.mpcd_here("job", "list", "--config", asleep)
    assert said.code == ExitCode.UNREACHABLE
    assert f"there is no daemon at {tmp_path / 'party.sock'}" in said.err
    assert "mpcd party serve" in said.err
