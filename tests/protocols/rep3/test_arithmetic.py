"""Checked products of secrets: right, of the declared cost, and never wrong unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpcd.errors import InternalError, MpcdError, UsageError
from mpcd.protocols.rep3 import arithmetic, costs, triples
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Rep3
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, every_message, every_vouch, flip, plus, shift
from tests.protocols.rep3.three import EDGES, each, reveal, run, share

words = st.integers(-(2**63), 2**63 - 1)
random = np.random.default_rng(5)


def draw(*shape: int) -> Any:
    return random.integers(-(2**63), 2**63, shape, np.int64)


@given(st.integers(0, 30).flatmap(lambda n: st.tuples(*[arrays(np.int64, n, elements=words)] * 2)))
@settings(deadline=None, max_examples=20)
def test_products_are_right(pair: tuple[Any, Any]) -> None:
    x, y = pair
    np.testing.assert_array_equal(reveal(run(arithmetic.mul, share(x, 1), share(y, 2)).results()), x * y)


def test_products_of_edges_and_their_cost() -> None:
    x, y = np.repeat(EDGES, EDGES.size), np.tile(EDGES, EDGES.size)
    done = run(arithmetic.mul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x * y)
    assert done.rounds == 6
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), 48 * x.size + 112)
    assert costs.rows(x.size, 1) == costs.Cost(6, 48 * x.size + 112)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 0), (0, 4), (2, 3, 60), (7,)])
def test_inner_products_are_right(shape: tuple[int, ...]) -> None:
    x, y = draw(*shape), draw(*shape)
    done = run(arithmetic.inner, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), (x * y).sum(axis=-1))
    expected = costs.rows(int(np.prod(shape[:-1])), shape[-1])
    assert (done.rounds, dict(done.payload_bytes)) == (6, dict.fromkeys(range(3), expected.sent))


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 4, 5), (17, 30, 9), (2, 0, 3), (0, 2, 2)])
def test_matrix_products_are_right(m: int, k: int, n: int) -> None:
    x, y = draw(m, k), draw(k, n)
    done = run(arithmetic.matmul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x @ y)
    assert (done.rounds, dict(done.payload_bytes)) == (
        6, dict.fromkeys(range(3), costs.matrix(m, k, n).sent),
    )  # fmt: skip
    assert costs.matrix(m, k, n).sent == 16 * (m * n + n + k) + 8 * (m * k + k * n) + 96


@pytest.mark.parametrize(("shape", "blocks"), [((5, 3), 3), ((2, 20), 6), ((20, 1), 3), ((3, 0), 1)])
def test_large_inner_products_are_cut(
    shape: tuple[int, int], blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpcd.protocols.rep3.blocks.FACTOR_ELEMENTS", 8)
    x, y = draw(*shape), draw(*shape)
    done = run(arithmetic.inner, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), (x * y).sum(axis=-1))
    expected = costs.rows(*shape)
    assert (done.rounds, dict(done.payload_bytes)) == (6 * blocks, dict.fromkeys(range(3), expected.sent))
    assert expected.rounds == 6 * blocks


@pytest.mark.parametrize(("m", "k", "n", "blocks"), [(2, 9, 4, 5), (1, 8, 1, 1), (9, 2, 3, 2), (2, 0, 1, 1)])
def test_large_matrix_products_are_cut(
    m: int, k: int, n: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpcd.protocols.rep3.blocks.FACTOR_ELEMENTS", 8)
    x, y = draw(m, k), draw(k, n)
    done = run(arithmetic.matmul, share(x, 1), share(y, 2))
    np.testing.assert_array_equal(reveal(done.results()), x @ y)
    expected = costs.matrix(m, k, n)
    assert (done.rounds, dict(done.payload_bytes)) == (6 * blocks, dict.fromkeys(range(3), expected.sent))


def test_a_view_is_a_fine_factor() -> None:
    x, y = draw(6, 4), draw(4, 6)
    turned = [Rep3(part.data.transpose(0, 2, 1)) for part in share(y, 2)]
    np.testing.assert_array_equal(reveal(run(arithmetic.mul, share(x, 1), turned).results()), x * y.T)
    np.testing.assert_array_equal(reveal(run(arithmetic.matmul, turned, turned_back(x)).results()), y.T @ x.T)


def turned_back(x: Any) -> list[Rep3]:
    return [Rep3(part.data.transpose(0, 2, 1)) for part in share(x, 1)]


# -- privacy -------------------------------------------------------------------------------------------


def stated(x: list[Rep3], step: Any = arithmetic.mul) -> list[Mapping[int, Round]]:
    rounds: list[Mapping[int, Round]] = []
    lockstep(each(step, x, x), on_round=lambda number, r: rounds.append(r)).results()
    return rounds


def test_before_the_batch_is_settled_nothing_depends_on_a_secret() -> None:
    """The first five rounds are the same words whatever is multiplied: to open the batch shows nothing."""

    def batch(x: Any) -> list[bytes]:
        rounds = stated(share(x, 1))[:5]
        return [np.asarray(m).tobytes() for r in rounds for p in range(3) for m in r[p].send.values()]

    assert batch(np.arange(50)) == batch(np.arange(50) * 7 + 1)
    one, two = (
        [np.asarray(m).tobytes() for m in stated(share(np.full(5, x), 1))[5][2].send.values()] for x in (1, 2)
    )
    assert one != two


def test_the_factors_that_are_opened_are_masked() -> None:
    """What is shown of 4000 times a constant is uniform; without the triple's a and b it is not."""
    x = [Rep3(np.full((2, 4000), 7, np.uint64)) for _ in range(3)]
    messages = [np.asarray(m) for p in range(3) for m in stated(x)[5][p].send.values()]
    assert all(looks_uniform(m) for m in messages)
    assert looks_uniform(messages[0] ^ messages[1])
    with pytest.MonkeyPatch.context() as patch:
        original = triples.rows

        def bare(p: Party3, m: int, k: int) -> Rounds[Any]:
            triple = yield from original(p, m, k)
            triple.a[:], triple.b[:], triple.c[:] = 0, 0, 0
            return triple

        patch.setattr(triples, "rows", bare)
        messages = [np.asarray(m) for p in range(3) for m in stated(x)[5][p].send.values()]
    assert not any(looks_uniform(m) for m in messages)


