"""Random programs with inputs for them, for Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from mpcd.program.check import Checked, check
from mpcd.program.nodes import Node, Program
from mpcd.program.types import Type
from mpcd.testing.random_programs import random_program


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
    return random_program(lambda n: draw(st.integers(0, n - 1)), arguments(), operations)


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
