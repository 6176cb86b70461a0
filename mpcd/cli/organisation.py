"""The files of one organisation: keys, certificate, configuration, and its entry for the others' rosters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mpcd.errors import UsageError
from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.keys import Identity, create_storage_key
from mpcd.identity.roster import Member, entry_of, render

MEMBER_FILE = "member.yaml"
PARTY_FILE = "party.yaml"
COORDINATOR_FILE = "coordinator.yaml"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A CSV file with one column of whole numbers from `low` to `high`."""

    file: str
    column: str
    low: int
    high: int


def init_party(
    directory: Path,
    name: str,
    *,
    control: str,
    links: str,
    anywhere: bool = False,
    data: Mapping[str, Dataset] | None = None,
    delta: str = "2s",
    patience: str | None = None,
    automatic: bool = False,
) -> Member:
    """Create keys and a commented party.yaml in a new or empty directory; return the roster entry.

    Shapes  control, links: "host:port", where the daemon is reached; it listens there too, or at
            the same ports of all addresses of the machine if `anywhere`
            delta, patience: durations; patience is that of a round and of a stage, by default the usual ones
    Raises  UsageError if something is there already
    """
    identity, certificate = _create_keys(directory, name, PARTY_FILE)
    create_storage_key(directory / "storage.key")
    member = entry_of(identity, certificate, "party", control, links)
    listen = {"control": _listen(control, anywhere), "links": _listen(links, anywhere)}
    text = _PARTY.format(name=name, delta=delta, **listen)
    text += _PATIENCE.format(patience=patience) if patience is not None else ""
    text += _data_section(data or {}) + _policy_section(automatic)
    _finish(directory, PARTY_FILE, text, member)
    return member


def init_coordinator(directory: Path, name: str, *, control: str, anywhere: bool = False) -> Member:
    """Create keys and a commented coordinator.yaml; return the roster entry. Addresses as in `init_party`.

    Raises  UsageError if something is there already
    """
    identity, certificate = _create_keys(directory, name, COORDINATOR_FILE)
    member = entry_of(identity, certificate, "coordinator", control)
    _finish(
        directory,
        COORDINATOR_FILE,
        _COORDINATOR.format(name=name, control=_listen(control, anywhere)),
        member,
    )
    return member


def _listen(address: str, anywhere: bool) -> str:
    return f"0.0.0.0:{address.rpartition(':')[2]}" if anywhere else address


def _create_keys(directory: Path, name: str, file: str) -> tuple[Identity, bytes]:
    if (directory / file).exists() or (directory / "identity.key").exists():
        raise UsageError(
            f"{directory} is set up already", fix="choose another directory, or remove this one by hand"
        )
    identity = Identity.create(name)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity.save(directory / "identity.key")
    return identity, self_signed_ca(identity, now=datetime.now(UTC))


def _finish(directory: Path, file: str, text: str, member: Member) -> None:
    (directory / file).write_text(text)
    (directory / MEMBER_FILE).write_text(render([member]))


def _data_section(data: Mapping[str, Dataset]) -> str:
    if not data:
        return _NO_DATA
    lines = ["", "# Private data: it never leaves this machine in clear.", "data:"]
    for name, dataset in data.items():
        column = f"      {dataset.column}: {{type: int, min: {dataset.low}, max: {dataset.high}}}"
        lines += [f"  {name}:", f"    file: {dataset.file}", "    columns:", column]
    return "\n".join(lines) + "\n"


def _policy_section(automatic: bool) -> str:
    return _ALLOW_ALL if automatic else _ALLOW_NOTHING


_PARTY = """\
# The configuration of one organisation's daemon. Relative paths are relative to this file.
apiVersion: mpcd/v1
kind: Party
name: {name}

# Everybody's names, addresses and certificates; the same file at all organisations.
roster: roster.yaml

# Where this daemon accepts connections: control messages, and the links of running jobs.
listen:
  control: '{control}'
  links: '{links}'

# The local operator's socket: whoever may open it acts for this organisation.
admin: party.sock

# Jobs, transitions, commitments, receipts (SQLite; private values are encrypted under storage.key).
store: party.db

timing:
  delta: {delta}       # silence for longer than this counts: the bound of the synchronous network
"""

_PATIENCE = """\
  round: {patience}       # a peer that says nothing for so long in a protocol round is given up
  stage: {patience}       # and one that says nothing for so long in a stage before it
"""

_NO_DATA = """
# Private data: it never leaves this machine in clear. For example:
# data:
#   bid:
#     file: bid.csv
#     columns:
#       amount: {type: int, min: 0, max: 4294967295}
"""

_ALLOW_ALL = """
# What this organisation takes part in without asking anybody: everything. For a cluster on one machine.
policy:
  rules:
    - submitters: ['*']
      programs: ['*']
      computing: ['*']
      recipients: ['*']
      datasets: ['*']
      approval: automatic
"""

_ALLOW_NOTHING = """
# What this organisation takes part in: nothing that is not listed. For example:
# policy:
#   rules:
#     - submitters: [acme]
#       programs: [second-price-auction]
#       computing: [acme, bolt, crux, dana]
#       recipients: ['*']
#       datasets: [bid]
#       approval: automatic
"""

_COORDINATOR = """\
# The configuration of a coordinator: it schedules jobs and carries signed statements, and sees no share.
apiVersion: mpcd/v1
kind: Coordinator
name: {name}

# Everybody's names, addresses and certificates; the same file at all organisations.
roster: roster.yaml

listen: '{control}'

# Jobs and the parties' signed reports (SQLite).
store: coordinator.db
"""
