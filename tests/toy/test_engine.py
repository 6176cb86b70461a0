"""Everything in `Engine`, on the toy, against NumPy: the interface can be implemented without rep4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.engine import Engine, Flags, Ints
from mpcd.protocols.rounds import Round, Rounds, Words, parallel
from mpcd.runtime.lockstep import Run, lockstep
from tests.toy.engine import ToyEngine, share, share_bits
from tests.toy.sharing import Additive, Xored

T = TypeVar("T")
Toy = Engine[Additive, Xored]

LOW, HIGH = -(2**63), 2**63 - 1
EDGES = [LOW, LOW + 1, -(2**62), -1, 0, 1, 2**62 - 1, 2**62, HIGH]
INT64 = st.one_of(st.sampled_from(EDGES), st.integers(LOW, HIGH))
INT62 = st.integers(-(2**62), 2**62 - 1)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
FLAGS = hnp.arrays(np.bool_, hnp.array_shapes(max_dims=2, max_side=70))


def pairs(elements: st.SearchStrategy[int] = INT64) -> st.SearchStrategy[tuple[Ints, Ints]]:
    return SHAPES.flatmap(
        lambda shape: st.tuples(*(hnp.arrays(np.int64, shape, elements=elements) for _ in range(2)))
    )


def engines() -> list[Toy]:
    return [ToyEngine(me, seed=7).at("test") for me in (0, 1)]


def run(step: Callable[[Toy, int], Rounds[T]]) -> Run[T]:
    return lockstep([step(e, e.me) for e in engines()])


def opened(f: Callable[[Toy, list[Additive]], Rounds[Additive]], *values: Ints) -> Ints:
    """Share values, apply f, open to both, and check that both see the same."""
    shares = [share(v, seed) for seed, v in enumerate(values)]

    def step(e: Toy, me: int) -> Rounds[Any]:
        z = yield from f(e, [s[me] for s in shares])
        return (yield from e.at("out").open(z))

    first, second = run(step).results()
    np.testing.assert_array_equal(first, second)
    return np.asarray(first)


def opened_bits(f: Callable[[Toy, list[Additive]], Rounds[Xored]], *values: Ints) -> Flags:
    shares = [share(v, seed) for seed, v in enumerate(values)]

    def step(e: Toy, me: int) -> Rounds[Any]:
        z = yield from f(e, [s[me] for s in shares])
        return (yield from e.at("out").open_bits(z))

    first, second = run(step).results()
    np.testing.assert_array_equal(first, second)
    return np.asarray(first)


def bits_opened(f: Callable[[Toy, list[Xored]], Rounds[Xored]], *values: Flags) -> Flags:
    shares = [share_bits(v, seed) for seed, v in enumerate(values)]

    def step(e: Toy, me: int) -> Rounds[Any]:
        z = yield from f(e, [s[me] for s in shares])
        return (yield from e.at("out").open_bits(z))

    return np.asarray(run(step).results()[0])


def now(z: T) -> Rounds[T]:
    """A local result as a step."""
    return z
    yield


# -- local ----------------------------------------------------------------------------------------


@given(xy=pairs(), k=INT64)
def test_linear_operations(xy: tuple[Ints, Ints], k: int) -> None:
    x, y = xy
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(opened(lambda e, a: now(e.add(a[0], a[1])), x, y), x + y)
        np.testing.assert_array_equal(opened(lambda e, a: now(e.sub(a[0], a[1])), x, y), x - y)
        np.testing.assert_array_equal(opened(lambda e, a: now(e.scale(a[0], k)), x), x * np.int64(k))
        np.testing.assert_array_equal(opened(lambda e, a: now(e.scale(a[0], y)), x), x * y)
    np.testing.assert_array_equal(opened(lambda e, a: now(e.constant(x))), x)


def test_rearrangement() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    index = np.array([2, 0, 0, 1])
    for axis in range(3):

        def total(e: Toy, a: list[Additive], axis: int = axis) -> Rounds[Additive]:
            return now(e.total(a[0], axis))

        def joined(e: Toy, a: list[Additive], axis: int = axis) -> Rounds[Additive]:
            return now(e.join([a[0], a[0], a[1]], axis))

        np.testing.assert_array_equal(opened(total, x), x.sum(axis))
        np.testing.assert_array_equal(opened(joined, x, -x), np.concatenate([x, x, -x], axis))
    np.testing.assert_array_equal(opened(lambda e, a: now(e.take(a[0], index, 1)), x), np.take(x, index, 1))
    np.testing.assert_array_equal(opened(lambda e, a: now(e.reshape(a[0], (6, 4))), x), x.reshape(6, 4))
    assert opened(lambda e, a: now(e.total(a[0], 0)), np.array([3, 4])).shape == ()


@given(flags=FLAGS)
def test_local_bits(flags: Flags) -> None:
    other = flags[::-1].copy()
    np.testing.assert_array_equal(
        bits_opened(lambda e, a: now(e.xor(a[0], a[1])), flags, other), flags ^ other
    )
    np.testing.assert_array_equal(bits_opened(lambda e, a: now(e.negate(a[0])), flags), ~flags)
    np.testing.assert_array_equal(bits_opened(lambda e, a: now(e.constant_bits(flags))), flags)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 64), (64, 65), (128, 200), (0, 200), (192, 200)])
def test_taking_and_joining_bits(start: int, stop: int) -> None:
    flags = np.random.default_rng(3).random(200) < 0.5
    part = bits_opened(lambda e, a: now(e.take_bits(a[0], start, stop)), flags)
    np.testing.assert_array_equal(part, flags[start:stop])
    joined = bits_opened(
        lambda e, a: now(e.join_bits([e.take_bits(a[0], 0, 128), e.take_bits(a[0], start, stop)])), flags
    )
    np.testing.assert_array_equal(joined, np.concatenate([flags[:128], flags[start:stop]]))


# -- interactive ----------------------------------------------------------------------------------


@given(xy=pairs())
def test_products(xy: tuple[Ints, Ints]) -> None:
    x, y = xy
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(opened(lambda e, a: e.mul(a[0], a[1]), x, y), x * y)
        if x.ndim:
            expected = (x * y).sum(-1, dtype=np.int64)
            np.testing.assert_array_equal(opened(lambda e, a: e.inner(a[0], a[1]), x, y), expected)


@given(data=st.data(), m=st.integers(0, 4), k=st.integers(0, 4), n=st.integers(0, 4))
def test_matrix_products(data: st.DataObject, m: int, k: int, n: int) -> None:
    x = data.draw(hnp.arrays(np.int64, (m, k), elements=INT64))
    y = data.draw(hnp.arrays(np.int64, (k, n), elements=INT64))
    np.testing.assert_array_equal(opened(lambda e, a: e.matmul(a[0], a[1]), x, y), x @ y)


@given(flags=FLAGS)
def test_conjunction(flags: Flags) -> None:
    other = flags[::-1].copy()
    np.testing.assert_array_equal(bits_opened(lambda e, a: e.conj(a[0], a[1]), flags, other), flags & other)


@given(xy=pairs())
def test_signs_and_equality(xy: tuple[Ints, Ints]) -> None:
    x, y = xy
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.negative(a[0]), x), x < 0)
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.equal(a[0], a[1]), x, y), x == y)
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.equal(a[0], a[0]), x), np.ones(x.shape, bool))


@given(xy=pairs())
def test_full_comparison(xy: tuple[Ints, Ints]) -> None:
    x, y = xy
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.less_than_full(a[0], a[1]), x, y), x < y)


@given(xy=pairs(INT62))
def test_comparison_within_compare_bits(xy: tuple[Ints, Ints]) -> None:
    x, y = xy
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.less_than(a[0], a[1]), x, y), x < y)


def test_all_edges_are_compared() -> None:
    """Every pair of boundary values, so that this does not depend on luck."""
    x, y = (np.array(a).reshape(-1) for a in np.meshgrid(EDGES, EDGES))
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.less_than_full(a[0], a[1]), x, y), x < y)
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.equal(a[0], a[1]), x, y), x == y)
    np.testing.assert_array_equal(opened_bits(lambda e, a: e.negative(a[0]), x), x < 0)


@given(flags=FLAGS)
def test_bits_become_integers(flags: Flags) -> None:
    shares = share_bits(flags)

    def step(e: Toy, me: int) -> Rounds[Any]:
        z = yield from e.to_arithmetic(shares[me])
        return (yield from e.at("out").open(z))

    np.testing.assert_array_equal(run(step).results()[0], flags.astype(np.int64))


@pytest.mark.parametrize("to", [frozenset({0}), frozenset({1}), frozenset({0, 1}), frozenset[int](), None])
def test_only_those_named_see_what_is_opened(to: frozenset[int] | None) -> None:
    values, flags = np.array([5, -6]), np.array([True, False, True])
    shares, bits = share(values), share_bits(flags)

    def step(e: Toy, me: int) -> Rounds[list[Any]]:
        return parallel([e.at(0).open(shares[me], to), e.at(1).open_bits(bits[me], to)])

    for party, (ints, shown) in enumerate(run(step).results()):
        if to is None or party in to:
            np.testing.assert_array_equal(ints, values)
            np.testing.assert_array_equal(shown, flags)
        else:
            assert ints is None
            assert shown is None


# -- rules ----------------------------------------------------------------------------------------


def test_rounds_and_bytes_are_as_declared() -> None:
    x = share(np.arange(128))
    b = share_bits(np.zeros(128, bool))
    costs: dict[str, tuple[int, int, Callable[[Toy, int], Rounds[Any]]]] = {
        "mul": (1, 16 * 128, lambda e, i: e.mul(x[i], x[i])),
        "conj": (1, 2 * 16, lambda e, i: e.conj(b[i], b[i])),
        "negative": (7, (64 * 2 + 6 * 64 * 4) * 16, lambda e, i: e.negative(x[i])),
        "less_than_full": (8, 3 * (64 * 2 + 6 * 64 * 4) * 16 + 32, lambda e, i: e.less_than_full(x[i], x[i])),
        "equal": (6, 2 * 63 * 16, lambda e, i: e.equal(x[i], x[i])),
        "to_arithmetic": (1, 16 * 128, lambda e, i: e.to_arithmetic(b[i])),
        "open": (1, 8 * 128, lambda e, i: e.open(x[i])),
    }
    for name, (rounds, size, step) in costs.items():
        done = run(step)
        assert (done.rounds, dict(done.payload_bytes), done.tags) == (rounds, {0: size, 1: size}, 0), name


def test_the_same_randomness_is_never_drawn_twice() -> None:
    x = share(np.arange(3))

    def twice(e: Toy, me: int) -> Rounds[Any]:
        yield from e.mul(x[me], x[me])
        return (yield from e.mul(x[me], x[me]))

    def at_two_places(e: Toy, me: int) -> Rounds[Any]:
        yield from e.at(0).mul(x[me], x[me])
        return (yield from e.at(1).mul(x[me], x[me]))

    assert all(isinstance(o, InternalError) for o in run(twice).outputs.values())
    run(at_two_places).results()


def test_what_a_product_shows_is_masked() -> None:
    """What both parties learn, x - a and y - b, is uniform whatever is multiplied."""
    n = 4096
    for value in (0, 7):
        x = share(np.full(n, value))
        shown: list[Words] = []

        def look(_: int, rounds: Mapping[int, Round], shown: list[Words] = shown) -> None:
            shown.append(np.asarray(rounds[0].send[1, "x"]) + np.asarray(rounds[1].send[0, "x"]))

        lockstep([e.mul(x[e.me], x[e.me]) for e in engines()], on_round=look).results()
        (words,) = shown
        for half in (words[:n], words[n:]):
            counts = np.bincount((half & np.uint64(7)).astype(np.intp), minlength=8)
            assert abs(counts - n / 8).max() < 5 * np.sqrt(n / 8)


def test_shapes_that_do_not_fit_are_the_callers_fault() -> None:
    e = engines()[0]
    x, y = share(np.zeros(3, np.int64))[0], share(np.zeros(4, np.int64))[0]
    b = share_bits(np.zeros(70, bool))[0]
    for local in (e.add, e.sub):
        with pytest.raises(UsageError):
            local(x, y)
    for step in (e.mul(x, y), e.matmul(x, y)):
        with pytest.raises(UsageError):
            next(step)
    with pytest.raises(UsageError):
        e.take_bits(b, 1, 64)
    with pytest.raises(UsageError):
        e.join_bits([b, b])


def test_shares_do_not_print_their_contents() -> None:
    assert repr(Additive(np.array([123456789], np.uint64))) == "Additive(shape=(1,))"
    assert repr(Xored(np.array([123456789], np.uint64), (64,))) == "Xored(shape=(64,))"
