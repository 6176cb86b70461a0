"""`mpcd party`: set up, run and look at an organisation's daemon."""

from __future__ import annotations

from pathlib import Path

import click

from mpcd.cli.job_text import when
from mpcd.cli.local_daemon import config_option, find_config
from mpcd.cli.organisation import MEMBER_FILE, PARTY_FILE, init_party
from mpcd.cli.output import emit_json, json_option, say


@click.group("party")
def command() -> None:
    """Set up, run and look at an organisation's daemon."""


@command.command("init")
@click.argument("name")
@click.option("--directory", type=click.Path(path_type=Path), default=Path(), show_default=True)
@click.option("--control", required=True, help="host:port where others reach the daemon.")
@click.option("--links", required=True, help="host:port where others reach running jobs.")
def init(name: str, directory: Path, control: str, links: str) -> None:
    """Create keys, a configuration to edit, and the entry for everybody's roster."""
    init_party(directory, name, control=control, links=links)
    say(f"wrote {directory / PARTY_FILE}: edit data and policy")
    say(f"wrote {directory / MEMBER_FILE}: give it to the others; `mpcd roster join` makes the roster")


@command.command("serve")
@click.option("--config", type=click.Path(path_type=Path), required=True, envvar="MPCD_CONFIG")
def serve(config: Path) -> None:
    """Run the daemon until it is told to stop (SIGTERM)."""
    from mpcd.party.daemon import main

    main(config)


@command.command("status")
@config_option
@json_option
def status(config: Path | None, as_json: bool) -> None:
    """How the daemon on this machine is doing."""
    from mpcd.client.operator import Operator

    with Operator(find_config(config).admin) as operator:
        found = operator.status()
    if as_json:
        peers = [{"name": p.name, "role": p.role, "connected": p.connected} for p in found.peers]
        facts = {"name": found.name, "mpcd": found.version, "roster": found.roster_hash.hex()}
        attached = {"coordinator_attached": found.coordinator_attached, "peers": peers}
        emit_json("party-status", {**facts, **attached, "jobs_running": found.jobs_running})
        return
    click.echo(f"{found.name}  mpcd {found.version}  roster {found.roster_hash.hex()[:12]}")
    click.echo(f"control {found.control}  links {found.links}  jobs running {found.jobs_running}")
    click.echo(f"coordinator {'attached' if found.coordinator_attached else 'NOT ATTACHED'}")
    click.echo(f"TLS certificate valid until {when(found.leaf_expires_at_ms)}, renewed before")
    for peer in found.peers:
        click.echo(f"  {peer.name:16} {'connected' if peer.connected else 'not connected'}")
