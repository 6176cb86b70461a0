"""What an AND, a comparison or a conversion shows a party is uniform, whatever is hidden from that party.

The other two pieces are constants, so that nothing but masks can make a message look random. Controls show
that the measure works: without the masks of the triples, or with streams of zeros, it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpcd.errors import InternalError
from mpcd.protocols.rep3 import compare, convert, gates, triples
from mpcd.protocols.rep3 import words as words_module
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, Rep3, held
from mpcd.protocols.rep3.triples import Triple
from mpcd.protocols.rep3.words import WordTriples
from mpcd.protocols.rounds import Inbox, Rounds, Words, parallel
from mpcd.ring.bits import words_for
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import spy
from tests.protocols.rep3.boolean import players
from tests.protocols.rep3.three import dealt

N = 64 * 48
HIDDEN = (0, 1, 2**63)
CHECK = 3
Step = Callable[[Party3, Rep3], Rounds[Any]]


def _zeros(x: Rep3) -> Rep3:
    return Rep3(np.zeros_like(x.data))


def _flags(x: Rep3) -> Bits3:
    return Bits3(np.ascontiguousarray(x.data[:, np.newaxis, : words_for(N)]), (N,))


def both(p: Party3, x: Rep3) -> Rounds[Any]:
    planes = Bits3(x.data.reshape(2, 64, -1), (N,))
    return gates.conj(p, planes, planes)


def less_full(p: Party3, x: Rep3) -> Rounds[Any]:
    return compare.less_than_full(p, x, _zeros(x))


def same(p: Party3, x: Rep3) -> Rounds[Any]:
    return compare.equal(p, x, _zeros(x))


def in_range(p: Party3, x: Rep3) -> Rounds[Any]:
    return compare.range_check(p, x, 0, 99)


def numbers(p: Party3, x: Rep3) -> Rounds[Any]:
    return convert.to_arithmetic(p, _flags(x))


STEPS: list[Step] = [both, less_full, same, in_range, numbers, convert.to_binary]


def received(step: Step, party: int, hidden: int, who: list[Party3]) -> list[list[Words]]:
    """Everything that a party receives in a run on constants of which it lacks `hidden`, round by round."""
    pieces = [np.full(N, 7 * a + 1, np.uint64) for a in range(3)]
    pieces[(party - 1) % 3][:] = hidden
    seen: list[Inbox] = []
    steps = [step(p, x) for p, x in zip(who, dealt(pieces), strict=True)]
    steps[party] = spy(steps[party], seen)
    lockstep(steps).results()
    return [[np.asarray(inbox[key]).reshape(-1) for key in sorted(inbox)] for inbox in seen]


def looks_uniform(words: Words) -> bool:
    """Ones among all bits, among the bits of each position, and equal neighbours: within 6 deviations."""
    planes = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little").reshape(-1, 64)
    rows = planes.shape[0]
    ones = abs(int(planes.sum()) - planes.size / 2) < 6 * np.sqrt(planes.size) / 2
    columns = abs(planes.sum(0, dtype=np.int64) - rows / 2).max() < 6 * np.sqrt(rows) / 2
    equal = int((planes[:, 1:] == planes[:, :-1]).sum())
    return bool(ones and columns and abs(equal - rows * 63 / 2) < 6 * np.sqrt(rows * 63) / 2)


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("party", range(3))
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_a_party_receives_is_uniform(step: Step, party: int, hidden: int, checked: bool) -> None:
    rounds = received(step, party, hidden, players(checked=checked, seed=hidden % 89))
    if checked:
        first, second = rounds.pop(CHECK)
        np.testing.assert_array_equal(first, second)  # hashes of nothing but random numbers
    messages = [message for messages in rounds for message in messages]
    assert messages
    for k, message in enumerate(messages):
        assert looks_uniform(message)
        for other in messages[:k]:
            # No mask serves twice: two messages show nothing about each other, at their starts either.
            size = min(message.size, other.size)
            assert looks_uniform(message[:size] ^ other[:size])
            assert looks_uniform(message[:size] - other[:size])


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("party", range(3))
def test_what_is_made_public_is_uniform(party: int, hidden: int) -> None:
    """Not only the piece that arrives: x ^ a and y ^ b, put together, show nothing of x and y."""
    shown: list[Words] = []

    def look(number: int, rounds: Any) -> None:
        if number == 5:
            sent = [next(iter(rounds[me].send.values())) for me in range(3)]
            shown.append(sent[0] ^ sent[1] ^ sent[2])

    pieces = [np.full(N, hidden if a == party else 3, np.uint64) for a in range(3)]
    lockstep([both(p, x) for p, x in zip(players(checked=True), dealt(pieces), strict=True)], on_round=look)
    (public,) = shown
    x_masked, y_masked = public.reshape(2, -1)
    assert looks_uniform(x_masked)
    assert looks_uniform(y_masked)
    assert looks_uniform(x_masked ^ y_masked)


# -- without masks --------------------------------------------------------------------------------------


def _masks(monkeypatch: pytest.MonkeyPatch, *, a: bool, b: bool) -> None:
    """Triples with some of their factors zero: the mutations."""
    honest_words, honest_rows = words_module.make, triples.rows

    def words(p: Party3, recipe: Any) -> Rounds[WordTriples]:
        found = yield from honest_words(p, recipe)
        x, y, z = found.take(found.left)
        product = z if a and b else z * np.uint64(0)
        return WordTriples(x * np.uint64(a), y * np.uint64(b), product)

    def rows(p: Party3, m: int, k: int) -> Rounds[Triple]:
        t = yield from honest_rows(p, m, k)
        product = t.c if a and b else t.c * np.uint64(0)
        return Triple(t.a * np.uint64(a), t.b * np.uint64(b), product)

    monkeypatch.setattr(words_module, "make", words)
    monkeypatch.setattr(triples, "rows", rows)


@pytest.mark.parametrize(("a", "b"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("party", range(3))
def test_without_the_masks_of_triples_the_measure_fails(
    step: Step, party: int, a: bool, b: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = received(step, party, 1, players(checked=True))
    assert all(looks_uniform(m) for messages in honest[5:] for m in messages)
    _masks(monkeypatch, a=a, b=b)
    rounds = received(step, party, 1, players(checked=True))
    assert not all(looks_uniform(m) for messages in rounds[5:] for m in messages)


class _Zeros:
    """A stream of zeros, however it is read."""

    def draw(self, words: int) -> Words:
        return np.zeros(words, np.uint64)

    def draw_slices(self, sizes: list[int]) -> list[Words]:
        return [np.zeros(size, np.uint64) for size in sizes]


class _NoPads(Streams[int]):
    def open_named(self, key_id: int, iv: bytes) -> Any:
        return _Zeros()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("party", range(3))
def test_without_pads_the_unchecked_ones_show_everything(step: Step, party: int) -> None:
    who = [Party3(me, _NoPads({a: bytes(16) for a in held(me)})) for me in range(3)]
    messages = [m for messages in received(step, party, 1, who) for m in messages]
    assert not looks_uniform(messages[0])


# -- a stream's name has all its parts ------------------------------------------------------------------


class _Forgetful(Party3):
    """A party whose paths leave out one kind of step: the mutation."""

    __slots__ = ()
    forgotten: Callable[[str | int], bool] = staticmethod(lambda step: False)

    def at(self, *steps: str | int) -> Any:
        return super().at(*(step for step in steps if not self.forgotten(step)))


def twice(p: Party3, x: Rep3) -> Rounds[Any]:
    """The same comparison at two places of a program, side by side."""
    return parallel([compare.negative(p.at("first"), x), compare.negative(p.at("second"), x)])


FORGET: dict[str, tuple[bool, Callable[[str | int], bool]]] = {
    "place in the program": (True, lambda step: step in ("first", "second")),
    "place of an unchecked one": (False, lambda step: step in ("first", "second")),
    "step of the comparison": (False, lambda step: step in ("save", "generate", "level")),
    "level of the tree": (False, lambda step: isinstance(step, int)),
}


@pytest.mark.parametrize("what", FORGET)
def test_a_name_without_one_of_its_parts_is_refused(what: str) -> None:
    checked, forgotten = FORGET[what]
    kind = type("Mutant", (_Forgetful,), {"forgotten": staticmethod(forgotten), "__slots__": ()})
    who = [kind(p.me, p.streams, p.roots) for p in players(checked=checked)]
    with pytest.raises(InternalError, match="twice"):
        received(twice, 1, 0, who)
