"""Complaints about key contributions: all end with the same ones, and no key is laid open to a cheater."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from mpcd.errors import InternalError
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome
from mpcd.protocols.agreement.key_answers import Part, in_question, key_answer_value, key_answers
from mpcd.protocols.agreement.outcomes import Complaints, complaint_value, complaints
from mpcd.protocols.scheme import REP3, REP4, Scheme

NOBODY: frozenset[int] = frozenset()


def part(contributor: int, key: int) -> Part:
    return bytes([contributor, key]) * 16, bytes([key, contributor]) * 16


def opens(contributor: int, key: int, shown: Part) -> bool:
    return shown == part(contributor, key)


def answers(asked: dict[int, tuple[int, ...]], lies: dict[int, bytes] | None = None) -> Outcome:
    honest = {p: key_answer_value({a: part(p, a) for a in asked.get(p, ())}) for p in range(4)}
    return {p: Agreed(body) for p, body in (honest | (lies or {})).items()}


@pytest.mark.parametrize("scheme", [REP4, REP3], ids=lambda s: s.name)
def test_a_key_that_a_cheater_must_not_know_is_never_in_question(scheme: Scheme) -> None:
    """Every cheater, whoever it complains about, and whoever complains about it."""
    parties = range(scheme.parties)
    for cheater in parties:
        honest = [p for p in parties if p != cheater]
        for bits in product((False, True), repeat=2 * len(honest)):
            by = {(cheater, p) for p, bit in zip(honest, bits, strict=False) if bit}
            about = {(p, cheater) for p, bit in zip(honest, bits[len(honest) :], strict=True) if bit}
            asked = in_question(Complaints(frozenset(by | about), NOBODY), scheme)
            for keys in asked.values():
                assert set(keys) <= set(scheme.held(cheater))


def test_a_complaint_is_about_the_keys_that_both_hold() -> None:
    against = [frozenset({1}), NOBODY, NOBODY, NOBODY]
    said = complaints({p: Agreed(complaint_value(range(4), against[p])) for p in range(4)})
    assert in_question(said, REP4) == {1: (2, 3)}
    itself = Complaints(frozenset({(0, 0)}), NOBODY)
    assert in_question(itself, REP4) == {}


def test_what_is_shown_and_opens_counts_whatever_was_said() -> None:
    asked: dict[int, tuple[int, ...]] = {1: (2, 3), 2: (0,)}
    found = key_answers(answers(asked), asked, opens)
    assert found.shown == {(p, a): part(p, a) for p, keys in asked.items() for a in keys}
    assert not found.left_out
    assert not found.wrong | found.silent


def test_what_does_not_open_is_left_out_and_the_rest_counts() -> None:
    asked: dict[int, tuple[int, ...]] = {1: (2, 3)}
    lie = key_answer_value({2: part(1, 2), 3: part(2, 3)})
    found = key_answers(answers(asked, {1: lie}), asked, opens)
    assert found.shown == {(1, 2): part(1, 2)}
    assert found.left_out == {(1, 3)}
    assert found.wrong == {1}


@pytest.mark.parametrize("body", [b"", b"x", bytes(127), bytes(129)])
def test_who_shows_nothing_is_silent_and_left_out(body: bytes) -> None:
    asked: dict[int, tuple[int, ...]] = {1: (2, 3)}
    found = key_answers(answers(asked, {1: body}), asked, opens)
    assert found.silent == {1}
    assert found.left_out == {(1, 2), (1, 3)}
    assert not found.shown
    assert key_answers({1: Bottom()}, asked, opens).silent == {1}


def test_no_liar_can_take_a_contribution_of_two_honest_holders_out_of_a_key() -> None:
    for cheater, other in combinations(range(4), 2):
        asked = in_question(Complaints(frozenset({(other, cheater), (cheater, other)}), NOBODY), REP4)
        found = key_answers(answers(asked, {cheater: b""}), asked, opens)
        assert {p for p, _ in found.left_out} == {cheater}
        for a in range(4):
            assert len({p for p in REP4.holders(a) if (p, a) not in found.left_out}) >= 2


def test_contributions_do_not_show_in_words() -> None:
    asked: dict[int, tuple[int, ...]] = {1: (2,)}
    found = key_answers(answers(asked), asked, opens)
    assert part(1, 2)[0] in found.shown[1, 2]
    assert "shown" not in repr(found)


def test_a_short_contribution_is_an_error_of_ours() -> None:
    with pytest.raises(InternalError):
        key_answer_value({1: (b"short", bytes(32))})
