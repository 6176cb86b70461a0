"""Jobs, plans and results as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.output import emit_json, human_bytes
from mpcd.client.operator import Results

SHOWN = 12
"""Hexadecimal digits of a job's hash in texts."""


def when(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(job: pb.OperatorJob) -> list[str]:
    """One row of the list of jobs."""
    return [job.job.hex()[:SHOWN], job.name, job.state, job.submitter, job.detail]


def describe(job: pb.OperatorJob) -> str:
    """Everything but values, for a person."""
    lines = [
        f"job        {job.job.hex()}",
        f"name       {job.name}, submitted by {job.submitter}",
        f"parties    {', '.join(job.parties)}",
        f"state      {job.state}" + (f": {job.detail}" if job.detail else ""),
        f"deadline   {when(job.deadline_ms)}",
    ]
    if job.session:
        lines.append(f"session    {job.session.hex()} (attempt {job.attempt})")
    if job.progress.rounds_done:
        lines.append(f"work       {work(job)}")
    lines += [f"  {when(s.at_ms)}  {s.state:10} {s.detail}".rstrip() for s in job.history]
    return "\n".join(lines)


def work(job: pb.OperatorJob) -> str:
    """Rounds and bytes of the present epoch so far, and the rounds of the plan, which is for the first."""
    p = job.progress
    total = f" of {p.rounds_total}" if p.rounds_done <= p.rounds_total else ""
    return (
        f"{p.rounds_done}{total} rounds, {human_bytes(p.bytes_sent)} sent, "
        f"{human_bytes(p.bytes_received)} received by this party"
    )


def job_dict(job: pb.OperatorJob) -> dict[str, Any]:
    """A job as JSON."""
    return {
        "job": job.job.hex(),
        "name": job.name,
        "submitter": job.submitter,
        "state": job.state,
        "ended": job.ended,
        "detail": job.detail,
        "parties": list(job.parties),
        "deadline": when(job.deadline_ms),
        "attempt": job.attempt,
        "session": job.session.hex() or None,
        "progress": {
            "rounds_done": job.progress.rounds_done,
            "rounds_total": job.progress.rounds_total,
            "bytes_sent": job.progress.bytes_sent,
            "bytes_received": job.progress.bytes_received,
        },
        "history": [{"state": s.state, "at": when(s.at_ms), "detail": s.detail} for s in job.history],
    }


def outputs_dict(outputs: Results) -> dict[str, Any]:
    """Results as JSON: whole numbers, or nested lists of them."""
    return {name: array.tolist() for name, array in outputs.items()}


def rows_dict(origins: Mapping[str, pb.RowOrigin]) -> dict[str, Any]:
    """Whose rows outputs name, as JSON; rows are numbered from 0."""
    return {
        name: {
            "row": origin.row,
            "owner": origin.owner if origin.HasField("owner") else None,
            "owner_row": origin.owner_row if origin.HasField("owner_row") else None,
        }
        for name, origin in origins.items()
    }


def print_outputs(outputs: Results, origins: Mapping[str, pb.RowOrigin]) -> None:
    """Results as text, one output a line, with whose row it is where an output names one."""
    for name, value in outputs_dict(outputs).items():
        click.echo(f"{name} = {json.dumps(value)}{_whose(origins.get(name))}")


def _whose(origin: pb.RowOrigin | None) -> str:
    """Whose row, for people: from 1, as the receipt counts them."""
    if origin is None:
        return ""
    if not origin.HasField("owner"):
        return " (nobody)"
    which = f"row {origin.owner_row + 1}" if origin.HasField("owner_row") else "a row"
    return f" ({which} of {origin.owner})"


def print_plan(plan: pb.PlanReply, as_json: bool, *, to_stderr: bool = False) -> None:
    """What a job costs, who learns what, and what forbids it."""
    facts = [{"topic": f.topic, "party": f.party, "text": f.text} for f in plan.facts]
    if as_json:
        cost = {"rounds": plan.rounds, "bytes_per_party": plan.bytes_per_party, "memory": plan.memory_bytes}
        emit_json("plan", {"acceptable": plan.acceptable, "cost": cost, "facts": facts})
        return
    for fact in plan.facts:
        prefix = f"{fact.party}: " if fact.party else ""
        click.echo(f"{fact.topic:10} {prefix}{fact.text}", err=to_stderr)
    cost_text = (
        f"{plan.rounds} rounds, at most {human_bytes(plan.bytes_per_party)} sent and "
        f"{human_bytes(plan.memory_bytes)} of memory per computing party"
    )
    click.echo(f"{'cost':10} {cost_text}", err=to_stderr)
