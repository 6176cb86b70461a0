"""`mpcd demo`: a whole job between real daemons on this machine, from keys to receipt."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mpcd.apps.auction import second_price_in_clear
from mpcd.cli.auction_job import PARTIES, RESERVE, job_text
from mpcd.cli.cluster import START_S, is_ready, random_bid
from mpcd.cli.exit_codes import BY_STATE, ExitCode
from mpcd.cli.job_text import job_dict, outputs_dict, work
from mpcd.cli.local_cluster import LocalCluster
from mpcd.cli.output import emit_json, json_option
from mpcd.cli.receipt import verdict_dict
from mpcd.client.operator import Operator
from mpcd.errors import InternalError
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import Verdict, verify

JOB_S = 60.0


@click.group("demo")
def command() -> None:
    """Run a whole job between real daemons on this machine."""


@dataclass(slots=True)
class Story:
    """What is told while the demonstration runs: on standard error, or not at all."""

    quiet: bool

    def say(self, text: str) -> None:
        if not self.quiet:
            click.echo(text, err=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A line that ends with the seconds the step took."""
        began = time.monotonic()
        yield
        self.say(f"  ✓ {text:<86} {time.monotonic() - began:5.2f} s")


@command.command("auction")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the cluster's files in this directory.")
@json_option
def auction(keep: Path | None, as_json: bool) -> int:
    """A sealed-bid auction between four organisations, one of which may be malicious."""
    story = Story(quiet=as_json)
    story.say(
        'mpcd demo "auction": 4 organisations and a coordinator on this machine, real daemons, real TLS'
    )
    directory = keep.absolute() if keep else Path(tempfile.mkdtemp(prefix="mpcd-"))
    bids = {name: random_bid() for name in PARTIES}
    with story.step("keys, identity certificates, rosters, configurations, one CSV file with a bid each"):
        cluster = LocalCluster.create(directory, bids)
    try:
        with story.step(f"daemons: coordinator, {', '.join(PARTIES)} (separate processes, mutual TLS 1.3)"):
            cluster.start()
            cluster.wait_ready(is_ready, START_S)
        return _run(cluster, bids, story, as_json)
    finally:
        cluster.stop()
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)


def _run(cluster: LocalCluster, bids: dict[str, int], story: Story, as_json: bool) -> int:
    file = cluster.directory / "auction.yaml"
    file.write_text(job_text("auction"))
    from mpcd.cli.job import read_job

    job_file, program = read_job(file)
    with Operator(cluster.socket(PARTIES[0])) as operator:
        plan = operator.plan(job_file, str(file), program)
        with story.step("second-price auction on shared bids; malicious security, 1 of 4 may cheat"):
            job, _ = operator.submit(job_file, str(file), program)
            began = time.monotonic()
            *_, last = operator.watch(job, JOB_S)
            seconds = time.monotonic() - began
        if last.state != "succeeded":
            story.say(f"  ✗ the job ended {last.state}: {last.detail}")
            return BY_STATE.get(last.state, ExitCode.UNKNOWN)
        receipt = operator.receipt(job, JOB_S)
    outputs = _everybodys_outputs(cluster, job)
    verdict = verify(receipt, Roster.load(cluster.roster()))
    winner, price = outputs["winner"], outputs["price"]
    _check(bids, winner, price)
    if as_json:
        facts = {"outputs": outputs, "winner": PARTIES[winner] if winner >= 0 else None, "price": price}
        emit_json("demo", {**facts, "seconds": seconds, "job": job_dict(last), **_verdict(verdict)})
        return ExitCode.OK
    click.echo(f"\nWinner: {PARTIES[winner]}   pays {price}" if winner >= 0 else "\nNothing was sold.")
    for fact in plan.facts:
        if fact.topic == "learns":
            click.echo(f"  {fact.text}")
    click.echo(f"Work:    {work(last)}, {seconds:.2f} s from submission to result")
    click.echo(f"Receipt: {verdict.reason}; verified offline against the roster")
    sys.stdout.flush()
    story.say("\nThe demonstration knows all bids, and the auction in clear says the same.")
    story.say("A cluster that stays:  mpcd cluster up")
    return ExitCode.OK


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"receipt": verdict_dict(verdict)}


def _everybodys_outputs(cluster: LocalCluster, job: bytes) -> dict[str, int]:
    """The outputs, asked for at every party's own daemon; they must not differ."""
    seen: list[dict[str, int]] = []
    for name in PARTIES:
        with Operator(cluster.socket(name)) as operator:
            seen.append(outputs_dict(operator.result(job, JOB_S)))
    if any(other != seen[0] for other in seen):
        raise InternalError("two parties were given different outputs")
    return seen[0]


def _check(bids: dict[str, int], winner: int, price: int) -> None:
    """Compare with the auction in clear: the demonstration made the bids and knows them."""
    expected = second_price_in_clear(list(bids.values()), RESERVE, list(range(len(bids))))
    if (winner, price) != (expected["winner"], expected["price"]):
        raise InternalError("the result differs from that of the auction in clear")
