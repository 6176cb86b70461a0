"""rep3 as an `Engine`: three computing parties, integers modulo 2^64.

Checked: one of the three may be malicious. Unchecked: all three are known to be honest, since whoever cheated
has been found out and is no longer among them; a fault of one is then noticed in openings only.

Everything is done elsewhere: sharings and local operations in `sharing`, products in `product` (unchecked),
`arithmetic` and `gates` (checked), comparisons in `compare`, conversions in `convert`, openings in `opening`.
This file only says that together they are what `mpcd.protocols.engine.Engine` asks for.

Rule  the engine knows neither sockets nor time; a path is used for one draw of randomness only, so the caller
      gives every operation a child path of its own (`at`)
Source  Spec rep3 2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.engine import Flags, Ints
from mpcd.protocols.rep3 import arithmetic, compare, convert, gates, opening, product, sharing
from mpcd.protocols.rep3.batch import Record
from mpcd.protocols.rep3.party import PARTIES, Party3
from mpcd.protocols.rep3.sharing import ALL, Bits3, Rep3, held
from mpcd.protocols.rounds import Rounds
from mpcd.ring.streams import Streams, derive

NO_HISTORY = bytes(32)
"""Stands for what was agreed before this epoch: nothing was."""


class Rep3Engine:
    """One party's operations at one place of the computation; see `mpcd.protocols.engine.Engine`.

    checked  whether products are checked
    """

    name = "rep3"
    parties = PARTIES
    threshold = 1
    signed_bits = 64
    compare_bits = 63
    profiles: tuple[str, ...] = ("abort", "fair")
    block_elements = 1 << 17

    def __init__(self, party: Party3, *, checked: bool = True) -> None:
        """Raises  InternalError if products are to be checked by a party that has no roots for batches"""
        if checked and not party.roots:
            raise InternalError(f"{party!r} cannot check products: it has no secrets for batches")
        self.party = party if checked else party.trusting()
        self.me = party.me
        self.checked = checked

    def __repr__(self) -> str:
        return f"Rep3Engine({self.party!r}, checked={self.checked})"

    def at(self, *steps: str | int) -> Self:
        return type(self)(self.party.at(*steps), checked=self.checked)

    def unsettled(self) -> list[Record]:
        """What this party knows of batches that are in their check, the oldest first: for a dispute.

        A check cannot have failed before it began here, too, since every party hears all hashes; what this
        party has said of such a batch so far must not be held against what it would have said in the end.
        """
        return [batch.record() for batch in tuple(self.party.batches.values()) if batch.shown]

    # -- local: numbers ------------------------------------------------------------------------------

    def constant(self, values: Ints) -> Rep3:
        return sharing.constant(self.me, values)

    def add(self, x: Rep3, y: Rep3) -> Rep3:
        _same("add", x, y)
        return sharing.add(x, y)

    def sub(self, x: Rep3, y: Rep3) -> Rep3:
        _same("sub", x, y)
        return sharing.sub(x, y)

    def scale(self, x: Rep3, factor: Ints | int) -> Rep3:
        return sharing.scale(x, factor)

    def total(self, x: Rep3, axis: int) -> Rep3:
        return Rep3(x.data.sum(axis=_behind_slots(x, axis), dtype=np.uint64))

    def take(self, x: Rep3, index: npt.NDArray[np.intp], axis: int) -> Rep3:
        return Rep3(x.data.take(index, axis=_behind_slots(x, axis)))

    def join(self, parts: Sequence[Rep3], axis: int) -> Rep3:
        return Rep3(np.concatenate([x.data for x in parts], axis=_behind_slots(parts[0], axis)))

    def reshape(self, x: Rep3, shape: tuple[int, ...]) -> Rep3:
        return Rep3(x.data.reshape(2, *shape))

    # -- local: bits ---------------------------------------------------------------------------------

    def constant_bits(self, values: Flags) -> Bits3:
        return sharing.constant_bits(self.me, values)

    def xor(self, x: Bits3, y: Bits3) -> Bits3:
        _same("xor", x, y)
        return sharing.xor(x, y)

    def negate(self, x: Bits3) -> Bits3:
        return sharing.negate(self.me, x)

    def take_bits(self, x: Bits3, start: int, stop: int) -> Bits3:
        return sharing.take_bits(x, start, stop)

    def join_bits(self, parts: Sequence[Bits3]) -> Bits3:
        return sharing.join_bits(parts)

    # -- interactive ---------------------------------------------------------------------------------

    def mul(self, x: Rep3, y: Rep3) -> Rounds[Rep3]:
        return arithmetic.mul(self.party, x, y) if self.checked else product.mul(self.party, x, y)

    def inner(self, x: Rep3, y: Rep3) -> Rounds[Rep3]:
        return arithmetic.inner(self.party, x, y) if self.checked else product.inner(self.party, x, y)

    def matmul(self, x: Rep3, y: Rep3) -> Rounds[Rep3]:
        return arithmetic.matmul(self.party, x, y) if self.checked else product.matmul(self.party, x, y)

    def conj(self, x: Bits3, y: Bits3) -> Rounds[Bits3]:
        return gates.conj(self.party, x, y)

    def negative(self, x: Rep3) -> Rounds[Bits3]:
        return compare.negative(self.party, x)

    def parity(self, x: Rep3) -> Rounds[Bits3]:
        return sharing.parity(x)
        yield  # a step like the others, but without any round

    def less_than(self, x: Rep3, y: Rep3) -> Rounds[Bits3]:
        return compare.less_than(self.party, x, y)

    def less_than_full(self, x: Rep3, y: Rep3) -> Rounds[Bits3]:
        return compare.less_than_full(self.party, x, y)

    def equal(self, x: Rep3, y: Rep3) -> Rounds[Bits3]:
        return compare.equal(self.party, x, y)

    def to_arithmetic(self, x: Bits3) -> Rounds[Rep3]:
        return convert.to_arithmetic(self.party, x)

    def open(self, x: Rep3, to: frozenset[int] | None = None) -> Rounds[Ints | None]:
        return opening.open_to(self.party, x, ALL if to is None else to)

    def open_bits(self, x: Bits3, to: frozenset[int] | None = None) -> Rounds[Flags | None]:
        return opening.open_bits_to(self.party, x, ALL if to is None else to)


def make_engine(
    me: int,
    keys: Mapping[int, bytes],
    session: bytes,
    epoch: int,
    *,
    history: bytes = NO_HISTORY,
    checked: bool = True,
) -> Rep3Engine:
    """The engine of party `me` for one epoch of a session.

    `keys` are the secrets K[me] and K[me + 1]. Everything that is drawn from is derived from them for this
    session, epoch and history alone: a program run twice under one stream would show differences of secrets.
    Raises  UsageError if the keys are not exactly those that this party holds
    """
    if not 0 <= me < PARTIES or set(keys) != set(held(me)):
        raise UsageError(f"party {me} of rep3 needs the keys of its two pieces, got {sorted(keys)}")
    place = session, epoch.to_bytes(4, "little"), history
    streams = Streams({i: derive(key, b"stream", *place) for i, key in keys.items()})
    roots = {i: derive(key, b"batches", *place) for i, key in keys.items()}
    return Rep3Engine(Party3(me, streams, roots), checked=checked)


def _same(what: str, x: Rep3 | Bits3, y: Rep3 | Bits3) -> None:
    if x.shape != y.shape:
        raise UsageError(f"{what}: shapes {x.shape} and {y.shape} differ")


def _behind_slots(x: Rep3, axis: int) -> int:
    """The axis of `data` that is this axis of the value; the slots come first."""
    dimensions = len(x.shape)
    if not -dimensions <= axis < dimensions:
        raise UsageError(f"there is no axis {axis} in shape {x.shape}")
    return axis % dimensions + 1
