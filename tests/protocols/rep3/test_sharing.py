"""Local operations of rep3 sharings against cleartext; one party alone sees nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.protocols.rep3 import sharing
from mpcd.protocols.rep3.sharing import Bits3
from tests.protocols.rep3.three import (
    EDGES,
    reveal,
    reveal_bits,
    reveal_planes,
    share,
    share_bits,
    share_planes,
)

X, Y = EDGES, EDGES[::-1].copy()
A, B = np.arange(130) % 2 == 0, np.arange(130) % 3 == 0


def everyone(step: Callable[..., Any], *args: Any) -> list[Any]:
    return [step(*(arg[me] for arg in args)) for me in range(3)]


def test_numbers() -> None:
    x, y = share(X, 1), share(Y, 2)
    np.testing.assert_array_equal(reveal(everyone(sharing.add, x, y)), X + Y)
    np.testing.assert_array_equal(reveal(everyone(sharing.sub, x, y)), X - Y)
    np.testing.assert_array_equal(reveal([sharing.scale(part, -3) for part in x]), X * -3)
    np.testing.assert_array_equal(reveal([sharing.scale(part, Y) for part in x]), X * Y)
    np.testing.assert_array_equal(reveal([sharing.constant(me, X) for me in range(3)]), X)


def test_bits() -> None:
    a, b = share_bits(A, 1), share_bits(B, 2)
    np.testing.assert_array_equal(reveal_bits(everyone(sharing.xor, a, b)), A ^ B)
    np.testing.assert_array_equal(reveal_bits([sharing.negate(me, a[me]) for me in range(3)]), ~A)
    np.testing.assert_array_equal(reveal_bits([sharing.constant_bits(me, A) for me in range(3)]), A)
    cut = [sharing.take_bits(part, 64, 130) for part in a]
    np.testing.assert_array_equal(reveal_bits(cut), A[64:])
    joined = [sharing.join_bits([sharing.take_bits(p, 64, 128), q]) for p, q in zip(a, b, strict=True)]
    np.testing.assert_array_equal(reveal_bits(joined), np.concatenate([A[64:128], B]))


def test_planes() -> None:
    planes = np.random.default_rng(1).integers(0, 2**64, (6, 3), np.uint64)
    x = share_planes(planes, (192,))
    np.testing.assert_array_equal(reveal_planes([sharing.take_planes(p, 1, 6, 2) for p in x]), planes[1:6:2])
    both = [sharing.join_planes([sharing.take_planes(p, 4, 6), sharing.take_planes(p, 0, 1)]) for p in x]
    np.testing.assert_array_equal(reveal_planes(both), planes[[4, 5, 0]])


def test_the_lowest_bit() -> None:
    np.testing.assert_array_equal(reveal_bits([sharing.parity(p) for p in share(X, 3)]), X % 2 == 1)


def test_who_holds_what() -> None:
    assert [sharing.held(me) for me in range(3)] == [(0, 1), (1, 2), (2, 0)]
    assert [[sharing.slot(me, piece) for piece in range(3)] for me in range(3)] == [
        [0, 1, 2], [2, 0, 1], [1, 2, 0],
    ]  # fmt: skip


def test_mistakes_are_refused() -> None:
    a = share_bits(A)[0]
    for start, stop in ((1, 64), (64, 131), (128, 64)):
        with pytest.raises(UsageError, match="do not start"):
            sharing.take_bits(a, start, stop)
    with pytest.raises(UsageError, match="must end at a word"):
        sharing.join_bits([a, a])
    with pytest.raises(UsageError, match="cannot be stacked"):
        sharing.join_planes([a, share_bits(A[:5])[0]])


def test_reprs_show_no_share() -> None:
    x = share(np.array([123456789]))[0]
    assert repr(x) == "Rep3(shape=(1,))"
    assert repr(Bits3(x.data[:, np.newaxis], (64,))) == "Bits3(shape=(64,), planes=1)"
