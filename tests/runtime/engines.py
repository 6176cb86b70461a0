"""Engines that the interpreter is tested on, each in lockstep with all its parties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.program.check import Checked
from mpcd.program.evaluate import dims_of
from mpcd.protocols.engine import Ints
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.interpreter import run
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep3.three import parties as parties_of_rep3
from tests.protocols.rep3.three import share as share_rep3
from tests.protocols.rep4.four import parties
from tests.protocols.rep4.four import share as share_rep4
from tests.toy.engine import ToyEngine
from tests.toy.engine import share as share_toy

Array = npt.NDArray[Any]
Given = Mapping[str, Any]


@dataclass(frozen=True)
class Setup:
    """How to make the parties of an engine, how to share an input among them, the rounds of a product."""

    engines: Callable[[], Sequence[Any]]
    share: Callable[[Ints, int], Sequence[Any]]
    product_rounds: int = 1


ENGINES = {
    "toy": Setup(lambda: [ToyEngine(0), ToyEngine(1)], share_toy),
    "rep3": Setup(lambda: [Rep3Engine(party) for party in parties_of_rep3()], share_rep3, 6),
    "rep3 unchecked": Setup(
        lambda: [Rep3Engine(party, checked=False) for party in parties_of_rep3()], share_rep3
    ),
    "rep4": Setup(lambda: [Rep4Engine(party) for party in parties()], share_rep4),
}


def execute(
    setup: Setup,
    checked: Checked,
    inputs: Given,
    parameters: Given,
    *,
    block: int | None = None,
) -> tuple[dict[str, Ints], int]:
    """Run a program on shares of the inputs; the opened outputs, and the rounds without the opening."""
    engines = setup.engines()
    shares = {
        name: setup.share(np.asarray(value, np.int64), k) for k, (name, value) in enumerate(inputs.items())
    }
    arrays: dict[str, Array] = dict(inputs)
    dims = dims_of({n: checked.inputs[n] for n in inputs}, arrays, checked.maxima)
    steps = []
    for me, engine in enumerate(engines):
        if block is not None:
            engine.block_elements = block
        steps.append(_party(checked, engine, {n: s[me] for n, s in shares.items()}, dims, parameters))
    outcome = lockstep(steps)
    return outcome.results()[0], outcome.rounds - 1


def _party(
    checked: Checked,
    engine: Any,
    mine: Mapping[str, Any],
    dims: Mapping[str, int],
    parameters: Mapping[str, Any],
) -> Rounds[dict[str, Ints]]:
    outputs = yield from run(checked, engine, mine, dims, parameters)
    names = sorted(outputs)
    joined = engine.join([outputs[name] for name in names], 0)
    opened = yield from engine.at("open").open(joined)
    found: dict[str, Ints] = {}
    at = 0
    for name in names:
        size = outputs[name].shape[0]
        found[name] = opened[at : at + size]
        at += size
    return found
