"""`mpcd evidence`: read and check a party's records of faults; no daemon, no network."""

from __future__ import annotations

from pathlib import Path

import click

from mpcd.cli.exit_codes import ExitCode
from mpcd.cli.local_daemon import config_option, find_config
from mpcd.cli.output import emit_json, json_option
from mpcd.client.contradictions import Proof
from mpcd.client.evidence import MAX_BYTES, EvidenceFile, Finding, in_common, verify
from mpcd.errors import NotFoundError, RefusedError, UsageError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.roster import Roster
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.specification import Specification


@click.group("evidence")
def command() -> None:
    """Read and check what a party has recorded about faults (`mpcd job evidence`), offline."""


file_argument = click.argument("file", type=click.Path(path_type=Path))


@command.command("verify")
@file_argument
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path),
    help="The roster of the job [default: the roster of the party's configuration].",
)
@config_option
@json_option
def verify_file(file: Path, roster_file: Path | None, config: Path | None, as_json: bool) -> int:
    """Say what is proven and what is only claimed; exit code 12 if a signature does not hold."""
    read = read_evidence(file)
    roster = Roster.load(roster_file if roster_file is not None else find_config(config).roster)
    try:
        specification, findings = verify(read, roster)
    except (RefusedError, MalformedError) as error:
        if as_json:
            emit_json("evidence", {"valid": False, "reason": error.what, "records": []})
        else:
            click.echo(f"NOT VALID: {error.what}")
        return ExitCode.PROBLEMS_FOUND
    if as_json:
        reason = f"all signatures of {len(findings)} records hold"
        emit_json(
            "evidence",
            {
                "valid": True,
                "reason": reason,
                "job": read.job.digest.hex(),
                "records": [finding_dict(finding) for finding in findings],
                "together": in_common(findings, specification) or None,
            },
        )
    else:
        click.echo(verdict_text(read, specification, findings))
    return ExitCode.OK


@command.command("show")
@file_argument
@json_option
def show(file: Path, as_json: bool) -> None:
    """What the records say, without checking anything."""
    try:
        records = [Evidence.from_bytes(envelope.payload) for envelope in read_evidence(file).records]
    except MalformedError as error:
        raise UsageError(error.what, where=str(file)) from None
    if as_json:
        emit_json("evidence-unverified", {"records": [r.model_dump(mode="json") for r in records]})
        return
    click.echo("not verified; see: mpcd evidence verify")
    for number, record in enumerate(records, 1):
        click.echo("\n".join(map(printable, record_lines(number, record))))


def read_evidence(file: Path) -> EvidenceFile:
    """Raises  NotFoundError, or UsageError if the file holds no evidence"""
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}")
    try:
        with file.open("rb") as stream:
            return EvidenceFile.from_text(stream.read(MAX_BYTES).decode())
    except (MalformedError, UnicodeDecodeError):
        raise UsageError("this is not a file with evidence", where=str(file)) from None


def accuses(file: EvidenceFile) -> bool:
    """Whether one of the records says that somebody cheats; silence does not."""
    return any(Evidence.from_bytes(envelope.payload).blamed for envelope in file.records)


def proof_dict(proof: Proof) -> dict[str, object]:
    """A proof as JSON. parties: one, who did it; several: at least one of them lies."""
    return {"parties": list(proof.parties), "what": proof.what, "assuming": proof.assuming or None}


def finding_dict(finding: Finding) -> dict[str, object]:
    """A finding as JSON."""
    return {
        "proven": [proof_dict(proof) for proof in finding.proven],
        "claimed": list(finding.claimed),
        "record": finding.record.model_dump(mode="json"),
    }


def verdict_text(file: EvidenceFile, specification: Specification, findings: list[Finding]) -> str:
    """All findings for a person."""
    lines = [
        f"valid: all signatures of {len(findings)} records hold",
        f"  job        {file.job.digest.hex()}",
        f"  name       {specification.name}, submitted by {specification.submitter}",
    ]
    for number, finding in enumerate(findings, 1):
        lines += record_lines(number, finding.record)
        for proof in finding.proven:
            lines.append(f"    PROVEN   {proof}")
            lines += [f"             assuming that {proof.assuming}"] if proof.assuming else []
        lines += [f"    claimed  {text}" for text in finding.claimed]
    together = in_common(findings, specification)
    lines += [f"  together   {together}"] if together else []
    return "\n".join(map(printable, lines))


def printable(line: str) -> str:
    """One line and no more, whatever is in it: a reporter's words must not look like ours."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def record_lines(number: int, record: Evidence) -> list[str]:
    """What one record says."""
    lines = [
        f"  record {number}   {record.kind} at {record.step or 'no step'}, reported by {record.reporter}"
    ]
    if record.blamed:
        lines.append(f"    blamed   {', '.join(record.blamed)}")
    if record.unreachable:
        lines.append(f"    silent   {', '.join(record.unreachable)}")
    return [*lines, f"    words    {record.detail}"] if record.detail else lines
