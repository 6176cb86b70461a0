"""`mpcd receipt verify`: check a receipt with nothing but the roster; no daemon, no network."""

from __future__ import annotations

from pathlib import Path

import click

from mpcd.cli.exit_codes import ExitCode
from mpcd.cli.output import emit_json, json_option
from mpcd.errors import NotFoundError, UsageError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import Verdict, verify

MAX_BYTES = 4 << 20


@click.group("receipt")
def command() -> None:
    """Verify the receipt of a job offline."""


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--roster", "roster_file", required=True, type=click.Path(path_type=Path), help="The roster of the job."
)
@json_option
def verify_receipt(file: Path, roster_file: Path, as_json: bool) -> int:
    """Check the signatures of a receipt against a roster; exit code 12 if they do not suffice."""
    verdict = verify(read_receipt(file), Roster.load(roster_file))
    if as_json:
        emit_json("receipt", verdict_dict(verdict))
    else:
        click.echo(verdict_text(verdict))
    return ExitCode.OK if verdict.valid else ExitCode.PROBLEMS_FOUND


def read_receipt(file: Path) -> Envelope:
    """Raises  NotFoundError, or UsageError if the file holds no receipt"""
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}")
    try:
        return Envelope.from_text(file.read_bytes()[:MAX_BYTES].decode())
    except (MalformedError, UnicodeDecodeError):
        raise UsageError("this is not a receipt", where=str(file)) from None


def verdict_dict(verdict: Verdict) -> dict[str, object]:
    """A verdict as JSON."""
    return {
        "valid": verdict.valid,
        "reason": verdict.reason,
        "signed": list(verdict.signed),
        "silent": list(verdict.silent),
        "receipt": verdict.receipt.model_dump(mode="json"),
    }


def verdict_text(verdict: Verdict) -> str:
    """A verdict for a person."""
    r = verdict.receipt
    lines = [
        f"{'valid' if verdict.valid else 'NOT VALID'}: {verdict.reason}",
        f"  job        {r.job}",
        f"  session    {r.session}",
        f"  program    sha256:{r.program_hash}",
        f"  security   {r.protocol}, {r.adversary} adversary, profile {r.profile}: {r.outcome}",
        f"  signed by  {', '.join(verdict.signed) or 'nobody'}",
    ]
    if verdict.silent:
        lines.append(f"  unsigned   {', '.join(verdict.silent)}")
    for i in r.inputs:
        whose = ", all of them the default row of the job" if i.default else ""
        lines.append(f"  input      {i.owner}: {i.rows} rows for {i.argument}{whose}")
    for x in r.excluded:
        instead = "; the default row of the job was used" if x.default else ""
        lines.append(f"  excluded   {x.owner}: {x.argument}, {x.reason}{instead}")
    lines += [f"  output     {o.output} to {', '.join(o.to)}" for o in r.outputs]
    for number, epoch in enumerate(r.epochs):
        checks = "" if epoch.checked else ", without checks: the fourth was proven to cheat"
        lines.append(f"  epoch {number}    {epoch.protocol}: {', '.join(epoch.computing)}{checks}")
    for f in r.faults:
        who = f"blamed: {', '.join(f.blamed)}" if f.blamed else f"not heard of: {', '.join(f.unreachable)}"
        who = f"one of these, or their link: {', '.join(f.link)}" if f.link else who
        lines.append(f"  fault      {f.stage} ({who}): {f.reason}")
    return "\n".join(lines)
