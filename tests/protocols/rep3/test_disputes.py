"""Disputes about a batch: the liar is named, or is one of the pair, whatever it did and then says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.protocols.agreement.findings import Absent, Fault, Named, Pair, TooMany
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.arithmetic import mul
from mpcd.protocols.rep3.batch import (
    BatchFault,
    Recipe,
    Record,
    describe,
    messages_digest,
    understand,
)
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import Edit, change, cheat, shift, spoil
from tests.protocols.rep3.dispute import blame
from tests.protocols.rep3.three import parties, share

ROSTER = (0, 2, 3)
"""The job's party at each place: results must name these."""
RECIPE = Recipe("rows", (4, 2))
PARTIES = pytest.mark.parametrize("cheater", range(3))


def records(*edits: tuple[int, Edit], recipe: Recipe = RECIPE) -> tuple[list[Record], list[int]]:
    """What the three know of a batch in the end, and those whose check failed."""
    who = [p.at("some", "place") for p in parties()]
    steps = [replay.KINDS[recipe.kind](p, recipe) for p in who]
    for party, edit in edits:
        steps[party] = cheat(steps[party], edit)
    done = lockstep(steps)
    failed = [p for p, output in done.outputs.items() if isinstance(output, BatchFault)]
    kept = []
    for p in who:
        output = done.outputs[p.me]
        (batch,) = p.batches.values()
        kept.append(output.record if isinstance(output, BatchFault) else batch.record())
    return kept, failed


def verdict(reporter: int, answers: list[Record | None]) -> Fault:
    return blame(reporter, answers, ROSTER)


def clean() -> list[Record]:
    """The records of an honest batch, as they are after the check and before it is settled."""
    return records((0, shift(round=3, to=1)))[0]


@pytest.mark.parametrize("recipe", [RECIPE, Recipe("matrix", (2, 3, 2)), Recipe("rows", (0, 1))])
def test_a_replay_says_what_honest_parties_say(recipe: Recipe) -> None:
    kept, _ = records((0, shift(round=3, to=1)), recipe=recipe)
    keys = {i: kept[i].keys[i] for i in range(3)}
    right = replay.expected("/some/place", recipe, keys)
    assert right.products == {p: kept[p].sent for p in range(3)}
    assert {record.shown for record in kept} == {right.shown}
    assert [kept[p].received for p in range(3)] == [right.products[(p + 1) % 3] for p in range(3)]
    assert replay.expected("/another/place", recipe, keys).shown != right.shown


def test_a_replay_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no batch"):
        replay.expected("", Recipe("cubes", (1,)), dict.fromkeys(range(3), bytes(16)))
    with pytest.raises(UsageError, match="no batch"):
        replay.expected("", RECIPE, {0: bytes(16)})


@PARTIES
def test_who_sends_a_wrong_product_and_says_so_is_named(cheater: int) -> None:
    kept, failed = records((cheater, shift(round=0)))
    assert set(range(3)) - {cheater} <= set(failed)
    # The wrapper lies behind the step's back: the record of the step tells of the right product. So the
    # cheater here says that it sent the right one, and contradicts the receiver.
    receiver = (cheater - 1) % 3
    for reporter in set(failed):
        found = verdict(reporter, list(kept))
        assert isinstance(found, Pair)
        assert found.evidence
        assert found.parties == {ROSTER[cheater], ROSTER[receiver]}
    honest = replace(kept[cheater], sent=kept[receiver].received)
    answers: list[Record | None] = [honest if p == cheater else record for p, record in enumerate(kept)]
    for reporter in set(failed) - {cheater}:
        found = verdict(reporter, answers)
        assert isinstance(found, Named)
        assert found.party == ROSTER[cheater]


@PARTIES
@pytest.mark.parametrize("recipe", [RECIPE, Recipe("words", (8, 3, 2))])
def test_a_cheater_may_keep_what_it_sent_instead_of_what_it_had_to(recipe: Recipe, cheater: int) -> None:
    kept, failed = records((cheater, spoil(0, admit=True)), recipe=recipe)
    assert kept[cheater].sent == kept[(cheater - 1) % 3].received
    for reporter in failed:
        found = verdict(reporter, list(kept))
        assert isinstance(found, Named)
        assert found.party == ROSTER[cheater]
    right, _ = records((cheater, spoil(1, admit=True)), (0, shift(round=3, to=1)), recipe=recipe)
    assert right[cheater].sent != kept[cheater].sent, "there is no second batch"


@PARTIES
def test_who_shows_a_wrong_hash_is_in_the_pair(cheater: int) -> None:
    for victim in set(range(3)) - {cheater}:
        kept, failed = records((cheater, shift(round=3, to=victim)))
        assert failed == [victim]
        found = verdict(victim, list(kept))
        assert isinstance(found, Pair)
        assert found.parties == {ROSTER[cheater], ROSTER[victim]}


@PARTIES
def test_a_hash_of_zeros_is_a_wrong_hash_and_not_a_hash_that_did_not_come(cheater: int) -> None:
    """Else the victim would be named: it complains, and all that is left of what it says is right."""
    for victim in set(range(3)) - {cheater}:
        kept, failed = records((cheater, change(lambda words: words * 0, round=3, to=victim)))
        assert (failed, kept[victim].heard[cheater]) == ([victim], bytes(32))
        found = verdict(victim, list(kept))
        assert isinstance(found, Pair)
        assert found.parties == {ROSTER[cheater], ROSTER[victim]}


