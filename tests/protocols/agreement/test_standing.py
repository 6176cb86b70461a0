"""What follows from what was found: the whole table, and the history that enters the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mpcd.errors import InternalError
from mpcd.protocols.agreement.dolev_strong import Equivocated, SignedValue
from mpcd.protocols.agreement.findings import Absent, Fault, Named, Pair, TooMany
from mpcd.protocols.agreement.standing import Over, Standing, advance, first
from mpcd.protocols.scheme import REP3, REP4

BEGIN = first(REP4, 4)
MANY = TooMany(frozenset({0, 1}), "")


def pair(i: int, j: int, evidence: bool = True) -> Pair:
    return Pair(frozenset({i, j}), evidence, f"party {i} and party {j}")


def after(*findings: Fault) -> tuple[tuple[int, ...], bool] | None:
    """Roster and whether there are checks, or None if the job is over."""
    standing: Standing | Over = BEGIN
    for finding in findings:
        assert isinstance(standing, Standing)
        before, standing = standing, advance(standing, finding)
        if isinstance(standing, Standing):
            assert (standing.epoch, standing.scheme) == (before.epoch + 1, "rep3")
            assert standing.history != before.history
            assert len(standing.roster) == len(standing.parties) - 1
    return (standing.roster, standing.checked) if isinstance(standing, Standing) else None


def test_a_job_begins_with_all_parties_and_checks() -> None:
    assert (BEGIN.epoch, BEGIN.roster, BEGIN.scheme, BEGIN.checked) == (0, (0, 1, 2, 3), "rep4", True)
    assert BEGIN.history == bytes(32)
    assert BEGIN.dropped == ()
    assert first(REP3, 3).sharing is REP3
    with pytest.raises(InternalError):
        first(REP3, 4)


def test_only_evidence_against_one_party_makes_checks_needless() -> None:
    for p in range(4):
        rest = tuple(q for q in range(4) if q != p)
        assert after(Named(p, "")) == (rest, False)
        assert after(Absent(p, "")) == (rest, True)
    assert after(pair(1, 2)) == ((0, 1, 3), True)
    assert after(pair(0, 3, evidence=False)) == ((0, 1, 2), True)
    assert after(MANY) is None


@pytest.mark.parametrize("finding", [Named(0, ""), Absent(0, ""), pair(0, 1), MANY])
def test_after_a_party_is_gone_every_further_fault_ends_the_job(finding: Fault) -> None:
    for before in (Absent(2, ""), Named(2, "")):
        assert after(before, finding) is None


def test_the_suspect_of_a_pair_is_replaced_by_the_other_one() -> None:
    for evidence in (True, False):
        one = pair(1, 2, evidence)
        assert after(one, Named(1, "")) == ((0, 2, 3), False)
        assert after(one, Absent(1, "")) == ((0, 2, 3), True)
        for second in (True, False):
            assert after(one, pair(1, 3, second)) == ((0, 2, 3), not (evidence and second))


def test_what_does_not_fit_with_the_pair_ends_the_job() -> None:
    for finding in (Named(0, ""), Absent(3, ""), pair(0, 3), MANY):
        assert after(pair(1, 2), finding) is None


@pytest.mark.parametrize(
    "finding", [Named(2, ""), Absent(2, ""), pair(0, 2), Named(3, ""), Absent(3, ""), pair(0, 3), MANY]
)
def test_two_restarts_and_no_more(finding: Fault) -> None:
    assert after(pair(1, 3), pair(0, 1)) == ((0, 2, 3), False)
    assert after(pair(1, 3), pair(0, 1), finding) is None
    assert after(pair(1, 3), Absent(1, ""), finding) is None


@pytest.mark.parametrize("finding", [Named(2, ""), Absent(2, ""), pair(0, 2), MANY])
def test_a_job_of_three_ends_with_what_was_found(finding: Fault) -> None:
    over = advance(first(REP3, 3), finding)
    assert isinstance(over, Over)
    assert [*over.pairs, *over.named, *over.absent] == ([] if finding is MANY else [finding])
    assert finding.why in over.why


def test_who_is_unreachable_is_never_among_the_named() -> None:
    standing = advance(advance_to(pair(1, 2, False)), pair(1, 3))
    assert isinstance(standing, Standing)
    assert not standing.named
    assert len(standing.pairs) == 2
    proven = advance(advance_to(pair(1, 2)), pair(1, 3))
    assert isinstance(proven, Standing)
    assert [named.party for named in proven.named] == [1]
    gone = advance(advance_to(pair(1, 2)), Absent(1, ""))
    assert isinstance(gone, Standing)
    assert not gone.named
    assert gone.absent == (Absent(1, ""),)


def advance_to(finding: Fault) -> Standing:
    standing = advance(BEGIN, finding)
    assert isinstance(standing, Standing)
    return standing


def test_places_are_those_in_the_roster() -> None:
    standing = advance_to(Absent(1, ""))
    assert [standing.place(p) for p in (0, 2, 3)] == [0, 1, 2]
    assert standing.dropped == (1,)


def test_the_history_is_of_what_was_agreed_and_of_nothing_else() -> None:
    found: list[Fault] = [Named(3, ""), Absent(3, ""), pair(2, 3), pair(2, 3, False), pair(1, 3)]
    histories = {advance_to(finding).history for finding in [*found, Absent(2, "")]}
    assert len(histories) == 6
    proof = Equivocated(SignedValue(b"a" * 32, b"s" * 64), SignedValue(b"b" * 32, b"t" * 64))
    assert advance_to(Named(3, "words", proof)).history == advance_to(Named(3, "")).history
    twice = advance(replace(advance_to(pair(1, 2)), history=bytes(32)), pair(1, 3))
    chained = advance(advance_to(pair(1, 2)), pair(1, 3))
    assert isinstance(twice, Standing)
    assert isinstance(chained, Standing)
    assert twice.history != chained.history
