"""The same generic step on every engine we have, so that nothing generic leans on one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.lockstep import Run, lockstep
from tests.protocols.rep4 import four
from tests.toy import engine as toy

Numbers = npt.NDArray[np.int64]
Step = Callable[..., Rounds[Any]]
"""(engine, shared argument, ...) -> rounds."""

ENGINES = ("rep4", "toy")


def start(engine: str, step: Step, *tables: Numbers, seed: int = 0) -> list[Rounds[Any]]:
    """Share the tables and start the step at every party; its sharings are opened to all at the end."""
    if engine == "rep4":
        engines: list[AnyEngine] = [Rep4Engine(p) for p in four.parties(seed)]
        shared: list[Sequence[Any]] = [four.share(x, seed + k) for k, x in enumerate(tables)]
    else:
        engines = [toy.ToyEngine(me, seed) for me in range(2)]
        shared = [toy.share(x, seed + k + 1) for k, x in enumerate(tables)]
    return [_opened(e, step, [x[e.me] for x in shared]) for e in engines]


def _opened(e: AnyEngine, step: Step, args: list[Any]) -> Rounds[list[Numbers]]:
    results = yield from step(e.at("step"), *args)
    opened: list[Numbers] = []
    for k, result in enumerate(results if isinstance(results, tuple) else (results,)):
        values = yield from e.at("open", k).open(result)
        assert values is not None
        opened.append(values)
    return opened


def run(engine: str, step: Step, *tables: Numbers, seed: int = 0) -> Run[list[Numbers]]:
    """Run a step at honest parties; every party's output is the list of what was opened."""
    found = lockstep(start(engine, step, *tables, seed=seed))
    first, *others = found.results()
    for other in others:
        for x, y in zip(first, other, strict=True):
            np.testing.assert_array_equal(x, y)
    return found


def opened(engine: str, step: Step, *tables: Numbers, seed: int = 0) -> list[Numbers]:
    """What a step's results are."""
    return run(engine, step, *tables, seed=seed).results()[0]
