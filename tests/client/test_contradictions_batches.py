"""Disputes about batches of random numbers, offline: recomputed by a stranger from the keys that were shown.

The batches are real ones of three parties of epoch 1; what is said about them is signed by hand.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcd.client import contradictions
from mpcd.protocols.agreement.disputes import Claim, Void, about, answer_value, keys_value
from mpcd.protocols.agreement.findings import Dispute
from mpcd.protocols.agreement.words import Stopped, word_value
from mpcd.protocols.rep3.batch import Recipe, Record, describe
from mpcd.testing.wrappers import shift
from tests.client.trials import A, C, D, Scene
from tests.protocols.rep3.test_disputes import RECIPE, ROSTER, clean, records

NAMES = (A, C, D)
"""At the places 0, 1, 2."""


def scene_of(
    kept: list[Record],
    complaining: tuple[int, ...] = (0,),
    what: bytes | None = None,
    void: tuple[int, ...] = (),
    silent: tuple[int, ...] = (),
) -> Scene:
    """The barrier, the answers and the keys. Places; what: as the record says it, if not as it was."""
    scene = Scene(reporter="bolt")
    number = kept[0].number
    for place, party in enumerate(ROSTER):
        word = Stopped(5, batch=number) if place in complaining else Stopped(6)
        scene.say("BARRIER", party, word_value(word), ROSTER)
    receiver, *others = (ROSTER[place] for place in complaining)
    dispute = Dispute(5, receiver, "", batch=number, others=frozenset(others))
    batch = describe(kept[0].path, kept[0].recipe)
    for place, record in enumerate(kept):
        heard = {ROSTER[other]: raw for other, raw in record.heard.items()}
        claim = Void() if place in void else Claim(record.sent, record.received, record.shown, heard)
        body = answer_value(claim, ROSTER, ROSTER[place])
        scene.say("DISPUTE", ROSTER[place], body, ROSTER, about(dispute, ROSTER))
        if place not in silent:
            keys = keys_value([record.keys[a] for a in sorted(record.keys)])
            scene.say("BATCH-KEYS", ROSTER[place], keys, ROSTER, about(dispute, ROSTER, batch))
    scene.batch = batch if what is None else what
    return scene


def names(*places: int) -> list[tuple[str, ...]]:
    return [tuple(NAMES[place] for place in places)]


def wrong_product(cheater: int, denied: bool = False) -> Scene:
    kept, failed = records((cheater, shift(round=0)))
    receiver = (cheater + 2) % 3
    if not denied:
        kept[cheater] = replace(kept[cheater], sent=kept[receiver].received)
    return scene_of(kept, tuple(failed))


@pytest.mark.parametrize("cheater", range(3))
def test_who_says_itself_that_it_sent_a_wrong_product_is_named(cheater: int) -> None:
    scene = wrong_product(cheater)
    assert scene.proven() == names(cheater)
    (finding,) = scene.findings()
    assert "sent something else than the keys of the batch demand" in finding.proven[0].what


def test_who_denies_what_the_receiver_got_is_one_of_a_pair() -> None:
    assert wrong_product(1, denied=True).proven() == names(0, 1)


def test_a_wrong_hash_is_one_of_a_pair_and_a_false_complaint_is_named() -> None:
    kept, failed = records((2, shift(round=3, to=0)))
    assert scene_of(kept, tuple(failed)).proven() == names(0, 2)
    right = [replace(r, heard=dict.fromkeys(r.heard, kept[1].shown)) for r in kept]
    assert scene_of(right, (1,)).proven() == names(1)


def test_two_holders_that_show_different_keys_are_a_pair() -> None:
    kept = clean()
    kept[0] = replace(kept[0], keys={**kept[0].keys, 0: b"k" * 32})
    holders = [place for place in range(3) if 0 in kept[place].keys]
    assert scene_of(kept).proven() == names(*holders)


def test_who_denies_that_a_check_can_have_failed_contradicts_who_says_so() -> None:
    assert scene_of(clean(), void=(2,)).proven() == names(0, 2)
    assert scene_of(clean(), void=(1, 2)).proven() == names(0)


def test_without_all_keys_or_with_another_batch_nothing_follows() -> None:
    kept, failed = records((1, shift(round=0)))
    kept[1] = replace(kept[1], sent=kept[0].received)
    assert scene_of(kept, tuple(failed)).proven() == names(1)
    for silent in range(3):
        assert scene_of(kept, tuple(failed), silent=(silent,)).proven() == []
    lie = describe(kept[0].path, Recipe("rows", (8, 2)))
    for what in (b"", b"cubes", lie, describe("/other", RECIPE)):
        assert scene_of(kept, tuple(failed), what=what).proven() == []


def test_keys_of_one_batch_are_none_of_another() -> None:
    """Honest parties have shown keys of a batch; the reporter says it was one of another size."""
    kept = clean()
    kept = [replace(r, heard=dict.fromkeys(r.heard, kept[0].shown)) for r in kept]
    true = scene_of(kept, (1,))
    assert true.proven() == names(1)
    assert scene_of(kept, (1,), what=describe(kept[0].path, Recipe("rows", (8, 2)))).proven() == []


def test_a_batch_that_nobody_can_make_is_refused_quietly() -> None:
    kept = [replace(r, recipe=Recipe("cubes", (1,))) for r in clean()]
    assert scene_of(kept).proven() == []


KEYS = {p: bytes(32) for p in range(3)}


@pytest.mark.parametrize(
    "described", [b"rows -5,-6 /a", b"rows 0,3 /a", b"rows 3 /a", b"nothing 3 /a", b"rows /a", b""]
)
def test_bytes_that_describe_no_batch_are_none(described: bytes) -> None:
    """A made-up record must not end in an error of ours."""
    assert contradictions._expected(described, KEYS, (0, 1, 2)) is None


@pytest.mark.parametrize(
    "described", [b"rows 200,1 /a", b"rows 1,200 /a", b"words 50,3,3 /a", b"matrix 8,8,8 /a"]
)
def test_a_batch_beyond_what_is_computed_again_is_not(
    described: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made-up record must not fill our memory. The bounds are lowered: the test must not do it either."""
    assert contradictions._expected(described, KEYS, (0, 1, 2)) is not None
    monkeypatch.setattr(contradictions, "MOST_PRODUCTS", 500)
    monkeypatch.setattr(contradictions, "MOST_NUMBERS", 100)
    assert contradictions._expected(described, KEYS, (0, 1, 2)) is None
