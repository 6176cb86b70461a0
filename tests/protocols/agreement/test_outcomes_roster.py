"""Slots among fewer parties than the job has, and in other schemes than rep4."""

from __future__ import annotations

import pytest

from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome, Verdict
from mpcd.protocols.agreement.outcomes import have_value, holdings, key_commitments, key_value, session_of
from mpcd.protocols.scheme import REP3, REP4
from tests.protocols.agreement.test_outcomes import EXPECTED, ONE, PARTIES, SPEECHLESS, all_say, com, have


@pytest.mark.parametrize("word", [*SPEECHLESS, Agreed(b"n" * 31)], ids=str)
def test_a_job_that_can_go_on_without_a_party_has_a_session_without_its_nonce(word: Verdict) -> None:
    nonces = all_say({p: bytes([p + 1]) * 32 for p in PARTIES})
    without = [session_of(b"job", 0, nonces | {p: word}, without=1) for p in PARTIES]
    assert None not in without
    assert len({*without, session_of(b"job", 0, nonces, without=1)}) == 5
    assert session_of(b"job", 0, nonces | {1: word, 2: word}, without=1) is None


def test_whoever_takes_part_commits_to_the_keys_of_the_jobs_own_scheme() -> None:
    own = {p: [com(f"{p}/{a}") for a in REP4.held(p)] for p in (0, 1, 3)}
    found = key_commitments(all_say({p: key_value(coms) for p, coms in own.items()}))
    assert found[3] == {0: com("3/0"), 1: com("3/1"), 2: com("3/2")}
    three = key_commitments(all_say({1: key_value([com("x"), com("y")])}), REP3)
    assert three == {1: {1: com("x"), 2: com("y")}}


def test_without_one_party_a_single_holder_of_two_suffices() -> None:
    """Otherwise one of the two could shut an honest owner out."""
    three: Outcome = {p: Agreed(have(p)) for p in (0, 1, 3)}
    assert holdings(three, EXPECTED).accepted == tuple(EXPECTED)
    for liar in three:
        found = holdings(three | {liar: Bottom()}, EXPECTED)
        assert found.accepted == tuple(EXPECTED)
        assert found.holders[EXPECTED[0], 2] == {0, 1, 3} - {liar}
    nobody = {0: Agreed(have(0, (EXPECTED[0], 1))), 3: Agreed(have(3, (EXPECTED[0], 1)))}
    assert holdings(three | nobody, EXPECTED).accepted == (EXPECTED[1],)


def test_holders_of_rep3_are_its_own() -> None:
    full = have_value(ONE, range(3), {(ONE[0], a) for a in range(3)})
    found = holdings(all_say(dict.fromkeys(range(3), full)), ONE, REP3)
    assert [found.holders[ONE[0], a] for a in range(3)] == [{0, 2}, {0, 1}, {1, 2}]
    assert found.accepted == (ONE[0],)
