"""Conversions between numbers and bits.

All of them rest on one split: u = x[2] + x[3] is known to parties 0 and 1, v = x[0] + x[1] to parties 2
and 3, and x = u + v. Each half is handed over by one joint message, and what is left is an addition of two
shared numbers (numbers to bits), or of two shared bits (bits to numbers).

Notation  W = ceil(size / 64): words of one plane; plane j of a number holds bit j of every element
          g, q  generate and propagate: bit i of u + v carries if g, and passes a carry on if q
Ring      Z/2^64 in uint64; bits packed 64 to a word
Security  only joint messages and products: a cheater is caught in the round of the lie (see jump, multiply)
Sources   Spec rep4 8.1, 8.2, 8.7;
          [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021, share conversion by pairs;
          [Skl] Sklansky, Conditional-sum addition logic, 1960 (`mpcd.protocols.circuits.adders`)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.circuits.adders import all_carries
from mpcd.protocols.rep4.gates import Gates4
from mpcd.protocols.rep4.jump import FROM_01, FROM_23, Jump, Row, jump, jump_bits
from mpcd.protocols.rep4.multiply import conj, mul
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Bits4, Rep4, slot, take_planes, xor
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.bits import unpack, words_for
from mpcd.ring.kernels_bits import to_planes

WIDTH = 64
_HALF = {FROM_01: (2, 3), FROM_23: (0, 1)}
"""The two summands whose sum (or exclusive or) the sender and the backup of a row know."""


def halves(p: Party4, xs: Sequence[Rep4], *, minus_v: bool = False) -> Rounds[tuple[Bits4, Bits4]]:
    """Share the bits of u and v (of -v if asked) for several arrays of one size.

    Shapes     k arrays of n numbers -> 64 planes of k * 64 * ceil(n / 64) flags: each array begins
               at a word of its own
    Cost       1 round; 2 * 64 * k * W words in all: from party 0 to 3 and from party 2 to 1
    Malicious  as `jump`
    Raises     UsageError if the sizes differ
    Source     [FF]
    """
    if len({x.size for x in xs}) != 1:
        raise UsageError(f"arrays of one size are needed, got {[x.shape for x in xs]}")
    flags = len(xs) * WIDTH * words_for(xs[0].size)
    jumps = [
        Jump(row, (WIDTH, flags // WIDTH), _planes(p, row, xs, negated=minus_v and row is FROM_23))
        for row in (FROM_01, FROM_23)
    ]
    u, v = yield from jump_bits(p, jumps, (flags,))
    return u, v


def _planes(p: Party4, row: Row, xs: Sequence[Rep4], *, negated: bool) -> Words | None:
    """The planes of u or v, at the two parties that know it."""
    if p.me not in (row.sender, row.backup):
        return None
    first, second = (slot(p.me, a) for a in _HALF[row])
    n = xs[0].size
    total = np.zeros((len(xs), WIDTH * words_for(n)), np.uint64)
    for line, x in zip(total, xs, strict=True):
        np.add(x.data[first].reshape(-1), x.data[second].reshape(-1), out=line[:n])
    if negated:
        np.negative(total, out=total)
    return to_planes(total)


def to_binary(p: Party4, x: Rep4) -> Rounds[Bits4]:
    """The 64 bits of every number.

    Shapes     (*s) -> 64 planes of shape (*s)
    Cost       8 rounds; planes of W words: 2 * 64 handed over, 63 products with 4 messages, 310 with 6
    Malicious  as `jump` and `conj`
    Raises     nothing
    Source     [FF] for the split, [Skl] for the adder
    """
    u, v = yield from halves(p.at("halves"), [x])
    total = xor(u, v)
    generate = yield from conj(p.at("generate"), take_planes(u, 0, WIDTH - 1), take_planes(v, 0, WIDTH - 1))
    carries = yield from all_carries(Gates4(p), generate, take_planes(total, 0, WIDTH - 1))
    # Bit i of the sum is q[i] ^ carry out of the bits below i.
    bits = total.data.copy()
    bits[:, 1:] ^= carries.data
    return Bits4(bits, x.shape, total.live | carries.live)


def to_arithmetic(p: Party4, x: Bits4) -> Rounds[Rep4]:
    """Bits as the numbers 0 and 1: b = u ^ v = u + v - 2uv with u = b[2] ^ b[3], v = b[0] ^ b[1].

    Shapes     one plane of shape (*s) -> (*s)
    Cost       2 rounds; 48 bytes per flag in all
    Malicious  as `jump` and `mul`
    Raises     UsageError if x has more than one plane
    Source     [FF]
    """
    if x.planes != 1:
        raise UsageError(f"one plane of bits becomes one array of numbers, here are {x.planes}")
    jumps = [Jump(row, x.shape, _flags(p, row, x)) for row in (FROM_01, FROM_23)]
    u, v = yield from jump(p.at("halves"), jumps)
    both = yield from mul(p.at("both"), u, v)
    both_twice = both.data << np.uint64(1)
    return Rep4(u.data + v.data - both_twice, u.live | v.live | both.live)


def _flags(p: Party4, row: Row, x: Bits4) -> Words | None:
    """The flags of u or v as numbers, at the two parties that know it."""
    if p.me not in (row.sender, row.backup):
        return None
    first, second = (slot(p.me, a) for a in _HALF[row])
    return unpack(x.data[first, 0] ^ x.data[second, 0], x.size).astype(np.uint64).reshape(x.shape)
