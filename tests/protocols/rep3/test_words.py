"""Verified triples of words: right, as cheap as said, and a wrong one is found as often as computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mpcd.errors import ChannelError, InternalError, PeerError, UsageError
from mpcd.protocols.agreement.findings import Named, Pair
from mpcd.protocols.rep3 import words
from mpcd.protocols.rep3.batch import BatchFault, Recipe, Record
from mpcd.protocols.rep3.buckets import Buckets, choose, success
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.replay import expected
from mpcd.protocols.rep3.sharing import held
from mpcd.protocols.rep3.words import WordTriples, make, word_triples
from mpcd.protocols.rounds import Rounds, Words
from mpcd.ring.kernels_shuffle import permutation
from mpcd.ring.streams import Streams
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import Change, Edit, change, cheat, drop, edit_vouch, every_message, plus, shift
from tests.protocols.rep3.dispute import blame
from tests.protocols.rep3.three import each, parties, run, together

PRODUCTS, COIN, SHOW, CHECK, SETTLED = range(5)
"""The rounds of a batch."""
TOY = Recipe(words.WORDS, (8, 2, 2))


def together_words(found: list[WordTriples]) -> tuple[Words, Words, Words]:
    """a, b and c of all the triples that are left."""
    taken = [triples.take(triples.left) for triples in found]
    a, b, c = (np.bitwise_xor.reduce(together([each[k] for each in taken])) for k in range(3))
    return a, b, c


@pytest.mark.parametrize("n", [1, 2, 7, 241, 1500])
def test_triples_are_right_and_cost_what_is_said(n: int) -> None:
    done = run(word_triples, n)
    found = done.results()
    assert found[0].left >= n
    a, b, c = together_words(found)
    np.testing.assert_array_equal(c, a & b)
    assert np.unique(np.concatenate([a, b])).size == 2 * a.size
    assert done.rounds == 5
    assert dict(done.payload_bytes) == dict.fromkeys(range(3), 8 * choose(n).words + 32 + 64)


def test_no_triples_are_wanted_and_some_are_made() -> None:
    """Rounds do not depend on the size: an operation on nothing takes those of any other."""
    assert run(word_triples, 0).rounds == 5


def test_a_triple_is_taken_once() -> None:
    triples = WordTriples(*(np.arange(10, dtype=np.uint64).reshape(2, 5) + np.uint64(k) for k in range(3)))
    first, second = triples.take(2), triples.take(3)
    assert (first[0][0].tolist(), second[0][0].tolist()) == ([0, 1], [2, 3, 4])
    assert triples.left == 0
    for words_wanted in (1, -1):
        with pytest.raises(InternalError, match="0 are left"):
            triples.take(words_wanted)


@pytest.mark.parametrize(
    "recipe", [Recipe("rows", (8, 2, 2)), Recipe("words", (8, 2)), Recipe("words", (8, 0, 2))]
)
def test_other_recipes_are_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError):
        next(make(parties()[0], recipe))


def test_a_batch_at_another_path_is_another_batch() -> None:
    def twice(p: Party3) -> Rounds[list[WordTriples]]:
        first = yield from word_triples(p.at("first"), 5)
        return [first, (yield from word_triples(p.at("second"), 5))]

    found = run(twice).results()
    (a, _, _), (other, _, _) = (together_words([pair[k] for pair in found]) for k in range(2))
    assert not np.isin(a, other).any()


def test_the_coin_comes_after_the_products_and_orders_them() -> None:
    """Round 0 has products, round 1 the coin; another coin gives another order of the same triples."""
    seen: list[set[str]] = []
    lockstep(
        each(make, TOY), on_round=lambda _, rounds: seen.append({r.path for r in rounds.values()})
    ).results()
    assert [next(iter(paths)) for paths in seen] == [
        "/products", "/coin/open", "/show/open", "/check", "/settled"
    ]  # fmt: skip
    orders = [permutation(words._order_stream(bytes([k]) * 32), 50).tolist() for k in range(2)]
    assert orders[0] != orders[1]


# -- lies -----------------------------------------------------------------------------------------------


def attacked(cheater: int, *edits: Edit, recipe: Recipe | None = None, seed: int = 0) -> Run[Any]:
    steps = [word_triples(p, 5) if recipe is None else make(p, recipe) for p in parties(seed)]
    steps[cheater] = cheat(steps[cheater], *edits)
    return lockstep(steps)


def honest(cheater: int) -> list[int]:
    return [party for party in range(3) if party != cheater]


def flip_words(*which: int, bit: int = 0) -> Change:
    """Change one bit in some words of a message."""

    def how(payload: Any) -> Words:
        changed: Words = np.array(payload)
        changed[list(which)] ^= np.uint64(1 << bit)
        return changed

    return how


@pytest.mark.parametrize("cheater", range(3))
@pytest.mark.parametrize("place", [0, 3, -1])
def test_one_wrong_bit_of_one_triple_is_found_by_both_others(cheater: int, place: int) -> None:
    done = attacked(cheater, change(flip_words(place, bit=17), round=PRODUCTS))
    for party in honest(cheater):
        fault = done.outputs[party]
        assert isinstance(fault, BatchFault)
        assert cheater in fault.blamed


@pytest.mark.parametrize("cheater", range(3))
def test_every_triple_wrong_is_found(cheater: int) -> None:
    done = attacked(cheater, shift(round=PRODUCTS))
    assert all(isinstance(done.outputs[party], BatchFault) for party in honest(cheater))


@pytest.mark.parametrize("cheater", range(3))
@pytest.mark.parametrize("number", [COIN, SHOW])
def test_a_lie_in_an_opening_is_found_in_its_round(cheater: int, number: int) -> None:
    done = attacked(cheater, shift(round=number))
    victim = done.outputs[(cheater + 1) % 3]
    assert isinstance(victim, PeerError)
    assert not isinstance(victim, BatchFault)
    assert cheater in victim.blamed
    done = attacked(cheater, edit_vouch(lambda w: plus(w, 1), round=number))
    victim = done.outputs[(cheater + 2) % 3]
    assert isinstance(victim, PeerError)
    assert cheater in victim.blamed


@pytest.mark.parametrize("cheater", range(3))
@pytest.mark.parametrize("to", [1, 2])
def test_a_wrong_hash_to_one_party_keeps_both_from_using_the_batch(cheater: int, to: int) -> None:
    victim = (cheater + to) % 3
    done = attacked(cheater, shift(round=CHECK, to=victim))
    assert isinstance(done.outputs[victim], BatchFault)
    (other,) = set(honest(cheater)) - {victim}
    assert isinstance(done.outputs[other], ChannelError)


@pytest.mark.parametrize("edit", [shift, drop])
def test_no_lie_leaves_a_wrong_triple(edit: Any) -> None:
    for place in every_message(each(word_triples, 5)):
        done = attacked(place.sender, edit(round=place.round, to=place.receiver, label=place.label))
        ends = [done.outputs[party] for party in honest(place.sender)]
        assert not any(isinstance(end, WordTriples) for end in ends)


@pytest.mark.parametrize("cheater", range(3))
@pytest.mark.parametrize("admits", [True, False])
def test_who_made_a_wrong_triple_is_found_out(cheater: int, admits: bool) -> None:
    """The batch is opened; if the sender denies what it sent, it is in a pair with the receiver."""
    wrong = flip_words(7)
    done = attacked(cheater, change(wrong, round=PRODUCTS))
    records = {}
    for party in honest(cheater):
        fault = done.outputs[party]
        assert isinstance(fault, BatchFault)
        records[party] = fault.record
    receiver = (cheater - 1) % 3
    right = expected(records[receiver].path, records[receiver].recipe, _keys(records))
    assert records[receiver].received != right.products[cheater]
    said = records[receiver].received if admits else right.products[cheater]
    (other,) = set(honest(cheater)) - {receiver}
    liar = Record(
        cheater, records[other].path, records[other].recipe,
        {i: _keys(records)[i] for i in held(cheater)}, said, right.products[(cheater + 1) % 3], right.shown,
        {party: record.shown for party, record in records.items()},
    )  # fmt: skip
    answers = [liar if party == cheater else records[party] for party in range(3)]
    found = blame(receiver, answers, (3, 5, 7))
    if admits:
        assert isinstance(found, Named)
        assert found.party == (3, 5, 7)[cheater]
    else:
        assert isinstance(found, Pair)
        assert found.parties == {(3, 5, 7)[cheater], (3, 5, 7)[receiver]}


def _keys(records: dict[int, Record]) -> dict[int, bytes]:
    return {piece: key for record in records.values() for piece, key in record.keys.items()}


def test_a_replay_is_what_honest_parties_say() -> None:
    records: dict[int, Record] = {}
    who = parties()

    def look(number: int, rounds: Any) -> None:
        if number == SETTLED:
            records.update({p.me: p.batches[p.path].record() for p in who})

    lockstep([word_triples(p, 5) for p in who], on_round=look).results()
    right = expected("", records[0].recipe, _keys(records))
    assert {me: record.sent for me, record in records.items()} == right.products
    assert {record.shown for record in records.values()} == {right.shown}
    assert not any(p.batches for p in who)


# -- with parameters that are too small ------------------------------------------------------------------


def test_two_equal_errors_pass_as_often_as_computed() -> None:
    """One bucket of two, in a batch of 8 * 2 + 2: only if both are in it. Then a wrong triple comes out."""
    p, runs, wins = float(success(Buckets(8, 2, 2))), 400, 0
    assert p == pytest.approx(8 / (18 * 17 / 2))
    for seed in range(runs):
        done = attacked(seed % 3, change(flip_words(4, 9), round=PRODUCTS), recipe=TOY, seed=seed)
        if all(isinstance(output, WordTriples) for output in done.outputs.values()):
            wins += 1
            # The cheater does what the victims do: it adds its error to its own share, too.
            triples = [done.outputs[party] for party in range(3)]
            assert _wrong(triples, seed % 3)
        else:
            assert all(isinstance(done.outputs[party], BatchFault) for party in honest(seed % 3))
    assert abs(wins - runs * p) < 3 * (runs * p * (1 - p)) ** 0.5


def _wrong(triples: list[Any], cheater: int) -> bool:
    """Whether the honest parties' triples contain a wrong one."""
    taken = [t.take(t.left) for t in triples]
    before, after = (cheater - 1) % 3, (cheater + 1) % 3
    a, b, c = (taken[after][k][0] ^ taken[after][k][1] ^ taken[before][k][1] for k in range(3))
    return bool((c != a & b).any())


