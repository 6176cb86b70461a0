"""What a comparison or a conversion shows a party is uniform, whatever is hidden from that party.

The other three summands are constants, so that nothing but the pads can make a message look random. Two
controls show that the measure works: with pads of zero, and with names of streams that lack a part, it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import CipherContext

from mpcd.errors import InternalError
from mpcd.protocols.rep4 import compare, convert
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Bits4, Rep4, held
from mpcd.protocols.rounds import Inbox, Rounds, Words, parallel
from mpcd.ring.bits import words_for
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import spy
from tests.protocols.rep4.four import parties
from tests.protocols.rep4.pads import OpenedStreams
from tests.protocols.rep4.sharings import dealt

N = 64 * 128
HIDDEN = (0, 1, 2**63)
Step = Callable[[Party4, Rep4], Rounds[Any]]


def _zeros(x: Rep4) -> Rep4:
    return Rep4(np.zeros_like(x.data))


def less(p: Party4, x: Rep4) -> Rounds[Any]:
    return compare.less_than(p, x, _zeros(x))


def less_full(p: Party4, x: Rep4) -> Rounds[Any]:
    return compare.less_than_full(p, x, _zeros(x))


def same(p: Party4, x: Rep4) -> Rounds[Any]:
    return compare.equal(p, x, _zeros(x))


def in_range(p: Party4, x: Rep4) -> Rounds[Any]:
    return compare.range_check(p, x, 0, 99)


def flags(p: Party4, x: Rep4) -> Rounds[Any]:
    bits = Bits4(np.ascontiguousarray(x.data[:, np.newaxis, : words_for(N)]), (N,))
    return convert.to_arithmetic(p, bits)


STEPS: list[Step] = [less, less_full, same, in_range, flags, convert.to_binary]


def received(step: Step, party: int, hidden: int, who: list[Party4]) -> list[Words]:
    """Everything that a party receives in a run on constants of which it lacks `hidden`."""
    summands = [np.full(N, 7 * a + 1, np.uint64) for a in range(4)]
    summands[party][:] = hidden
    seen: list[Inbox] = []
    steps = [step(p, x) for p, x in zip(who, dealt(summands), strict=True)]
    steps[party] = spy(steps[party], seen)
    lockstep(steps).results()
    return [np.asarray(inbox[key]).reshape(-1) for inbox in seen for key in sorted(inbox)]


def looks_uniform(words: Words) -> bool:
    """Ones among all bits, among the bits of each position, and equal neighbours: within 6 deviations."""
    planes = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(-1, 64)
    rows = planes.shape[0]
    ones = abs(int(planes.sum()) - planes.size / 2) < 6 * np.sqrt(planes.size) / 2
    columns = abs(planes.sum(0, dtype=np.int64) - rows / 2).max() < 6 * np.sqrt(rows) / 2
    equal = int((planes[:, 1:] == planes[:, :-1]).sum())
    return bool(ones and columns and abs(equal - rows * 63 / 2) < 6 * np.sqrt(rows * 63) / 2)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("party", range(4))
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_a_party_receives_is_uniform_whatever_is_hidden(step: Step, party: int, hidden: int) -> None:
    messages = received(step, party, hidden, parties(hidden % 89))
    assert messages
    for k, message in enumerate(messages):
        assert looks_uniform(message)
        for other in messages[:k]:
            # No pad serves twice: two messages show nothing about each other, at their starts either.
            size = min(message.size, other.size)
            assert looks_uniform(message[:size] ^ other[:size])
            assert looks_uniform(message[:size] - other[:size])


class _Zeros:
    """A stream of zeros, however it is read."""

    def fill(self, out: Words) -> None:
        out[...] = 0

    def draw(self, words: int) -> Words:
        return np.zeros(words, np.uint64)

    def draw_slices(self, sizes: list[int]) -> list[Words]:
        return [np.zeros(size, np.uint64) for size in sizes]

    def cut(self, words: int) -> _Zeros:
        return self


class _NoPads(OpenedStreams):
    def open_named(self, key_id: int, iv: bytes) -> Any:
        return _Zeros()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("party", range(4))
def test_without_pads_the_measure_fails(step: Step, party: int) -> None:
    who = [Party4(me, _NoPads({a: bytes(16) for a in held(me)})) for me in range(4)]
    messages = received(step, party, 1, who)
    assert not all(looks_uniform(message) for message in messages)
    assert not looks_uniform(messages[0])


# -- a stream's name has all its parts ------------------------------------------------------------------


class _Forgetful(Party4):
    """A party whose paths leave out one kind of step: the mutation."""

    __slots__ = ()
    forgotten: Callable[[str | int], bool] = staticmethod(lambda step: False)

    def at(self, *steps: str | int) -> Any:
        return super().at(*(step for step in steps if not self.forgotten(step)))


class _Blank(set[bytes]):
    """A ledger in which nothing is ever found."""

    def __contains__(self, iv: object) -> bool:
        return False


class _NoLedger(Streams[int]):
    """Streams that do not notice that a name is used twice."""

    def _at_hand(self, key_id: int) -> tuple[CipherContext, set[bytes]]:
        return super()._at_hand(key_id)[0], _Blank()


def twice(p: Party4, x: Rep4) -> Rounds[Any]:
    """The same comparison at two places of a program, side by side."""
    return parallel([compare.negative(p.at("first"), x), compare.negative(p.at("second"), x)])


FORGET: dict[str, Callable[[str | int], bool]] = {
    "place in the program": lambda step: step in ("first", "second"),
    "step of the comparison": lambda step: step in ("halves", "generate", "level"),
    "level of the tree": lambda step: isinstance(step, int),
}


def _forgetful(forgotten: Callable[[str | int], bool], streams: type[Streams[int]]) -> list[Party4]:
    kind = type("Mutant", (_Forgetful,), {"forgotten": staticmethod(forgotten), "__slots__": ()})
    return [kind(me, streams({a: bytes([a]) * 16 for a in held(me)})) for me in range(4)]


@pytest.mark.parametrize("what", FORGET)
def test_a_name_without_one_of_its_parts_is_refused(what: str) -> None:
    """The ledger of streams stops the run; without it only a measure of the messages would notice."""
    who = _forgetful(FORGET[what], Streams)
    with pytest.raises(InternalError, match="twice"):
        received(twice, 1, 0, who)


@pytest.mark.parametrize("party", range(4))
def test_without_the_place_in_the_name_two_messages_show_their_difference(party: int) -> None:
    messages = received(twice, party, 1, _forgetful(FORGET["place in the program"], _NoLedger))
    pairs = [(m, n) for k, m in enumerate(messages) for n in messages[:k] if m.size == n.size]
    assert not all(looks_uniform(m ^ n) for m, n in pairs)
    honest = received(twice, party, 1, _forgetful(lambda step: False, _NoLedger))
    pairs = [(m, n) for k, m in enumerate(honest) for n in honest[:k] if m.size == n.size]
    assert all(looks_uniform(m ^ n) for m, n in pairs)
