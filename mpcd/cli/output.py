"""How commands speak: data on standard output, talk on standard error, JSON on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

JSON_VERSION = 1
"""Version of the shape of all `--json` output; it rises when a field changes its meaning or goes."""


def json_option(function: F) -> F:
    """The `--json` flag, as parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs to read.")(function)


def emit_json(kind: str, content: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps({"kind": kind, "version": JSON_VERSION, **content}, ensure_ascii=False))


def say(text: str) -> None:
    """Talk to the person at the terminal; never data."""
    click.echo(text, err=True)


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> None:
    """Print columns aligned, on standard output; an empty list prints its header only."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def human_bytes(count: float) -> str:
    """1234567 as "1.2 MB" (powers of ten)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
