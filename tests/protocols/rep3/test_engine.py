"""The engine as a whole: it is what `Engine` asks for, and its parts fit together, checked and unchecked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mpcd.errors import InternalError, UsageError
from mpcd.protocols.engine import Engine
from mpcd.protocols.rep3.engine import Rep3Engine, make_engine
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3, held
from mpcd.protocols.rounds import Rounds, parallel
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import Run, lockstep

SECRETS = [bytes([i]) * 32 for i in range(3)]
X = np.array([[5, -3, 2**61], [0, 7, -(2**61)]])
Y = np.array([[-5, -3, 1], [1, 8, -1]])
BOTH = pytest.mark.parametrize("checked", [True, False])


def engines(
    session: bytes = bytes(32), *, epoch: int = 1, history: bytes = bytes(32), checked: bool = True
) -> list[Engine[Rep3, Bits3]]:
    return [
        make_engine(me, {i: SECRETS[i] for i in held(me)}, session, epoch, history=history, checked=checked)
        for me in range(3)
    ]


def run(program: Callable[[Any], Rounds[Any]], *, checked: bool = True) -> Run[Any]:
    return lockstep([program(engine) for engine in engines(checked=checked)])


def opened(program: Callable[[Any, Rep3, Rep3], Rounds[Rep3]], *, checked: bool = True) -> Any:
    """What all parties see if the result of a program on X and Y is opened."""

    def whole(e: Any) -> Rounds[Any]:
        z = yield from program(e.at("program"), e.constant(X), e.constant(Y))
        return (yield from e.at("open").open(z))

    first, *rest = run(whole, checked=checked).results()
    for other in rest:
        np.testing.assert_array_equal(other, first)
    return first


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
    def program(e: Any, x: Rep3, y: Rep3) -> Rounds[Rep3]:
        yield from ()
        return function(e, x, y)  # type: ignore[no-any-return]

    np.testing.assert_array_equal(opened(program), expected)


INTERACTIVE: list[tuple[Callable[[Any, Any, Any], Any], Any]] = [
    (lambda e, x, y: e.mul(x, y), X * Y),
    (lambda e, x, y: e.inner(x, y), (X * Y).sum(axis=1)),
    (lambda e, x, y: e.inner(e.take(x, np.array(0), 0), e.take(y, np.array(0), 0)), (X * Y)[0].sum()),
    (lambda e, x, y: e.matmul(x, e.reshape(y, (3, 2))), X @ Y.reshape(3, 2)),
]


@BOTH
@pytest.mark.parametrize(("program", "expected"), INTERACTIVE)
def test_products(program: Any, expected: Any, checked: bool) -> None:
    np.testing.assert_array_equal(opened(program, checked=checked), expected)


COMPARISONS: list[tuple[str, Any]] = [
    ("less_than", X < Y),
    ("less_than_full", X < Y),
    ("equal", X == Y),
]


@BOTH
@pytest.mark.parametrize(("name", "expected"), COMPARISONS)
def test_comparisons_and_back_to_numbers(name: str, expected: Any, checked: bool) -> None:
    def program(e: Any) -> Rounds[Any]:
        bit = yield from getattr(e.at(0), name)(e.constant(X), e.constant(Y))
        flags = yield from e.at(1).open_bits(bit)
        number = yield from e.at(2).to_arithmetic(bit)
        return flags, (yield from e.at(3).open(number))

    for flags, numbers in run(program, checked=checked).results():
        np.testing.assert_array_equal(flags, expected)
        np.testing.assert_array_equal(numbers, expected.astype(np.int64))


@BOTH
def test_bits(checked: bool) -> None:
    a, b = np.arange(200) % 2 == 0, np.arange(200) % 3 == 0

    def program(e: Any) -> Rounds[Any]:
        x, y = e.constant_bits(a), e.constant_bits(b)
        both = yield from e.at(0).conj(e.negate(x), e.xor(x, y))
        cut = e.join_bits([e.take_bits(both, 64, 128), e.take_bits(both, 0, 10)])
        negative = yield from e.at(1).negative(e.constant(X))
        odd = yield from e.at(4).parity(e.reshape(e.constant(X), (6,)))
        first = yield from e.at(2).open_bits(cut)
        return (
            first,
            (yield from e.at(3).open_bits(negative, frozenset({1}))),
            (yield from e.at(5).open_bits(odd)),
        )

    expected = ~a & (a ^ b)
    for party, (cut, signs, odd) in enumerate(run(program, checked=checked).results()):
        np.testing.assert_array_equal(cut, np.concatenate([expected[64:128], expected[:10]]))
        np.testing.assert_array_equal(odd, X.reshape(-1) % 2 == 1)
        if party == 1:
            np.testing.assert_array_equal(signs, X < 0)
        else:
            assert signs is None


@BOTH
def test_parallel_steps_share_rounds(checked: bool) -> None:
    def program(e: Any) -> Rounds[Any]:
        x, y = e.constant(X), e.constant(Y)
        square, sign = yield from parallel([e.at(0).mul(x, x), e.at(1).less_than(x, y)])
        flags, numbers = yield from parallel([e.at(2).open_bits(sign), e.at(3).open(square)])
        return flags, numbers

    done = run(program, checked=checked)
    assert done.rounds == (5 + 8 if checked else 8) + 1
    for flags, numbers in done.results():
        np.testing.assert_array_equal(flags, X < Y)
        np.testing.assert_array_equal(numbers, X * X)


@BOTH
@pytest.mark.parametrize("other", ["session", "epoch", "history"])
def test_the_same_program_elsewhere_sends_other_messages(other: str, checked: bool) -> None:
    """Equal messages would show a difference of secrets to whoever sees both."""

    def messages(who: list[Engine[Rep3, Bits3]]) -> set[int]:
        seen: list[Any] = []

        def collect(number: int, rounds: Mapping[int, Any]) -> None:
            seen.extend(m for r in rounds.values() for m in r.send.values())

        def program(e: Any) -> Rounds[Any]:
            yield from e.at(0).mul(e.constant(X), e.constant(Y))
            yield from e.at(1).less_than(e.constant(X), e.constant(Y))

        lockstep([program(e) for e in who], on_round=collect)
        return {int(word) for message in seen for word in np.asarray(message).reshape(-1)}

    given: dict[str, dict[str, Any]] = {
        "session": {"session": b"\1" * 32}, "epoch": {"epoch": 2}, "history": {"history": b"\1" * 32},
    }  # fmt: skip
    assert not messages(engines(checked=checked)) & messages(engines(checked=checked, **given[other]))


def test_batch_keys_depend_on_session_epoch_and_history() -> None:
    def keys(**given: Any) -> tuple[bytes, ...]:
        party = engines(**given)[0].at("x").party  # type: ignore[attr-defined]
        return tuple(party.batch_keys().values())

    places = [keys(), keys(session=b"\1" * 32), keys(epoch=2), keys(history=b"\1" * 32)]
    assert len({key for pair in places for key in pair}) == 8
    assert keys() == places[0]


@pytest.mark.parametrize(("me", "keys"), [(0, {0, 1, 2}), (0, {1, 2}), (2, {1, 2}), (3, {0, 1}), (1, {1})])
def test_a_party_has_exactly_the_keys_of_its_pieces(me: int, keys: set[int]) -> None:
    with pytest.raises(UsageError, match="keys"):
        make_engine(me, {i: SECRETS[i] for i in keys}, bytes(32), 0)


def test_a_party_without_roots_is_not_taken_for_one_that_checks() -> None:
    """Its operations on bits would say nothing, and check nothing."""
    bare = Party3(0, Streams({0: SECRETS[0][:16], 1: SECRETS[1][:16]}))
    with pytest.raises(InternalError, match="cannot check"):
        Rep3Engine(bare)
    assert not Rep3Engine(bare, checked=False).checked


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


@BOTH
def test_facts(checked: bool) -> None:
    engine = engines(checked=checked)[2]
    assert isinstance(engine, Rep3Engine)
    assert (engine.name, engine.me, engine.parties, engine.threshold) == ("rep3", 2, 3, 1)
    assert repr(engine.at("x", 1)) == f"Rep3Engine(Party3(2, '/x/1'), checked={checked})"


def test_the_engine_tells_of_batches_that_are_in_their_check() -> None:
    who = [make_engine(me, {i: SECRETS[i] for i in held(me)}, bytes(32), 0) for me in range(3)]
    kept: list[list[str]] = []

    def note(number: int, rounds: Any) -> None:
        kept.append([record.path for record in who[0].unsettled()])

    def program(e: Rep3Engine) -> Rounds[Any]:
        x = e.constant(X)
        return (yield from parallel([e.at(0).mul(x, x), e.at(1).matmul(x, e.reshape(x, (3, 2)))]))

    lockstep([program(e) for e in who], on_round=note).results()
    assert kept == [[]] * 3 + [["/0/0/triples", "/1/0/triples"]] * 2 + [[]]
