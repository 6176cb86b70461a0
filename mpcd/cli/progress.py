"""Following a job: a line that moves on a terminal, a line per state elsewhere, JSON lines on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.job_text import job_dict, work
from mpcd.errors import ChannelError

STAGES = ("proposed", "consented", "gathering", "computing", "verifying", "opening", "succeeded")


def follow(jobs: Iterator[pb.OperatorJob], as_json: bool) -> pb.OperatorJob:
    """Show every change until the job has ended; return its last view.

    Raises  ChannelError if the daemon stopped telling before the job had ended
    """
    last: pb.OperatorJob | None = None
    moving = sys.stderr.isatty() and not as_json
    for job in jobs:
        if as_json:
            click.echo(json.dumps({"kind": "job-progress", "version": 1, **job_dict(job)}))
        elif moving:
            click.echo(f"\r\033[K{_bar(job)}", nl=job.ended, err=True)
        elif last is None or job.state != last.state:
            click.echo(job.state + (f": {job.detail}" if job.detail else ""), err=True)
        last = job
    if last is None or not last.ended:
        raise ChannelError("the daemon stopped before the job had ended", fix="ask again: mpcd job watch")
    return last


def _bar(job: pb.OperatorJob) -> str:
    if job.state not in STAGES:
        return f"{job.state}: {job.detail}"
    done = STAGES.index(job.state)
    filled = "━" * (4 * done) + "·" * (4 * (len(STAGES) - 1 - done))
    return f"{filled} {job.state}" + (f"  {work(job)}" if job.progress.rounds_done else "")
