"""`mpcd coordinator`: set up and run a coordinator."""

from __future__ import annotations

from pathlib import Path

import click

from mpcd.cli.organisation import COORDINATOR_FILE, MEMBER_FILE, init_coordinator
from mpcd.cli.output import say


@click.group("coordinator")
def command() -> None:
    """Set up and run a coordinator."""


@command.command("init")
@click.argument("name")
@click.option("--directory", type=click.Path(path_type=Path), default=Path(), show_default=True)
@click.option("--control", required=True, help="host:port where the parties reach it.")
def init(name: str, directory: Path, control: str) -> None:
    """Create keys, a configuration, and the entry for everybody's roster."""
    init_coordinator(directory, name, control=control)
    say(f"wrote {directory / COORDINATOR_FILE}")
    say(f"wrote {directory / MEMBER_FILE}: give it to the parties")


@command.command("serve")
@click.option("--config", type=click.Path(path_type=Path), required=True, envvar="MPCD_CONFIG")
def serve(config: Path) -> None:
    """Run the coordinator until it is told to stop (SIGTERM)."""
    from mpcd.coordinator.daemon import main

    main(config)
