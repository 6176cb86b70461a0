"""Checked triples: right, of the declared cost, never wrong unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpcd.errors import InternalError, MpcdError, PeerError, UsageError
from mpcd.protocols.rep3 import triples
from mpcd.protocols.rep3.batch import Batch, BatchFault, Recipe
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.triples import Triple
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import (
    Edit,
    change,
    cheat,
    drop,
    edit_vouch,
    every_message,
    every_vouch,
    flip,
    plus,
    shift,
)
from tests.protocols.rep3.three import each, parties, run, together

ROWS = [(1, 1), (7, 1), (3, 5), (100, 1), (0, 1), (2, 0)]
MATRICES = [(1, 1, 1), (3, 4, 5), (2, 9, 1), (0, 2, 3), (2, 0, 3)]


def numbers(parts: list[Triple]) -> list[Words]:
    """a, b and c, put together."""
    found = []
    for name in ("a", "b", "c"):
        first, second, third = together([getattr(part, name) for part in parts])
        found.append(first + second + third)
    return found


def made(recipe: Recipe, seed: int = 0) -> Run[Triple]:
    return run(triples.make, recipe, seed=seed)


@pytest.mark.parametrize(("m", "k"), ROWS)
def test_rows_are_right(m: int, k: int) -> None:
    done = run(triples.rows, m, k)
    a, b, c = numbers(done.results())
    assert (a.shape, c.shape) == ((m, k), (m,))
    np.testing.assert_array_equal(c, (a * b).sum(axis=-1, dtype=np.uint64))
    assert (done.rounds, dict(done.payload_bytes)) == (5, dict.fromkeys(range(3), 16 * (m + m * k) + 112))


@pytest.mark.parametrize(("m", "k", "n"), MATRICES)
def test_matrices_are_right(m: int, k: int, n: int) -> None:
    done = run(triples.matrix, m, k, n)
    a, b, c = numbers(done.results())
    assert (a.shape, b.shape, c.shape) == ((m, k), (n, k), (m, n))
    np.testing.assert_array_equal(c, a @ b.T)
    assert (done.rounds, dict(done.payload_bytes)) == (5, dict.fromkeys(range(3), 16 * (m * n + n + k) + 96))


def test_triples_are_random_and_others_at_another_path() -> None:
    def two(p: Party3) -> Rounds[Any]:
        first = yield from triples.rows(p.at(0), 500, 1)
        return first, (yield from triples.rows(p.at(1), 500, 1))

    done = lockstep(each(two)).results()
    first, second = (numbers([pair[i] for pair in done]) for i in range(2))
    drawn = np.concatenate([x.reshape(-1) for x in (first[0], first[1], second[0], second[1])])
    assert np.unique(drawn).size == drawn.size
    bits = np.unpackbits(drawn.view(np.uint8)).reshape(-1, 64).sum(axis=0)
    assert (abs(bits - drawn.size / 2) < 6 * np.sqrt(drawn.size / 4)).all()


class Known(Streams[int]):
    """a is 3 and b is 5 everywhere; the masks a' are random, or zero."""

    masked = True

    def open_named(self, key_id: int, iv: bytes) -> Any:
        stream, masked = super().open_named(key_id, iv), self.masked

        class Few:
            draw = staticmethod(stream.draw)

            def draw_slices(self, sizes: list[int]) -> list[Words]:
                a, b, mask, blinds = stream.draw_slices(sizes)
                return [np.full_like(a, 3), np.full_like(b, 5), mask if masked else mask * 0, blinds]

        return Few()


class Bare(Known):
    masked = False


@pytest.mark.parametrize("streams", [Known, Bare])
def test_what_is_opened_says_nothing_of_a(streams: type[Known], monkeypatch: pytest.MonkeyPatch) -> None:
    """The combination r, high words: uniform, and without the masks a' it is found not to be."""
    begin = Batch.__init__

    def begin_known(self: Batch, p: Party3, recipe: Recipe) -> None:
        begin(self, p, recipe)
        self.party = Party3(p.me, streams({i: key[:16] for i, key in self.keys.items()}), path=p.path)

    monkeypatch.setattr(Batch, "__init__", begin_known)
    seen: list[Words] = []

    def look(number: int, rounds: Any) -> None:
        if number == 2:
            seen.extend(np.asarray(m)[1] for r in rounds.values() for m in r.send.values())

    lockstep(each(triples.rows, 2000, 1), on_round=look).results()
    high = np.concatenate(seen)
    ones = np.unpackbits(high.view(np.uint8)).reshape(-1, 64).sum(axis=0)
    assert (abs(ones - high.size / 2) < 6 * np.sqrt(high.size / 4)).all() == streams.masked


# -- cheating -----------------------------------------------------------------------------------------


def attacked(recipe: Recipe, cheater: int, *edits: Edit, seed: int = 0) -> Run[Triple]:
    steps = each(triples.make, recipe, seed=seed)
    steps[cheater] = cheat(steps[cheater], *edits)
    return lockstep(steps)


