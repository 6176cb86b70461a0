"""Disputes, lie by lie: R = 0 complains about S = 1 and B = 2; batches in rep3 of parties 0, 2 and 3."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcd.errors import InternalError
from mpcd.protocols.agreement.disputes import (
    Answer,
    Claim,
    Expected,
    Sent,
    Void,
    answer_limit,
    answer_value,
    claims_of,
    keys_of,
    keys_value,
    settle,
    settle_batch,
)
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Equivocated, Outcome, SignedValue, Verdict
from mpcd.protocols.agreement.findings import Absent, Dispute, Fault, Named, Pair, TooMany
from mpcd.protocols.agreement.words import Complaint
from mpcd.protocols.scheme import REP3

D, E = b"d" * 32, b"e" * 32
THREE = (0, 2, 3)
TAG = Dispute(4, 0, "", complaint=Complaint(1, 2, D))
CHECK = Dispute(4, 0, "", batch=7)
TWO_VALUES = Equivocated(SignedValue(D, b"s" * 64), SignedValue(E, b"t" * 64))


def said(answers: dict[int, Answer | Verdict | None]) -> Outcome:
    return {
        p: a if isinstance(a, Agreed | Bottom | Equivocated) else Agreed(answer_value(a, THREE, p))
        for p, a in ({0: None, 3: None} | answers).items()
    }


def tag(sender: Answer | Verdict, backup: Answer | Verdict) -> Fault:
    return replace(settle(TAG, said({1: sender, 2: backup})), why="")


def pair(*parties: int) -> Pair:
    return Pair(frozenset(parties), True, "")


def test_sender_and_backup_that_differ_are_the_pair() -> None:
    assert tag(Sent(D), Sent(E)) == pair(1, 2)
    assert tag(Sent(E), Sent(D)) == pair(1, 2)


def test_who_got_something_else_is_in_a_pair_with_the_sender_else_with_the_backup() -> None:
    assert tag(Sent(E), Sent(E)) == pair(0, 1)
    assert tag(Sent(D), Sent(D)) == pair(0, 2)


def test_a_complaint_that_cannot_be_true_names_the_receiver_if_both_say_so() -> None:
    assert tag(Void(), Void()) == Named(0, "")
    assert tag(Void(), Sent(D)) == pair(0, 1)
    assert tag(Sent(E), Void()) == pair(0, 2)


@pytest.mark.parametrize("nothing", [Bottom(), Agreed(b""), Agreed(b"\x02" + D), Agreed(b"\x01" + D + b"x")])
def test_no_answer_is_absence_and_proves_nothing(nothing: Verdict) -> None:
    assert tag(nothing, Void()) == Absent(1, "")
    assert tag(Sent(D), nothing) == Absent(2, "")
    assert isinstance(tag(nothing, nothing), TooMany)


def test_others_need_not_answer_but_must_not_sign_twice() -> None:
    answers: dict[int, Answer | Verdict | None] = {1: Sent(D), 2: Sent(E)}
    for silent in (0, 3):
        assert replace(settle(TAG, said({**answers, silent: Bottom()})), why="") == pair(1, 2)
    assert replace(settle(TAG, said({**answers, 3: TWO_VALUES})), why="") == Named(3, "", TWO_VALUES)


# -- batches


def claim(party: int) -> Claim:
    return Claim(D, D, D, {p: D for p in THREE if p != party})


RIGHT = Expected(dict.fromkeys(THREE, D), D)


def batch(changed: dict[int, Claim], found: Dispute = CHECK) -> Fault:
    outcome = said({p: changed.get(p, claim(p)) for p in THREE})
    claims = claims_of(found, outcome)
    assert isinstance(claims, dict)
    assert claims == {p: changed.get(p, claim(p)) for p in THREE}
    return replace(settle_batch(found, claims, RIGHT), why="")


def test_who_sent_something_wrong_is_named_whatever_came_of_it() -> None:
    assert batch({2: replace(claim(2), sent=E)}) == Named(2, "")
    fooled = {0: replace(claim(0), received=E, shown=E), 3: replace(claim(3), heard={0: E, 2: D})}
    assert batch({2: replace(claim(2), sent=E), **fooled}) == Named(2, "")


def test_who_got_something_else_than_was_sent_is_in_a_pair_with_the_sender() -> None:
    """Messages of products go to the party before: from 2 to 0, from 3 to 2, from 0 to 3."""
    for sender, receiver in ((2, 0), (3, 2), (0, 3)):
        fooled = replace(claim(receiver), received=E, shown=E)
        assert batch({receiver: fooled}) == pair(sender, receiver)
    assert batch({0: replace(claim(0), received=E), 2: replace(claim(2), received=E)}) == Named(2, "")


def test_a_wrong_hash_is_its_senders_fault_and_never_that_of_who_complains_about_it() -> None:
    assert batch({2: replace(claim(2), shown=E)}) == Named(2, "")
    assert batch({0: replace(claim(0), heard={2: E, 3: D})}) == pair(0, 2)
    both = {0: replace(claim(0), heard={2: E, 3: D}), 3: replace(claim(3), heard={2: E})}
    assert batch(both) == Named(2, "")


def test_who_complains_although_everything_is_right_is_named() -> None:
    assert batch({}) == Named(0, "")
    assert isinstance(batch({}, replace(CHECK, others=frozenset({3}))), TooMany)


def test_keys_are_not_shown_if_anybody_has_settled_the_batch() -> None:
    for party in (2, 3):
        answers = {p: Void() if p == party else claim(p) for p in THREE}
        found = claims_of(CHECK, said(dict(answers)))
        assert isinstance(found, Pair)
        assert replace(found, why="") == pair(0, party)
    everybody = claims_of(CHECK, said({0: claim(0), 2: Void(), 3: Void()}))
    assert isinstance(everybody, Named)
    assert everybody.party == 0
    taken_back = claims_of(CHECK, said({0: Void(), 2: claim(2), 3: claim(3)}))
    assert isinstance(taken_back, Named)
    assert taken_back.party == 0


TWO_MARKS = Agreed(b"\x02" + D * 3 + (b"\x02" + D) * 2)


def test_every_hash_that_came_is_told_from_none() -> None:
    """Its sender chooses it: zeros, too, are a hash that was shown."""
    told = replace(claim(0), heard={2: bytes(32)})
    answers = {p: told if p == 0 else claim(p) for p in THREE}
    found = claims_of(CHECK, said(dict(answers)))
    assert isinstance(found, dict)
    assert found[0].heard == {2: bytes(32)}
    assert batch({0: told}) == pair(0, 2)


def test_keys_are_not_shown_if_anybody_says_nothing_or_two_things() -> None:
    answers: dict[int, Answer | Verdict | None] = {p: claim(p) for p in THREE}
    for nothing in (Bottom(), Agreed(b""), Agreed(b"\x02" + D * 6), Agreed(b"\x01" + D), TWO_MARKS):
        found = claims_of(CHECK, said({**answers, 3: nothing}))
        assert isinstance(found, Absent)
        assert found.party == 3
    assert isinstance(claims_of(CHECK, said({**answers, 3: TWO_VALUES})), Named)


def keys(party: int) -> list[bytes]:
    return [bytes([a]) * 32 for a in REP3.held(THREE.index(party))]


def test_two_holders_that_show_different_keys_are_a_pair_and_two_pairs_name_one() -> None:
    right: Outcome = {p: Agreed(keys_value(keys(p))) for p in THREE}
    assert keys_of(right, REP3) == {a: bytes([a]) * 32 for a in range(3)}
    for k, a in enumerate(REP3.held(1)):
        lie = [E if j == k else key for j, key in enumerate(keys(2))]
        found = keys_of(right | {2: Agreed(keys_value(lie))}, REP3)
        assert isinstance(found, Pair)
        assert found.parties == {THREE[place] for place in REP3.holders(a)}
        assert found.evidence
    assert isinstance(keys_of(right | {2: Agreed(E + E)}, REP3), Named)
    assert isinstance(keys_of(right | {2: Agreed(E)}, REP3), Absent)
    assert isinstance(keys_of(right | {2: TWO_VALUES}, REP3), Named)


# -- bytes


def test_answers_have_a_limit_and_digests_their_length() -> None:
    for answer in (None, Void(), Sent(D), claim(2)):
        assert len(answer_value(answer, THREE, 2)) <= answer_limit(THREE)
    with pytest.raises(InternalError):
        answer_value(Sent(b"short"))
    with pytest.raises(InternalError):
        settle(CHECK, {})
