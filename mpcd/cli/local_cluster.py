"""A cluster on this machine: one directory, one process per organisation, addresses on the loopback.

For the demonstration, for trying things out and for the end-to-end tests: these are the real daemons with
real keys, certificates, configurations and files; only the machine is shared.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpcd.cli.organisation import COORDINATOR_FILE, PARTY_FILE, Dataset, init_coordinator, init_party
from mpcd.errors import ChannelError, NotFoundError, UsageError
from mpcd.identity.roster import Member, render

COORDINATOR = "coordinator"
PROCESSES_FILE = "processes.json"
CHEATING_DAEMON = "mpcd.testing.cheat"
"""Started as a process of its own: no command carries an attack."""

BID = Dataset(file="bid.csv", column="amount", low=0, high=(1 << 32) - 1)


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A directory with one sub-directory per organisation; `parties` are in order of creation."""

    directory: Path
    parties: tuple[str, ...]

    @classmethod
    def create(
        cls,
        directory: Path,
        bids: Mapping[str, int | None],
        *,
        delta: str = "1s",
        patience: str | None = None,
        addresses: Iterator[str] | None = None,
    ) -> LocalCluster:
        """Make keys, rosters, configurations and, for parties that bid, a CSV file with the bid.

        `addresses` gives one address for the coordinator, then control and links of every party; without it
        free ports of the loopback are taken. `patience` is how long a party waits for one that says nothing
        at all, in a round and in a stage, where that should be shorter than by default.

        Raises  UsageError if the directory holds a cluster already, or sockets in it would have
                names longer than the system allows
        """
        if len(str(directory / max(bids, key=len) / "party.sock").encode()) > 100:
            raise UsageError(f"{directory} has too long a path for a Unix socket", fix="use a shorter one")
        anywhere = addresses is not None
        where = addresses or iter(_free_ports(2 * len(bids) + 1))
        home = directory / COORDINATOR
        members = [init_coordinator(home, COORDINATOR, control=next(where), anywhere=anywhere)]
        for name, bid in bids.items():
            home = directory / name
            data = {"bid": BID} if bid is not None else None
            places = {"control": next(where), "links": next(where)}
            members.append(
                init_party(
                    home,
                    name,
                    anywhere=anywhere,
                    data=data,
                    delta=delta,
                    patience=patience,
                    automatic=True,
                    **places,
                )
            )
            if bid is not None:
                write_bid(home / BID.file, bid)
        _share_roster(directory, members)
        return cls(directory, tuple(bids))

    @classmethod
    def at(cls, directory: Path) -> LocalCluster:
        """The cluster that `create` made in this directory.

        Raises  NotFoundError if there is none
        """
        if not (directory / COORDINATOR / COORDINATOR_FILE).exists():
            raise NotFoundError(f"there is no cluster in {directory}", fix="mpcd cluster up")
        names = sorted(path.parent.name for path in directory.glob(f"*/{PARTY_FILE}"))
        return cls(directory, tuple(names))

    def config(self, name: str) -> Path:
        """The configuration file of a party or of the coordinator."""
        return self.directory / name / (COORDINATOR_FILE if name == COORDINATOR else PARTY_FILE)

    def log(self, name: str) -> Path:
        """Where the daemon's log lines go."""
        return self.directory / name / "daemon.log"

    def roster(self) -> Path:
        return self.directory / COORDINATOR / "roster.yaml"

    def socket(self, name: str) -> Path:
        """The operator socket of a party."""
        return self.directory / name / "party.sock"

    def start(self, names: tuple[str, ...] | None = None) -> dict[str, int]:
        """Start daemons (all by default) as processes of their own; return their process numbers."""
        pids = dict(self.pids())
        for name in names if names is not None else (COORDINATOR, *self.parties):
            pids[name] = self._spawn(name, self.command(name))
        (self.directory / PROCESSES_FILE).write_text(json.dumps(pids))
        return pids

    def start_cheating(self, name: str, edits: Sequence[str]) -> None:
        """Start a party's daemon with parts of it replaced: what it does differently is said by `edits`."""
        words = [word for edit in edits for word in ("--edit", edit)]
        command = [sys.executable, "-m", CHEATING_DAEMON, "--config", str(self.config(name)), *words]
        pids = {**self.pids(), name: self._spawn(name, command)}
        (self.directory / PROCESSES_FILE).write_text(json.dumps(pids))

    def pids(self) -> dict[str, int]:
        """Process numbers of the daemons that were started and still run."""
        try:
            known: dict[str, int] = json.loads((self.directory / PROCESSES_FILE).read_text())
        except FileNotFoundError:
            return {}
        return {name: pid for name, pid in known.items() if _is_ours(pid, self.config(name))}

    def wait_ready(self, is_ready: Callable[[Path], bool], timeout_s: float) -> None:
        """Wait until every running party says that it is ready, asked at its socket.

        Raises  ChannelError if one has ended or is not ready in time, with the end of its log
        """
        deadline = time.monotonic() + timeout_s
        for name in self.parties:
            while not (self.socket(name).exists() and is_ready(self.socket(name))):
                running = self.pids()
                missing = {name, COORDINATOR} - running.keys()
                if missing or time.monotonic() > deadline:
                    who = min(missing) if missing else name
                    what = "has ended" if missing else f"is not ready after {timeout_s:g} s"
                    raise ChannelError(f"the daemon of {who} {what}: {self._last_words(who)}")
                time.sleep(0.02)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ask the daemons to end, and end those that do not."""
        pids = self.pids()
        for pid in pids.values():
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while (left := self.pids()) and time.monotonic() < deadline:
            _reap(left.values())
            time.sleep(0.02)
        for pid in left.values():
            _signal(pid, signal.SIGKILL)
        _reap(pids.values())
        (self.directory / PROCESSES_FILE).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """End one daemon without warning."""
        pid = self.pids().get(name)
        if pid is not None:
            _signal(pid, signal.SIGKILL)
            while _is_ours(pid, self.config(name)):
                _reap([pid])
                time.sleep(0.005)

    def remove(self) -> None:
        """Delete the directory with all keys; the daemons must have ended."""
        shutil.rmtree(self.directory)

    def command(self, name: str) -> list[str]:
        """The command line of a daemon."""
        kind = "coordinator" if name == COORDINATOR else "party"
        return [sys.executable, "-m", "mpcd", kind, "serve", "--config", str(self.config(name))]

    def _spawn(self, name: str, command: Sequence[str]) -> int:
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        # For a moment a process that was just started has no command line, and would not be known as ours.
        while process.poll() is None and not _is_ours(process.pid, self.config(name)):
            time.sleep(0.001)
        return process.pid

    def _last_words(self, name: str) -> str:
        try:
            lines = self.log(name).read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            lines = []
        return " / ".join(lines[-3:]) or "it left no log"


def write_bid(path: Path, amount: int | str) -> None:
    """A CSV file with one bid."""
    path.write_text(f"{BID.column}\n{amount}\n")
    path.chmod(0o600)


def _share_roster(directory: Path, members: list[Member]) -> None:
    text = render(members)
    for member in members:
        (directory / member.name / "roster.yaml").write_text(text)


def _free_ports(count: int) -> list[str]:
    """Addresses on the loopback that nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]


def _is_ours(pid: int, config: Path) -> bool:
    """Whether the process still runs the daemon of this configuration (numbers are reused)."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return str(config).encode() in command.split(b"\0")


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(pids: Iterable[int]) -> None:
    """Collect those that were children of ours and have ended; others belong to init."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
