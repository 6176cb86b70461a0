"""Levels: which operations of a program may share their rounds.

A level holds the interactive operations whose operands are ready, and then the local operations that
become possible. Operations of one level do not depend on each other, so their rounds are merged; the
number of levels is the interactive depth of the program and not its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mpcd.program.check import Checked
from mpcd.program.cost_rules import Call
from mpcd.program.ops import OPS


@dataclass(slots=True)
class Level:
    """Positions of nodes, and value numbers.

    interactive  need messages; independent of each other
    local        need none; in order of definition, after the interactive ones
    dead         values that nothing needs after this level
    """

    interactive: list[int] = field(default_factory=list)
    local: list[int] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)


def schedule(checked: Checked, compare_bits: int = 64) -> list[Level]:
    """The levels of a program, in order. Linear in its size."""
    nodes, types = checked.program.nodes, checked.types
    maxima = checked.maxima
    depth: list[int] = []  # of each value
    last: list[int] = []  # level of the last use of each value
    levels: list[Level] = []
    for position, node in enumerate(nodes):
        results = checked.results(position)
        call = Call(
            tuple([types[a] for a in node.args]), tuple([types[v] for v in results]), maxima, compare_bits
        )
        interactive = call.results[0].secret and bool(OPS[node.op].cost(call))
        level = max([depth[a] for a in node.args], default=0) + interactive
        while len(levels) <= level:
            levels.append(Level())
        (levels[level].interactive if interactive else levels[level].local).append(position)
        for arg in node.args:
            last[arg] = max(last[arg], level)
        depth.extend([level] * len(results))
        last.extend([level] * len(results))
    kept = {value for _, value in checked.program.outputs}
    for value, level in enumerate(last):
        if value not in kept:
            levels[level].dead.append(value)
    return levels


def call_of(checked: Checked, position: int, dims: Mapping[str, int], compare_bits: int) -> Call:
    """A node with its types and the actual lengths, for the cost rules."""
    args = tuple([checked.types[a] for a in checked.program.nodes[position].args])
    results = tuple([checked.types[v] for v in checked.results(position)])
    return Call(args, results, dict(dims), compare_bits)
