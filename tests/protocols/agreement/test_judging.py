"""Barriers, attack by attack. Party numbers are the job's; in rep3 party 1 has been dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Equivocated, Outcome, SignedValue, Verdict
from mpcd.protocols.agreement.findings import Absent, Dispute, Finding, Go, Named, Pair, TooMany
from mpcd.protocols.agreement.judging import attendance, judge
from mpcd.protocols.agreement.words import Complaint, Late, Ready, Stopped, Word, word_value
from mpcd.protocols.scheme import REP3, REP4

D, E = b"d" * 32, b"e" * 32
FOUR, THREE = (0, 1, 2, 3), (0, 2, 3)
TWO_VALUES = Equivocated(SignedValue(D, b"s" * 64), SignedValue(E, b"t" * 64))


def com(k: int, a: int) -> bytes:
    return bytes([k, a]) * 16


def ready4(party: int) -> Ready:
    return Ready("open", tuple(tuple(com(k, a) for a in REP4.held(party)) for k in range(2)), D)


def ready3(party: int) -> Ready:
    held = REP3.held(THREE.index(party))
    return Ready("open", tuple(tuple(com(k, a) for a in held) for k in range(2)), D)


def four(said: dict[int, Word | Verdict]) -> Finding:
    return judge(_outcome({p: ready4(p) for p in FOUR} | said), REP4, FOUR, 2)


def three(said: dict[int, Word | Verdict]) -> Finding:
    return judge(_outcome({p: ready3(p) for p in THREE} | said), REP3, THREE, 2)


def _outcome(said: dict[int, Ready | Word | Verdict]) -> Outcome:
    return {p: Agreed(word_value(w)) if isinstance(w, Ready | Stopped) else w for p, w in said.items()}


def stop(number: int, *missing: int) -> Stopped:
    return Stopped(number, frozenset(missing))


def same(one: Finding, other: Finding) -> bool:
    """Equal but for the words."""
    assert not isinstance(one, Go)
    assert not isinstance(other, Go)
    return replace(one, why="") == replace(other, why="")


# -- all ready


def test_all_ready_and_agreed_is_go_with_every_commitment() -> None:
    assert four({}) == Go("open", tuple(tuple(com(k, a) for a in range(4)) for k in range(2)), D)
    assert three({}) == Go("open", tuple(tuple(com(k, a) for a in range(3)) for k in range(2)), D)


def test_one_of_four_that_is_ready_for_something_else_is_named_and_outputs_are_opened() -> None:
    right = four({})
    wrong: list[Ready] = [replace(ready4(1), reveals=E), Ready("reveal", (), D)]
    wrong += [replace(ready4(1), commitments=((D, com(0, 2), com(0, 3)), ready4(1).commitments[1]))]
    for word in wrong:
        found = four({1: word})
        assert isinstance(found, Go)
        assert isinstance(right, Go)
        assert found.odd is not None
        assert (replace(found, odd=None), found.odd.party) == (right, 1)


def test_nothing_of_the_program_is_revealed_when_one_differs() -> None:
    words = {p: Ready("reveal", (), D) for p in FOUR}
    assert four(dict(words)) == Go("reveal", (), D)
    for odd in (Ready("reveal", (), E), ready4(2)):
        assert same(four({**words, 2: odd}), Named(2, ""))


def test_two_against_two_is_more_than_one_cheater() -> None:
    assert isinstance(four({p: replace(ready4(p), reveals=E) for p in (1, 2)}), TooMany)


def test_two_holders_of_rep3_that_differ_are_a_pair_and_two_pairs_name_one() -> None:
    one = replace(ready3(2), commitments=((D, com(0, 2)), ready3(2).commitments[1]))
    assert same(three({2: one}), Pair(frozenset({0, 2}), True, ""))
    both = replace(one, commitments=((D, D), one.commitments[1]))
    assert same(three({2: both}), Named(2, ""))


def test_of_three_digests_the_odd_one_is_named_and_outputs_are_opened_if_all_are_vouched_for_twice() -> None:
    found = three({3: replace(ready3(3), reveals=E)})
    assert isinstance(found, Go)
    assert found.odd is not None
    assert found.odd.party == 3
    assert same(three({3: Ready("reveal", (), D)}), Named(3, ""))


# -- values that are none


@pytest.mark.parametrize("word", [Bottom(), Agreed(b""), Agreed(b"\x01")], ids=str)
def test_silence_is_absence_and_never_more(word: Verdict) -> None:
    assert same(four({2: word}), Absent(2, ""))
    assert isinstance(four({2: word, 3: word}), TooMany)


def test_two_signed_values_are_evidence_even_if_another_party_is_silent() -> None:
    assert same(four({2: TWO_VALUES}), Named(2, "", TWO_VALUES))
    assert same(four({2: TWO_VALUES, 0: Bottom()}), Named(2, "", TWO_VALUES))
    assert isinstance(four({2: TWO_VALUES, 0: TWO_VALUES}), TooMany)


def test_attendance_of_slots_that_a_job_can_pass_without_a_party() -> None:
    outcome: Outcome = dict.fromkeys(FOUR, Agreed(b"x"))
    assert attendance(outcome, "a nonce") is None
    assert attendance(outcome | {1: Bottom()}, "a nonce") == Absent(1, "party 1 did not give a nonce")
    assert isinstance(attendance(outcome, "a nonce", lambda p, body: p != 3 and body == b"x"), Absent)
    assert isinstance(attendance(outcome | {1: TWO_VALUES}, "a nonce"), Named)


# -- stops


def test_one_that_stops_without_a_reason_is_absent() -> None:
    assert same(four({2: stop(5)}), Absent(2, ""))
    assert isinstance(four({2: stop(5), 3: stop(5)}), TooMany)


def test_a_false_stop_is_a_pair_with_who_says_so() -> None:
    assert same(four({2: stop(0, 1)}), Pair(frozenset({1, 2}), False, ""))
    cascade = {p: stop(5, 2) for p in (0, 1, 3)}
    assert same(four({2: stop(0, 1), **cascade}), Pair(frozenset({1, 2}), False, ""))


def test_a_single_frame_withheld_blocks_one_and_the_others_miss_the_blocked_one_later() -> None:
    """Counting who misses whom would make the blocked party the one at fault."""
    said: dict[int, Word | Verdict] = {0: stop(4, 3), 1: stop(5, 0), 2: stop(5, 0), 3: stop(5, 0)}
    assert same(four(said), Pair(frozenset({0, 3}), False, ""))


def test_whom_two_miss_in_the_same_round_is_absent() -> None:
    assert same(four({0: stop(4, 3), 1: stop(4, 3), 2: stop(5, 0, 1)}), Absent(3, ""))


def test_one_liar_cannot_make_a_second_one_that_is_missed() -> None:
    said: dict[int, Word | Verdict] = {0: stop(4, 3), 3: stop(4, 1), 1: stop(5, 0)}
    assert same(four(said), Absent(3, ""))
    assert isinstance(four({0: stop(4, 3), 1: stop(4, 2)}), TooMany)


def test_stops_of_later_rounds_do_not_count() -> None:
    said: dict[int, Word | Verdict] = {
        0: stop(4, 3),
        1: stop(9, 2),
        2: Stopped(9, complaint=Complaint(0, 1, D)),
    }
    assert same(four(said), Pair(frozenset({0, 3}), False, ""))


def test_who_was_stopped_while_it_worked_is_not_at_fault() -> None:
    """A large operation of two parties was under way when a third one ran into silence."""
    said: dict[int, Word | Verdict] = {0: stop(4, 3), 1: stop(5), 2: stop(5), 3: ready4(3)}
    assert same(four(said), Pair(frozenset({0, 3}), False, ""))


def test_who_was_kept_waiting_is_late_through_somebody_else() -> None:
    """Party 3 lets 0 have its frame of round 4 at the last moment; 1 and 2 give 0 up in round 5."""
    held_up = Stopped(6, frozenset({1, 2}), late=(Late(4, 3, 7),))
    said: dict[int, Word | Verdict] = {0: held_up, 1: stop(5, 0), 2: stop(5, 0)}
    assert same(four(said), Pair(frozenset({0, 3}), False, ""))
    assert same(four({**said, 2: ready4(2)}), Pair(frozenset({0, 3}), False, ""))
    for mark in (Late(3, 3, 8), Late(5, 3, 8), Late(4, 3, 6)):
        assert same(four({**said, 0: replace(held_up, late=(mark,))}), Absent(0, ""))


def test_a_chain_of_waiting_leads_to_who_began_it() -> None:
    """Party 3 kept 1 waiting, so that 1 kept 0 waiting, and now says that it misses 0."""
    one, zero = Stopped(6, late=(Late(3, 3, 6),)), Stopped(6, late=(Late(4, 1, 7),))
    assert same(four({0: zero, 1: one, 3: stop(5, 0)}), Pair(frozenset({1, 3}), False, ""))
    one = replace(one, late=(Late(3, 3, 5),))
    assert same(four({0: zero, 1: one, 3: stop(5, 0)}), Pair(frozenset({0, 1}), False, ""))


# -- complaints


def test_a_complaint_of_the_lowest_round_is_to_be_settled_the_lowest_receivers_first() -> None:
    said: dict[int, Word | Verdict] = {
        1: Stopped(4, complaint=Complaint(2, 3, D)),
        2: Stopped(4, frozenset({3}), Complaint(0, 1, E)),
        0: stop(5, 1),
    }
    found = four(said)
    assert isinstance(found, Dispute)
    assert (found.round, found.receiver, found.complaint) == (4, 1, Complaint(2, 3, D))
    assert isinstance(four({**said, 0: stop(3, 1)}), Pair)
    assert same(four({**said, 0: stop(4, 3)}), Absent(3, ""))


def test_a_batch_is_disputed_after_tags() -> None:
    said: dict[int, Word | Verdict] = {0: Stopped(4, batch=7), 2: Stopped(4, batch=7)}
    found = three(said)
    assert isinstance(found, Dispute)
    assert (found.batch, found.receiver, found.complaint) == (7, 0, None)
    assert found.others == {2}
    other = three({**said, 2: Stopped(4, complaint=Complaint(0, 3, D))})
    assert isinstance(other, Dispute)
    assert other.complaint == Complaint(0, 3, D)
    assert three({**said, 2: Stopped(4, batch=8)}) == replace(found, others=frozenset())
