"""Comparisons: sign, less-than, equality and range of shared numbers.

A sign is the top bit of u + v (see `convert`): only the carry into bit 63 is computed, by a balanced
tree over 63 pairs (generate, propagate; `mpcd.protocols.circuits.adders`). Everything is done on planes of
packed bits; all products of a level are one operation.

Notation  W = ceil(size / 64): words of one plane; an AND of one plane is 6 W words in all, or 4 W if
          its factors live in two summands each
Ring      Z/2^64 in uint64, read as signed where a sign is meant; bits packed 64 to a word
Security  only joint messages and products: a cheater is caught in the round of the lie
Sources   Spec rep4 8.3, 8.4, 8.5, 8.6;
          [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.circuits.adders import all_ones, carry_out
from mpcd.protocols.rep4.convert import WIDTH, halves
from mpcd.protocols.rep4.gates import Gates4
from mpcd.protocols.rep4.multiply import conj
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import (
    Bits4,
    Rep4,
    constant,
    constant_bits,
    negate,
    sub,
    take_planes,
    xor,
)
from mpcd.protocols.rounds import Rounds
from mpcd.ring.bits import words_for


def negative(p: Party4, x: Rep4) -> Rounds[Bits4]:
    """The sign bit, exact for all 2^64 values.

    Shapes     (*s) -> one plane of shape (*s)
    Cost       8 rounds; planes of W words: 128 handed over, 63 products of 4 and 118 of 6 messages,
               thus 136 bytes per number in all if the size is a multiple of 64
    Malicious  as `jump` and `conj`
    Raises     nothing
    Source     [FF]
    """
    (sign,) = yield from _signs(p, [x])
    return sign


def less_than(p: Party4, x: Rep4, y: Rep4) -> Rounds[Bits4]:
    """x < y, for values in [-2^62, 2^62): the sign of x - y.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       8 rounds; as `negative`
    Malicious  as `negative`
    Raises     UsageError if the shapes differ
    Source     [FF]
    """
    _same_shape("less_than", x, y)
    return (yield from negative(p, sub(x, y)))


def less_than_full(p: Party4, x: Rep4, y: Rep4) -> Rounds[Bits4]:
    """x < y for all signed 64-bit values.

    If the signs of x and y are equal, x - y does not overflow and its sign decides; otherwise the
    sign of x does: d ^ (a ^ b)(a ^ d) with a, b, d the signs of x, y and x - y.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       9 rounds; three times `negative` and one AND of one plane
    Malicious  as `negative`
    Raises     UsageError if the shapes differ
    Source     [FF] for the signs
    """
    _same_shape("less_than_full", x, y)
    a, b, d = yield from _signs(p.at("signs"), [x, y, sub(x, y)])
    swap = yield from conj(p.at("choose"), xor(a, b), xor(a, d))
    return xor(d, swap)


def equal(p: Party4, x: Rep4, y: Rep4) -> Rounds[Bits4]:
    """x = y: u and -v of x - y agree in all 64 bits.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       7 rounds; planes of W words: 128 handed over, 63 products of 6 messages
    Malicious  as `jump` and `conj`
    Raises     UsageError if the shapes differ
    Source     [FF]
    """
    _same_shape("equal", x, y)
    u, minus_v = yield from halves(p.at("halves"), [sub(x, y)], minus_v=True)
    agree = yield from all_ones(Gates4(p), negate(p.me, xor(u, minus_v)))
    return Bits4(agree.data, x.shape, agree.live)


def range_check(p: Party4, x: Rep4, low: int, high: int) -> Rounds[Bits4]:
    """low <= x <= high, exact for all 2^64 values of x, whatever a cheating owner has shared.

    Two signs decide: x - low >= 0 and high - x >= 0 modulo 2^64. With w = high - low and
    t = (x - low) mod 2^64 they say t < 2^63 and (w - t) mod 2^64 < 2^63, which means t <= w exactly if
    w < 2^63. A wider range is checked by its complement [high + 1, low - 1], which is then narrower
    than 2^63; the range of all int64 has no complement and needs no check.

    Shapes     (*s) -> one plane of shape (*s)
    Cost       9 rounds; two times `negative` and one AND of one plane; nothing for the full range
    Malicious  as `negative`
    Raises     UsageError if the bounds are no int64 or low > high
    Source     own
    """
    if not -(1 << 63) <= low <= high < 1 << 63:
        raise UsageError(f"[{low}, {high}] is not a range of signed 64-bit integers")
    if high - low == (1 << 64) - 1:
        return constant_bits(p.me, np.ones(x.shape, np.bool_))
    if high - low < 1 << 63:
        return (yield from _inside(p, x, low, high))
    outside = yield from _inside(p, x, high + 1, low - 1)
    return negate(p.me, outside)


def _inside(p: Party4, x: Rep4, low: int, high: int) -> Rounds[Bits4]:
    """Is (x - low) mod 2^64 at most (high - low) mod 2^64? The latter is below 2^63."""
    above = sub(x, _constant_like(p, x, low))
    below = sub(_constant_like(p, x, high), x)
    too_small, too_big = yield from _signs(p.at("signs"), [above, below])
    return (yield from conj(p.at("both"), negate(p.me, too_small), negate(p.me, too_big)))


def _constant_like(p: Party4, x: Rep4, value: int) -> Rep4:
    # high + 1 and low - 1 may leave int64 by one: the ring wraps around.
    wrapped = (value + (1 << 63)) % (1 << 64) - (1 << 63)
    return constant(p.me, np.full(x.shape, wrapped, np.int64))


def _signs(p: Party4, xs: Sequence[Rep4]) -> Rounds[list[Bits4]]:
    """The sign bits of several arrays of one size, in the rounds of one."""
    u, v = yield from halves(p.at("halves"), xs)
    q = xor(u, v)
    low_u, low_v = take_planes(u, 0, WIDTH - 1), take_planes(v, 0, WIDTH - 1)
    g = yield from conj(p.at("generate"), low_u, low_v)
    carry = yield from carry_out(Gates4(p), g, take_planes(q, 1, WIDTH - 1))
    sign = xor(take_planes(q, WIDTH - 1, WIDTH), carry)
    words = words_for(xs[0].size)
    return [Bits4(sign.data[:, :, k * words : (k + 1) * words], x.shape, sign.live) for k, x in enumerate(xs)]


def _same_shape(what: str, x: Rep4, y: Rep4) -> None:
    if x.shape != y.shape:
        raise UsageError(f"{what}: shapes {x.shape} and {y.shape} differ")
