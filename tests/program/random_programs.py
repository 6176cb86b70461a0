"""Random programs with inputs for them, for Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.program.check import Checked, check
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import Type

OPERATIONS = sorted(name for name, op in OPS.items() if op.infer is not None and name != "matmul")
MAXIMA = (("n", 16),)


@dataclass(frozen=True)
class Case:
    """A program and what to run it on."""

    checked: Checked
    inputs: dict[str, npt.NDArray[Any]]
    parameters: dict[str, Any]

    def __repr__(self) -> str:
        from mpcd.program.text import to_bytes

        return f"{to_bytes(self.checked.program).decode()}{self.inputs} {self.parameters}"


def arguments() -> list[Node]:
    return [
        Node("input", name="x", declared=Type("int", ("n",), True, -20, 20)),
        Node("input", name="y", declared=Type("int", ("n",), True, 0, 255)),
        Node("input", name="one", declared=Type("int", (), True, -(1 << 40), 1 << 40)),
        Node("input", name="b", declared=Type("bool", ("n",), True)),
        Node("parameter", name="p", declared=Type("int", (), False, -5, 5)),
        Node("parameter", name="v", declared=Type("int", ("n",), False, 0, 9)),
        Node("parameter", name="o", declared=Type("order", ("n",), False)),
        Node("constant", literal=-3),
        Node("constant", literal=True),
    ]


@st.composite
def programs(draw: st.DrawFn, operations: int = 20) -> Program:
    """Operations on random earlier values, those left out that do not fit."""
    nodes, types = arguments(), [*_types(arguments())]
    for _ in range(operations):
        op = draw(st.sampled_from(OPERATIONS))
        infer = OPS[op].infer
        assert infer is not None
        for _attempt in range(6):
            args = draw(
                st.lists(st.integers(0, len(types) - 1), min_size=OPS[op].arity[0], max_size=OPS[op].arity[1])
            )
            try:
                results = infer([types[a] for a in args], dict(MAXIMA))
            except UsageError:
                continue
            nodes.append(Node(op, tuple(args)))
            types.extend(results)
            break
    # Everything nobody uses is revealed, so that nothing is in vain; what is public goes into a sum.
    used = {a for node in nodes for a in node.args}
    outputs = [
        (f"out{v}", v) for v, t in enumerate(types) if t.secret and (v not in used or draw(st.booleans()))
    ]
    return pruned(nodes, outputs)


def _types(nodes: list[Node]) -> list[Type]:
    return [
        n.declared or (Type("bool", (), False) if n.literal is True else Type("int", (), False, -3, -3))
        for n in nodes
    ]


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


@st.composite
def cases(draw: st.DrawFn, operations: int = 20) -> Case:
    program = draw(programs(operations))
    checked = check(program)
    n = draw(st.integers(1, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values: dict[str, Any] = {
        "x": rng.integers(-20, 21, n),
        "y": rng.integers(0, 256, n),
        "one": rng.integers(-(1 << 40), (1 << 40) + 1),
        "b": rng.integers(0, 2, n).astype(bool),
        "p": int(rng.integers(-5, 6)),
        "v": rng.integers(0, 10, n),
        "o": rng.permutation(n),
    }
    inputs = {name: np.asarray(values[name]) for name in checked.inputs}
    return Case(checked, inputs, {name: values[name] for name in checked.parameters})