@PARTIES
def test_who_reports_a_failure_that_was_none_is_named(cheater: int) -> None:
    kept = clean()
    heard = {p: kept[cheater].shown for p in range(3) if p != cheater}
    answers: list[Record | None] = [replace(record, heard={}) for record in kept]
    answers[cheater] = replace(kept[cheater], heard=heard)
    found = verdict(cheater, answers)
    assert isinstance(found, Named)
    assert found.party == ROSTER[cheater]


def lies(record: Record) -> Iterator[tuple[str, Record | None]]:
    """Everything that a party can say instead of what it knows, one thing at a time."""
    wrong = b"\1" * 32
    for name in ("sent", "received", "shown"):
        yield name, replace(record, **{name: wrong})  # type: ignore[arg-type]
    yield "had not come to the check", replace(record, shown=b"")
    for other in (p for p in range(3) if p != record.me):
        yield "heard", replace(record, heard={**record.heard, other: wrong})
    yield "heard nothing", replace(record, heard={})
    for piece in record.keys:
        yield "key", replace(record, keys={**record.keys, piece: wrong})
    yield "short key", replace(record, keys={**record.keys, record.me: wrong[1:]})
    yield "one key", replace(record, keys={record.me: record.keys[record.me]})
    yield "silence", None


LIES: Mapping[str, Edit] = {"product": shift(round=0), "hash": shift(round=3), "nothing": lambda number, r: r}


@PARTIES
@pytest.mark.parametrize("lie", LIES)
def test_no_answer_of_a_cheater_gets_an_honest_party_named(cheater: int, lie: str) -> None:
    """After every lie in the batch, every lie about it: the cheater is named, or in the pair."""
    kept, failed = records((cheater, LIES[lie])) if lie != "nothing" else (clean(), [])
    reporters = set(failed) | {cheater}
    for what, said in [("truth", kept[cheater]), *lies(kept[cheater])]:
        for reporter in reporters:
            answers: list[Record | None] = list(kept)
            answers[cheater] = said
            if lie == "nothing":
                heard = dict.fromkeys(range(3), kept[0].shown)
                answers = [
                    said if p == cheater else replace(r, heard={q: heard[q] for q in range(3) if q != p})
                    for p, r in enumerate(kept)
                ]
            found = verdict(reporter, answers)
            if isinstance(found, Pair):
                assert ROSTER[cheater] in found.parties, (what, reporter, found)
            else:
                assert isinstance(found, Named | Absent)
                assert found.party == ROSTER[cheater], (what, reporter, found)


@PARTIES
def test_a_report_of_a_check_that_had_not_begun_names_nobody_honest(cheater: int) -> None:
    """The others are in the middle of the batch: what they say of it so far is not held against them."""
    kept = clean()
    half = [replace(record, received=messages_digest([]), shown=b"", heard={}) for record in kept]
    for unfinished in range(3):
        answers: list[Record | None] = list(kept)
        if unfinished == cheater:
            continue
        answers[unfinished] = half[unfinished]
        answers[cheater] = replace(kept[cheater], heard={p: bytes(32) for p in range(3) if p != cheater})
        found = verdict(cheater, answers)
        assert isinstance(found, Pair)
        assert found.parties == {ROSTER[cheater], ROSTER[unfinished]}
    both: list[Record | None] = list(half)
    both[cheater] = answers[cheater]
    found = verdict(cheater, both)
    assert isinstance(found, Named)
    assert found.party == ROSTER[cheater]


def test_more_than_one_cheater_is_said_to_be_that() -> None:
    assert isinstance(verdict(0, [clean()[0], None, None]), TooMany)


def test_a_batch_is_described_in_bytes() -> None:
    recipe = Recipe("matrix", (2, 3, 40))
    assert understand(describe("/a b/c", recipe)) == ("/a b/c", recipe)
    for nonsense in (b"", b"rows", b"rows 1", b"rows x /a", b"\xff 1 /a"):
        with pytest.raises(UsageError, match="no batch"):
            understand(nonsense)


# -- what is kept, and when ---------------------------------------------------------------------------


def test_a_settled_batch_is_forgotten() -> None:
    who = parties()
    x = share(np.arange(3))
    lockstep([mul(p, x[p.me], x[p.me]) for p in who]).results()
    assert not any(p.batches for p in who)


def test_a_batch_stands_in_the_book_of_all_places_until_the_silent_round_is_over() -> None:
    who = parties()
    x = share(np.arange(3))
    open_at: list[list[int]] = []

    def note(number: int, rounds: Any) -> None:
        open_at.append([len(p.batches) for p in who])

    lockstep([mul(p.at("a"), x[p.me], x[p.me]) for p in who], on_round=note).results()
    assert open_at == [[1, 1, 1]] * 5 + [[0, 0, 0]]


def test_the_keys_of_a_batch_are_its_own_and_give_nothing_else_away() -> None:
    """One-way from the roots, another for every path, and the two holders have the same."""
    first = [p.at("a").batch_keys() for p in parties()]
    second = [p.at("b").batch_keys() for p in parties()]
    for i in range(3):
        assert first[i][i] == first[(i - 1) % 3][i]
        assert first[i][i] not in (second[i][i], parties()[i].roots[i])
    assert len({key for keys in (*first, *second) for key in keys.values()}) == 6


def test_what_a_record_shows() -> None:
    kept, failed = records((1, shift(round=0)))
    for key in kept[0].keys.values():
        assert repr(key)[2:-1] not in repr(kept[0])
    assert len({record.number for record in kept}) == 1
    assert 0 <= kept[0].number < 2**64
    assert replace(kept[0], path="/other").number != kept[0].number
    assert 0 in failed
