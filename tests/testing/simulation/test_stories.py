"""Seeds of the simulation: nothing goes wrong in them, and they are the same whenever they are run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpcd.testing.simulation.__main__ import main
from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.report import Line, Summary, run_seed
from mpcd.testing.simulation.running import tell
from mpcd.testing.simulation.scenario import scenario


@pytest.mark.parametrize("first", range(0, 40, 8))
def test_nothing_goes_wrong(first: int) -> None:
    for seed in range(first, first + 8):
        story = tell(scenario(seed))
        assert not complaints(story), f"seed {seed}: {story.scenario}"


def test_a_story_is_the_same_when_it_is_told_again() -> None:
    for seed in (0, 1, 11):
        first, again = tell(scenario(seed)), tell(scenario(seed))
        assert first.lines() == again.lines()
        assert first.digest != tell(scenario(seed + 1)).digest


def test_another_process_with_other_hashes_tells_the_same() -> None:
    def digest(hash_seed: str) -> str:
        command = [sys.executable, "-m", "mpcd.testing.simulation", "--seeds", "0..3", "--lines"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return Summary.of(map(Line.from_json, done.stdout.splitlines()), 1.0).digest

    assert digest("1") == digest("2") == Summary.of(map(run_seed, range(4)), 1.0).digest


def test_the_command_says_what_came_of_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    assert main(["--seeds", "5..6", "--jobs", "2", "--json", str(file)]) == 0
    summary = json.loads(file.read_text())
    assert (summary["seeds"], summary["failures"]) == (2, [])
    assert sum(summary["outcomes"].values()) == 2
    said = capsys.readouterr().out
    assert "2 seeds" in said
    assert "failures 0" in said
    assert f"digest {Summary.of(map(run_seed, (5, 6)), 1.0).digest}" in said