@pytest.mark.parametrize("places", [(4,), (4, 9, 11), (0, 1, 2, 3, 4, 5, 6)])
def test_other_numbers_of_errors_never_fill_buckets_of_two(places: tuple[int, ...]) -> None:
    for seed in range(20):
        done = attacked(seed % 3, change(flip_words(*places), round=PRODUCTS), recipe=TOY, seed=seed)
        assert (
            all(isinstance(done.outputs[party], BatchFault) for party in honest(seed % 3))
            or len(places) % 2 == 0
        )


def test_equal_errors_of_neighbours_pass_no_more_often() -> None:
    """Neighbours would pass too often if blocks were ordered, and then places in blocks; and so would places
    that one order after the other sends to the same bucket."""
    b, runs, wins = Buckets(8, 2, 2), 20_000, 0
    for seed in range(runs):
        order = permutation(Streams({0: seed.to_bytes(16, "little")}).open(0, "order"), b.total).tolist()
        first, second = sorted((order.index(4), order.index(5)))
        wins += second < 16 and second - first == 8
    p = float(success(b))
    assert abs(wins - runs * p) < 4 * (runs * p * (1 - p)) ** 0.5


# -- what is shown ---------------------------------------------------------------------------------------


def test_what_is_shown_is_nothing_of_a_triple_that_is_used() -> None:
    shown: list[Words] = []

    def look(number: int, rounds: Any) -> None:
        if number == SHOW:
            held = {me: next(iter(r.send.values())) for me, r in rounds.items()}
            shown.append(held[0] ^ held[1] ^ held[2])

    done = lockstep(each(word_triples, 300), on_round=look)
    a, b, _ = together_words(done.results())
    (public,) = shown
    assert np.unique(public).size == public.size
    assert not np.isin(np.concatenate([a, b, a ^ b]), public).any()
