"""`mpcd demo`: a whole job between real daemons on this machine, with a fault if one is asked for."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.apps.auction import second_price_in_clear
from mpcd.cli.auction_job import PARTIES, RESERVE, job_text
from mpcd.cli.cluster import START_S, is_ready, random_bid
from mpcd.cli.demo_faults import DEFAULT_LIE, LIES, Fault, cheating, killed
from mpcd.cli.demo_report import Outcome, Papers, as_dict, exit_code, tell
from mpcd.cli.job_text import outputs_dict
from mpcd.cli.local_cluster import COORDINATOR, LocalCluster
from mpcd.cli.output import emit_json, json_option
from mpcd.client.operator import Operator
from mpcd.errors import InternalError, UsageError

JOB_S = 60.0
DELTA, PATIENCE = "500ms", "3s"
"""Where somebody falls silent: a cluster on one machine need not wait for it as long as one on a network."""


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
@click.option(
    "--kill", metavar="NAME@STAGE", help="Kill somebody: acme@computing, coordinator@gathering, ..."
)
@click.option("--cheat", metavar="NAME", help="Let this party cheat.")
@click.option("--lie", type=click.Choice(tuple(LIES)), help=f"How it cheats.  [default: {DEFAULT_LIE}]")
@click.option("--profile", type=click.Choice(("guaranteed", "fair", "abort")), default="guaranteed")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the cluster's files in this directory.")
@json_option
def auction(
    kill: str | None, cheat: str | None, lie: str | None, profile: str, keep: Path | None, as_json: bool
) -> int:
    """A sealed-bid auction between four organisations, one of which may be malicious.

    The stages at which somebody can be killed are gathering, computing, verifying and opening.
    """
    fault = _fault(kill, cheat, lie)
    story = Story(quiet=as_json)
    story.say(
        'mpcd demo "auction": 4 organisations and a coordinator on this machine, real daemons, real TLS'
    )
    directory = keep.absolute() if keep else Path(tempfile.mkdtemp(prefix="mpcd-"))
    # What was found is to be checked after the cluster is gone.
    place = Path(tempfile.mkdtemp(prefix="mpcd-papers-")) if fault and not keep else directory / "papers"
    try:
        outcome = _show(directory, fault, profile, place, story)
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    if as_json:
        emit_json("demo", as_dict(outcome))
    else:
        tell(outcome)
    return exit_code(outcome)


def _fault(kill: str | None, cheat: str | None, lie: str | None) -> Fault | None:
    if kill is not None and cheat is not None:
        raise UsageError("somebody is killed, or somebody cheats", fix="give one of --kill and --cheat")
    if lie is not None and cheat is None:
        raise UsageError("--lie says how somebody cheats", fix="say who: --cheat NAME")
    if kill is not None:
        return killed(kill)
    return None if cheat is None else cheating(cheat, lie or DEFAULT_LIE)


def _show(directory: Path, fault: Fault | None, profile: str, place: Path, story: Story) -> Outcome:
    bids = {name: random_bid() for name in PARTIES}
    with story.step("keys, identity certificates, rosters, configurations, one CSV file with a bid each"):
        if fault is not None and fault.is_silence:
            # In a round a closed link says it at once; opening, nobody is waited for. Otherwise all wait.
            patience = None if fault.word in ("computing", "opening") else PATIENCE
            cluster = LocalCluster.create(directory, bids, delta=DELTA, patience=patience)
        else:
            cluster = LocalCluster.create(directory, bids)
    try:
        with story.step(f"daemons: coordinator, {', '.join(PARTIES)} (separate processes, mutual TLS 1.3)"):
            if fault is None:
                cluster.start()
            else:
                fault.start(cluster)
            cluster.wait_ready(is_ready, START_S)
        outcome = _run(cluster, bids, fault, profile, place, story)
        if outcome.outputs is not None and fault and fault.kind == "kill" and fault.who != COORDINATOR:
            with story.step(f"{fault.who} is started again, and asks for the outputs"):
                _return(cluster, outcome)
        return outcome
    finally:
        cluster.stop()


def _run(
    cluster: LocalCluster,
    bids: dict[str, int],
    fault: Fault | None,
    profile: str,
    place: Path,
    story: Story,
) -> Outcome:
    """The job, from its submission to the papers that remain of it at `place`."""
    file = cluster.directory / "auction.yaml"
    file.write_text(job_text("auction", profile=profile))
    from mpcd.cli.job import read_job

    job_file, program = read_job(file)
    with Operator(cluster.socket(fault.observer if fault else PARTIES[0])) as operator:
        plan = operator.plan(job_file, str(file), program)
        began = time.time()
        with story.step("second-price auction on shared bids; malicious security, 1 of 4 may cheat"):
            job, _ = operator.submit(job_file, str(file), program)
            if fault is not None:
                story.say(f"  ! {fault.what}")
            fault_at = fault.happen(cluster, lambda: operator.get(job).ended) if fault else None
            *_, last = operator.watch(job, JOB_S)
        papers = Papers.fetch(operator, last, cluster.roster(), place)
    facts = tuple(fact.text for fact in plan.facts if fact.topic == "learns")
    outputs = _everybodys_outputs(cluster, last, fault) if last.state == "succeeded" else None
    if outputs is not None:
        _check(bids, outputs)
    return Outcome(fault, facts, began, fault_at, last, outputs, papers)


def _everybodys_outputs(cluster: LocalCluster, job: pb.OperatorJob, fault: Fault | None) -> dict[str, int]:
    """The outputs, asked for at every party's own daemon that is not at fault; they must not differ."""
    seen: list[dict[str, int]] = []
    for name in PARTIES:
        if fault is None or name != fault.who:
            with Operator(cluster.socket(name)) as operator:
                seen.append(outputs_dict(operator.result(job.job, JOB_S)))
    if any(other != seen[0] for other in seen):
        raise InternalError("two parties were given different outputs")
    return seen[0]


def _check(bids: dict[str, int], outputs: dict[str, int]) -> None:
    """Compare with the auction in clear: the demonstration made the bids and knows them."""
    expected = second_price_in_clear(list(bids.values()), RESERVE, list(range(len(bids))))
    if (outputs["winner"], outputs["price"]) != (expected["winner"], expected["price"]):
        raise InternalError("the result differs from that of the auction in clear")


def _return(cluster: LocalCluster, outcome: Outcome) -> None:
    """Whoever was killed comes back as the ordinary daemon, and gets what the others got."""
    assert outcome.fault is not None
    who = outcome.fault.who
    cluster.start((who,))
    cluster.wait_ready(is_ready, START_S)
    with Operator(cluster.socket(who)) as operator:
        if outputs_dict(operator.result(outcome.job.job, JOB_S)) != outcome.outputs:
            raise InternalError("two parties were given different outputs")
    outcome.came_back = True
