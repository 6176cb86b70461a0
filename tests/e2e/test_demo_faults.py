"""`mpcd demo auction --kill` and `--cheat`: what is shown to people is true, told by real daemons."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpcd.cli.auction_job import PARTIES
from mpcd.cli.demo_faults import LIES, STAGES, cheating, killed
from mpcd.cli.exit_codes import ExitCode
from mpcd.errors import UsageError

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("e2e-demo")]

FEW_S = 15.0
"""From the fault to the result, on a machine that does other work as well."""


@pytest.fixture(scope="module", autouse=True)
def no_papers_left() -> Iterator[None]:
    """What outlives a demonstration goes with the tests. The path is short, as names of Unix sockets are."""
    with tempfile.TemporaryDirectory(prefix="mpcd-d-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", directory)
        yield


def mpcd(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpcd", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


@dataclass(frozen=True, slots=True)
class Case:
    """blame: how many each line of the receipt blames, a pair or one; epochs: protocol, checked, parties."""

    words: str
    blame: tuple[int, ...] = ()
    epochs: tuple[tuple[str, bool, int], ...] = (("rep4", True, 4),)


RESTARTED = (("rep4", True, 4), ("rep3", True, 3))
ALONE = (("rep4", True, 4), ("rep3", False, 3))
KILLS = (
    Case("--kill acme@gathering", epochs=(("rep3", True, 3),)),
    Case("--kill bolt@computing", epochs=RESTARTED),
    Case("--kill crux@verifying", epochs=RESTARTED),
    Case("--kill dana@opening"),
    Case("--kill coordinator@gathering"),
    Case("--kill coordinator@computing"),
)
CHEATS = (
    # dana is the one of the first pair that is left out, and cheats no more.
    Case("--cheat dana", (2,), RESTARTED),
    # bolt stays, cheats again, and is found out.
    Case("--cheat bolt --lie share", (2, 2), (*RESTARTED, ("rep3", False, 3))),
    Case("--cheat dana --lie tag", (2,), RESTARTED),
    Case("--cheat crux --lie silent", epochs=RESTARTED),
    Case("--cheat acme --lie commitment", (1,)),
    Case("--cheat crux --lie equivocate", (1,), ALONE),
    Case("--cheat bolt --lie key"),
    Case("--cheat acme --lie box"),
    Case("--cheat dana --lie opening"),
)


def test_every_stage_and_every_lie_is_shown_once() -> None:
    """The tests below miss none."""
    words = " ".join(case.words for case in (*KILLS, *CHEATS))
    assert all(f"@{stage}" in words for stage in STAGES)
    assert {lie for lie in LIES if f"--lie {lie}" not in words} == set()


@pytest.mark.e2e
def test_nothing_goes_wrong() -> None:
    case = Case("")
    said = _said(case, ExitCode.OK)
    _check_stands(said, case)
    assert said["receipt"]["signed"] == [*PARTIES]
    assert (said["fault"], said["found"], said["records"]) == (None, [], [])
    assert said["papers"]["verify"] == []  # they are gone with the cluster
    assert not Path(said["papers"]["directory"]).exists()


@pytest.mark.e2e
@pytest.mark.parametrize("case", KILLS, ids=lambda case: case.words)
def test_somebody_is_killed_and_the_result_stands(case: Case) -> None:
    said = _said(case, ExitCode.OK)
    who = case.words.split()[1].partition("@")[0]
    assert said["fault"]["party"] == who
    _check_stands(said, case)
    assert 0 < said["seconds_after_fault"] < FEW_S
    assert said["came_back"] == (who in PARTIES)
    gone = [who] if len(case.epochs) > 1 or "rep3" in case.epochs[0] else []
    assert [line["unreachable"] for line in said["found"]] == [[name] for name in gone]
    assert {name for record in said["records"] for name in record["unreachable"]} <= {who}
    assert who not in said["receipt"]["signed"]
    at = next(step["seconds"] for step in said["timeline"] if step["state"] == "fault")
    assert at < said["seconds"]


@pytest.mark.e2e
@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.words)
def test_somebody_cheats_and_the_result_stands(case: Case) -> None:
    said = _said(case, ExitCode.OK)
    who = case.words.split()[1]
    _check_stands(said, case)
    assert said["seconds"] < FEW_S
    for names in (*(line["blamed"] for line in said["found"]), *(r["blamed"] for r in said["records"])):
        assert not names or who in names
    if not case.blame:
        return
    for command in said["papers"]["verify"]:
        assert mpcd(*command.split()[1:]).returncode == ExitCode.OK, command
    _check_evidence(said, who, equivocates="equivocate" in case.words)


def _said(case: Case, code: ExitCode) -> dict[str, Any]:
    done = mpcd("demo", "auction", *case.words.split(), "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stderr == ""
    said: dict[str, Any] = json.loads(done.stdout)
    assert (said["kind"], said["version"]) == ("demo", 1)
    return said


def _check_stands(said: dict[str, Any], case: Case) -> None:
    """The demonstration compares winner and price with the auction in clear, or it ends with a bug."""
    assert said["stands"]
    assert said["winner"] in PARTIES
    assert 100 <= said["price"] < 1000
    epochs = tuple((line["protocol"], line["checked"], len(line["computing"])) for line in said["epochs"])
    assert epochs == case.epochs, said["found"]
    assert tuple(len(line["blamed"]) for line in said["found"] if line["blamed"]) == case.blame
    last = set(said["epochs"][-1]["computing"])
    assert said["receipt"]["valid"]
    assert len(set(said["receipt"]["signed"]) & last) >= 2


def _check_evidence(said: dict[str, Any], who: str, equivocates: bool) -> None:
    """It verifies offline, and proves what was found; with any byte of it changed it does not."""
    (command,) = [command for command in said["papers"]["verify"] if " evidence " in command]
    file = Path(command.split()[3])
    found = json.loads(mpcd(*command.split()[1:], "--json").stdout)
    for record in found["records"]:
        proven, blamed = [entry["parties"] for entry in record["proven"]], record["record"]["blamed"]
        outvoted = record["record"]["kind"] == "bad-opening"  # seen inside of a job process: nobody signed it
        assert proven == ([blamed] if blamed and not outvoted else []), record
        assert not blamed or who in blamed
    proven = [entry["parties"] for record in found["records"] for entry in record["proven"]]
    assert [who] in proven or not equivocates
    honest = file.read_text()
    for changed in _spoiled(honest):
        file.write_text(changed)
        assert mpcd(*command.split()[1:]).returncode in (ExitCode.PROBLEMS_FOUND, ExitCode.USAGE)
    file.write_text(honest)


def _spoiled(text: str) -> Iterator[str]:
    """Evidence with one character of a payload, and of a signature, changed."""
    for value in re.findall(r'"(?:payload|signature)": "([^"]{20,})"', text)[-2:]:
        middle = len(value) // 2
        other = "A" if value[middle] != "A" else "B"
        yield text.replace(value, value[:middle] + other + value[middle + 1 :])


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("words", "code", "blamed"),
    [
        ("--cheat bolt --profile fair", ExitCode.CHEATING, "bolt"),
        ("--kill acme@computing --profile fair", ExitCode.JOB_ABORTED, None),
    ],
)
def test_without_guaranteed_output_the_job_is_aborted(words: str, code: ExitCode, blamed: str | None) -> None:
    said = _said(Case(words), code)
    assert (said["stands"], said["outputs"], said["receipt"], said["winner"]) == (False, None, None, None)
    assert said["job"]["state"] == "aborted"
    sets = [record["blamed"] for record in said["records"] if record["blamed"]]
    assert bool(sets) == (blamed is not None)
    assert all(blamed in names for names in sets)


# -- for people ------------------------------------------------------------------------------------------

TOLD = r"""
What happened, as acme tells it:
  +\d+\.\d\d s   consented
  +\d+\.\d\d s   gathering
  +\d+\.\d\d s   computing
  +\d+\.\d\d s ! dana is killed \(SIGKILL\) in round 20 of the computation
  +\d+\.\d\d s   verifying  round 2\d: .*
  +\d+\.\d\d s   recovering dana did not give a word at a barrier
  +\d+\.\d\d s   computing
  +\d+\.\d\d s   verifying
  +\d+\.\d\d s   opening
  +\d+\.\d\d s   succeeded