def looks_uniform(message: Words) -> bool:
    bits = np.unpackbits(message.view(np.uint8)).reshape(message.size, 64).sum(axis=0)
    return bool((abs(bits - message.size / 2) < 6 * np.sqrt(message.size / 4)).all())


# -- cheating ------------------------------------------------------------------------------------------


def cube(p: Party3, x: Rep3) -> Rounds[Rep3]:
    squared = yield from arithmetic.mul(p.at(0), x, x)
    return (yield from arithmetic.mul(p.at(1), squared, x))


def product_of_matrices(p: Party3, x: Rep3) -> Rounds[Rep3]:
    square = Rep3(x.data.reshape(2, 2, 2))
    return (yield from arithmetic.matmul(p, square, square))


def inner_of_rows(p: Party3, x: Rep3) -> Rounds[Rep3]:
    two = Rep3(x.data.reshape(2, 2, 2))
    return (yield from arithmetic.inner(p, two, two))


STEPS = [cube, product_of_matrices, inner_of_rows]


def assert_no_wrong_result(step: Any, cheater: int, edit: Edit, round: int) -> None:
    """With a lie in the last round, a party that did not get the lie may end well: with the right share."""
    x = np.arange(4) + 1
    right = run(step, share(x)).results()
    steps = each(step, share(x))
    steps[cheater] = cheat(steps[cheater], edit)
    done = lockstep(steps)
    failed = 0
    for p in set(range(3)) - {cheater}:
        output = done.outputs[p]
        assert not isinstance(output, InternalError)
        if isinstance(output, MpcdError):
            failed += 1
        else:
            np.testing.assert_array_equal(output.data, right[p].data)
    assert failed == 2 or (failed == 1 and round == done.rounds - 1)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_no_lie_of_any_sender_leads_to_a_wrong_result(step: Any, edit: Callable[..., Edit]) -> None:
    places = every_message(each(step, share(np.arange(4) + 1)))
    assert {(place.sender, place.round % 6) for place in places} == {
        (p, r) for p in range(3) for r in (0, 1, 2, 3, 5)
    }
    for place in places:
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        assert_no_wrong_result(step, place.sender, lie, place.round)


@pytest.mark.parametrize("step", STEPS)
def test_no_lie_of_any_backup_leads_to_a_wrong_result(step: Any) -> None:
    for place in every_vouch(each(step, share(np.arange(4) + 1))):
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        assert_no_wrong_result(step, place.backup, lie, place.round)


def test_a_party_whose_check_failed_says_nothing_more_and_nobody_uses_the_batch() -> None:
    """One wrong hash to one party: that one stops, and the other honest one never opens a masked factor."""
    for cheater in range(3):
        for victim in set(range(3)) - {cheater}:
            steps = each(arithmetic.mul, share(np.arange(3)), share(np.arange(3)))
            steps[cheater] = cheat(steps[cheater], shift(round=3, to=victim))
            begun: dict[int, list[str]] = {p: [] for p in range(3)}

            def note(number: int, rounds: Mapping[int, Round], begun: Any = begun) -> None:
                for p, r in rounds.items():
                    begun[p].append(r.path)

            done = lockstep(steps, on_round=note)
            other = 3 - cheater - victim
            assert (len(begun[victim]), len(begun[other])) == (4, 5)
            assert begun[other][-1].endswith("settled")
            assert all(isinstance(done.outputs[p], MpcdError) for p in (victim, other))


def test_shapes_must_fit() -> None:
    x, y = share(np.zeros((2, 3), np.int64))[0], share(np.zeros((3, 2), np.int64))[0]
    p = Party3.__new__(Party3)
    for step in (arithmetic.mul, arithmetic.inner):
        with pytest.raises(UsageError, match="shapes"):
            next(step(p, x, y))
    with pytest.raises(UsageError, match="shapes"):
        next(arithmetic.matmul(p, x, x))
