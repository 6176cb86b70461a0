"""What slots decide: the same for everybody, malformed words are silence, and nothing opens on a doubt."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.protocols.agreement.chains import read_statement, statement
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Equivocated, Outcome, SignedValue, Verdict
from mpcd.protocols.agreement.outcomes import (
    Holdings,
    complaint_value,
    complaints,
    equivocators,
    have_value,
    holdings,
    inputs_agreed,
    inputs_value,
    key_commitments,
    key_value,
    read_slot_name,
    session_of,
    slot_name,
    start,
    start_value,
)

PARTIES = range(4)
LIAR = Equivocated(SignedValue(b"a" * 32, b"s" * 64), SignedValue(b"b" * 32, b"t" * 64))
SPEECHLESS: list[Verdict] = [Bottom(), LIAR, Agreed(b""), Agreed(b"\x07")]


def com(label: str) -> bytes:
    return label.encode().ljust(32, b".")


def all_say(bodies: dict[int, bytes]) -> Outcome:
    return {p: Agreed(body) for p, body in bodies.items()}


def test_slot_names_differ_in_every_component() -> None:
    names = {
        slot_name(f, s, e, k) for f, s, e, k in product(("INPUTS", "HAVE"), (b"s", b"t"), (0, 1), (0, 1))
    }
    rosters, questions = ((), (0, 1), (0, 2), (0, 1, 2)), (b"", b"q", b"r")
    names |= {slot_name("DISPUTE", b"s", 1, 0, roster, q) for roster, q in product(rosters, questions)}
    assert len(names) == 16 + 12
    for name in names:
        found = read_slot_name(name)
        assert found is not None
        parts = found.family, found.scope, found.epoch, found.number, found.roster, found.about
        assert slot_name(*parts) == name


@pytest.mark.parametrize(
    "name",
    [
        b"", b"BARRIER", b"BARRIER/73/1", b"BARRIER/73/1/0/", b"BARRIER/73/1/0//", b"BARRIER/73/1/0/1,0/",
        b"BARRIER/73/1/0/0,1", b"BARRIER/73/1/0/0,1//", b"BARRIER/7x/1/0", b"BARRIER/7A/1/0",
        b"BARRIER/73/01/0",
        b"BARRIER/73/1/0/0, 1/", b"BARRIER/73/1/0/0,1/0", b"BARRIER/73/1/0/0,1/AB", b"\xff/73/1/0",
    ],
)  # fmt: skip
def test_a_name_has_one_spelling(name: bytes) -> None:
    assert read_slot_name(name) is None


def test_a_statement_can_be_taken_apart_in_one_way() -> None:
    whole = statement(b"a slot", 3, b"d" * 32)
    assert read_statement(whole) == (b"a slot", 3, b"d" * 32)
    for other in (b"", whole[:-1], whole + b"d", b"M" + whole[1:], whole.replace(b"slot\0", b"slot\1")):
        assert read_statement(other) is None


# -- SESSION


NONCES = all_say({p: bytes([p]) * 32 for p in PARTIES})


def test_the_session_depends_on_job_attempt_and_every_nonce() -> None:
    base = session_of(b"job", 0, NONCES)
    changed = [NONCES | {p: Agreed(b"n" * 32)} for p in PARTIES]
    others = {session_of(b"job", 1, NONCES), session_of(b"jo2", 0, NONCES)}
    others |= {session_of(b"job", 0, nonces) for nonces in changed}
    assert base is not None
    assert len({base, *others}) == 7


@pytest.mark.parametrize("word", [*SPEECHLESS, Agreed(b"n" * 31)], ids=str)
def test_one_party_without_a_nonce_voids_the_attempt(word: Verdict) -> None:
    assert session_of(b"job", 0, NONCES | {2: word}) is None


def test_equivocators_are_listed_with_their_proof() -> None:
    assert equivocators(NONCES | {2: LIAR}) == {2: LIAR}


# -- KEYS


def test_key_commitments_are_listed_by_contributor_and_key() -> None:
    own = {p: {a: com(f"{p}/{a}") for a in PARTIES if a != p} for p in PARTIES}
    outcome: Outcome = all_say({p: key_value([own[p][a] for a in sorted(own[p])]) for p in PARTIES})
    assert key_commitments(outcome) == own
    for word in SPEECHLESS:
        assert set(key_commitments(outcome | {1: word})) == {0, 2, 3}


def test_complaints_are_pairs_of_complainer_and_contributor() -> None:
    outcome = all_say({p: complaint_value(PARTIES, frozenset()) for p in PARTIES})
    assert complaints(outcome) == complaints(outcome | {2: Agreed(bytes(4))})
    said = complaints(outcome | {2: Agreed(complaint_value(PARTIES, frozenset({0, 3}))), 1: Bottom()})
    assert said.pairs == {(2, 0), (2, 3)}
    assert said.silent == {1}
    assert complaints(outcome | {2: Agreed(b"\x02\0\0\0")}).silent == {2}


# -- INPUTS


EXPECTED = [("acme", "bid"), ("bolt", "bid")]


def owner_of(entry: bytes) -> tuple[str, str] | None:
    owner, name, _, signed = entry.decode().split("|")
    return (owner, name) if signed == "signed" else None


ACME, ACME_2 = b"acme|bid|one|signed", b"acme|bid|two|signed"
BOLT, FORGED, STRANGER = b"bolt|bid|one|signed", b"bolt|bid|two|forged", b"crux|bid|one|signed"


def test_an_input_that_one_honest_party_holds_is_in_whatever_the_others_say() -> None:
    nothing = dict.fromkeys(PARTIES, inputs_value([]))
    outcome = all_say(nothing | {0: inputs_value([ACME]), 1: inputs_value([BOLT])}) | {3: Bottom()}
    agreed = inputs_agreed(outcome, EXPECTED, owner_of)
    assert agreed.entries == {EXPECTED[0]: ACME, EXPECTED[1]: BOLT}
    assert not agreed.missing
    assert not agreed.excluded


def test_forged_entries_and_strangers_change_nothing() -> None:
    outcome = all_say({p: inputs_value([ACME]) for p in PARTIES} | {3: inputs_value([FORGED, STRANGER])})
    agreed = inputs_agreed(outcome, EXPECTED, owner_of)
    assert agreed.entries == {EXPECTED[0]: ACME}
    assert agreed.missing == {EXPECTED[1]}


def test_two_valid_entries_of_one_owner_exclude_it_with_proof() -> None:
    outcome = all_say({p: inputs_value([ACME, BOLT]) for p in PARTIES} | {3: inputs_value([ACME_2, BOLT])})
    agreed = inputs_agreed(outcome, EXPECTED, owner_of)
    assert agreed.excluded == {EXPECTED[0]: (ACME, ACME_2)}
    assert set(agreed.entries) == {EXPECTED[1]}
    assert not agreed.missing


def test_two_entries_of_a_stranger_are_nobodys_business() -> None:
    lists = inputs_value([ACME, BOLT, STRANGER, STRANGER.replace(b"one", b"two")])
    agreed = inputs_agreed(all_say({0: lists}), EXPECTED, owner_of)
    assert set(agreed.entries) == set(EXPECTED)
    assert not agreed.excluded


@given(st.binary(max_size=40))
def test_any_bytes_as_a_list_of_inputs_are_harmless(body: bytes) -> None:
    outcome = all_say({p: inputs_value([ACME]) for p in PARTIES} | {3: body})
    assert inputs_agreed(outcome, EXPECTED, lambda e: owner_of(e) if e == ACME else None).entries == {
        EXPECTED[0]: ACME
    }


def test_a_truncated_list_counts_as_no_list() -> None:
    outcome = all_say({0: inputs_value([ACME, BOLT])[:-1]})
    assert inputs_agreed(outcome, EXPECTED, owner_of).missing == set(EXPECTED)


# -- HAVE


def have(party: int, but: tuple[tuple[str, str], int] | None = None) -> bytes:
    held = {(key, a) for key in EXPECTED for a in PARTIES if a != party} - {but}
    return have_value(EXPECTED, PARTIES, {entry for entry in held if entry is not None})


def test_two_of_three_holders_are_enough_and_one_is_not() -> None:
    everything = all_say({p: have(p) for p in PARTIES})
    assert holdings(everything, EXPECTED).accepted == tuple(EXPECTED)
    missing = (EXPECTED[0], 1)
    one_less = everything | {0: Agreed(have(0, missing))}
    assert holdings(one_less, EXPECTED).accepted == tuple(EXPECTED)
    assert holdings(one_less, EXPECTED).holders[missing] == {2, 3}
    two_less = one_less | {2: Agreed(have(2, missing))}
    assert holdings(two_less, EXPECTED).accepted == (EXPECTED[1],)


@pytest.mark.parametrize("word", [Bottom(), LIAR, Agreed(b""), Agreed(b"\xff\xff")], ids=str)
def test_no_bitmap_of_the_right_length_is_zeros(word: Verdict) -> None:
    found = holdings(all_say({p: have(p) for p in PARTIES}) | {1: word}, EXPECTED)
    assert all(len(found.holders[key, a]) == (3 if a == 1 else 2) for key in EXPECTED for a in PARTIES)


def test_nobody_holds_its_own_summand_even_if_it_says_so() -> None:
    found = holdings(all_say({p: have(p) for p in PARTIES} | {1: b"\xff"}), EXPECTED)
    assert all(a not in found.holders[key, a] for key in EXPECTED for a in PARTIES)


HAVES = [frozenset(s for s in range(4) if bits >> s & 1) for bits in range(16)]
ONE = [EXPECTED[0]]


def _bitmaps(have: dict[int, frozenset[int]]) -> Outcome:
    return all_say({p: have_value(ONE, PARTIES, {(ONE[0], a) for a in held}) for p, held in have.items()})


def test_whatever_one_liar_says_accepted_inputs_reach_every_honest_holder() -> None:
    """Exhaustive: every honest state of a single owner's four summands, every liar, every lie.

    Failure would be: an accepted input that an honest holder cannot get from an honest one, or an input that
    all honest holders have and that is rejected.
    """
    for liar in PARTIES:
        honest = [p for p in PARTIES if p != liar]
        states = [[h for h in HAVES if p not in h] for p in honest]
        for truth in product(*states):
            have = dict(zip(honest, truth, strict=True))
            for lie in HAVES:
                _assert_rule(have, holdings(_bitmaps({**have, liar: lie}), ONE))
            _assert_rule(have, holdings(_bitmaps(have) | {liar: Bottom()}, ONE))


def _assert_rule(truth: dict[int, frozenset[int]], found: Holdings) -> None:
    if all(len(held) == 3 for held in truth.values()):
        assert found.accepted
    for a in PARTIES if found.accepted else ():
        honest_givers = found.holders[ONE[0], a] & {p for p, held in truth.items() if a in held}
        assert honest_givers or all(a in held for p, held in truth.items() if p != a)


def test_an_empty_job_has_an_empty_bitmap() -> None:
    assert have_value([], PARTIES, set()) == b""
    assert holdings(all_say(dict.fromkeys(PARTIES, b"")), []).accepted == ()


# -- START


def test_start_needs_every_party() -> None:
    outcome = all_say({p: start_value(True) for p in PARTIES})
    assert start(outcome).go
    assert start(outcome | {2: Agreed(start_value(False))}).busy == {2}
    for word in SPEECHLESS:
        decided = start(outcome | {2: word})
        assert not decided.go
        assert decided.silent == {2}
