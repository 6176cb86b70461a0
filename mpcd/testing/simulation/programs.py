"""The programs of simulated jobs, by name: four that are written down, and random ones.

All of them take one table, `bids`, of which every owner puts in one row.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import mpcd as mpc
from mpcd.apps.auction import first_price, second_price
from mpcd.errors import UsageError
from mpcd.lang.tracing import Definition
from mpcd.program.check import Checked
from mpcd.program.nodes import Node
from mpcd.program.text import parse, to_bytes
from mpcd.program.types import Type
from mpcd.testing.random_programs import random_program

TABLE = "bids"
OUTSIDE = 2**40
"""A bid that is in no program's range."""
RANDOM = "random"
"""`random`, `random-1`, `random-2`: a program each, of twenty random operations."""


@mpc.program
def squares(bids: mpc.Vector[mpc.UInt16]) -> object:
    """The sum of the squares: one round of products."""
    return mpc.reveal(total=mpc.dot(bids, bids))


@mpc.program
def above(bids: mpc.Vector[mpc.UInt32], reserve: mpc.Public[mpc.UInt32]) -> object:
    """How many bids reach the reserve."""
    return mpc.reveal(count=mpc.count(bids >= reserve))


WRITTEN: Mapping[str, Definition] = {
    "squares": squares,
    "above": above,
    "first-price": first_price,
    "second-price": second_price,
}


def _given() -> list[Node]:
    """What random programs are about."""
    return [
        Node("input", name=f"{TABLE}.x", declared=Type("int", ("n",), True, -20, 20)),
        Node("input", name=f"{TABLE}.y", declared=Type("int", ("n",), True, 0, 255)),
        Node("input", name=f"{TABLE}.b", declared=Type("bool", ("n",), True)),
        Node("parameter", name="reserve", declared=Type("int", (), False, -5, 5)),
        Node("parameter", name="order", declared=Type("order", ("n",), False)),
        Node("constant", literal=-3),
        Node("constant", literal=True),
    ]


@cache
def text_of(program: str) -> bytes:
    """Canonical program text.

    Raises  UsageError if there is no program of that name
    """
    if program in WRITTEN:
        return WRITTEN[program].canonical
    name, _, number = program.partition("-")
    if name != RANDOM or (number and not number.isdecimal()):
        known = ", ".join((*WRITTEN, RANDOM, f"{RANDOM}-NUMBER"))
        raise UsageError(f"there is no program {program!r} here", fix=f"one of {known}")
    return to_bytes(random_program(random.Random(program).randrange, _given()))


@cache
def checked_of(program: str) -> Checked:
    return parse(text_of(program))


def rows_of(program: str, bid: int) -> tuple[int, ...]:
    """The row that a bid stands for, by column: itself, or what it comes to within the ranges of a table."""
    inputs = checked_of(program).inputs
    if bid == OUTSIDE or list(inputs) == [TABLE]:
        return (bid,) * len(inputs)
    return tuple(t.low + (bid + 37 * k) % (t.high - t.low + 1) for k, t in enumerate(inputs.values()))
