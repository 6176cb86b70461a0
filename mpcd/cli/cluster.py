"""`mpcd cluster`: a local cluster that stays, to try things on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import click

from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.cli.local_cluster import LocalCluster
from mpcd.cli.output import emit_json, json_option, say
from mpcd.errors import ChannelError

START_S = 60.0
DEFAULT = Path("cluster")

directory_option = click.option(
    "--directory", type=click.Path(path_type=Path), default=DEFAULT, show_default=True
)


@click.group("cluster")
def command() -> None:
    """Keep a local cluster of daemons up: a coordinator and four parties on this machine."""


@command.command("up")
@directory_option
@json_option
def up(directory: Path, as_json: bool) -> None:
    """Start the cluster in DIRECTORY; the first time, make its keys, configurations and bids."""
    directory = directory.absolute()
    if (directory / "coordinator").exists():
        cluster = LocalCluster.at(directory)
        already = cluster.pids()
        cluster.start(tuple(n for n in ("coordinator", *cluster.parties) if n not in already))
    else:
        cluster = LocalCluster.create(directory, {name: random_bid() for name in PARTIES})
        (directory / "auction.yaml").write_text(job_text("auction"))
        cluster.start()
    cluster.wait_ready(is_ready, START_S)
    if as_json:
        emit_json("cluster", {"directory": str(directory), "processes": cluster.pids()})
        return
    first = cluster.config(cluster.parties[0])
    say(f"{len(cluster.parties)} parties and a coordinator are up in {directory}")
    say(f"try:   mpcd job submit {directory / 'auction.yaml'} --watch --config {first}")
    say(f"       mpcd job result auction --config {first}")
    say(f"stop:  mpcd cluster down --directory {directory}")


@command.command("down")
@directory_option
def down(directory: Path) -> None:
    """Stop the daemons; their files stay."""
    cluster = LocalCluster.at(directory.absolute())
    cluster.stop()
    say(f"stopped; the files are still in {cluster.directory}")


@command.command("files")
@directory_option
def files(directory: Path) -> None:
    """Make the files of a cluster in containers: each party is a host of its own name."""
    cluster = LocalCluster.create(
        directory.absolute(), {name: random_bid() for name in PARTIES}, addresses=_hosts()
    )
    (cluster.directory / "acme" / "auction.yaml").write_text(job_text("auction"))
    say(f"wrote the files of {', '.join(('coordinator', *cluster.parties))} to {cluster.directory}")


def _hosts() -> Iterator[str]:
    yield "coordinator:7400"
    for name in PARTIES:
        yield f"{name}:7411"
        yield f"{name}:7412"


def random_bid() -> int:
    """A bid between 100 and 999."""
    return 100 + secrets.randbelow(900)


def is_ready(socket: Path) -> bool:
    """Whether the daemon behind this socket answers, sees its coordinator and can reach its peers."""
    from mpcd.client.operator import Operator

    try:
        with Operator(socket) as operator:
            return operator.status(timeout_s=2.0).coordinator_attached
    except ChannelError:
        return False
