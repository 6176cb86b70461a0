"""A cheater that speaks last: it keeps a frame back until it has one of the next round.

One honest party gets the cheater's frame and goes on; the other one waits, for a product. From the first the
cheater has a tag over the only piece of the coin that it lacks. It knows the key of this tag, under which a
GMAC is a system of 128 linear equations for the bits that it covers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mpcd.protocols.rep3 import coin, triples
from mpcd.protocols.rep3.batch import BatchFault, Recipe
from mpcd.protocols.rounds import Round, Rounds, Words
from mpcd.ring.digests import digest
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.lockstep import DEFAULT_SESSION, tag_keys
from mpcd.runtime.tagging import Tagger
from tests.protocols.rep3.test_triples import numbers, pairs_of_errors
from tests.protocols.rep3.three import each

CHEATER, WAITS, GOES_ON = 0, 2, 1
SECRET_BITS = 128
"""Bits of a coin that its tag must leave open."""


class Seat:
    """A party at a table where each frame is handed over on its own."""

    def __init__(self, me: int, step: Rounds[triples.Triple]) -> None:
        self.step = step
        self.codec = FrameCodec(me, range(3), DEFAULT_SESSION, 0, tag_keys(me, range(3)))
        self.round: Round | None = next(step)
        self.result: triples.Triple | BatchFault | None = None

    def speak(self) -> dict[int, bytes]:
        """The frames of this round, by receiver."""
        assert self.round is not None
        return {to: b"".join(parts) for to, parts in self.codec.encode(self.number, self.round).items()}

    @property
    def number(self) -> int:
        return self.codec.next_number

    def hear(self, frames: dict[int, bytes]) -> None:
        """The frames of the others: to the next round, or to the end."""
        assert self.round is not None
        inbox = self.codec.decode(self.codec.next_number - 1, self.round, frames)
        try:
            self.round = self.step.send(inbox)
        except StopIteration as stop:
            self.round, self.result = None, stop.value
        except BatchFault as fault:
            self.round, self.result = None, fault


def solve(columns: Sequence[int], wanted: int) -> int:
    """A set of columns, as bits of a number, whose exclusive or is `wanted`; 0 if there is none."""
    pivots: dict[int, tuple[int, int]] = {}
    for k, column in enumerate(columns):
        used = 1 << k
        while column and (top := column.bit_length()) in pivots:
            column, used = column ^ pivots[top][0], used ^ pivots[top][1]
        if column:
            pivots[column.bit_length()] = column, used
    found = 0
    while wanted and (top := wanted.bit_length()) in pivots:
        wanted, found = wanted ^ pivots[top][0], found ^ pivots[top][1]
    return 0 if wanted else found


def under(tag: bytes, words: int) -> Words:
    """Words that have this tag of party GOES_ON: the only ones, if there are two of them."""
    tagger = Tagger(range(3), DEFAULT_SESSION, 0, tag_keys(CHEATER, range(3)))

    def tag_of(value: int) -> int:
        parts = [value.to_bytes(8 * words, "little")]
        made = tagger.make(1, WAITS, GOES_ON, CHEATER, GOES_ON, parts, 8 * words)
        return int.from_bytes(made, "little")

    nothing = tag_of(0)
    columns = [tag_of(1 << k) ^ nothing for k in range(64 * words)]
    found = solve(columns, int.from_bytes(tag, "little") ^ nothing)
    return np.frombuffer(found.to_bytes(8 * words, "little"), np.uint64)


def rush(seed: int) -> tuple[bool, list[Seat]]:
    """A batch with a wrong product that fits the coin which the cheater finds: has it found the right one?"""
    cheater, goes_on, waits = seats = [
        Seat(me, step) for me, step in enumerate(each(triples.make, Recipe("rows", (3, 1)), seed=seed))
    ]
    said = [seat.speak() for seat in seats]
    kept_back = np.asarray(cheater.round.send[WAITS, "product"])  # type: ignore[union-attr]
    goes_on.hear({CHEATER: said[CHEATER][GOES_ON], WAITS: said[WAITS][GOES_ON]})
    cheater.hear({GOES_ON: said[GOES_ON][CHEATER], WAITS: said[WAITS][CHEATER]})
    early = goes_on.speak()
    guess = guessed_coin(cheater, early[CHEATER][-16:])
    factor = int(coin.expand(guess, 3)[0])

    lie = pairs_of_errors(1, factor)(0, Round("", {(WAITS, "product"): kept_back})).send[WAITS, "product"]
    frame = said[CHEATER][WAITS].replace(kept_back.tobytes(), np.asarray(lie).tobytes())
    assert frame != said[CHEATER][WAITS]
    waits.hear({CHEATER: frame, GOES_ON: said[GOES_ON][WAITS]})
    frames = [cheater.speak(), early, waits.speak()]
    right = coin_of([waits, cheater]) == guess
    while True:
        for me, seat in enumerate(seats):
            seat.hear({of: frames[of][me] for of in range(3) if of != me})
        if any(seat.round is None for seat in seats):
            return right, seats
        frames = [seat.speak() for seat in seats]


def guessed_coin(cheater: Seat, tag: bytes) -> bytes:
    held = pieces_of(cheater)
    return digest("mpcd rep3 coin", (held[0] ^ held[1] ^ under(tag, coin.COIN_WORDS)).data.cast("B"))


def coin_of(two: Sequence[Seat]) -> bytes:
    (first, second), (_, third) = (pieces_of(seat) for seat in two)
    return digest("mpcd rep3 coin", (first ^ second ^ third).data.cast("B"))


def pieces_of(seat: Seat) -> list[Words]:
    """The two pieces of the coin that a party sends and vouches for."""
    assert seat.round is not None
    (sent,), (backed,) = seat.round.send.values(), seat.round.vouch.values()
    return [np.asarray(sent), backed]


@pytest.mark.parametrize("seed", range(3))
def test_a_tag_does_not_tell_the_coin(seed: int) -> None:
    right, seats = rush(seed)
    assert not right
    assert all(isinstance(seat.result, BatchFault) for seat in seats)


def test_a_coin_as_short_as_its_tag_would_be_known_before_the_products(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coin, "COIN_WORDS", 2)
    right, seats = rush(0)
    assert right
    triple = [seat.result for seat in seats]
    assert isinstance(triple[WAITS], triples.Triple)
    # The cheater itself holds the wrong piece, too.
    triple[CHEATER].c[0, 0] += np.uint64(1)  # type: ignore[union-attr]
    x, y, z = numbers(triple)  # type: ignore[arg-type]
    assert z[0] == (x * y)[0, 0] + np.uint64(1)


def test_a_coin_is_longer_than_its_tag() -> None:
    assert 64 * coin.COIN_WORDS - 8 * 16 >= SECRET_BITS
