"""Levels: which operations of a program may share their rounds.

A level holds the interactive operations whose operands are ready, and then the local operations that
become possible. Operations of one level do not depend on each other, so their rounds are merged; the
number of levels is the interactive depth of the program and not its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from mpcd.program.check import Checked
from mpcd.program.cost_rules import Call
from mpcd.program.ops import OPS
from mpcd.program.types import lengths

BLOCKS_AT_ONCE = 4
"""Blocks of `engine.block_elements` whose messages and temporaries may be alive at the same time."""
BRANCHES_AT_ONCE = 256
"""Operations that share a round at most; it bounds the size of labels and paths."""


TALKED = -1
"""Stands for the interactive operations of a level, which come before all local ones."""


@dataclass(slots=True)
class Level:
    """Positions of nodes, and value numbers.

    interactive  need messages; independent of each other
    local        need none; in order of definition, after the interactive ones
    dead         position of a local operation, or TALKED -> values that nothing needs after it, or after
                 the interactive operations
    """

    interactive: list[int] = field(default_factory=list)
    local: list[int] = field(default_factory=list)
    dead: dict[int, list[int]] = field(default_factory=dict)


def schedule(checked: Checked) -> list[Level]:
    """The levels of a program, in order. Linear in its size."""
    types, starts = checked.types, checked.starts
    stops = (*starts[1:], len(types))
    depth: list[int] = []  # of each value
    last: list[tuple[int, int]] = []  # of each value: level, and local position or TALKED, of its last use
    levels: list[Level] = []
    for position, node in enumerate(checked.program.nodes):
        level = 0
        for arg in node.args:
            if depth[arg] > level:
                level = depth[arg]
        results = types[starts[position] : stops[position]]
        talks = results[0].secret and OPS[node.op].talks([types[a] for a in node.args], results)
        level += talks
        while len(levels) <= level:
            levels.append(Level())
        (levels[level].interactive if talks else levels[level].local).append(position)
        use = (level, TALKED if talks else position)
        for arg in node.args:
            if last[arg] < use:
                last[arg] = use
        depth += [level] * len(results)
        last += [use] * len(results)
    kept = {value for _, value in checked.program.outputs}
    for value, (level, after) in enumerate(last):
        if value not in kept:
            levels[level].dead.setdefault(after, []).append(value)
    return levels


def call_of(checked: Checked, position: int, dims: dict[str, int], compare_bits: int) -> Call:
    """A node with its types and the actual lengths, for cost rules and lowering."""
    types, node = checked.types, checked.program.nodes[position]
    start = checked.starts[position]
    results = types[start : start + len(OPS[node.op].results)]
    return Call(tuple(map(types.__getitem__, node.args)), results, dims, compare_bits)


@dataclass(frozen=True, slots=True)
class Task:
    """The interactive operation at a position, whole, or elements start..stop of it."""

    position: int
    start: int
    stop: int
    whole: bool


def groups(checked: Checked, level: Level, dims: dict[str, int], block: int) -> Iterator[list[Task]]:
    """The interactive work of a level in portions that share their rounds, one after the other."""
    group: list[Task] = []
    elements = 0
    for task in _tasks(checked, level, dims, block):
        size = task.stop - task.start
        if group and (elements + size > BLOCKS_AT_ONCE * block or len(group) == BRANCHES_AT_ONCE):
            yield group
            group, elements = [], 0
        group.append(task)
        elements += size
    if group:
        yield group


def _tasks(checked: Checked, level: Level, dims: dict[str, int], block: int) -> Iterator[Task]:
    for position in level.interactive:
        node = checked.program.nodes[position]
        values = (checked.starts[position], *node.args)
        sizes = [math.prod(lengths(checked.types[v].shape, dims)) for v in values]
        if sizes[0] <= block or not OPS[node.op].elementwise:
            yield Task(position, 0, max(sizes), True)
            continue
        for start in range(0, sizes[0], block):
            yield Task(position, start, min(start + block, sizes[0]), False)
