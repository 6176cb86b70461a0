"""The tables of who holds what, and that the conversion keeps everybody's knowledge as it is."""

from __future__ import annotations

from itertools import combinations

import pytest

from mpcd.errors import InternalError
from mpcd.protocols.rep3 import sharing
from mpcd.protocols.rep4 import keys
from mpcd.protocols.scheme import REP3, REP4, SCHEMES, Scheme, rep3_of_rep4


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda s: s.name)
def test_every_piece_is_with_all_parties_but_one_and_two_parties_hold_everything(scheme: Scheme) -> None:
    places = range(scheme.parties)
    for a in places:
        assert len(scheme.holders(a)) == scheme.parties - 1
        assert scheme.holders(a) == {p for p in places if a in scheme.held(p)}
    for p, q in combinations(places, 2):
        assert set(scheme.held(p)) | set(scheme.held(q)) == set(places)
        assert scheme.held(p) == tuple(sorted(scheme.held(p)))


def test_the_tables_are_those_that_the_engines_compute_with() -> None:
    assert [REP4.holders(a) for a in range(4)] == [keys.holders(a) for a in range(4)]
    assert [set(REP3.held(p)) for p in range(3)] == [set(sharing.held(p)) for p in range(3)]


@pytest.mark.parametrize("roster", list(combinations(range(4), 3)))
def test_whoever_gets_a_piece_of_rep3_knows_all_summands_in_it_and_nobody_learns_one(
    roster: tuple[int, ...],
) -> None:
    conversion = rep3_of_rep4(roster)
    assert {*roster, conversion.dropped} == set(range(4))
    assert sorted(conversion.summands) == list(roster)
    for m, a in enumerate(conversion.summands):
        among = {roster[place] for place in REP3.holders(m)}
        assert among == REP4.holders(a) - {conversion.dropped}
        assert all(conversion.dropped in REP4.held(p) for p in among)


@pytest.mark.parametrize("roster", list(combinations(range(4), 3)))
def test_the_pieces_of_rep3_add_up_to_the_summands_of_rep4(roster: tuple[int, ...]) -> None:
    summands = [1, 20, 300, 4000]
    conversion = rep3_of_rep4(roster)
    pieces = [summands[a] for a in conversion.summands]
    pieces[conversion.takes] += summands[conversion.dropped]
    assert sum(pieces) == sum(summands)


@pytest.mark.parametrize("roster", [(0, 1), (0, 0, 1), (1, 0, 2), (0, 1, 2, 3), (1, 2, 4)])
def test_other_rosters_are_refused(roster: tuple[int, ...]) -> None:
    with pytest.raises(InternalError):
        rep3_of_rep4(roster)
