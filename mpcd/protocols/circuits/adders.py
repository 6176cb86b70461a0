"""Circuits for sums of shared bits: the carry out of a sum, all its bits, and whether all planes are one.

Notation  g, q  generate and propagate: bit i of u + v carries if g[i] = u[i] v[i], and passes a carry on
          if q[i] = u[i] ^ v[i]
Cost      counted in ANDs of a plane, by the functions whose names end in `ands`; all ANDs of a level are one
          gate, so the rounds are the levels
Security  that of the gates
Source    [Skl] Sklansky, Conditional-sum addition logic, 1960
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mpcd.protocols.circuits.gates import Gates, P
from mpcd.protocols.rounds import Rounds


def carry_out(c: Gates[P], g: P, q: P) -> Rounds[P]:
    """The carry out of all planes of g. Plane i of q propagates bit i + 1: that of bit 0 is not needed.

    A tree joins neighbours: (g, q) of a pair is (g_hi ^ q_hi g_lo, q_hi q_lo).

    Shapes  n planes, n - 1 planes -> 1 plane
    Cost    ceil(log2 n) rounds; `carry_ands(n)` ANDs of a plane: 118 for 63 planes
    """
    level = 0
    while c.count(g) > 1:
        g, q = yield from _join_neighbours(c.at("level", level), g, q)
        level += 1
    return g


def carry_ands(planes: int) -> int:
    """ANDs of `carry_out`: a level with k pairs has 2k - 1, for the lowest needs no propagate."""
    ands = 0
    while planes > 1:
        ands += 2 * (planes // 2) - 1
        planes -= planes // 2
    return ands


def _join_neighbours(c: Gates[P], g: P, q: P) -> Rounds[tuple[P, P]]:
    planes = c.count(g)
    pairs = planes // 2
    q_high = c.take(q, slice(0, 2 * pairs - 1, 2))
    q_low = c.take(q, slice(1, 2 * pairs - 2, 2))
    g_low, g_high = c.take(g, slice(0, 2 * pairs, 2)), c.take(g, slice(1, 2 * pairs, 2))
    left = c.join([q_high, c.take(q_high, slice(1, pairs))])
    right = c.join([g_low, q_low])
    product = yield from c.conj(left, right)
    new_g = c.xor(g_high, c.take(product, slice(0, pairs)))
    new_q = c.take(product, slice(pairs, 2 * pairs - 1))
    if planes % 2:
        new_g = c.join([new_g, c.take(g, slice(2 * pairs, None))])
        new_q = c.join([new_q, c.take(q, slice(2 * pairs - 1, None))])
    return new_g, new_q


def all_carries(c: Gates[P], g: P, q: P) -> Rounds[P]:
    """Plane i: the carry out of planes 0..i of g; q propagates the same bits.

    Shapes  n planes, n planes -> n planes
    Cost    ceil(log2 n) rounds; `all_carries_ands(n)` ANDs of a plane: 310 for 63 planes
    Source  [Skl]
    """
    planes = c.count(g)
    for level, (upper, top_below, inner) in enumerate(_prefix_levels(planes)):
        left = c.join([c.take(q, upper), c.take(q, upper[inner])])
        right = c.join([c.take(g, top_below), c.take(q, top_below[inner])])
        product = yield from c.at("level", level).conj(left, right)
        joined = c.xor(c.take(g, upper), c.take(product, slice(0, upper.size)))
        g = _replace(c, g, upper, joined)
        q = _replace(c, q, upper[inner], c.take(product, slice(upper.size, None)))
    return g


def all_carries_ands(planes: int) -> int:
    """ANDs of `all_carries`."""
    return sum(upper.size + int(inner.sum()) for upper, _, inner in _prefix_levels(planes))


_Level = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]


def _prefix_levels(planes: int) -> Iterator[_Level]:
    """The upper half of every block of 2^(level+1) bits is joined to the top of its lower half.

    (upper, top_below, inner): planes of upper halves, for each the top below it, and whether it needs a
    propagate: the lowest block does not, no carry comes from below it.
    """
    position = np.arange(planes)
    level = 0
    while 1 << level < planes:
        upper = position[(position >> level) & 1 == 1]
        yield upper, (upper >> level << level) - 1, upper >> (level + 1) > 0
        level += 1


def _replace(c: Gates[P], x: P, where: npt.NDArray[np.intp], new: P) -> P:
    """x with the planes `where` replaced by those of `new`."""
    source = np.arange(c.count(x))
    source[where] = c.count(x) + np.arange(where.size)
    return c.take(c.join([x, new]), source)


def all_ones(c: Gates[P], x: P) -> Rounds[P]:
    """The AND of all planes, by a tree.

    Shapes  n planes -> 1 plane
    Cost    ceil(log2 n) rounds; n - 1 ANDs of a plane
    """
    level = 0
    while c.count(x) > 1:
        half = c.count(x) // 2
        lower, upper = c.take(x, slice(0, half)), c.take(x, slice(half, 2 * half))
        product = yield from c.at("level", level).conj(lower, upper)
        x = c.join([product, c.take(x, slice(2 * half, None))]) if c.count(x) % 2 else product
        level += 1
    return x
