"""Products: right for every mask of live summands, at the promised cost, with the known answers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.rep4 import exchange, multiply, schedule
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4, held
from mpcd.protocols.rounds import Spec, run_locally
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep4.four import each, parties, reveal, reveal_planes, run, share
from tests.protocols.rep4.pads import OpenedStreams
from tests.protocols.rep4.sharings import LIVES, dealt, share_live, share_planes, words

U64 = st.integers(0, 2**64 - 1)
SIZES = [0, 1, 5, 63, 64, 65, 130, 2 * exchange.PIECE + 7]


# -- correct -----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(U64, U64), max_size=150),
    st.sampled_from(LIVES),
    st.sampled_from(LIVES),
    st.integers(0, 99),
)
def test_mul_is_the_product_for_all_masks(
    pairs: list[tuple[int, int]], x_live: frozenset[int], y_live: frozenset[int], seed: int
) -> None:
    x, y = np.array(pairs, np.uint64).reshape(-1, 2).T.copy()
    found = reveal(run(multiply.mul, share_live(x, x_live, seed), share_live(y, y_live, seed + 9)).results())
    np.testing.assert_array_equal(found.view(np.uint64), x * y)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4), st.integers(0, 40), st.sampled_from(LIVES), st.sampled_from(LIVES), st.integers(0, 99)
)
def test_conj_is_the_bitwise_and_for_all_masks(
    planes: int, width: int, x_live: frozenset[int], y_live: frozenset[int], seed: int
) -> None:
    x, y = words(seed, planes, width), words(seed + 1, planes, width)
    shared = run(multiply.conj, share_planes(x, x_live, seed), share_planes(y, y_live, seed + 9)).results()
    np.testing.assert_array_equal(reveal_planes(shared), x & y)


@pytest.mark.parametrize("size", SIZES)
def test_mul_at_the_borders_of_pieces_and_halves(size: int) -> None:
    x, y = words(1, size), words(2, size)
    found = reveal(run(multiply.mul, share_live(x), share_live(y)).results())
    np.testing.assert_array_equal(found.view(np.uint64), x * y)


def test_mul_keeps_shapes_and_takes_views() -> None:
    x, y = words(1, 4, 6), words(2, 3, 4)
    turned = [Rep4(r.data.transpose(0, 2, 1)[:, ::2]) for r in share_live(x)]
    found = reveal(run(multiply.mul, turned, share_live(y)).results())
    np.testing.assert_array_equal(found.view(np.uint64), x.T[::2] * y)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_matmul_and_inner(m: int, k: int, n: int, seed: int) -> None:
    x, y, z = words(seed, m, k), words(seed + 1, k, n), words(seed + 2, m, k)
    product = reveal(run(multiply.matmul, share_live(x), share_live(y, seed=9)).results())
    np.testing.assert_array_equal(product.view(np.uint64), x @ y)
    sums = reveal(run(multiply.inner, share_live(x), share_live(z, seed=9)).results())
    np.testing.assert_array_equal(sums.view(np.uint64), (x * z).sum(axis=-1, dtype=np.uint64))


def test_the_inner_product_of_two_vectors_has_no_axis() -> None:
    x, y = words(1, 9), words(2, 9)
    found = reveal(run(multiply.inner, share_live(x), share_live(y, seed=9)).results())
    assert found.shape == ()
    assert int(found.view(np.uint64)) == int((x * y).sum(dtype=np.uint64))


def test_operands_are_not_changed() -> None:
    x, y = share(np.arange(200)), share(np.arange(200), 1)
    before = [r.data.copy() for r in (*x, *y)]
    run(multiply.mul, x, y)
    for r, data in zip((*x, *y), before, strict=True):
        np.testing.assert_array_equal(r.data, data)


def test_shapes_must_fit() -> None:
    p, x = parties()[0], Rep4(np.zeros((3, 2, 3), np.uint64))
    other = Rep4(np.zeros((3, 3, 2), np.uint64))
    for step in (multiply.mul(p, x, other), multiply.inner(p, x, other), multiply.matmul(p, x, x)):
        with pytest.raises(UsageError, match="shapes"):
            next(step)
    narrow, wide = Bits4(np.zeros((3, 1, 1), np.uint64), (3,)), Bits4(np.zeros((3, 1, 1), np.uint64), (4,))
    with pytest.raises(UsageError, match="differ"):
        next(multiply.conj(p, narrow, wide))


@pytest.mark.parametrize("size", [1, 2, 7, 63])
@pytest.mark.parametrize("me", range(4))
@pytest.mark.parametrize("ring", [multiply.INTEGERS, multiply.BITS])
def test_small_products_are_those_of_the_general_way(ring: multiply.Ring, me: int, size: int) -> None:
    """Bit for bit: messages, what is vouched for, what is expected, and the result."""
    doing = schedule.plan(me, ALL, ALL, False)
    assert doing.few is not None
    x, y = words(1, 3, size), words(2, 3, size)
    found = []
    for plan in (doing, dataclasses.replace(doing, few=None)):
        step = multiply._elementwise(parties()[me].at("here"), ring, plan, x, y)
        r = next(step)
        inbox = {key: words(9, *spec.shape) for key, spec in r.recv.items() if isinstance(spec, Spec)}
        with pytest.raises(StopIteration) as stop:
            step.send(inbox)
        found.append((r, stop.value.value))
    (few, few_result), (general, general_result) = found
    np.testing.assert_array_equal(few_result, general_result)
    for a, b in ((few.send, general.send), (few.vouch, general.vouch)):
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[key], b[key]) for key in a)  # type: ignore[index]
    assert (few.path, few.recv, few.vouched) == (general.path, general.recv, general.vouched)


# -- vectors -----------------------------------------------------------------------------------------


class FixedPads(OpenedStreams):
    """Streams whose slices begin with given words: r of the rows in the order of the schedule."""

    PADS = (11, 13, 17, 19, 23, 29)

    def open_named(self, key_id: int, iv: bytes) -> Any:
        rows = schedule.ROWS[:6]
        return FixedStream([r for row, r in zip(rows, self.PADS, strict=True) if row.receiver == key_id])


class FixedStream:
    def __init__(self, pads: list[int]) -> None:
        self.pads = pads

    def draw_slices(self, sizes: list[int]) -> list[Any]:
        return [np.full(size, pad, np.uint64) for size, pad in zip(sizes, self.pads, strict=True)]


def test_the_known_answer() -> None:
    """10 * 26 with known summands and pads. The messages of the cyclic rows carry a diagonal product too."""
    x = dealt([np.array([a], np.uint64) for a in (1, 2, 3, 4)])
    y = dealt([np.array([a], np.uint64) for a in (5, 6, 7, 8)])
    seen: dict[str, int] = {}

    def look(number: int, rounds: Any) -> None:
        seen.update(
            {label.partition("~")[0]: int(m[0]) for r in rounds.values() for (_, label), m in r.send.items()}
        )

    steps = [
        multiply.mul(Party4(me, FixedPads({a: bytes(16) for a in held(me)})), x[me], y[me]) for me in range(4)
    ]
    shared = lockstep(steps, on_round=look).results()
    cross, diagonal = (41, 15, -1, 13, 17, -7), (21, 32, 5, 12, 0, 0)
    assert seen == {str(i): (cross[i] + diagonal[i]) % 2**64 for i in range(6)}
    summands = {a: int(shared[(a + 1) % 4].data[held((a + 1) % 4).index(a), 0]) for a in range(4)}
    assert summands == {0: 10, 1: 59, 2: 110, 3: 81}
    assert reveal(shared).tolist() == [260]


# -- cost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [64, 1000, 20_000])
def test_a_large_product_costs_everybody_12_bytes(n: int) -> None:
    done = run(multiply.mul, share(np.arange(n)), share(np.arange(n), 1))
    assert done.rounds == 1
    assert dict(done.payload_bytes) == dict.fromkeys(range(4), 12 * n)
    assert done.tags == 8


def test_a_small_product_saves_messages() -> None:
    done = run(multiply.mul, share(np.arange(63)), share(np.arange(63), 1))
    assert dict(done.payload_bytes) == {0: 16 * 63, 1: 16 * 63, 2: 8 * 63, 3: 8 * 63}
    assert (done.rounds, done.tags) == (1, 6)


def test_an_and_costs_one_and_a_half_bits_per_party() -> None:
    x = share_planes(words(1, 4, 100))
    done = run(multiply.conj, x, x)
    assert dict(done.payload_bytes) == dict.fromkeys(range(4), 64 * 400 * 3 // 2 // 8)
    assert done.rounds == 1


@pytest.mark.parametrize(
    ("x_live", "y_live", "messages"),
    [({2, 3}, {0, 1}, 4), ({2, 3}, ALL, 5), ({2, 3}, {2, 3}, 1), ({0}, ALL, 3), ({0}, {0}, 0), (ALL, ALL, 6)],
)
@pytest.mark.parametrize("n", [10, 100])
def test_dead_summands_save_messages(x_live: Any, y_live: Any, messages: int, n: int) -> None:
    x, y = share_live(words(1, n), frozenset(x_live)), share_live(words(2, n), frozenset(y_live))
    done = run(multiply.mul, x, y)
    assert sum(done.payload_bytes.values()) == 8 * n * messages
    plain = share_planes(words(1, 1, n), frozenset(x_live)), share_planes(words(2, 1, n), frozenset(y_live))
    assert sum(run(multiply.conj, *plain).payload_bytes.values()) == 8 * n * messages


@pytest.mark.parametrize("k", [1, 7, 14])
def test_the_inner_length_costs_nothing(k: int) -> None:
    x, y = share(np.ones((20, k), np.int64)), share(np.ones((k, 10), np.int64), 1)
    done = run(multiply.matmul, x, y)
    assert (done.rounds, sum(done.payload_bytes.values())) == (1, 48 * 200)
    assert sum(run(multiply.inner, x, x).payload_bytes.values()) == 48 * 20


# -- randomness is used once -------------------------------------------------------------------------


def test_one_path_serves_one_product() -> None:
    p, x = parties()[0], share(np.arange(5))[0]
    next(multiply.mul(p.at("a"), x, x))
    next(multiply.mul(p.at("b"), x, x))
    with pytest.raises(InternalError, match="twice"):
        next(multiply.mul(p.at("a"), x, x))


@pytest.mark.parametrize("n", [3, 200, 40_000])
def test_rows_never_share_pads(n: int) -> None:
    """Of zero every message is -pad: two rows with one pad would show the difference of two terms."""
    zero = [Rep4(np.zeros((3, n), np.uint64)) for _ in range(4)]
    seen: list[Any] = []
    lockstep(each(multiply.mul, zero, zero), on_round=lambda _, rounds: seen.extend(rounds.values()))
    messages = np.concatenate([m for r in seen for m in r.send.values()])
    assert messages.size == 6 * n
    assert np.unique(messages).size == 6 * n


def test_constants_need_no_message_but_two_live_summands_do() -> None:
    p = parties()[1]
    x = Rep4(np.ones((3, 4), np.uint64), frozenset({0}))
    step = multiply.mul(p, x, x)
    assert not next(step).send
    with pytest.raises(InternalError):
        run_locally(multiply.mul(p.at("x"), x, x))
