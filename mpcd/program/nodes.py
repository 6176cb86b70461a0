"""A program: a straight line of numbered values, in administrative normal form.

Value numbers are given in order of definition; a node defines one or several consecutive values and may
only use smaller numbers, so a cycle cannot even be written. Nothing in here remembers the names of
local variables or source lines: two sources that mean the same line of operations are the same program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mpcd.program.types import Type


class Node(NamedTuple):
    """One operation (a tuple, because a program may have thousands and is read under a time limit).

    op        a key of `mpcd.program.ops.OPS`
    args      value numbers
    name      of an input or a parameter, otherwise ""
    declared  type of an input or a parameter
    literal   value of a constant: an integer or a truth value
    """

    op: str
    args: tuple[int, ...] = ()
    name: str = ""
    declared: Type | None = None
    literal: int | bool | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A whole program.

    doc      one paragraph for the person who approves it. It is part of the canonical bytes and so
             of the hash: nobody can put another explanation under an approved program.
    maxima   named dimension -> greatest length, in the order of the declaration
    outputs  (name, value number) of everything that is revealed; who learns it says the job
    """

    name: str
    doc: str
    maxima: tuple[tuple[str, int], ...]
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]
