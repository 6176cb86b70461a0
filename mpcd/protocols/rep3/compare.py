"""Comparisons in rep3: sign, less-than, equality and range of shared numbers.

A number is s + 2 * c with shared bits of s and c (`convert`). Its sign is the top bit of that sum: only the
carry into bit 63 is computed. Several arrays go side by side; all gates of a level are one operation, and all
triples of an operation come from one batch.

Notation  W = ceil(size / 64): words of one plane
Ring      Z/2^64 in uint64, read as signed where a sign is meant; bits packed 64 to a word
Security  only gates: malicious with triples, passive without
Sources   Spec rep3 8.5-8.8; [MR] Mohassel, Rindal, CCS 2018, 5.3
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.circuits.adders import all_ones, carry_out
from mpcd.protocols.rep3.convert import carry_save, generate
from mpcd.protocols.rep3.gates import Gates3, gates
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3, constant, constant_bits, sub, take_planes, xor
from mpcd.protocols.rep3.sizes import EQUAL_ANDS, GENERATED, SAVED, SIGN_ANDS, WIDTH
from mpcd.protocols.rounds import Rounds
from mpcd.ring.bits import words_for


def negative(p: Party3, x: Rep3) -> Rounds[Bits3]:
    """The sign bit, exact for all 2^64 values.

    Shapes     (*s) -> one plane of shape (*s)
    Cost       13 rounds, of which 5 are for triples; `SIGN_ANDS` = 241 ANDs of W words. Passive: 8 rounds,
               and 1 word per party and AND
    Malicious  as the gates
    Raises     BatchFault as `word_triples`
    Source     [MR]
    """
    c = yield from gates(p, SIGN_ANDS * words_for(x.size))
    (sign,) = yield from _signs(p, c, [x])
    return sign


def less_than(p: Party3, x: Rep3, y: Rep3) -> Rounds[Bits3]:
    """x < y, for values in [-2^62, 2^62): the sign of x - y.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       as `negative`
    Malicious  as `negative`
    Raises     UsageError if the shapes differ; BatchFault as `negative`
    """
    _same_shape("less_than", x, y)
    return (yield from negative(p, sub(x, y)))


def less_than_full(p: Party3, x: Rep3, y: Rep3) -> Rounds[Bits3]:
    """x < y for all signed 64-bit values: d ^ (a ^ b)(a ^ d) with a, b, d the signs of x, y and x - y.

    If the signs of x and y are equal, x - y does not overflow and its sign decides; otherwise that of x does.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       14 rounds, of which 5 are for triples; 3 * 241 + 1 ANDs of W words. Passive: 9 rounds
    Malicious  as `negative`
    Raises     UsageError if the shapes differ; BatchFault as `negative`
    """
    _same_shape("less_than_full", x, y)
    c = yield from gates(p, (3 * SIGN_ANDS + 1) * words_for(x.size))
    a, b, d = yield from _signs(p, c, [x, y, sub(x, y)])
    swap = yield from c.at("choose").conj(xor(a, b), xor(a, d))
    return xor(d, swap)


def equal(p: Party3, x: Rep3, y: Rep3) -> Rounds[Bits3]:
    """x = y: the sum s + 2 * c of the pieces of x - y is zero modulo 2^64.

    No carry need be computed for that. If all bits of a sum u + v below bit i are zero, then the carry into
    bit i is u[i - 1] | v[i - 1]; so the sum is zero iff u[i] ^ v[i] = u[i - 1] | v[i - 1] for every i, and
    u[0] ^ v[0] = 0. Here v[0] = 0.

    Shapes     (*s), (*s) -> one plane of shape (*s)
    Cost       13 rounds, of which 5 are for triples; `EQUAL_ANDS` = 188 ANDs of W words. Passive: 8 rounds
    Malicious  as the gates
    Raises     UsageError if the shapes differ; BatchFault as `negative`
    Source     own; zero test without carries as in hardware adders
    """
    _same_shape("equal", x, y)
    c = yield from gates(p, EQUAL_ANDS * words_for(x.size))
    s, saved = yield from carry_save(p, c, [sub(x, y)])
    both, either = yield from generate(c, s, saved)
    either = xor(either, both)
    # Bit i of v is bit i - 1 of `saved`; plane i of `either` is u | v at bit i + 1.
    wrong = s.data.copy()
    wrong[:, 1:] ^= saved.data
    wrong[:, 1] ^= s.data[:, 0]
    wrong[:, 2:] ^= either.data
    agree = yield from all_ones(c, c.negate(Bits3(wrong, s.shape)))
    return Bits3(agree.data, x.shape)


def range_check(p: Party3, x: Rep3, low: int, high: int) -> Rounds[Bits3]:
    """low <= x <= high, exact for all 2^64 values of x, whatever a cheating owner has shared.

    Two signs decide: x - low >= 0 and high - x >= 0 modulo 2^64. With w = high - low and
    t = (x - low) mod 2^64 they say t < 2^63 and (w - t) mod 2^64 < 2^63, which means t <= w exactly if
    w < 2^63. A wider range is checked by its complement [high + 1, low - 1], which is then narrower
    than 2^63; the range of all int64 has no complement and needs no check.

    Shapes     (*s) -> one plane of shape (*s)
    Cost       14 rounds, of which 5 are for triples; 2 * 241 + 1 ANDs of W words. Passive: 9 rounds. Nothing
               for the full range
    Malicious  as `negative`
    Raises     UsageError if the bounds are no int64 or low > high; BatchFault as `negative`
    Source     own
    """
    if not -(1 << 63) <= low <= high < 1 << 63:
        raise UsageError(f"[{low}, {high}] is not a range of signed 64-bit integers")
    if high - low == (1 << 64) - 1:
        return constant_bits(p.me, np.ones(x.shape, np.bool_))
    c = yield from gates(p, (2 * SIGN_ANDS + 1) * words_for(x.size))
    if high - low < 1 << 63:
        return (yield from _inside(p, c, x, low, high))
    outside = yield from _inside(p, c, x, high + 1, low - 1)
    return c.negate(outside)


def _inside(p: Party3, c: Gates3, x: Rep3, low: int, high: int) -> Rounds[Bits3]:
    """Is (x - low) mod 2^64 at most (high - low) mod 2^64? The latter is below 2^63."""
    above = sub(x, _constant_like(p, x, low))
    below = sub(_constant_like(p, x, high), x)
    too_small, too_big = yield from _signs(p, c, [above, below])
    return (yield from c.at("both").conj(c.negate(too_small), c.negate(too_big)))


def _constant_like(p: Party3, x: Rep3, value: int) -> Rep3:
    # high + 1 and low - 1 may leave int64 by one: the ring wraps around.
    wrapped = (value + (1 << 63)) % (1 << 64) - (1 << 63)
    return constant(p.me, np.full(x.shape, wrapped, np.int64))


def _signs(p: Party3, c: Gates3, xs: Sequence[Rep3]) -> Rounds[list[Bits3]]:
    """The sign bits of several arrays of one size, in the rounds of one."""
    s, saved = yield from carry_save(p, c, xs)
    g, q = yield from generate(c, s, saved)
    carry = yield from carry_out(c, g, take_planes(q, 1, GENERATED))
    top = xor(take_planes(s, WIDTH - 1, WIDTH), take_planes(saved, SAVED - 1, SAVED))
    sign = xor(top, carry)
    words = words_for(xs[0].size)
    return [Bits3(sign.data[:, :, k * words : (k + 1) * words], x.shape) for k, x in enumerate(xs)]


def _same_shape(what: str, x: Rep3, y: Rep3) -> None:
    if x.shape != y.shape:
        raise UsageError(f"{what}: shapes {x.shape} and {y.shape} differ")
