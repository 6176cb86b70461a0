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
from mpcd.protocols.rep3 import engine as rep3
from mpcd.protocols.rep3.sharing import Rep3
from mpcd.protocols.rep3.sharing import held as held3
from mpcd.protocols.rep4 import engine as rep4
from mpcd.protocols.rep4.sharing import Rep4
from mpcd.protocols.rep4.sharing import held as held4
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


def _keys(seed: bytes, held: Sequence[int]) -> dict[int, bytes]:
    return {a: hashlib.sha256(seed + bytes([a])).digest() for a in held}


def _split(words: npt.NDArray[np.uint64], pieces: int, dice: np.random.Generator) -> npt.NDArray[np.uint64]:
    parts = dice.integers(0, 1 << 64, (pieces, *words.shape), np.uint64)
    parts[-1] = words - parts[:-1].sum(axis=0, dtype=np.uint64)
    return parts


def _rep4_engine(me: int, seed: bytes) -> AnyEngine:
    return rep4.make_engine(me, _keys(seed, held4(me)), hashlib.sha256(seed).digest(), 0)


def _rep4_share(words: npt.NDArray[np.uint64], dice: np.random.Generator) -> Shares:
    parts = _split(words, 4, dice)
    return [Rep4(parts[list(held4(me))]) for me in range(4)]


def _rep3_engine(me: int, seed: bytes) -> AnyEngine:
    return rep3.make_engine(me, _keys(seed, held3(me)), hashlib.sha256(seed).digest(), 0)


def _rep3_share(words: npt.NDArray[np.uint64], dice: np.random.Generator) -> Shares:
    parts = _split(words, 3, dice)
    return [Rep3(parts[list(held3(me))]) for me in range(3)]


PROTOCOLS: Mapping[str, Protocol] = {
    "rep4": Protocol(4, _rep4_engine, _rep4_share),
    "rep3": Protocol(3, _rep3_engine, _rep3_share),
}


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
