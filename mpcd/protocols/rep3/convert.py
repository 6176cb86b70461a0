"""Conversions between numbers and bits in rep3.

Every piece of a number is known to two parties, so its bits are already shared: piece a of the bits is
piece a of the number, the other two pieces are zero. A number is thus the sum of three numbers with shared
bits, and one layer of full adders makes it a sum of two, s + 2 * c with

    s = x[0] ^ x[1] ^ x[2],    c = majority(x[0], x[1], x[2]) = (x[0] ^ x[2]) & (x[1] ^ x[2]) ^ x[2].

The bits of s are the number's own pieces, read as bits. A split into two halves, as in rep4, would need a sum
of two pieces, which one party alone knows: nobody could vouch for what it hands over.

Notation  W = ceil(size / 64): words of one plane; plane j of a number holds bit j of every element
Ring      Z/2^64 in uint64; bits packed 64 to a word
Security  only gates and products: malicious with triples, passive without
Sources   Spec rep3 8.4, 8.9, 8.10; [MR] Mohassel, Rindal, CCS 2018, 5.3: share conversion by three pieces;
          [Skl] Sklansky, 1960 (`mpcd.protocols.circuits.adders`)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.circuits.adders import all_carries
from mpcd.protocols.rep3 import product, triples
from mpcd.protocols.rep3.arithmetic import rows_with
from mpcd.protocols.rep3.gates import Gates3, gates
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3, held, slot, take_planes, xor
from mpcd.protocols.rep3.sizes import BINARY_ANDS, SAVED, WIDTH
from mpcd.protocols.rep3.triples import Triple
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.bits import unpack, words_for
from mpcd.ring.kernels_bits import to_planes


def carry_save(p: Party3, c: Gates3, xs: Sequence[Rep3]) -> Rounds[tuple[Bits3, Bits3]]:
    """Bits of s and c for several arrays of one size: x = s + 2 * c.

    Shapes     k arrays of n numbers -> 64 planes and 63 planes of k * 64 * ceil(n / 64) flags: each array
               begins at a word of its own
    Cost       1 round; 63 ANDs of k * W words
    Malicious  as the gates
    Raises     UsageError if the sizes differ
    Source     [MR] 5.3
    """
    if len({x.size for x in xs}) != 1:
        raise UsageError(f"arrays of one size are needed, got {[x.shape for x in xs]}")
    s = _planes(xs)
    low = s.data[:, :SAVED]
    first, second = _without(p, low, 1), _without(p, low, 0)
    third = _without(p, first, 0)
    both = yield from c.at("save").conj(Bits3(first, s.shape), Bits3(second, s.shape))
    return s, Bits3(both.data ^ third, s.shape)


def _planes(xs: Sequence[Rep3]) -> Bits3:
    """The pieces of several arrays as pieces of their bits; the arrays side by side."""
    n = xs[0].size
    line = WIDTH * words_for(n)
    padded = np.zeros((2, len(xs), line), np.uint64)
    for k, x in enumerate(xs):
        padded[:, k, :n] = x.data.reshape(2, n)
    return Bits3(np.stack([to_planes(piece) for piece in padded.reshape(2, -1)]), (len(xs) * line,))


def _without(p: Party3, data: Words, piece: int) -> Words:
    """With a piece set to zero; x[0] ^ x[2] is x without piece 1."""
    out = data.copy()
    if piece in held(p.me):
        out[slot(p.me, piece)] = 0
    return out


def to_binary(p: Party3, x: Rep3) -> Rounds[Bits3]:
    """The 64 bits of every number.

    Shapes     (*s) -> 64 planes of shape (*s)
    Cost       5 rounds for triples and 8; `BINARY_ANDS` = 426 ANDs of a plane; passive 8 rounds
    Malicious  as the gates
    Raises     BatchFault as `word_triples`
    Source     [MR] for the pieces, [Skl] for the adder
    """
    c = yield from gates(p, BINARY_ANDS * words_for(x.size))
    s, saved = yield from carry_save(p, c, [x])
    g, q = yield from generate(c, s, saved)
    carries = yield from all_carries(c, g, q)
    # Nothing is carried into bit 1; plane i of `carries` goes into bit i + 2.
    bits = s.data.copy()
    bits[:, 1:] ^= saved.data
    bits[:, 2:] ^= carries.data
    return Bits3(bits, x.shape)


def generate(c: Gates3, s: Bits3, saved: Bits3) -> Rounds[tuple[Bits3, Bits3]]:
    """g and q of s + 2 * saved at bits 1 to 62; bit 0 never carries, and what bit 63 carries is lost.

    Shapes  64 planes, 63 planes -> 62 planes, 62 planes
    Cost    1 round; 62 ANDs of a plane
    """
    left, right = take_planes(s, 1, WIDTH - 1), take_planes(saved, 0, SAVED - 1)
    g = yield from c.at("generate").conj(left, right)
    return g, xor(left, right)


def to_arithmetic(p: Party3, x: Bits3) -> Rounds[Rep3]:
    """Bits as the numbers 0 and 1.

    The three pieces of a bit are shared numbers already: number a is piece a, its other pieces are zero. Two
    products make their exclusive or, u ^ v = u + v - 2uv; the triples of both come from one batch.

    Bits that are shared in both ways at once, made in advance and checked in buckets, would take one round
    and a few bytes less for very long vectors, but more for all others, and a third kind of batch.

    Shapes     one plane of shape (*s) -> (*s)
    Cost       7 rounds, of which 5 are for triples; 96 bytes per flag and party, and 112. Passive: 2 rounds,
               16 bytes per flag and party
    Malicious  as `arithmetic.mul`
    Raises     UsageError if x has more than one plane; BatchFault as `arithmetic.mul`
    Source     [MR] 5.4.2, with checked products
    """
    if x.planes != 1:
        raise UsageError(f"one plane of bits becomes one array of numbers, here are {x.planes}")
    n = x.size
    numbers = np.stack([unpack(piece[0], n).astype(np.uint64) for piece in x.data])
    u, v, w = (_without(p, _without(p, numbers, (a + 1) % 3), (a + 2) % 3) for a in range(3))
    spare = None
    if p.roots:
        spare = yield from triples.rows(p.at("triples"), 2 * n, 1)
    u = yield from _exclusive_or(p.at("first"), u, v, _part(spare, 0, n))
    u = yield from _exclusive_or(p.at("second"), u, w, _part(spare, n, 2 * n))
    return Rep3(u.reshape(2, *x.shape))


def _exclusive_or(p: Party3, u: Words, v: Words, triple: Triple | None) -> Rounds[Words]:
    """Of shared numbers 0 and 1: (2, n), (2, n) -> (2, n)."""
    if triple is None:
        both = (yield from product.mul(p, Rep3(u), Rep3(v))).data
    else:
        both = yield from rows_with(p, triple, u[:, :, np.newaxis], v[:, :, np.newaxis])
    return u + v - (both << np.uint64(1))


def _part(triple: Triple | None, start: int, stop: int) -> Triple | None:
    """Some rows of a triple; each is used once."""
    if triple is None:
        return None
    return Triple(triple.a[:, start:stop], triple.b[:, start:stop], triple.c[:, start:stop])