def honest_outcomes(done: Run[Any], cheater: int) -> list[Any]:
    return [done.outputs[p] for p in range(3) if p != cheater]


RECIPES = [Recipe("rows", (3, 1)), Recipe("rows", (2, 3)), Recipe("matrix", (2, 3, 2))]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("edit", [shift, flip, drop])
def test_no_wrong_message_leads_to_a_triple(recipe: Recipe, edit: Callable[..., Edit]) -> None:
    """Every message of every round, changed by its sender: no honest party ends with a triple."""
    places = every_message(each(triples.make, recipe))
    assert {place.round for place in places} == {0, 1, 2, 3}
    for place in places:
        lie = edit(round=place.round, to=place.receiver, label=place.label)
        done = attacked(recipe, place.sender, lie)
        for output in honest_outcomes(done, place.sender):
            assert isinstance(output, MpcdError)
            assert not isinstance(output, InternalError)
        victim = done.outputs[place.receiver]
        assert isinstance(victim, PeerError | BatchFault) or place.round == 0
        if isinstance(victim, PeerError):
            assert place.sender in victim.blamed


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_wrong_tag_ends_the_batch(recipe: Recipe) -> None:
    for place in every_vouch(each(triples.make, recipe)):
        lie = edit_vouch(
            lambda words: plus(words, 1),
            round=place.round, of=place.sender, to=place.receiver, label=place.label,
        )  # fmt: skip
        done = attacked(recipe, place.backup, lie)
        assert all(isinstance(output, MpcdError) for output in honest_outcomes(done, place.backup))


def add_to(words: Words, position: int, error: int) -> Words:
    """Add an error to one number of wide words."""
    out = np.array(words)
    value = (int(out[0, position]) + (int(out[1, position]) << 64) + error) % 2**128
    out[0, position], out[1, position] = value & (2**64 - 1), value >> 64
    return out


@pytest.mark.parametrize("error", [1, 2**63, 2**64 - 1, -1, 2**63 + 2**100])
@pytest.mark.parametrize("cheater", range(3))
@pytest.mark.parametrize("position", [0, 2, 3])
def test_an_additive_error_is_found_by_both(error: int, cheater: int, position: int) -> None:
    """In the highest bit, too: modulo 2^64 a factor would hide it with probability 1/2."""
    lie = change(lambda words: add_to(np.asarray(words), position, error), round=0)
    done = attacked(Recipe("rows", (3, 1)), cheater, lie)
    for output in honest_outcomes(done, cheater):
        assert isinstance(output, BatchFault)
        assert cheater in output.blamed


def pairs_of_errors(error: int, guess: int) -> Edit:
    """An error in the first product, and in c' what hides it if the factor is the guess."""

    def lie(words: Any) -> Words:
        return add_to(add_to(np.asarray(words), 0, error), words.shape[1] - 1, guess * error)

    return change(lie, round=0)


def test_an_error_passes_for_one_factor_in_16_if_there_are_16(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is tight: 15 of 16 lies are found, in 2000 runs give or take three standard deviations."""
    monkeypatch.setattr(triples, "CHALLENGE_BITS", 4)
    runs = 2000
    found = sum(
        isinstance(attacked(RECIPES[0], 1, pairs_of_errors(2**63, 5), seed=seed).outputs[0], BatchFault)
        for seed in range(runs)
    )
    assert abs(found - runs * 15 / 16) <= 3 * np.sqrt(runs * 15) / 16


def test_factors_have_64_bits() -> None:
    assert triples.CHALLENGE_BITS == 64


def test_the_coin_is_drawn_when_the_products_are_in() -> None:
    """The z frames are round 0 and the coin is round 1: nothing of it is stated earlier."""
    stated: list[set[str]] = []
    lockstep(
        each(triples.make, RECIPES[0]),
        on_round=lambda n, rounds: stated.append({label for r in rounds.values() for _, label in r.send}),
    )
    assert [len(labels) > 0 for labels in stated] == [True, True, True, True, False]
    assert stated[0] == {"product"}


def test_a_batch_is_made_once_and_needs_roots() -> None:
    p = parties()[0]
    next(triples.rows(p, 1, 1))
    with pytest.raises(InternalError, match="twice"):
        next(triples.rows(p, 1, 1))
    with pytest.raises(InternalError, match="no secrets"):
        next(triples.rows(Party3(0, parties()[0].streams), 1, 1))


@pytest.mark.parametrize("recipe", [Recipe("rows", (1,)), Recipe("cubes", (1, 1)), Recipe("rows", (-1, 1))])
def test_unknown_batches_are_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="no batch"):
        next(triples.make(parties()[0], recipe))


def test_reprs_show_no_random_word() -> None:
    triple = run(triples.rows, 1, 1).results()[0]
    assert repr(triple) == "Triple((1, 1), (1, 1))"
