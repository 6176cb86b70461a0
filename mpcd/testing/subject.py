"""A program on given inputs, ready to be run around one table, honestly or not.

The inputs are shared, the program runs on the real engine with real frames and tags, and its outputs are
opened to everybody, so that a test sees what every party would accept as the result. Keys and shares come
from a seed: they hide nothing, and the same seed gives the same messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.errors import InternalError, UsageError
from mpcd.program.check import Checked
from mpcd.program.evaluate import Given, dims_of, evaluate
from mpcd.protocols.engine import AnyEngine, Ints
from mpcd.protocols.rep4.engine import make_engine
from mpcd.protocols.rep4.sharing import ALL, Rep4, held
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.interpreter import run

Outputs = dict[str, Ints]
Shares = Sequence[Any]
"""One sharing of an input, party by party."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How to set up the parties of a protocol for a test: engines from a seed, shares from random words."""

    parties: int
    engine: Callable[[int, bytes], AnyEngine]
    share: Callable[[npt.NDArray[np.uint64], np.random.Generator], Shares]


def _rep4_engine(me: int, seed: bytes) -> AnyEngine:
    keys = {a: hashlib.sha256(seed + bytes([a])).digest() for a in range(4) if a != me}
    return make_engine(me, keys, hashlib.sha256(seed).digest(), 0)


def _rep4_share(words: npt.NDArray[np.uint64], dice: np.random.Generator) -> Shares:
    parts = dice.integers(0, 1 << 64, (4, *words.shape), np.uint64)
    parts[3] = words - parts[:3].sum(axis=0, dtype=np.uint64)
    return [Rep4(np.stack([parts[a] for a in held(me)]), ALL) for me in range(4)]


PROTOCOLS: Mapping[str, Protocol] = {"rep4": Protocol(4, _rep4_engine, _rep4_share)}


@dataclass(frozen=True, slots=True)
class Subject:
    """A checked program with cleartext inputs and parameters. `expected` is what the trusted party gives.

    Raises  UsageError if there is no such protocol, or what the evaluator raises for ill-formed inputs
    """

    checked: Checked
    inputs: Mapping[str, Given]
    parameters: Mapping[str, Given]
    protocol: str = "rep4"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UsageError(f"there is no protocol {self.protocol}", fix=f"one of {', '.join(PROTOCOLS)}")

    @property
    def parties(self) -> int:
        return PROTOCOLS[self.protocol].parties

    def expected(self) -> Outputs:
        found = evaluate(self.checked, self.inputs, self.parameters)
        return {name: np.asarray(value, np.int64).reshape(-1) for name, value in found.items()}

    def steps(self) -> list[Rounds[Outputs]]:
        """Fresh steps, one per party, that end with all outputs."""
        protocol = PROTOCOLS[self.protocol]
        dice = np.random.default_rng(self.seed)
        arrays = {name: np.asarray(value, np.int64) for name, value in self.inputs.items()}
        shares = {
            name: protocol.share(array.view(np.uint64).reshape(array.shape), dice)
            for name, array in arrays.items()
        }
        dims = dims_of({name: self.checked.inputs[name] for name in arrays}, arrays, self.checked.maxima)
        seed = self.seed.to_bytes(8, "little")
        return [
            self._party(protocol.engine(me, seed), {name: parts[me] for name, parts in shares.items()}, dims)
            for me in range(protocol.parties)
        ]

    def _party(self, engine: AnyEngine, mine: Mapping[str, Any], dims: Mapping[str, int]) -> Rounds[Outputs]:
        outputs = yield from run(self.checked, engine.at("program"), mine, dims, self.parameters)
        names = sorted(outputs)
        joined = engine.join([outputs[name] for name in names], 0)
        opened = yield from engine.at("open").open(joined)
        if opened is None:
            raise InternalError("an opening to everybody gave nothing")
        ends = np.cumsum([outputs[name].shape[0] for name in names])
        return dict(zip(names, np.split(opened, ends[:-1]), strict=True))
