"""Which daemon on this machine a command talks to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mpcd.errors import NotFoundError
from mpcd.identity.config import PartyConfig

F = TypeVar("F", bound=Callable[..., Any])

PLACES = (Path("party.yaml"), Path("/etc/mpcd/party.yaml"))


def config_option(function: F) -> F:
    """The option --config, as parameter `config`: the party whose daemon is meant."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        envvar="MPCD_CONFIG",
        help="The party's configuration [default: $MPCD_CONFIG, ./party.yaml, /etc/mpcd/party.yaml].",
    )(function)


def find_config(given: Path | None) -> PartyConfig:
    """The configuration that the command names or that stands in a usual place.

    Raises  NotFoundError if there is none, ConfigError if it is wrong
    """
    for place in (given,) if given is not None else PLACES:
        if place.exists() and os.access(place, os.R_OK):
            return PartyConfig.load(place)
    raise NotFoundError(
        f"there is no configuration {given or ' or '.join(map(str, PLACES))}",
        fix="name it with --config, or set MPCD_CONFIG",
    )
