"""The engine as a whole: it is what `Engine` asks for, and its parts fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.protocols.engine import Engine
from mpcd.protocols.rep4.engine import Rep4Engine, make_engine
from mpcd.protocols.rep4.sharing import Bits4, Rep4, held
from mpcd.protocols.rounds import Rounds, parallel
from mpcd.runtime.lockstep import Run, lockstep

SECRETS = [bytes([a]) * 32 for a in range(4)]
X = np.array([[5, -3, 2**61], [0, 7, -(2**61)]])
Y = np.array([[-5, -3, 1], [1, 8, -1]])


def engines(session: bytes = bytes(32)) -> list[Engine[Rep4, Bits4]]:
    return [make_engine(me, {a: SECRETS[a] for a in held(me)}, session, 0) for me in range(4)]


def run(program: Callable[[Any], Rounds[Any]]) -> Run[Any]:
    return lockstep([program(engine) for engine in engines()])


def opened(program: Callable[[Any, Rep4, Rep4], Rounds[Rep4]]) -> Any:
    """What all parties see if the result of a program on X and Y is opened."""

    def whole(e: Any) -> Rounds[Any]:
        z = yield from program(e.at("program"), e.constant(X), e.constant(Y))
        return (yield from e.at("open").open(z))

    first, *rest = run(whole).results()
    for other in rest:
        np.testing.assert_array_equal(other, first)
    return first


def local(function: Callable[[Any, Rep4, Rep4], Rep4]) -> Any:
    def program(e: Any, x: Rep4, y: Rep4) -> Rounds[Rep4]:
        yield from ()
        return function(e, x, y)

    return opened(program)


LOCAL: list[tuple[Callable[[Any, Any, Any], Any], Any]] = [
    (lambda e, x, y: e.add(x, y), X + Y),
    (lambda e, x, y: e.sub(x, y), X - Y),
    (lambda e, x, y: e.scale(x, Y), X * Y),
    (lambda e, x, y: e.scale(x, -2), X * -2),
    (lambda e, x, y: e.total(x, 0), X.sum(axis=0)),
    (lambda e, x, y: e.total(x, -1), X.sum(axis=1)),
    (lambda e, x, y: e.take(x, np.array([2, 0, 0]), 1), X[:, [2, 0, 0]]),
    (lambda e, x, y: e.join([x, y], 0), np.concatenate([X, Y])),
    (lambda e, x, y: e.join([x, y], -1), np.concatenate([X, Y], axis=1)),
    (lambda e, x, y: e.reshape(x, (3, 2)), X.reshape(3, 2)),
]


@pytest.mark.parametrize(("function", "expected"), LOCAL)
def test_local_operations(function: Any, expected: Any) -> None:
    np.testing.assert_array_equal(local(function), expected)


INTERACTIVE: list[tuple[Callable[[Any, Any, Any], Any], Any]] = [
    (lambda e, x, y: e.mul(x, y), X * Y),
    (lambda e, x, y: e.inner(x, y), (X * Y).sum(axis=1)),
    (lambda e, x, y: e.matmul(x, e.reshape(y, (3, 2))), X @ Y.reshape(3, 2)),
]


@pytest.mark.parametrize(("program", "expected"), INTERACTIVE)
def test_products(program: Any, expected: Any) -> None:
    np.testing.assert_array_equal(opened(program), expected)


COMPARISONS: list[tuple[str, Any]] = [
    ("less_than", X < Y),
    ("less_than_full", X < Y),
    ("equal", X == Y),
]


@pytest.mark.parametrize(("name", "expected"), COMPARISONS)
def test_comparisons_and_back_to_numbers(name: str, expected: Any) -> None:
    def program(e: Any) -> Rounds[Any]:
        bit = yield from getattr(e.at(0), name)(e.constant(X), e.constant(Y))
        flags = yield from e.at(1).open_bits(bit)
        number = yield from e.at(2).to_arithmetic(bit)
        return flags, (yield from e.at(3).open(number))

    for flags, numbers in run(program).results():
        np.testing.assert_array_equal(flags, expected)
        np.testing.assert_array_equal(numbers, expected.astype(np.int64))


def test_bits() -> None:
    a, b = np.arange(200) % 2 == 0, np.arange(200) % 3 == 0

    def program(e: Any) -> Rounds[Any]:
        x, y = e.constant_bits(a), e.constant_bits(b)
        both = yield from e.at(0).conj(e.negate(x), e.xor(x, y))
        cut = e.join_bits([e.take_bits(both, 64, 128), e.take_bits(both, 0, 10)])
        negative = yield from e.at(1).negative(e.constant(X))
        first = yield from e.at(2).open_bits(cut)
        return first, (yield from e.at(3).open_bits(negative, frozenset({1})))

    expected = ~a & (a ^ b)
    for party, (cut, signs) in enumerate(run(program).results()):
        np.testing.assert_array_equal(cut, np.concatenate([expected[64:128], expected[:10]]))
        if party == 1:
            np.testing.assert_array_equal(signs, X < 0)
        else:
            assert signs is None


def test_parallel_steps_share_rounds() -> None:
    def program(e: Any) -> Rounds[Any]:
        x, y = e.constant(X), e.constant(Y)
        square, sign = yield from parallel([e.at(0).mul(x, x), e.at(1).less_than(x, y)])
        flags, numbers = yield from parallel([e.at(2).open_bits(sign), e.at(3).open(square)])
        return flags, numbers

    done = run(program)
    assert done.rounds == 8 + 1
    for flags, numbers in done.results():
        np.testing.assert_array_equal(flags, X < Y)
        np.testing.assert_array_equal(numbers, X * X)


def test_the_same_program_in_another_session_sends_other_messages() -> None:
    """Equal messages would show a difference of secrets to whoever sees both."""

    def messages(session: bytes) -> set[int]:
        seen: list[Any] = []

        def collect(number: int, rounds: Mapping[int, Any]) -> None:
            seen.extend(m for r in rounds.values() for m in r.send.values())

        lockstep([e.less_than(e.constant(X), e.constant(Y)) for e in engines(session)], on_round=collect)
        return {int(word) for message in seen for word in np.asarray(message).reshape(-1)}

    assert not messages(bytes(32)) & messages(b"\1" * 32)


@pytest.mark.parametrize(("me", "keys"), [(0, {0, 1, 2}), (0, {1, 2}), (1, {0, 1, 2, 3}), (4, {0, 1, 2})])
def test_a_party_has_exactly_the_keys_of_the_others(me: int, keys: set[int]) -> None:
    with pytest.raises(UsageError, match="keys"):
        make_engine(me, {a: SECRETS[a] for a in keys}, bytes(32), 0)


def test_mistakes_of_the_caller_are_refused() -> None:
    engine = engines()[0]
    x, y = engine.constant(X), engine.constant(Y.T)
    with pytest.raises(UsageError, match="differ"):
        engine.add(x, y)
    with pytest.raises(UsageError, match="differ"):
        engine.sub(x, y)
    with pytest.raises(UsageError, match="no axis 2"):
        engine.total(x, 2)
    with pytest.raises(UsageError, match="differ"):
        engine.xor(engine.constant_bits(X < 0), engine.constant_bits(Y.T < 0))


def test_facts() -> None:
    engine = engines()[2]
    assert isinstance(engine, Rep4Engine)
    assert (engine.name, engine.me, engine.parties, engine.threshold) == ("rep4", 2, 4, 1)
