"""The command line without daemons: help, exit codes, programs, rosters, the files of an organisation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mpcd.cli.exit_codes import ExitCode, exit_code_of
from mpcd.cli.main import COMMANDS
from mpcd.errors import (
    ChannelError,
    ConfigError,
    DataError,
    DeadlineError,
    InternalError,
    MpcdError,
    NotFoundError,
    PeerError,
    RefusedError,
    UsageError,
)
from mpcd.identity.config import CoordinatorConfig, PartyConfig
from mpcd.identity.roster import Roster


def mpcd(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpcd", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
    )


def test_help_loads_nothing_slow() -> None:
    """`mpcd --help` stays quick because it imports neither numbers nor networks."""
    code = (
        "import sys; sys.argv = ['mpcd', '--help']\n"
        "from mpcd.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "slow = {'numpy', 'grpc', 'pydantic', 'cryptography', 'numba', 'rich', 'structlog'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = mpcd(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), ExitCode.CONFIG),
        (NotFoundError("x"), ExitCode.NOT_FOUND),
        (UsageError("x"), ExitCode.USAGE),
        (DataError("x"), ExitCode.USAGE),
        (RefusedError("x"), ExitCode.REFUSED),
        (PeerError("x", step="s", blamed=frozenset({1, 2})), ExitCode.CHEATING),
        (DeadlineError("x"), ExitCode.DEADLINE),
        (ChannelError("x"), ExitCode.UNREACHABLE),
        (InternalError("x"), ExitCode.BUG),
    ],
)
def test_errors_have_their_exit_codes(error: MpcdError, code: ExitCode) -> None:
    assert exit_code_of(error) == code


def test_a_program_runs_in_clear() -> None:
    done = mpcd("program", "test", "second-price", "bids=30,90,50", "reserve=40", "order=0,1,2", "--json")
    assert json.loads(done.stdout)["outputs"] == {"winner": 1, "price": 50}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("program", "show", "second-prise"), ExitCode.NOT_FOUND, "there are"),
        (("program", "test", "second-price", "bids"), ExitCode.USAGE, "NAME=VALUE"),
        (("program", "test", "second-price", "bids=1,x"), ExitCode.USAGE, "whole number"),
        (("program", "show", "nowhere.py"), ExitCode.NOT_FOUND, "nowhere.py"),
        (("job", "list", "--config", "nowhere.yaml"), ExitCode.NOT_FOUND, "--config"),
        (("cluster", "down", "--directory", "/nowhere"), ExitCode.NOT_FOUND, "no cluster"),
        (("party", "serve", "--config", "nowhere.yaml"), ExitCode.NOT_FOUND, "nowhere.yaml"),
        (("receipt", "verify", "nowhere", "--roster", "nowhere"), ExitCode.NOT_FOUND, "nowhere"),
        (("nonsense",), ExitCode.USAGE, "No such command"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], code: ExitCode, words: str) -> None:
    """What, where, what to do; no traceback; nothing on standard output."""
    done = mpcd(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_init_makes_files_that_serve_accepts(tmp_path: Path) -> None:
    party, coordinator = tmp_path / "acme", tmp_path / "hub"
    places = ("--control", "127.0.0.1:7411", "--links", "127.0.0.1:7412")
    assert mpcd("party", "init", "acme", "--directory", party, *places).returncode == 0
    assert mpcd("coordinator", "init", "hub", "--directory", coordinator, *places[:2]).returncode == 0
    joined = mpcd("roster", "join", party / "member.yaml", coordinator / "member.yaml")
    (party / "roster.yaml").write_text(joined.stdout)
    assert Roster.load(party / "roster.yaml").names == ("acme", "hub")
    config = PartyConfig.load(party / "party.yaml")
    assert (config.name, config.policy.rules) == ("acme", ())
    assert CoordinatorConfig.load(coordinator / "coordinator.yaml").name == "hub"
    for key in (party / "identity.key", party / "storage.key"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    arguments = ("party", "init", "acme", "--directory", tmp_path, "--control", "h:1", "--links", "h:2")
    assert mpcd(*arguments).returncode == 0
    key = (tmp_path / "identity.key").read_bytes()
    again = mpcd(*arguments)
    assert again.returncode == ExitCode.USAGE
    assert "set up already" in again.stderr
    assert (tmp_path / "identity.key").read_bytes() == key
