"""Keys that do not open their commitments, offline: proven by the two words of who showed them."""

from __future__ import annotations

from itertools import combinations

import pytest

from mpcd.client.contradictions import Proof
from mpcd.protocols.agreement.key_answers import key_answer_value
from mpcd.protocols.agreement.outcomes import key_value
from mpcd.protocols.rep4 import keys
from tests.client.trials import B, Scene

ME = 1
HELD = (0, 2, 3)
SUBSETS = [some for count in (1, 2, 3) for some in combinations(HELD, count)]


def own() -> dict[int, keys.Contribution]:
    drawn = iter(range(6))
    return keys.contribute(ME, lambda size: bytes([next(drawn)]) * size)


def said(answer: bytes, scene: Scene | None = None) -> Scene:
    """Party 1 commits, and answers."""
    scene = scene or Scene()
    made = keys.commitments(scene.session, ME, own())
    scene.say("KEYS", ME, key_value([made[a] for a in HELD]), epoch=0)
    scene.say("KEY-ANSWER", ME, answer, epoch=0)
    return scene


def parts(some: tuple[int, ...]) -> bytes:
    return key_answer_value({a: (own()[a].key, own()[a].salt) for a in some})


@pytest.mark.parametrize("asked", SUBSETS, ids=str)
def test_whatever_it_is_asked_for_an_honest_party_is_not_convicted(asked: tuple[int, ...]) -> None:
    assert said(parts(asked)).proven() == []


@pytest.mark.parametrize("asked", SUBSETS, ids=str)
def test_a_wrong_byte_convicts(asked: tuple[int, ...]) -> None:
    right = parts(asked)
    for at in range(0, len(right), 31):
        wrong = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
        (finding,) = said(wrong).findings()
        assert finding.proven == (Proof((B,), "showed keys that do not open its commitments"),)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 127, 256])
def test_an_answer_of_another_length_is_none(length: int) -> None:
    """As the parties treat it: silence is no evidence."""
    assert said(bytes(length)).proven() == []


def test_what_it_said_in_the_session_of_another_job_does_not_count() -> None:
    assert said(bytes(64)).proven() == [(B,)]
    assert said(bytes(64)).proven(nonces=()) == []


def test_values_in_slots_that_differ_only_by_roster_are_not_taken_together() -> None:
    scene = said(bytes(64))
    scene.say("KEY-ANSWER", ME, b"a" * 64, (0, 1, 2), epoch=0)
    assert scene.proven() == []


def test_of_two_answers_neither_counts() -> None:
    scene = said(bytes(64), said(parts((0,))))
    (finding,) = scene.findings()
    assert [proof.what for proof in finding.proven] == ["signed two different values in slot KEY-ANSWER"]
