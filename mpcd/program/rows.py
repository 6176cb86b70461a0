"""Outputs that are numbers of rows: found from what a program does, so nobody declares it wrongly."""

from __future__ import annotations

from collections.abc import Sequence

from mpcd.program.check import Checked
from mpcd.program.nodes import Node

_NO_ROW = ""
"""Stands for a constant below zero, by which programs say that there is no such row."""
_INDICES = {"argmax": (False, True), "top2": (False, True, False, True)}


def row_outputs(checked: Checked) -> dict[str, str]:
    """Output name -> the dimension whose row it names, for the outputs that always are a number of a row, in
    the order of the rows, or below zero if there is none."""
    found: list[str | None] = []
    for position, node in enumerate(checked.program.nodes):
        known = _of_node(checked, node, found)
        found.extend(known or [None] * len(checked.results(position)))
    return {name: dim for name, value in checked.program.outputs if (dim := found[value])}


def _of_node(checked: Checked, node: Node, found: Sequence[str | None]) -> list[str | None] | None:
    """What the results of a node are, if they may be numbers of rows."""
    if node.op in _INDICES:
        (dim,) = checked.types[node.args[0]].shape
        return [dim if index and isinstance(dim, str) else None for index in _INDICES[node.op]]
    if node.op == "constant" and not isinstance(node.literal, bool) and (node.literal or 0) < 0:
        return [_NO_ROW]
    if node.op == "select":
        yes, no = (found[arg] for arg in node.args[1:])
        if yes is None or no is None or (yes and no and yes != no):
            return None
        return [yes or no]
    return None
