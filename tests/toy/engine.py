"""A two-party engine with additive sharing, passive security and a simulated dealer, for tests.

It implements all of `Engine` in the plainest way, and has as little in common with rep4 as possible: two
parties, no backup and no tags, other round counts, trusted correlated randomness.

Ring      Z/2^64 for arithmetic, packed bits under XOR
Sources   Beaver, CRYPTO 1991 (triples); Goldreich, Micali, Wigderson, STOC 1987 (bits);
          Kogge, Stone, IEEE Trans. Comp. 1973 (the carry)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from mpcd.errors import UsageError
from mpcd.protocols.engine import Flags, Ints
from mpcd.protocols.rounds import Round, Rounds, Spec, Words, parallel
from tests.toy.dealer import Combine, Dealer
from tests.toy.sharing import Additive, Xored, pack, planes, unpack, words_for

ALL_ONES = np.uint64(2**64 - 1)


class ToyEngine:
    """Party `me` of two. Values are signed 64-bit; `less_than` is exact for 63 bits."""

    name = "toy"
    parties = 2
    threshold = 1
    signed_bits = 64
    compare_bits = 63
    profiles: tuple[str, ...] = ("passive",)

    def __init__(
        self, me: int, seed: int = 0, *, block_elements: int = 1 << 16, path: tuple[str, ...] = ()
    ) -> None:
        self.me = me
        self.block_elements = block_elements
        self._dealer = Dealer(me, seed)
        self._path = path

    def at(self, *steps: str | int) -> Self:
        child = type(self)(
            self.me, block_elements=self.block_elements, path=self._path + tuple(map(str, steps))
        )
        child._dealer = self._dealer
        return child

    # -- local --------------------------------------------------------------------------------------

    def constant(self, values: Ints) -> Additive:
        words = np.ascontiguousarray(values, np.int64).view(np.uint64)
        return Additive(words if self.me == 0 else np.zeros_like(words))

    def add(self, x: Additive, y: Additive) -> Additive:
        _require_equal_shapes(x, y)
        return Additive(np.asarray(x.data + y.data))

    def sub(self, x: Additive, y: Additive) -> Additive:
        _require_equal_shapes(x, y)
        return Additive(np.asarray(x.data - y.data))

    def scale(self, x: Additive, factor: Ints | int) -> Additive:
        return Additive(np.asarray(x.data * np.asarray(factor, np.int64).astype(np.uint64)))

    def total(self, x: Additive, axis: int) -> Additive:
        return Additive(np.asarray(x.data.sum(axis=axis, dtype=np.uint64)))

    def take(self, x: Additive, index: npt.NDArray[np.intp], axis: int) -> Additive:
        return Additive(np.take(x.data, index, axis=axis))

    def join(self, parts: Sequence[Additive], axis: int) -> Additive:
        return Additive(np.concatenate([x.data for x in parts], axis=axis))

    def reshape(self, x: Additive, shape: tuple[int, ...]) -> Additive:
        return Additive(x.data.reshape(shape))

    def constant_bits(self, values: Flags) -> Xored:
        words = pack(np.asarray(values, np.bool_))
        return Xored(words if self.me == 0 else np.zeros_like(words), np.shape(values))

    def xor(self, x: Xored, y: Xored) -> Xored:
        _require_equal_shapes(x, y)
        return Xored(x.data ^ y.data, x.shape)

    def negate(self, x: Xored) -> Xored:
        return Xored(x.data ^ ALL_ONES if self.me == 0 else x.data, x.shape)

    def take_bits(self, x: Xored, start: int, stop: int) -> Xored:
        if start % 64 or not 0 <= start <= stop <= math.prod(x.shape):
            raise UsageError(f"bits {start}..{stop} cannot be taken from {x.shape}")
        return Xored(x.data[start // 64 : words_for(stop)], (stop - start,))

    def join_bits(self, parts: Sequence[Xored]) -> Xored:
        sizes = [math.prod(x.shape) for x in parts]
        if any(size % 64 for size in sizes[:-1]):
            raise UsageError("only the last of joined bit vectors may end within a word")
        return Xored(np.concatenate([x.data for x in parts]), (sum(sizes),))

    # -- interactive --------------------------------------------------------------------------------

    def mul(self, x: Additive, y: Additive) -> Rounds[Additive]:
        """Cost  1 round, 16 bytes per element and party"""
        _require_equal_shapes(x, y)
        return (yield from self._beaver("mul", x, y, np.multiply))

    def inner(self, x: Additive, y: Additive) -> Rounds[Additive]:
        product = yield from self.at("inner").mul(x, y)
        return self.total(product, -1)

    def matmul(self, x: Additive, y: Additive) -> Rounds[Additive]:
        if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
            raise UsageError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
        return (yield from self._beaver("matmul", x, y, np.matmul))

    def conj(self, x: Xored, y: Xored) -> Rounds[Xored]:
        _require_equal_shapes(x, y)
        return Xored((yield from self._and("conj", x.data, y.data)), x.shape)

    def negative(self, x: Additive) -> Rounds[Xored]:
        """The sign of the sum of both parties' own words: a carry by parallel prefix.

        Cost  7 rounds
        """
        own = planes(x.data)
        first, second = (own if self.me == party else np.zeros_like(own) for party in (0, 1))
        at = self.at("negative")
        made, passed = (yield from at._and("made", first, second)), first ^ second
        for k in range(6):
            step = 1 << k
            both = yield from at._and(
                f"level{k}",
                np.stack([passed, passed]),
                np.stack([_up(made, step), _up(passed, step)]),
            )
            made, passed = made ^ both[0], both[1]
        return Xored(own[63] ^ made[62], x.shape)

    def parity(self, x: Additive) -> Rounds[Xored]:
        return Xored(pack((x.data & np.uint64(1)).astype(np.bool_)), x.shape)
        yield

    def less_than(self, x: Additive, y: Additive) -> Rounds[Xored]:
        return (yield from self.at("less_than").negative(self.sub(x, y)))

    def less_than_full(self, x: Additive, y: Additive) -> Rounds[Xored]:
        """Where the signs differ, x < y is the sign of x; else that of x - y, which cannot wrap then.

        Cost  8 rounds
        """
        at = self.at("less_than_full")
        of_x, of_y, of_difference = yield from parallel(
            [at.at(k).negative(value) for k, value in enumerate((x, y, self.sub(x, y)))]
        )
        chosen = yield from at.conj(self.xor(of_x, of_y), self.xor(of_x, of_difference))
        return self.xor(of_difference, chosen)

    def equal(self, x: Additive, y: Additive) -> Rounds[Xored]:
        """All 64 bits of one party's difference agree with those of the other's, negated.

        Cost  6 rounds
        """
        difference = self.sub(x, y).data
        agree = planes(difference) ^ ALL_ONES if self.me == 0 else planes(np.uint64(0) - difference)
        at = self.at("equal")
        while len(agree) > 1:
            half = len(agree) // 2
            agree = yield from at._and(f"of{half}", agree[:half], agree[half:])
        return Xored(agree[0], x.shape)

    def to_arithmetic(self, x: Xored) -> Rounds[Additive]:
        """b0 xor b1 = b0 + b1 - 2 b0 b1, where each party knows one of the two.

        Cost  1 round, 16 bytes per element and party
        """
        own = unpack(x.data, x.shape).astype(np.uint64)
        first, second = (Additive(own if self.me == party else np.zeros_like(own)) for party in (0, 1))
        product = yield from self.at("to_arithmetic").mul(first, second)
        return Additive(own - np.uint64(2) * product.data)

    def open(self, x: Additive, to: frozenset[int] | None = None) -> Rounds[Ints | None]:
        theirs = yield from self._show("open", x.data, to)
        return None if theirs is None else np.asarray(x.data + theirs).view(np.int64)

    def open_bits(self, x: Xored, to: frozenset[int] | None = None) -> Rounds[Flags | None]:
        theirs = yield from self._show("open_bits", x.data, to)
        return None if theirs is None else unpack(x.data ^ theirs, x.shape)

    # -- inside -------------------------------------------------------------------------------------

    def _beaver(self, name: str, x: Additive, y: Additive, product: Combine) -> Rounds[Additive]:
        """x y = (x-a)(y-b) + (x-a) b + a (y-b) + a b."""
        at = self.at(name)
        a, b, c = self._dealer.triple(at._name(), x.shape, y.shape, product)
        mine = np.concatenate([(x.data - a).reshape(-1), (y.data - b).reshape(-1)])
        both = mine + (yield from at._swap(mine))
        d, e = both[: x.data.size].reshape(x.shape), both[x.data.size :].reshape(y.shape)
        z = product(d, b) + product(a, e) + c
        return Additive(z + product(d, e) if self.me == 0 else z)

    def _and(self, name: str, x: Words, y: Words) -> Rounds[Words]:
        at = self.at(name)
        a, b, c = self._dealer.bit_triple(at._name(), x.shape)
        mine = np.stack([x ^ a, y ^ b])
        d, e = mine ^ (yield from at._swap(mine))
        z: Words = (d & b) ^ (a & e) ^ c
        if self.me == 0:
            z ^= d & e
        return z

    def _swap(self, mine: Words) -> Rounds[Words]:
        peer = 1 - self.me
        inbox = yield Round(self._name(), {(peer, "x"): mine}, recv={(peer, "x"): Spec(mine.shape)})
        theirs = inbox[peer, "x"]
        assert not isinstance(theirs, bytes)
        return theirs

    def _show(self, name: str, mine: Words, to: frozenset[int] | None) -> Rounds[Words | None]:
        to = frozenset((0, 1)) if to is None else to
        peer = 1 - self.me
        inbox = yield Round(
            self.at(name)._name(),
            send={(peer, "x"): mine} if peer in to else {},
            recv={(peer, "x"): Spec(mine.shape)} if self.me in to else {},
        )
        theirs = inbox.get((peer, "x"))
        assert not isinstance(theirs, bytes)
        return theirs

    def _name(self) -> str:
        return "/".join(self._path)


def _up(rows: Words, by: int) -> Words:
    """Row k becomes row k + by; the lowest are zero."""
    moved = np.zeros_like(rows)
    moved[by:] = rows[:-by]
    return moved


def _require_equal_shapes(x: Additive | Xored, y: Additive | Xored) -> None:
    if x.shape != y.shape:
        raise UsageError(f"shapes {x.shape} and {y.shape} differ")


def share(values: Ints, seed: int = 1) -> tuple[Additive, Additive]:
    """Both parties' summands of given values, for tests."""
    words = np.ascontiguousarray(values, np.int64).view(np.uint64)
    mask = np.random.default_rng(seed).integers(0, 2**64, words.shape, dtype=np.uint64)
    return Additive(mask), Additive(words - mask)


def share_bits(flags: Flags, seed: int = 1) -> tuple[Xored, Xored]:
    """Both parties' parts of given bits, for tests; padding bits are random too."""
    words = pack(np.asarray(flags, np.bool_))
    mask = np.random.default_rng(seed).integers(0, 2**64, words.shape, dtype=np.uint64)
    return Xored(mask, np.shape(flags)), Xored(words ^ mask, np.shape(flags))