Winner: (acme|bolt|crux|dana)   pays \d{3}
Found:   dana unreachable, which is no accusation \(dana did not give a word at a barrier\)
Epochs:  0  rep4: acme, bolt, crux, dana
         1  rep3: acme, bolt, crux
Stands:  these three computed again on the bids that were committed to, and checked each other\.
         dana was started again and has the same outputs\.
Work:    112 rounds, .* from submission to result
Receipt: 3 of 4 computing parties signed, 2 are needed \(acme, bolt, crux\); verified offline .*
Check:   mpcd receipt verify (/\S+)/receipt\.json --roster \2/roster\.yaml
         mpcd evidence verify \2/evidence\.json --roster \2/roster\.yaml
"""


@pytest.mark.e2e
def test_the_story_for_people(tmp_path: Path) -> None:
    done = mpcd("demo", "auction", "--kill", "dana@computing")
    assert done.returncode == ExitCode.OK, done.stderr
    assert re.fullmatch(TOLD, done.stdout), done.stdout
    assert "! dana is killed (SIGKILL) in round 20 of the computation\n" in done.stderr
    assert "✓ dana is started again, and asks for the outputs" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kill", "erin@computing"], "--kill erin@computing: nobody can be killed so"),
        (["--kill", "acme@dinner"], "--kill acme@dinner: nobody can be killed so"),
        (["--kill", "acme"], "--kill acme: nobody can be killed so"),
        (["--cheat", "coordinator"], "--cheat coordinator --lie share: nobody can cheat so"),
        (["--lie", "tag"], "say who: --cheat NAME"),
        (["--kill", "acme@opening", "--cheat", "bolt"], "give one of --kill and --cheat"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_starts(words: list[str], message: str) -> None:
    done = mpcd("demo", "auction", *words)
    assert done.returncode == ExitCode.USAGE
    assert message in done.stderr


def test_the_job_is_followed_at_somebody_who_is_not_at_fault() -> None:
    assert [killed("acme@opening").observer, killed("dana@opening").observer] == ["bolt", "acme"]
    assert cheating("acme", "share").observer == "bolt"
    for who in PARTIES:
        for lie in LIES:
            fault = cheating(who, lie)
            assert f"to={who}" not in fault.edit
            assert "{" not in fault.edit + fault.what + fault.mended
    with pytest.raises(UsageError):
        cheating("acme", "wave")
