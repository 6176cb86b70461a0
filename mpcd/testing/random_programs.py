"""Random programs: operations on random earlier values, those left out that do not fit.

Where the chance comes from is the caller's: dice of a seed, or Hypothesis, which makes small what fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mpcd.errors import UsageError
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import Type

Choose = Callable[[int], int]
"""n -> a number below n."""

OPERATIONS = sorted(name for name, op in OPS.items() if op.infer is not None and name != "matmul")
MAXIMA = (("n", 16),)
ATTEMPTS = 6
"""How often operands are looked for that fit an operation."""


def random_program(choose: Choose, given: Sequence[Node], operations: int = 20) -> Program:
    """A program on these inputs, parameters and constants.

    Everything secret that nobody uses is revealed, so that nothing is in vain, and some of what is used.
    """
    nodes, types = list(given), [_type(node) for node in given]
    for _ in range(operations):
        op = OPERATIONS[choose(len(OPERATIONS))]
        for _attempt in range(ATTEMPTS):
            args = _operands(choose, op, len(types))
            results = _results(op, [types[a] for a in args])
            if results is not None:
                nodes.append(Node(op, args))
                types.extend(results)
                break
    used = {a for node in nodes for a in node.args}
    outputs = [(f"out{v}", v) for v, t in enumerate(types) if t.secret and (v not in used or choose(2))]
    return pruned(nodes, outputs)


def _operands(choose: Choose, op: str, values: int) -> tuple[int, ...]:
    least, most = OPS[op].arity
    return tuple(choose(values) for _ in range(least + choose(most - least + 1)))


def _results(op: str, operands: list[Type]) -> Sequence[Type] | None:
    """The types of what an operation gives; None if it does not take such operands."""
    infer = OPS[op].infer
    if infer is None:
        return None
    try:
        return infer(operands, dict(MAXIMA))
    except UsageError:
        return None


def _type(node: Node) -> Type:
    if node.declared is not None:
        return node.declared
    if isinstance(node.literal, bool):
        return Type("bool", (), False)
    low = high = node.literal or 0
    return Type("int", (), False, low, high)


def pruned(nodes: list[Node], outputs: list[tuple[str, int]]) -> Program:
    """Without the operations that no output needs."""
    starts: list[int] = []
    total = 0
    for node in nodes:
        starts.append(total)
        total += len(OPS[node.op].results)
    needed = {v for _, v in outputs}
    keep = []
    for position in reversed(range(len(nodes))):
        values = range(starts[position], starts[position] + len(OPS[nodes[position].op].results))
        if needed.intersection(values):
            keep.append(position)
            needed.update(nodes[position].args)
    numbers: dict[int, int] = {}
    for position in reversed(keep):
        for k in range(len(OPS[nodes[position].op].results)):
            numbers[starts[position] + k] = len(numbers)
    kept = tuple(nodes[p]._replace(args=tuple(numbers[a] for a in nodes[p].args)) for p in reversed(keep))
    return Program("random", "", MAXIMA, kept, tuple((name, numbers[v]) for name, v in outputs))
