"""`mpcd version`."""

from __future__ import annotations

import platform

import click

from mpcd import __version__
from mpcd.cli.output import emit_json, json_option


@click.command("version")
@json_option
def command(as_json: bool) -> None:
    """Print the version of mpcd and of the Python it runs on."""
    if as_json:
        emit_json("version", {"mpcd": __version__, "python": platform.python_version()})
    else:
        click.echo(f"mpcd {__version__} (Python {platform.python_version()})")
