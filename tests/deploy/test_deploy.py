"""The deployment files are accepted by the programs that read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
WORST_EXPOSURE = 1.5


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    """With the command in its place, `systemd-analyze verify` has nothing to say."""
    installed = tmp_path / unit.name
    installed.write_text(unit.read_text().replace("/opt/mpcd/bin/mpcd", "/bin/true"))
    done = _run("systemd-analyze", "verify", "--recursive-errors=no", installed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_is_sandboxed(unit: Path) -> None:
    done = _run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
    match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert match, done.stderr
    assert float(match[1]) <= WORST_EXPOSURE


def test_the_compose_file_is_valid_and_has_one_service_per_daemon() -> None:
    assert shutil.which("docker-compose"), "apt-get install docker-compose"
    done = _run("docker-compose", "-f", DEPLOY / "compose" / "compose.yaml", "config", "--services")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ["acme", "bolt", "coordinator", "crux", "dana"]


def test_yaml_files_are_tidy() -> None:
    done = _run(
        sys.executable, "-m", "yamllint", "-d", "{extends: relaxed, rules: {line-length: {max: 120}}}", DEPLOY
    )
    assert done.returncode == 0, done.stdout
