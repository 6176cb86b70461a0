"""`mpcd roster`: put the entries of all organisations together, and look at the result."""

from __future__ import annotations

from pathlib import Path

import click

from mpcd.cli.output import emit_json, json_option, table
from mpcd.identity.roster import Member, Roster, render


@click.group("roster")
def command() -> None:
    """Put the entries of all organisations together, and look at the result."""


@command.command("join")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def join(files: tuple[Path, ...]) -> None:
    """Print the roster of all members in FILES: `mpcd roster join */member.yaml > roster.yaml`."""
    members: list[Member] = [m for file in files for m in Roster.load(file).members]
    click.echo(render(Roster.of(members).members), nl=False)


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, as_json: bool) -> None:
    """The members of a roster, and its hash: it must be the same at all organisations."""
    roster = Roster.load(file)
    if as_json:
        members = [{"name": m.name, "role": m.role, "key": m.verify_key.hex()} for m in roster.members]
        emit_json("roster", {"hash": roster.hash.hex(), "members": members})
        return
    click.echo(f"sha256:{roster.hash.hex()}")
    rows = [[m.name, m.role, m.control, m.links, m.verify_key.hex()[:16]] for m in roster.members]
    table(rows, ["NAME", "ROLE", "CONTROL", "LINKS", "IDENTITY"])
