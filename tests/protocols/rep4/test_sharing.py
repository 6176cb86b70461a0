"""Sharings: who holds what, and the local operations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import UsageError
from mpcd.protocols.rep4 import sharing
from mpcd.protocols.rep4.jump import FROM_01, FROM_23, Jump, jump, jump_bits
from mpcd.protocols.rep4.sharing import Bits4, held, slot
from mpcd.protocols.rounds import Words
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep4.four import parties, reveal, reveal_bits, reveal_planes, share, share_bits
from tests.protocols.rep4.sharings import LIVES, share_live, share_planes, words


@pytest.mark.parametrize("me", range(4))
def test_slots(me: int) -> None:
    assert [slot(me, a) for a in held(me)] == [0, 1, 2]
    assert slot(me, me) == 3
    assert me not in held(me)


@given(st.sampled_from(LIVES), st.sampled_from(LIVES), st.integers(0, 9))
def test_linear_operations(x_live: frozenset[int], y_live: frozenset[int], seed: int) -> None:
    """`reveal` checks that dead summands are zero, too."""
    a, b = words(seed, 7), words(seed + 1, 7)
    x, y = share_live(a, x_live, 5), share_live(b, y_live, 6)
    pairs = list(zip(x, y, strict=True))
    np.testing.assert_array_equal(reveal([sharing.add(p, q) for p, q in pairs]).view(np.uint64), a + b)
    np.testing.assert_array_equal(reveal([sharing.sub(p, q) for p, q in pairs]).view(np.uint64), a - b)
    np.testing.assert_array_equal(
        reveal([sharing.scale(p, -3) for p in x]).view(np.uint64), a * np.uint64(2**64 - 3)
    )
    factors = np.arange(7)
    np.testing.assert_array_equal(
        reveal([sharing.scale(p, factors) for p in x]).view(np.uint64), a * factors.view(np.uint64)
    )


@given(st.sampled_from(LIVES), st.sampled_from(LIVES), st.integers(0, 9))
def test_operations_on_planes(x_live: frozenset[int], y_live: frozenset[int], seed: int) -> None:
    a, b = words(seed, 5, 3), words(seed + 1, 5, 3)
    x, y = share_planes(a, x_live, 5), share_planes(b, y_live, 6)
    pairs = list(zip(x, y, strict=True))
    np.testing.assert_array_equal(reveal_planes([sharing.xor(p, q) for p, q in pairs]), a ^ b)
    np.testing.assert_array_equal(reveal_planes([sharing.negate(me, p) for me, p in enumerate(x)]), ~a)
    np.testing.assert_array_equal(reveal_planes([sharing.take_planes(p, 1, 5, 2) for p in x]), a[1:5:2])
    np.testing.assert_array_equal(
        reveal_planes([sharing.join_planes([p, q]) for p, q in pairs]), np.concatenate([a, b])
    )


def test_not_makes_summand_0_live() -> None:
    """Else the next product would leave out the rows of the summand that NOT has written."""
    x = share_planes(words(1, 1, 1), frozenset({1, 3}))
    assert sharing.negate(2, x[2]).live == {0, 1, 3}


def test_constants() -> None:
    values = np.array([[1, -1], [2**62, -(2**63)]])
    np.testing.assert_array_equal(reveal([sharing.constant(me, values) for me in range(4)]), values)
    flags = np.arange(130) % 3 == 0
    np.testing.assert_array_equal(reveal_bits([sharing.constant_bits(me, flags) for me in range(4)]), flags)


def test_cutting_and_joining_flags() -> None:
    flags = np.arange(200) % 3 == 0
    shared = share_bits(flags)
    head = [sharing.take_bits(b, 0, 128) for b in shared]
    tail = [sharing.take_bits(b, 128, 190) for b in shared]
    np.testing.assert_array_equal(reveal_bits(tail), flags[128:190])
    joined = [sharing.join_bits([h, t]) for h, t in zip(head, tail, strict=True)]
    np.testing.assert_array_equal(reveal_bits(joined), flags[:190])
    for wrong in ((1, 10), (0, 201), (128, 64)):
        with pytest.raises(UsageError, match="start at a word"):
            sharing.take_bits(shared[0], *wrong)
    with pytest.raises(UsageError, match="end at a word"):
        sharing.join_bits([tail[0], head[0]])
    with pytest.raises(UsageError, match="cannot be stacked"):
        sharing.join_planes([head[0], tail[0]])


def test_joint_messages_share_what_two_parties_know() -> None:
    u, v = words(1, 2, 3), words(2, 2, 3)

    def value(me: int, row: object) -> Words | None:
        known = {0: u, 1: u} if row is FROM_01 else {2: v, 3: v}
        return known.get(me)

    def jumps(me: int) -> list[Jump]:
        return [Jump(row, (2, 3), value(me, row)) for row in (FROM_01, FROM_23)]

    run = lockstep([jump(p, jumps(p.me)) for p in parties()])
    assert run.rounds == 1
    assert sum(run.payload_bytes.values()) == 2 * 8 * 6
    for k, expected in enumerate((u, v)):
        np.testing.assert_array_equal(reveal([r[k] for r in run.results()]).view(np.uint64), expected)
    run_bits = lockstep([jump_bits(p, jumps(p.me), (190,)) for p in parties()])
    for k, expected in enumerate((u, v)):
        np.testing.assert_array_equal(reveal_planes([r[k] for r in run_bits.results()]), expected)


def test_sizes() -> None:
    x = share(np.zeros((2, 5), np.int64))[0]
    assert (x.shape, x.size) == ((2, 5), 10)
    b = Bits4(np.zeros((3, 4, 2), np.uint64), (10, 10))
    assert (b.shape, b.size, b.planes) == ((10, 10), 100, 4)
