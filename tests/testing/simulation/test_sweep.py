"""The sweep lists everything that can be done differently in a job, and sees what may not happen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from mpcd.runtime.tagging import Tagger
from mpcd.testing.simulation.__main__ import main
from mpcd.testing.simulation.acts import ANSWERS, KINDS, LATE_SHARES, MARKS, NOTES, SLOW_DELTAS, Act
from mpcd.testing.simulation.people import COMPUTING
from mpcd.testing.simulation.running import Story
from mpcd.testing.simulation.survey import throws
from mpcd.testing.simulation.sweep import CAUGHT, HARMLESS, IDLE, WRONG, chosen, job_scenario, judge, surveyed
from mpcd.testing.simulation.sweep import run as run_lie
from mpcd.testing.simulation.sweep import told as told_lie

JOB = "squares"
NEVER_BY_ITSELF = {"shift", "recall"}
"""The one is done in three exact ways instead; the other has no occasion in a first epoch."""
SLOTS = ("SESSION", "KEYS", "KEY-COMPLAINT", "INPUTS", "HAVE", "START", "BARRIER")


def _numbers(kind: str) -> list[int]:
    return [number for number, (_, acts) in enumerate(surveyed(JOB).lies) if acts[-1].kind == kind]


def _told(faulty: str, act: Act) -> Story:
    """The honest run, as if this had been done in it and nobody had seen it."""
    story = surveyed(JOB).story
    done = Counter({act.kind: 1})
    return replace(story, scenario=replace(story.scenario, faulty=faulty, acts=(act,)), injected=done)


def test_everything_that_can_be_done_differently_is_listed() -> None:
    found = surveyed(JOB)
    assert {acts[-1].kind for _, acts in found.lies} == set(KINDS) - NEVER_BY_ITSELF
    assert len(found.lies) == len(set(found.lies))
    rounds = 1 + max(acts[-1].round for _, acts in found.lies)
    lost = {(party, acts[0].round, acts[0].to) for party, acts in found.lies if acts[0].kind == "lose"}
    assert len(lost) == 4 * 3 * rounds == len(found.foreign)
    muted = {
        (party, acts[0].slot.partition("/")[0], acts[0].at, acts[0].to)
        for party, acts in found.lies
        if acts[0].kind == "mute" and acts[0].at is not None
    }
    assert muted == {
        (party, family, at, to)
        for me, party in enumerate(COMPUTING)
        for family in SLOTS
        for at in (0, 1, 2)
        for to in set(range(4)) - {me}
    }


def test_every_way_of_doing_something_is_told() -> None:
    lies = surveyed(JOB).lies
    for kind, options in (("note", NOTES), ("slow", SLOW_DELTAS), ("late", LATE_SHARES), ("forge", MARKS)):
        acts = {acts[-1] for _, acts in lies if acts[-1].kind == kind}
        assert {act.dice.choice(options) for act in acts} == set(options)
        assert len({act.number for act in acts}) == len(set(options))
    assert throws("dispute-lie", ANSWERS) == tuple(
        sorted({acts[-1].number for _, acts in lies if acts[-1].kind == "dispute-lie"})
    )


@pytest.mark.parametrize("every", [1, 7, 100, 100_000])
def test_a_sample_has_all_kinds_and_is_even_over_rounds(every: int) -> None:
    lies = surveyed(JOB).lies
    numbers = chosen(lies, every)
    assert {lies[n][1][-1].kind for n in numbers} == {acts[-1].kind for _, acts in lies}
    if every == 1:
        assert numbers == list(range(len(lies)))
    if every <= 7:
        lost = {lies[n][1][0].round for n in numbers if lies[n][1][-1].kind == "lose"}
        assert lost == {acts[0].round for _, acts in lies if acts[0].kind == "lose"}


def test_a_few_lies_of_every_kind_and_nothing_goes_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "summary.json"
    assert main(["--sweep", JOB, "--every", "600", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert (found["job"], found["listed"]) == (JOB, len(surveyed(JOB).lies))
    assert set(found["kinds"]) == set(KINDS) - NEVER_BY_ITSELF
    assert (found["idle"], found["failures"]) == ([], [])
    assert found["told"] == found["verdicts"][CAUGHT] + found["verdicts"][HARMLESS]
    assert sum(found["harmless"].values()) == found["verdicts"][HARMLESS] > 0
    said = capsys.readouterr().out
    assert f"{found['told']} of {found['listed']} lies in {JOB}" in said
    assert f"digest {found['digest']}" in said


def test_tags_that_nobody_looks_at_are_noticed() -> None:
    numbers = _numbers("add-1")[::8]
    assert {told_lie(JOB, number).verdict for number in numbers} == {CAUGHT}
    with mock.patch.object(Tagger, "matches", return_value=True):
        found = [told_lie(JOB, number) for number in numbers]
    wrong = [line for line in found if line.verdict == WRONG]
    assert wrong
    assert all(line.wrong for line in wrong)


def test_a_changed_message_that_nobody_records_is_wrong() -> None:
    found = surveyed(JOB)
    for act in (Act("add-1", round=3, to=1), Act("vouch", round=3, to=1), Act("lose", round=3, to=1)):
        verdict, _, wrong = judge(found, _told("acme", act))
        assert (verdict, len(wrong)) == (WRONG, 1)
        assert wrong[0].startswith("unnoticed")


def test_a_job_that_goes_another_way_without_a_record_is_wrong() -> None:
    story = _told("crux", Act("hurry", slot="START"))
    assert judge(surveyed(JOB), story)[0] == HARMLESS
    receipt = story.receipt
    assert receipt is not None
    payload = receipt.model_copy(update={"inputs": receipt.inputs[:-1]}).to_bytes()
    story.ends = {
        name: replace(end, receipt=replace(end.receipt, payload=payload) if end.receipt else None)
        for name, end in story.ends.items()
    }
    with mock.patch("mpcd.testing.simulation.sweep.complaints", return_value=[]):  # about signatures
        verdict, _, wrong = judge(surveyed(JOB), story)
    assert verdict == WRONG
    assert wrong[0].startswith("unnoticed: the job went another way")


def test_a_lie_without_an_occasion_is_said_to_be_idle() -> None:
    story = replace(_told("acme", Act("recall")), injected=Counter())
    assert judge(surveyed(JOB), story) == (IDLE, "", [])


def test_one_frame_of_an_opening_may_be_missing_and_no_other() -> None:
    found = surveyed(JOB)
    spared = {(party, number) for party, number, _ in found.spared}
    (opening,) = {number for _, number in spared}
    for number, expected in ((opening, HARMLESS), (opening - 1, CAUGHT)):
        place = next(
            n for n in _numbers("garble") if found.lies[n] == ("bolt", (Act("garble", 0, number, to=0),))
        )
        assert told_lie(JOB, place).verdict == expected


def test_a_lie_can_be_told_again_by_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    number = _numbers("other-job")[5]
    assert main(["--sweep", JOB, "--only", str(number)]) == 0
    assert "1 of" in capsys.readouterr().out
    assert run_lie(JOB, number).digest.hex() == told_lie(JOB, number).digest
    with pytest.raises(SystemExit, match="numbered from 0"):
        main(["--sweep", JOB, "--only", "1000000"])


def test_processes_with_other_hashes_tell_the_same() -> None:
    def lines(hash_seed: str) -> str:
        part = ["--sweep", JOB, "--every", "1000000", "--lines", "--part", "2..15"]
        command = [sys.executable, "-m", "mpcd.testing.simulation", *part]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    first = lines("1")
    assert first == lines("2")
    assert [json.loads(line)["number"] for line in first.splitlines()] == chosen(
        surveyed(JOB).lies, 1_000_000
    )[2::16]


@pytest.mark.parametrize("given", ["no-such-program", "squares:4", "random-x"])
def test_an_unknown_job_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sweep", given])
    assert given in capsys.readouterr().err


def test_three_parties_are_swept_as_a_fair_job() -> None:
    job = job_scenario("squares:3").job
    assert (job.parties, job.profile, job.specification.protocol) == (3, "fair", "rep3")
    found = surveyed("squares:3")
    for kind in ("add-1", "vouch", "lose"):
        numbers = [n for n, (_, acts) in enumerate(found.lies) if acts[0].kind == kind]
        line = told_lie("squares:3", numbers[len(numbers) // 2])
        assert (line.verdict, line.epochs) == (CAUGHT, 1)
