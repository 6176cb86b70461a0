"""The protocols that are measured, and how the harness deals inputs to their parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rep3 import engine as rep3
from mpcd.protocols.rep3.sharing import Bits3, Rep3
from mpcd.protocols.rep3.sharing import held as held3
from mpcd.protocols.rep4 import engine as rep4
from mpcd.protocols.rep4.sharing import Bits4, Rep4
from mpcd.protocols.rep4.sharing import held as held4
from mpcd.protocols.rounds import Words
from mpcd.ring.streams import Streams

SESSION = bytes(32)


@dataclass(frozen=True, slots=True)
class Setting:
    """A protocol under measurement; `number` and `bits` make a sharing of what a party holds."""

    name: str
    parties: int
    held: Callable[[int], Sequence[int]]
    make: Callable[[int, dict[int, bytes]], AnyEngine]
    number: Callable[[Words], Any]
    bits: Callable[[Words, tuple[int, ...]], Any]

    def engine(self, me: int) -> AnyEngine:
        """The engine of one party, with keys that hide nothing."""
        return self.make(me, {a: bytes([64 + a]) * 32 for a in self.held(me)})

    def deal(self, engine: AnyEngine, name: str, values: Words, *, xor: bool = False) -> Words:
        """What this party holds of a sharing of `values`, the same at all parties: seeded."""
        last = self.parties - 1
        streams = Streams({a: bytes([a]) * 16 for a in range(last)})
        pieces = [np.empty_like(values) for _ in range(self.parties)]
        rest = values.copy()
        for a in range(last):
            streams.open(a, name).fill(pieces[a].reshape(-1))
            rest = rest ^ pieces[a] if xor else rest - pieces[a]
        pieces[last][:] = rest
        return np.stack([pieces[a] for a in self.held(engine.me)])


REP4 = Setting(
    "rep4", 4, held4, lambda me, keys: rep4.make_engine(me, keys, SESSION, 0), Rep4, lambda d, s: Bits4(d, s)
)
REP3 = Setting("rep3", 3, held3, lambda me, keys: rep3.make_engine(me, keys, SESSION, 0), Rep3, Bits3)
REP3_UNCHECKED = Setting(
    "rep3 unchecked",
    3,
    held3,
    lambda me, keys: rep3.make_engine(me, keys, SESSION, 0, checked=False),
    Rep3,
    Bits3,
)
