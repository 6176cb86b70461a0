"""`mpcd program`: read, check and try programs on this machine, in clear and without any daemon.

A program is named by one of: the name of one that comes with mpcd (`second_price`), a Python file with one
program (`auction.py`) or a function in it (`auction.py:second_price`), or a file of canonical text
(`auction.mpcir`). A Python file is executed, here and nowhere else: name only files of your own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from mpcd.apps.catalogue import CATALOGUE, find
from mpcd.cli.output import emit_json, human_bytes, json_option, table
from mpcd.errors import UsageError
from mpcd.lang.loading import load_program, read_ir
from mpcd.program.check import Checked
from mpcd.program.cost import estimate
from mpcd.program.evaluate import evaluate
from mpcd.program.reading import show
from mpcd.program.text import program_hash, to_bytes
from mpcd.protocols.rep4.costs import Rep4Costs


def resolve(reference: str) -> Checked:
    """The program that a command line names.

    Raises  NotFoundError or UsageError
    """
    if reference.endswith(".mpcir"):
        return read_ir(reference)
    path, _, function = reference.partition(":")
    if path.endswith(".py"):
        return load_program(path, function or None).checked
    return find(reference).definition.checked


@click.group("program")
def command() -> None:
    """Read, check and try programs; nothing leaves this machine."""


@command.command("list")
@json_option
def list_programs(as_json: bool) -> None:
    """The programs that come with mpcd."""
    if as_json:
        entries = [{"name": e.name, "hash": e.definition.hash.hex()} for e in CATALOGUE.values()]
        emit_json("programs", {"programs": entries})
    else:
        table([[e.name, e.description] for e in CATALOGUE.values()], ["NAME", "WHAT IT COMPUTES"])


@command.command("show")
@click.argument("program")
@click.option("--canonical", is_flag=True, help="Print the canonical text, the bytes that the hash is over.")
def show_program(program: str, canonical: bool) -> None:
    """Print a program as the person who approves it reads it."""
    checked = resolve(program)
    text = to_bytes(checked.program).decode() if canonical else show(checked)
    click.echo(text, nl=False)


@command.command("check")
@click.argument("program")
@click.option("--rows", type=click.IntRange(1), help="Estimate the cost for so many rows per dimension.")
@json_option
def check_program(program: str, rows: int | None, as_json: bool) -> None:
    """Validate a program and estimate what it costs under rep4."""
    checked = resolve(program)
    dims = {name: min(rows or most, most) for name, most in checked.maxima.items()}
    cost = estimate(checked, dims, Rep4Costs())
    digest = program_hash(to_bytes(checked.program)).hex()
    if as_json:
        facts = {"hash": digest, "dims": dims, "rounds": cost.rounds, "bytes_sent": cost.bytes_sent}
        emit_json("program-check", {**facts, "memory_bytes": cost.memory_bytes})
        return
    click.echo(f"program   {checked.program.name}  sha256:{digest}")
    click.echo(f"inputs    {', '.join(f'{n}: {t}' for n, t in checked.inputs.items())}")
    click.echo(f"reveals   {', '.join(checked.outputs)}")
    bounds = ", ".join(f"{n} = {v}" for n, v in dims.items()) or "fixed sizes"
    sent, memory = human_bytes(cost.bytes_sent), human_bytes(cost.memory_bytes)
    click.echo(f"cost      {cost.rounds} rounds, {sent} sent by the busiest party, {memory} of memory each,")
    click.echo(f"          for {bounds}, with four parties of rep4 and nothing going wrong")


@command.command("test")
@click.argument("program")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
def run_in_clear(program: str, values: tuple[str, ...], as_json: bool) -> None:
    """Run a program on clear values: `mpcd program test second_price bids=3,9,5 reserve=4 order=0,1,2`."""
    checked = resolve(program)
    given = dict(_value(text) for text in values)
    parameters = {name: v for name, v in given.items() if name in checked.parameters}
    inputs = {name: v for name, v in given.items() if name not in parameters}
    outputs = {name: np.asarray(v).tolist() for name, v in evaluate(checked, inputs, parameters).items()}
    if as_json:
        emit_json("program-test", {"outputs": outputs})
    else:
        for name, value in outputs.items():
            click.echo(f"{name} = {json.dumps(value)}")


def _value(text: str) -> tuple[str, Any]:
    """NAME=1, NAME=true, NAME=1,2,3 or NAME=@file with one value a line."""
    name, equals, raw = text.partition("=")
    if not name or not equals:
        raise UsageError(f"{text!r} is not NAME=VALUE")
    if raw.startswith("@"):
        path = Path(raw[1:])
        if not path.is_file():
            raise UsageError(f"there is no file {path}", where=name)
        raw = ",".join(path.read_text().split())
    try:
        parsed = [json.loads(part) for part in raw.split(",")]
    except json.JSONDecodeError:
        raise UsageError(
            f"{name}: a value is a whole number, true or false, or several with commas"
        ) from None
    return name, parsed if "," in raw else parsed[0]
