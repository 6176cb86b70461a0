"""What the demonstration tells at its end: the result, what happened, why it stands, where the proof is."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.auction_job import PARTIES
from mpcd.cli.demo_faults import Fault
from mpcd.cli.evidence import proof_dict
from mpcd.cli.exit_codes import ExitCode, exit_code_of_job
from mpcd.cli.job_text import job_dict, work
from mpcd.cli.receipt import verdict_dict
from mpcd.client.evidence import Finding
from mpcd.client.evidence import verify as verify_evidence
from mpcd.client.operator import Operator
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import EpochLine, FaultLine, Verdict, verify

RECEIPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Papers:
    """What anybody can check later: on the disk, and checked here in the same way.

    directory  where they are; nothing in it is secret
    """

    directory: Path
    verdict: Verdict | None
    findings: tuple[Finding, ...]

    @classmethod
    def fetch(cls, operator: Operator, job: pb.OperatorJob, roster_file: Path, directory: Path) -> Self:
        """Into `directory`, from the daemon of a party that is not at fault."""
        directory.mkdir(exist_ok=True)
        shutil.copy(roster_file, directory / "roster.yaml")
        roster = Roster.load(directory / "roster.yaml")
        verdict = None
        if job.state == "succeeded":
            receipt = operator.receipt(job.job, RECEIPT_S)
            (directory / "receipt.json").write_text(receipt.to_text())
            verdict = verify(receipt, roster)
        evidence = operator.evidence(job.job)
        findings: list[Finding] = []
        if evidence.records:
            (directory / "evidence.json").write_text(evidence.to_text())
            findings = verify_evidence(evidence, roster)[1]
        return cls(directory, verdict, tuple(findings))

    @property
    def commands(self) -> list[str]:
        """How to check them, at a shell; nothing, once they are removed."""
        kinds = [kind for kind in ("receipt", "evidence") if (self.directory / f"{kind}.json").exists()]
        roster = self.directory / "roster.yaml"
        return [f"mpcd {kind} verify {self.directory / kind}.json --roster {roster}" for kind in kinds]


@dataclass(slots=True)
class Outcome:
    """How a demonstration went.

    learns    who learns what, as the plan said
    began, fault_at  seconds since 1970; fault_at None if nothing was killed or fell silent
    job       as a party sees it that is not at fault; outputs: None if there are none
    """

    fault: Fault | None
    learns: tuple[str, ...]
    began: float
    fault_at: float | None
    job: pb.OperatorJob
    outputs: dict[str, int] | None
    papers: Papers
    came_back: bool = False

    @property
    def seconds(self) -> float:
        """From submission to result."""
        return self.job.history[-1].at_ms / 1000 - self.began

    @property
    def after_fault(self) -> float | None:
        return None if self.fault_at is None else self.job.history[-1].at_ms / 1000 - self.fault_at

    @property
    def winner(self) -> str | None:
        won = -1 if self.outputs is None else self.outputs["winner"]
        return PARTIES[won] if won >= 0 else None

    @property
    def accused(self) -> bool:
        """Whether signed words have shown that somebody cheats."""
        return any(finding.record.blamed for finding in self.papers.findings)


def exit_code(outcome: Outcome) -> ExitCode:
    """OK if the result stands, whatever went wrong on the way."""
    return exit_code_of_job(outcome.job.state, outcome.accused)


def timeline(outcome: Outcome) -> list[tuple[float, str, str]]:
    """(seconds since the submission, state or "fault", words) in order of time."""
    lines = [(step.at_ms / 1000 - outcome.began, step.state, step.detail) for step in outcome.job.history]
    if outcome.fault is not None and outcome.fault_at is not None:
        lines.append((outcome.fault_at - outcome.began, "fault", outcome.fault.what))
    return sorted(lines, key=lambda line: line[0])


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON."""
    fault, papers = outcome.fault, outcome.papers
    receipt = papers.verdict.receipt if papers.verdict is not None else None
    found = [line.model_dump(mode="json") for line in receipt.faults] if receipt is not None else []
    return {
        "stands": outcome.outputs is not None,
        "outputs": outcome.outputs,
        "winner": outcome.winner,
        "price": None if outcome.outputs is None else outcome.outputs["price"],
        "seconds": outcome.seconds,
        "fault": None if fault is None else fault.as_dict(),
        "seconds_after_fault": outcome.after_fault,
        "came_back": outcome.came_back,
        "timeline": [{"seconds": s, "state": state, "detail": text} for s, state, text in timeline(outcome)],
        "epochs": [line.model_dump(mode="json") for line in receipt.epochs] if receipt is not None else [],
        "found": found,
        "records": [
            {
                "kind": finding.record.kind,
                "blamed": list(finding.record.blamed),
                "unreachable": list(finding.record.unreachable),
                "detail": finding.record.detail,
                "proven": [proof_dict(proof) for proof in finding.proven],
            }
            for finding in papers.findings
        ],
        "job": job_dict(outcome.job),
        "receipt": None if papers.verdict is None else verdict_dict(papers.verdict),
        "papers": {"directory": str(papers.directory), "verify": papers.commands},
    }  # fmt: skip


