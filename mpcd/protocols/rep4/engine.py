"""rep4 as an `Engine`: four computing parties, one of them malicious, integers modulo 2^64.

Everything is done elsewhere: sharings and local operations in `sharing`, products in `multiply`, comparisons
in `compare`, conversions in `convert`, openings in `opening`. This file only says that together they
are what `mpcd.protocols.engine.Engine` asks for.

Rule  the engine knows neither sockets nor time; a path is used for one draw of randomness only, so the caller
      gives every operation a child path of its own (`at`)
Source  Spec rep4 2.2, 2.4
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from mpcd.errors import UsageError
from mpcd.protocols.engine import Flags, Ints
from mpcd.protocols.rep4 import compare, convert, multiply, opening, sharing
from mpcd.protocols.rep4.party import PARTIES, Party4
from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4
from mpcd.protocols.rounds import Rounds
from mpcd.ring.streams import Streams, derive

NO_HISTORY = bytes(32)
"""Stands for what was agreed before this epoch: nothing was."""


class Rep4Engine:
    """One party's operations at one place of the computation; see `mpcd.protocols.engine.Engine`."""

    name = "rep4"
    parties = PARTIES
    threshold = 1
    signed_bits = 64
    compare_bits = 63
    profiles: tuple[str, ...] = ("abort", "fair")
    block_elements = 1 << 20

    def __init__(self, party: Party4) -> None:
        self.party = party
        self.me = party.me

    def __repr__(self) -> str:
        return f"Rep4Engine({self.party!r})"

    def at(self, *steps: str | int) -> Self:
        return type(self)(self.party.at(*steps))

    # -- local: numbers ------------------------------------------------------------------------------

    def constant(self, values: Ints) -> Rep4:
        return sharing.constant(self.me, values)

    def add(self, x: Rep4, y: Rep4) -> Rep4:
        _same("add", x, y)
        return sharing.add(x, y)

    def sub(self, x: Rep4, y: Rep4) -> Rep4:
        _same("sub", x, y)
        return sharing.sub(x, y)

    def scale(self, x: Rep4, factor: Ints | int) -> Rep4:
        return sharing.scale(x, factor)

    def total(self, x: Rep4, axis: int) -> Rep4:
        return Rep4(x.data.sum(axis=_behind_slots(x, axis), dtype=np.uint64), x.live)

    def take(self, x: Rep4, index: npt.NDArray[np.intp], axis: int) -> Rep4:
        return Rep4(x.data.take(index, axis=_behind_slots(x, axis)), x.live)

    def join(self, parts: Sequence[Rep4], axis: int) -> Rep4:
        live = frozenset[int]().union(*(part.live for part in parts))
        return Rep4(np.concatenate([x.data for x in parts], axis=_behind_slots(parts[0], axis)), live)

    def reshape(self, x: Rep4, shape: tuple[int, ...]) -> Rep4:
        return Rep4(x.data.reshape(3, *shape), x.live)

    # -- local: bits ---------------------------------------------------------------------------------

    def constant_bits(self, values: Flags) -> Bits4:
        return sharing.constant_bits(self.me, values)

    def xor(self, x: Bits4, y: Bits4) -> Bits4:
        _same("xor", x, y)
        return sharing.xor(x, y)

    def negate(self, x: Bits4) -> Bits4:
        return sharing.negate(self.me, x)

    def take_bits(self, x: Bits4, start: int, stop: int) -> Bits4:
        return sharing.take_bits(x, start, stop)

    def join_bits(self, parts: Sequence[Bits4]) -> Bits4:
        return sharing.join_bits(parts)

    # -- interactive ---------------------------------------------------------------------------------

    def mul(self, x: Rep4, y: Rep4) -> Rounds[Rep4]:
        return multiply.mul(self.party, x, y)

    def inner(self, x: Rep4, y: Rep4) -> Rounds[Rep4]:
        return multiply.inner(self.party, x, y)

    def matmul(self, x: Rep4, y: Rep4) -> Rounds[Rep4]:
        return multiply.matmul(self.party, x, y)

    def conj(self, x: Bits4, y: Bits4) -> Rounds[Bits4]:
        return multiply.conj(self.party, x, y)

    def negative(self, x: Rep4) -> Rounds[Bits4]:
        return compare.negative(self.party, x)

    def parity(self, x: Rep4) -> Rounds[Bits4]:
        return sharing.parity(x)
        yield  # a step like the others, but without any round

    def less_than(self, x: Rep4, y: Rep4) -> Rounds[Bits4]:
        return compare.less_than(self.party, x, y)

    def less_than_full(self, x: Rep4, y: Rep4) -> Rounds[Bits4]:
        return compare.less_than_full(self.party, x, y)

    def equal(self, x: Rep4, y: Rep4) -> Rounds[Bits4]:
        return compare.equal(self.party, x, y)

    def to_arithmetic(self, x: Bits4) -> Rounds[Rep4]:
        return convert.to_arithmetic(self.party, x)

    def open(self, x: Rep4, to: frozenset[int] | None = None) -> Rounds[Ints | None]:
        return opening.open_to(self.party, x, ALL if to is None else to)

    def open_bits(self, x: Bits4, to: frozenset[int] | None = None) -> Rounds[Flags | None]:
        return opening.open_bits_to(self.party, x, ALL if to is None else to)


def make_engine(
    me: int, keys: Mapping[int, bytes], session: bytes, epoch: int, *, history: bytes = NO_HISTORY
) -> Rep4Engine:
    """The engine of party `me` for one epoch of a session.

    `keys` are the secrets K[a] of the key agreement, a != me. The streams' keys are derived from them for
    this session, epoch and history alone: a program run twice under one stream would show differences of
    secrets.
    Raises  UsageError if the keys are not exactly those that this party holds
    """
    if not 0 <= me < PARTIES or set(keys) != set(range(PARTIES)) - {me}:
        raise UsageError(f"party {me} of rep4 needs the keys of the other three, got {sorted(keys)}")
    stamp = epoch.to_bytes(4, "little")
    streams = Streams({a: derive(key, b"stream", session, stamp, history) for a, key in keys.items()})
    return Rep4Engine(Party4(me, streams))


def _same(what: str, x: Rep4 | Bits4, y: Rep4 | Bits4) -> None:
    if x.shape != y.shape:
        raise UsageError(f"{what}: shapes {x.shape} and {y.shape} differ")


def _behind_slots(x: Rep4, axis: int) -> int:
    """The axis of `data` that is this axis of the value; the slots come first."""
    dimensions = len(x.shape)
    if not -dimensions <= axis < dimensions:
        raise UsageError(f"there is no axis {axis} in shape {x.shape}")
    return axis % dimensions + 1
