"""Products without checks: right results, messages that say nothing, costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpcd.errors import UsageError
from mpcd.protocols.rep3 import product
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Rep3
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.runtime.lockstep import lockstep
from tests.protocols.rep3.three import (
    EDGES,
    dealt,
    each,
    parties,
    reveal,
    reveal_bits,
    run,
    share,
    share_bits,
    together,
)

words = st.integers(-(2**63), 2**63 - 1)


def test_the_known_answer() -> None:
    """x = (1, 2, 3), y = (4, 5, 6), masks (7, -3, -4): z = (24, 34, 32), the sum of which is 6 * 15."""
    x, y = ([np.array([v], np.uint64) for v in values] for values in ((1, 2, 3), (4, 5, 6)))

    class Given:
        """K[0] - K[1] = 7, K[1] - K[2] = -3, K[2] - K[0] = -4."""

        def __init__(self, key: int) -> None:
            self.word = (7, 0, 3)[key]

        def draw(self, size: int) -> Words:
            return np.full(size, self.word, np.uint64)

    class Known(Party3):
        def open_streams(self) -> Any:
            return tuple(Given(key) for key in self.keys)

    who = [Known(p.me, p.streams) for p in parties()]
    steps = [product.mul(p, a, b) for p, a, b in zip(who, dealt(x), dealt(y), strict=True)]
    z = together([part.data for part in lockstep(steps).results()])
    assert [int(piece[0]) for piece in z] == [24, 34, 32]


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(*[arrays(np.int64, n, elements=words)] * 2)))
@settings(deadline=None, max_examples=30)
def test_products_are_right(pair: tuple[Any, Any]) -> None:
    x, y = pair
    done = run(product.mul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x * y)


def test_products_of_edges() -> None:
    x, y = np.repeat(EDGES, EDGES.size), np.tile(EDGES, EDGES.size)
    done = run(product.mul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x * y)


@pytest.mark.parametrize("n", [1, 64, 65, 1000])
def test_conjunctions_are_right(n: int) -> None:
    x, y = np.arange(n) % 2 == 0, np.arange(n) % 3 == 0
    done = run(product.conj, share_bits(x, 1), share_bits(y, 2))
    np.testing.assert_array_equal(reveal_bits(done.results()), x & y)
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), 8 * ((n + 63) // 64))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 0), (0, 4), (2, 3, 600)])
def test_inner_products_are_right(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    x, y = (random.integers(-(2**63), 2**63, shape, np.int64) for _ in range(2))
    done = run(product.inner, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), (x * y).sum(axis=-1))


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 4, 5), (20, 700, 33), (2, 0, 3), (0, 2, 2)])
def test_matrix_products_are_right(m: int, k: int, n: int) -> None:
    random = np.random.default_rng(4)
    x, y = (random.integers(-(2**63), 2**63, s, np.int64) for s in ((m, k), (k, n)))
    done = run(product.matmul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x @ y)
    assert done.rounds == 1
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), 8 * m * n)


def test_a_product_costs_one_round_and_8_bytes_per_element_and_party() -> None:
    done = run(product.mul, share(np.arange(100)), share(np.arange(100), 1))
    assert done.rounds == 1
    assert dict(done.sent) == {(0, 2): 800, (1, 0): 800, (2, 1): 800}


STEPS: list[tuple[Callable[..., Rounds[Any]], Any]] = [
    (product.mul, share(np.full(4000, 7))),
    (product.inner, share(np.full((4000, 2), 7))),
    (product.matmul, share(np.full((63, 63), 7))),
    (product.conj, share_bits(np.full(64 * 4000, True))),
]


def messages(step: Any, x: Any, change: Callable[[Party3], Party3] = lambda p: p) -> list[Words]:
    """What the three parties receive in the product of a constant with itself."""
    seen: list[Words] = []

    def look(number: int, rounds: Any) -> None:
        seen.extend(np.asarray(m) for r in rounds.values() for m in r.send.values())

    lockstep([step(change(p), x[p.me], x[p.me]) for p in parties()], on_round=look).results()
    return seen


def looks_uniform(message: Words) -> bool:
    bits = np.unpackbits(message.view(np.uint8)).reshape(message.size, 64).sum(axis=0)
    return bool((abs(bits - message.size / 2) < 6 * np.sqrt(message.size / 4)).all())


@pytest.mark.parametrize(("step", "x"), STEPS)
def test_what_a_party_receives_is_uniform(step: Any, x: Any) -> None:
    constant = [
        type(x[0])(np.full_like(part.data, 7), *([part.shape] if step is product.conj else [])) for part in x
    ]
    seen = messages(step, constant)
    assert len(seen) == 3
    assert all(looks_uniform(m) for m in seen)
    assert looks_uniform(seen[0] ^ seen[1])

    class Bare(Party3):
        """Without masks: the mutation that the measure must find."""

        def open_streams(self) -> Any:
            class Zeros:
                def draw(self, size: int) -> Words:
                    return np.zeros(size, np.uint64)

            return Zeros(), Zeros()

    bare = messages(step, constant, lambda p: Bare(p.me, p.streams))
    assert not any(looks_uniform(m) for m in bare)


def test_a_product_at_another_path_has_other_masks() -> None:
    def twice(p: Party3, x: Rep3) -> Rounds[Any]:
        yield from product.mul(p.at(0), x, x)
        yield from product.mul(p.at(1), x, x)

    sent: list[Words] = []

    def look(number: int, rounds: dict[int, Round]) -> None:
        sent.extend(np.asarray(m) for m in rounds[1].send.values())

    lockstep(each(twice, share(np.arange(8))), on_round=look)  # type: ignore[arg-type]
    first, second = sent
    assert not (first == second).any()


def test_shapes_must_fit() -> None:
    p, x, y = parties()[0], share(np.zeros((2, 3), np.int64))[0], share(np.zeros((3, 2), np.int64))[0]
    for step in (product.mul, product.inner):
        with pytest.raises(UsageError, match="shapes"):
            next(step(p, x, y))
    with pytest.raises(UsageError, match="shapes"):
        next(product.matmul(p, x, x))
    with pytest.raises(UsageError, match="planes"):
        next(product.conj(p, share_bits(np.zeros(3, bool))[0], share_bits(np.zeros(4, bool))[0]))