def tell(outcome: Outcome) -> None:
    """The result on standard output, and what is said about it."""
    lines = [""]
    if outcome.fault is not None:
        lines += [*_what_happened(outcome), ""]
    lines += _result(outcome)
    if outcome.fault is not None:
        lines += _why_it_stands(outcome)
    verdict = outcome.papers.verdict
    if verdict is not None:
        lines.append(f"Work:    {work(outcome.job)}, {outcome.seconds:.2f} s from submission to result")
        signed = f" ({', '.join(verdict.signed)})" if outcome.fault else ""
        lines.append(f"Receipt: {verdict.reason}{signed}; verified offline against the roster")
    lines += [f"{'Check:' if k == 0 else '':8} {text}" for k, text in enumerate(outcome.papers.commands)]
    click.echo("\n".join(lines))
    sys.stdout.flush()
    if outcome.outputs is not None:
        click.echo("\nThe demonstration knows all bids, and the auction in clear says the same.", err=True)
    if outcome.fault is None:
        click.echo(
            "Try to break it:       mpcd demo auction --cheat bolt, or --kill acme@computing", err=True
        )
        click.echo("A cluster that stays:  mpcd cluster up", err=True)


def _what_happened(outcome: Outcome) -> list[str]:
    lines = [f"What happened, as {outcome.fault.observer if outcome.fault else ''} tells it:"]
    for seconds, state, text in timeline(outcome):
        mark = "!" if state == "fault" else " "
        words = text if state == "fault" else f"{state:10} {text}".rstrip()
        lines.append(f"  {seconds:6.2f} s {mark} {words}")
    return lines


def _result(outcome: Outcome) -> list[str]:
    if outcome.outputs is None:
        return [f"No output for anybody: the job ended {outcome.job.state}.", *_accounts(outcome)]
    if outcome.winner is None:
        return ["Nothing was sold."]
    first = f"Winner: {outcome.winner}   pays {outcome.outputs['price']}"
    return [first, *(f"  {text}" for text in outcome.learns)] if outcome.fault is None else [first]


def _accounts(outcome: Outcome) -> list[str]:
    """What a party has on record, where there is no receipt."""
    lines = []
    for finding in outcome.papers.findings:
        lines += [f"  PROVEN: {proof}" for proof in finding.proven]
        lines += [f"  {text}" for text in finding.claimed]
    return lines


def _why_it_stands(outcome: Outcome) -> list[str]:
    if outcome.papers.verdict is None:
        return ["Nothing is opened before all agree that every check has passed; so nobody has an output."]
    receipt = outcome.papers.verdict.receipt
    nothing = f"nobody to leave out: {outcome.fault.mended if outcome.fault is not None else ''}"
    lines = [f"Found:   {_found(line)}" for line in receipt.faults] or [f"Found:   {nothing}"]
    for number, epoch in enumerate(receipt.epochs):
        lines.append(f"{'Epochs:' if number == 0 else '':8} {_epoch(number, epoch)}")
    lines.append(f"Stands:  {_reason(receipt.epochs, receipt.faults)}")
    if outcome.came_back and outcome.fault is not None:
        lines.append(f"         {outcome.fault.who} was started again and has the same outputs.")
    return lines


def _found(line: FaultLine) -> str:
    if line.unreachable:
        return f"{', '.join(line.unreachable)} unreachable, which is no accusation ({line.reason})"
    if line.link:
        return f"nothing came through between {' and '.join(line.link)} ({line.reason})"
    who = line.blamed[0] if len(line.blamed) == 1 else f"one of {' and '.join(line.blamed)}"
    return f"{who} cheats ({line.reason})"


def _epoch(number: int, epoch: EpochLine) -> str:
    how = epoch.protocol if epoch.checked else f"{epoch.protocol}, no checks needed"
    return f"{number}  {how}: {', '.join(epoch.computing)}"


def _reason(epochs: tuple[EpochLine, ...], faults: tuple[FaultLine, ...]) -> str:
    if len(epochs) == 1 and epochs[0].protocol == "rep4":
        if faults:
            return "three said the same about every share of the outputs, and all their checks had passed."
        return "all checks had passed at all four, and each share of an output is held by three of them."
    if not epochs[-1].checked:
        # Checks are left out only if exactly one party is in every set that contains a cheater.
        sets = [frozenset(line.blamed) for line in faults if line.blamed]
        (cheat,) = frozenset.intersection(*sets)
        why = "is in both pairs, so it cheats" if frozenset({cheat}) not in sets else "is proven to cheat"
        return f"{cheat} {why}; the other three are honest then, and the bids are those committed to."
    again = "again " if len(epochs) > 1 else ""
    return f"these three computed {again}on the bids that were committed to, and checked each other."
