"""Daemons that cannot start say why, in one line with a place, and leave no process behind."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES
from mpcd.cli.exit_codes import ExitCode
from mpcd.cli.local_cluster import COORDINATOR, LocalCluster
from mpcd.identity.roster import Roster, render
from tests.e2e.town import COMMAND_S, Said, Town

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

ENDS_S = 20.0
"""For a fork server that was still importing when its daemon ended."""
Spoil = Callable[[LocalCluster, contextlib.ExitStack], None]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Files of a cluster that nobody has started; short, since names of sockets are."""
    with tempfile.TemporaryDirectory(prefix="mpcd-e2e-") as directory:
        yield LocalCluster.create(Path(directory), dict.fromkeys(PARTIES, 1))


def _serve(config: Path, kind: str = "party") -> Said:
    """Start a daemon that should end by itself, with everything it started."""
    daemon = subprocess.Popen(
        [sys.executable, "-m", "mpcd", kind, "serve", "--config", str(config)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, err = daemon.communicate(timeout=COMMAND_S)
    finally:
        daemon.kill()
    deadline = time.monotonic() + ENDS_S
    while left := _session(daemon.pid):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
    return Said(daemon.returncode, out, err)


def _session(leader: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(status.parent.name))
    return found


def _in_config(old: str, new: str) -> Spoil:
    def spoil(cluster: LocalCluster, _: contextlib.ExitStack) -> None:
        text = cluster.config("acme").read_text()
        assert old in text
        cluster.config("acme").write_text(text.replace(old, new))

    return spoil


def _mode(name: str) -> Spoil:
    return lambda cluster, _: (cluster.directory / "acme" / name).chmod(0o640)


def _no_key(cluster: LocalCluster, _: contextlib.ExitStack) -> None:
    (cluster.directory / "acme" / "storage.key").unlink()


def _without(name: str) -> Spoil:
    def spoil(cluster: LocalCluster, _: contextlib.ExitStack) -> None:
        file = cluster.directory / "acme" / "roster.yaml"
        file.write_text(render([m for m in Roster.load(file).members if m.name != name]))

    return spoil


def _other_key(cluster: LocalCluster, _: contextlib.ExitStack) -> None:
    there, here = (cluster.directory / name / "identity.key" for name in ("bolt", "acme"))
    here.write_bytes(there.read_bytes())


def _damaged(cluster: LocalCluster, _: contextlib.ExitStack) -> None:
    (cluster.directory / "acme" / "party.db").write_bytes(b"this is no database" * 100)


def _occupied(port: str, name: str = "acme") -> Spoil:
    def spoil(cluster: LocalCluster, stack: contextlib.ExitStack) -> None:
        address = getattr(Roster.load(cluster.roster()).member(name), port)
        host, _, number = address.rpartition(":")
        stack.enter_context(socket.create_server((host, int(number))))

    return spoil


CASES: dict[str, tuple[Spoil, str, ExitCode]] = {
    "no such value": (
        _in_config("delta: 1s", "delta: 1"),
        "acme/party.yaml:21:10: timing.delta: should be a duration with its unit",
        ExitCode.CONFIG,
    ),
    "unknown key": (
        _in_config("timing:", "timings:"),
        "acme/party.yaml:20:1: unknown key 'timings' (did you mean 'timing'?)",
        ExitCode.CONFIG,
    ),
    "doubled key": (
        _in_config("admin: party.sock", "admin: party.sock\nadmin: a.sock"),
        "the key 'admin' occurs twice",
        ExitCode.CONFIG,
    ),
    "no roster": (
        _in_config("roster: roster.yaml", "roster: rooster.yaml"),
        "acme/rooster.yaml: there is no such file",
        ExitCode.NOT_FOUND,
    ),
    "not in the roster": (
        _without("acme"),
        "acme/roster.yaml: acme is not a party of the roster",
        ExitCode.CONFIG,
    ),
    "no coordinator": (_without(COORDINATOR), "the roster has no coordinator", ExitCode.CONFIG),
    "another's key": (
        _other_key,
        "or the key is another's\n      to mend it: compare name, keys.identity and roster",
        ExitCode.CONFIG,
    ),
    "identity open to others": (
        _mode("identity.key"),
        "acme/identity.key: others may read or write this key file (mode 0640)\n      to mend it: chmod 600 ",
        ExitCode.CONFIG,
    ),
    "storage key open to others": (_mode("storage.key"), "acme/storage.key: others may", ExitCode.CONFIG),
    "no storage key": (_no_key, "acme/storage.key: there is no such key file", ExitCode.NOT_FOUND),
    "no directory for the store": (
        _in_config("store: party.db", "store: no/party.db"),
        "acme/no/party.db: the database cannot be opened: No such file or directory\n      to mend it: ",
        ExitCode.CONFIG,
    ),
    "damaged store": (_damaged, "acme/party.db: the database cannot be opened", ExitCode.CONFIG),
    "no directory for the socket": (
        _in_config("admin: party.sock", "admin: no/party.sock"),
        "acme/no/party.sock: the directory of the operator's socket does not exist",
        ExitCode.CONFIG,
    ),
    "control port in use": (
        _occupied("control"),
        ": cannot listen there: the port is in use",
        ExitCode.UNREACHABLE,
    ),
    "links port in use": (
        _occupied("links"),
        ": cannot listen there: Address already in use\n      to mend it: stop the other process",
        ExitCode.UNREACHABLE,
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_party_that_cannot_start_says_why(cluster: LocalCluster, kind: str) -> None:
    spoil, complaint, code = CASES[kind]
    with contextlib.ExitStack() as stack:
        spoil(cluster, stack)
        said = _serve(cluster.config("acme"))
    assert complaint in said.err
    assert said.err.startswith("mpcd: ")
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err


def test_a_configuration_that_is_not_there(cluster: LocalCluster) -> None:
    file = cluster.directory / "acme" / "nothing.yaml"
    for kind in ("party", COORDINATOR):
        said = _serve(file, kind)
        assert (said.code, said.err) == (ExitCode.NOT_FOUND, f"mpcd: {file}: there is no such file\n")


def test_a_coordinator_whose_port_is_in_use(cluster: LocalCluster) -> None:
    with contextlib.ExitStack() as stack:
        _occupied("control", COORDINATOR)(cluster, stack)
        said = _serve(cluster.config(COORDINATOR), COORDINATOR)
    assert said.code == ExitCode.UNREACHABLE
    assert "cannot listen there: the port is in use" in said.err


def test_a_second_daemon_on_one_store_is_refused(town: Town) -> None:
    """Everything else of its own: it would take the jobs of the first for left over. The first goes on."""
    home = town.directory / "acme"
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = iter([sock.getsockname()[1] for sock in free])
    text = re.sub(
        r"127\.0\.0\.1:\d+",
        lambda _: f"127.0.0.1:{next(ports)}",
        town.cluster.config("acme").read_text(),
    )
    second = home / "second.yaml"
    second.write_text(text.replace("admin: party.sock", "admin: second.sock"))
    try:
        said = _serve(second)
    finally:
        os.unlink(second)
    assert said.code == ExitCode.CONFIG
    assert "acme/party.db: another daemon has this database open" in said.err
    assert town.auction() == ("bolt", 650)


def test_the_same_daemon_twice(town: Town) -> None:
    said = _serve(town.cluster.config("acme"))
    assert said.code == ExitCode.CONFIG
    assert "another daemon has this database open" in said.err
    assert town.auction() == ("bolt", 650)
