"""Job files that are wrong: file, line, column, suggestion and exit code, and nothing happens to anybody."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mpcd.cli.auction_job import job_text
from mpcd.cli.cluster import is_ready
from mpcd.cli.exit_codes import ExitCode
from mpcd.identity.roster import Roster, render
from tests.e2e.town import Town, pair_text

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

GOOD = job_text("auction")


def _edit(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


# What the file says; the place and the words of the complaint; the exit code.
WRONG: dict[str, tuple[str, str, ExitCode]] = {
    "malformed": (
        _edit("computing: [acme, bolt, crux, dana]", "computing: [acme, bolt"),
        ":7:7: malformed YAML: expected ',' or ']'",
        ExitCode.CONFIG,
    ),
    "tab": (_edit("  - {party: acme", "\t- {party: acme"), ":8:1: malformed YAML: found", ExitCode.CONFIG),
    "unknown key": (
        _edit("deadline:", "dedline:"),
        ":18:1: unknown key 'dedline' (did you mean 'deadline'?)",
        ExitCode.CONFIG,
    ),
    "doubled key": (GOOD + "name: again\n", ":19:1: the key 'name' occurs twice", ExitCode.CONFIG),
    "no unit": (_edit("deadline: 60s", "deadline: 60"), ":18:11: deadline: should be a", ExitCode.CONFIG),
    "no time": (
        _edit("deadline: 60s", "deadline: 3s"),
        ": the deadline of 3 s is too short: with timing.delta of 3 s no job can end in less than 33 s",
        ExitCode.CONFIG,
    ),
    "five compute": (
        _edit("computing: [acme, bolt, crux, dana]", "computing: [acme, bolt, crux, dana, erin]"),
        ":6:1: computing: rep4 is computed by exactly 4 parties, 5 are listed; "
        "any number of further parties may give inputs or get results",
        ExitCode.CONFIG,
    ),
    "identified": (
        _edit("profile: guaranteed", "profile: identified-abort"),
        ":17:1: profile: rep4 finds a set that contains the cheater, not always the cheater; "
        "the most it gives is guaranteed",
        ExitCode.CONFIG,
    ),
    "unknown party": (
        _edit("computing: [acme, bolt, crux, dana]", "computing: [acme, bolt, crux, dona]"),
        ": 'dona' is no party of the roster (did you mean 'dana'?)",
        ExitCode.CONFIG,
    ),
    "unknown program": (
        _edit("second-price", "third-price"),
        ": there is no program third-price\n      to mend it: there are first-price, second-price",
        ExitCode.NOT_FOUND,
    ),
    "no program file": (
        _edit("{kind: app, name: second-price}", "{kind: file, path: no.py, function: auction}"),
        "no.py",
        ExitCode.NOT_FOUND,
    ),
    "unknown argument": (
        _edit("argument: bids", "argument: bid"),
        ": the program has no argument 'bid' (did you mean 'bids'?)",
        ExitCode.CONFIG,
    ),
    "unknown output": (
        _edit("output: price", "output: prize"),
        ": the program has no output 'prize' (did you mean 'price'?)",
        ExitCode.CONFIG,
    ),
    "missing parameter": (
        _edit("parameters: {reserve: 100}\n", ""),
        ": the parameter 'reserve' of the program is missing in the job\n      to mend it: give it a value",
        ExitCode.CONFIG,
    ),
    "parameter out of range": (
        _edit("reserve: 100", "reserve: -1"),
        ": the parameter reserve must lie in [0, 4294967295]",
        ExitCode.CONFIG,
    ),
    "program over its limits": (
        pair_text("huge", "comparisons", "many", 1 << 28, "smaller"),
        ": the job allows 268435456 rows for x, the program at most 1048576",
        ExitCode.CONFIG,
    ),
    "no such party submits": (
        GOOD.replace("acme", "erin").replace("dana", "finn"),
        ": acme submits the job but takes no part in it",
        ExitCode.CONFIG,
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_job_file_is_refused_where_it_is_wrong(town: Town, kind: str) -> None:
    text, complaint, code = WRONG[kind]
    file = town.job_file(text)
    with town.operator() as operator:
        before = operator.jobs()
    said = town.mpcd_here("job", "submit", file)
    assert said.code == code
    assert complaint in said.err, said.err
    if kind != "no program file":
        assert f"mpcd: {file}{complaint}" in said.err
    assert said.out == ""
    with town.operator() as operator:
        assert operator.jobs() == before


def test_what_a_party_has_not_or_does_not_want_is_a_refusal(town: Town) -> None:
    """Not the file is wrong: somebody says no, and everybody is told who."""
    unknown = town.run(_edit("dana, dataset: bid,", "dana, dataset: bids,"))
    assert (unknown.state, unknown.detail.partition(":")[0]) == ("refused", "dana")
    own = town.wait(unknown.job, at="dana")
    assert "there is no dataset 'bids' (did you mean 'bid'?)" in own.detail
    costly = GOOD + "limits: {rounds: 5}\n"
    said = town.mpcd_here("job", "submit", town.job_file(costly), "--watch")
    assert said.code == ExitCode.REFUSED
    assert "the job needs 47 rounds, its own limit is 5" in said.err
    assert {town.run(GOOD).state, town.run(GOOD, at="dana").state} == {"succeeded"}


def test_a_file_that_is_not_there_and_a_job_that_is_not_there(town: Town) -> None:
    said = town.mpcd_here("job", "submit", "nothing.yaml")
    assert (said.code, said.err) == (ExitCode.NOT_FOUND, "mpcd: nothing.yaml: there is no such file\n")
    for words in (["show"], ["watch"], ["result"], ["receipt"], ["cancel"]):
        said = town.mpcd_here("job", *words, "0123456789abcdef")
        assert said.code == ExitCode.NOT_FOUND
        assert "this party knows no job 0123456789abcdef" in said.err
        assert "mpcd job list" in said.err


def test_a_party_with_another_roster_is_kept_out(running_town: Town) -> None:
    """finn's copy lacks erin. Nobody works with finn until it has the same roster again."""
    town = running_town
    file = town.directory / "finn" / "roster.yaml"
    good = file.read_text()
    file.write_text(render([m for m in Roster.load(file).members if m.name != "erin"]))
    town.cluster.kill("finn")
    try:
        town.cluster.start(("finn",))
        _wait_for_line(town.cluster.log("finn"), "READY")
        _wait_for_line(town.cluster.log("finn"), "finn has another roster than the coordinator")
        said = town.mpcd_here("party", "status", at="finn")
        assert said.code == 0
        assert "coordinator NOT ATTACHED" in said.out
        text = job_text("other", readers=["finn"])
        said = town.mpcd_here("job", "submit", town.job_file(text), at="finn")
        assert said.code == ExitCode.REFUSED
        assert "the job was made for roster" in said.err
    finally:
        file.write_text(good)
        town.cluster.kill("finn")
        town.cluster.start(("finn",))
        town.cluster.wait_ready(is_ready, 60.0)
    assert town.auction(readers=["finn"], at="finn") == ("bolt", 650)


def _wait_for_line(log: Path, words: str) -> None:
    deadline = time.monotonic() + 60
    while words not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-1000:]
        time.sleep(0.05)
