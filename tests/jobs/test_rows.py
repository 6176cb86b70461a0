"""Whose row it is, by the lines of a receipt."""

from __future__ import annotations

import pytest

from mpcd.identity.roster import Roster
from mpcd.jobs.rows import Origin, origin_of, say_left_out
from tests.jobs.test_receipt import FOUR, receipt

INPUTS = [("erin", "bids", 3), ("erin", "asks", 9), ("alice", "bids", 1), ("bob", "bids", 4)]


def whose(roster: Roster, left_out: dict[str, list[int]] | None = None) -> list[Origin | None]:
    """Where rows 0, 1, ... of `bids` come from, until there are no more."""
    inputs = [{"owner": o, "argument": a, "rows": n, "commitments": FOUR} for o, a, n in INPUTS]
    excluded = [
        {"owner": owner, "argument": "bids", "reason": say_left_out(rows)}
        for owner, rows in (left_out or {}).items()
    ]
    excluded.append({"owner": "carol", "argument": "bids", "reason": "no input came in time"})
    one = receipt(roster, inputs=tuple(inputs), excluded=tuple(excluded))
    found = [origin_of(row, "bids", one) for row in range(20)]
    end = found.index(None)
    assert not any(found[end:])
    return found[:end]


def named(*pairs: tuple[str, int | None]) -> list[Origin]:
    return [Origin(row, owner, at) for row, (owner, at) in enumerate(pairs)]


def test_rows_are_those_of_the_owners_one_behind_the_other(roster: Roster) -> None:
    bob = [("bob", k) for k in range(4)]
    assert whose(roster) == named(("erin", 0), ("erin", 1), ("erin", 2), ("alice", 0), *bob)


@pytest.mark.parametrize(
    ("left_out", "erin", "alice", "bob"),
    [
        ({"erin": [1]}, [0, 2], [0], [0, 1, 2, 3]),
        ({"alice": [0]}, [0, 1, 2], [], [0, 1, 2, 3]),
        ({"erin": [0, 1, 2]}, [], [0], [0, 1, 2, 3]),
        # Which ones besides the first were left out, the receipt does not say.
        ({"bob": [1, 3]}, [0, 1, 2], [0], [0, None]),
    ],
)
def test_rows_that_were_left_out_are_not_counted(
    left_out: dict[str, list[int]],
    erin: list[int],
    alice: list[int],
    bob: list[int | None],
    roster: Roster,
) -> None:
    owners = [("erin", k) for k in erin], [("alice", k) for k in alice], [("bob", k) for k in bob]
    assert whose(roster, left_out) == named(*(pair for some in owners for pair in some))


def test_rows_with_a_default_in_their_place_are_where_they_were(roster: Roster) -> None:
    """Bob gave nothing, and two of erin's rows were out of range: all keep their numbers."""
    inputs = [
        {"owner": "erin", "argument": "bids", "rows": 3, "commitments": FOUR},
        {"owner": "bob", "argument": "bids", "rows": 2, "default": True},
        {"owner": "alice", "argument": "bids", "rows": 1, "commitments": FOUR},
    ]
    excluded = [
        {"owner": "erin", "argument": "bids", "reason": say_left_out([0, 2]), "default": True},
        {"owner": "bob", "argument": "bids", "reason": "no input came in time", "default": True},
    ]
    one = receipt(roster, inputs=tuple(inputs), excluded=tuple(excluded))
    found = [origin_of(row, "bids", one) for row in range(7)]
    expected = named(("erin", 0), ("erin", 1), ("erin", 2), ("bob", 0), ("bob", 1), ("alice", 0))
    assert found == [*expected, None]


def test_below_zero_there_is_no_row(roster: Roster) -> None:
    assert origin_of(-1, "bids", receipt(roster)) == Origin(-1, None, None)
    assert origin_of(0, "offers", receipt(roster)) is None
