"""Jobs with defaults in the job process: rows out of range and inputs that are left out are replaced.

The steps of all parties run in lockstep, on shares as owners make them, in every kind of epoch: with four
parties, with the three others after one was dropped, and with three from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mpcd as mpc
from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.apps.auction import second_price
from mpcd.errors import UsageError
from mpcd.program.evaluate import evaluate
from mpcd.protocols.scheme import REP3, REP4
from mpcd.runtime.arguments import RangeFault
from mpcd.runtime.computation import Computation
from mpcd.runtime.epochs import Epoch
from mpcd.runtime.lockstep import lockstep
from tests.runtime.daemons import Bid, make_orders, next_epoch, reconstruct

PORTS = (1, 2, 3, 4)
LOW, HIGH = -10, 1000


class Offer(mpc.Table):
    """What somebody offers."""

    price: mpc.Int(LOW, HIGH)  # type: ignore[valid-type]
    amount: mpc.UInt8
    fresh: mpc.Bool


@mpc.program
def market(offers: Offer, order: mpc.Order) -> object:
    """The dearest offer, and the value of all fresh ones."""
    first, _ = offers.price.top(2, order=order)
    worth = mpc.where(offers.fresh, offers.price * offers.amount, 0)
    return mpc.reveal(first=first.index, price=first.value, worth=worth.sum())


Row = tuple[int, int, int]
GOOD = ((LOW, HIGH), (0, 255), (0, 1))
COLUMNS = ("offers.price", "offers.amount", "offers.fresh")


@dataclass(frozen=True)
class Owner:
    """rows: what it shares; default: of the job; left_out: it gives nothing after all."""

    rows: tuple[Row, ...]
    default: Row
    left_out: bool


def is_good(row: Row) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(row, GOOD, strict=True))


def counting(owners: Sequence[Owner]) -> list[Row]:
    """The rows that are to be computed on: in clear, what `missing: default` means."""
    return [
        owner.default if owner.left_out or not is_good(row) else row for owner in owners for row in owner.rows
    ]


def in_clear(owners: Sequence[Owner]) -> dict[str, int]:
    price, amount, fresh = zip(*counting(owners), strict=True)
    arguments = {"offers.price": price, "offers.amount": amount, "offers.fresh": [bool(f) for f in fresh]}
    found = evaluate(market.checked, arguments, {"order": list(range(len(price)))})
    return {name: int(value) for name, value in found.items()}


def orders_of(owners: Sequence[Owner], scheme: object = REP4, missing: str = "default") -> list[pb.Order]:
    bids = [
        Bid(
            f"owner{k}",
            "offers",
            {name: [row[c] for row in owner.rows] for c, name in enumerate(COLUMNS)},
            owner.default if missing == "default" else (),
            owner.left_out,
        )
        for k, owner in enumerate(owners)
    ]
    names = list(market.checked.outputs)
    return make_orders(market.canonical, bids, names, PORTS, missing=missing, scheme=scheme)  # type: ignore[arg-type]


def carry_out(orders: Sequence[pb.Order]) -> list[pb.FromWorker]:
    """All steps of a job process at all parties."""
    parties = [Computation(order, Epoch(order)) for order in orders]
    assert len({party.question() for party in parties}) == 1
    bits = lockstep([party.check() for party in parties]).results()
    opened = lockstep([p.show(b) for p, b in zip(parties, bits, strict=True)]).results()
    shares = lockstep([p.compute(o) for p, o in zip(parties, opened, strict=True)]).results()
    return [pb.FromWorker(result=p.result(s)) for p, s in zip(parties, shares, strict=True)]


def outputs_of(messages: Sequence[pb.FromWorker]) -> dict[str, int]:
    return {name: reconstruct(messages, name)[0] for name in market.checked.outputs}


def failing(owners: Sequence[Owner]) -> list[tuple[str, int]]:
    """What is to be named: rows that were shared and are out of range."""
    return [
        (f"owner{k}", at)
        for k, owner in enumerate(owners)
        for at, row in enumerate(owner.rows)
        if not owner.left_out and not is_good(row)
    ]


NUMBERS = tuple(st.integers(low, high) for low, high in GOOD)
WILD = st.sampled_from([LOW - 1, HIGH + 1, 256, 2, -1, 1 << 62, -(1 << 63), (1 << 63) - 1])
ROWS = st.tuples(*NUMBERS) | st.tuples(*(number | WILD for number in NUMBERS))
OWNERS = st.lists(
    st.builds(Owner, st.lists(ROWS, min_size=1, max_size=3).map(tuple), st.tuples(*NUMBERS), st.booleans()),
    min_size=2,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(owners=OWNERS, dropped=st.sampled_from(range(4)), checked=st.booleans())
def test_what_is_computed_is_what_the_default_rows_give_in_clear(
    owners: list[Owner], dropped: int, checked: bool
) -> None:
    expected = in_clear(owners)
    four = orders_of(owners)
    runs = [
        carry_out(four),
        carry_out(next_epoch(four, dropped, checked=checked)),
        carry_out(orders_of(owners, REP3)),
    ]
    for messages in runs:
        assert outputs_of(messages) == expected
        for message in messages:
            assert [(row.owner, row.row) for row in message.result.excluded] == failing(owners)
    # Later epochs of a job show what the first has shown.
    assert len({message.result.reveals for messages in runs[:2] for message in messages}) == 1


FINE: Row = (7, 3, 1)
CHEAT = Owner(((5, 1, 1), (6, 300, 1), (1 << 62, 2, 0)), (40, 2, 1), False)
BASIC = [Owner((FINE,), (0, 0, 0), False), CHEAT, Owner((FINE, FINE), (50, 4, 1), True)]


def test_a_row_of_which_one_column_fails_is_replaced_as_a_whole_and_rows_keep_their_numbers() -> None:
    messages = carry_out(orders_of(BASIC))
    # Rows: 7x3, 5x1, the default 40x2 twice, the default 50x4 twice. The dearest is the fifth.
    assert outputs_of(messages) == {"first": 4, "price": 50, "worth": 21 + 5 + 2 * 80 + 2 * 200}
    assert [(row.owner, row.row) for row in messages[0].result.excluded] == [("owner1", 1), ("owner1", 2)]


def test_nobody_needs_a_row_that_is_good() -> None:
    """All rows of all owners fail, or are not there: with `exclude` the job would end."""
    owners = [Owner(((1 << 40, 0, 0),), (3, 1, 1), False), Owner((FINE,), (9, 2, 0), True)]
    assert outputs_of(carry_out(orders_of(owners))) == {"first": 1, "price": 9, "worth": 3}
    given_ones = [owners[0], replace(owners[0])]
    with pytest.raises(RangeFault):
        carry_out(orders_of(given_ones, missing="exclude"))


def test_without_anything_wrong_defaults_change_nothing() -> None:
    owners = [replace(owner, rows=(FINE,), left_out=False) for owner in BASIC]
    plain = outputs_of(carry_out(orders_of(owners, missing="abort")))
    messages = carry_out(orders_of(owners))
    assert outputs_of(messages) == plain
    assert not messages[0].result.excluded


def test_payloads_of_an_input_that_is_left_out_are_not_looked_at() -> None:
    """One party alone holding on to what an owner sent it computes with the others all the same."""
    with_payloads = orders_of([replace(owner, left_out=False) for owner in BASIC])[2]
    orders = orders_of(BASIC)
    for a, payload in with_payloads.inputs[2].payloads.items():
        orders[2].inputs[2].payloads[a] = payload
    assert outputs_of(carry_out(orders)) == in_clear(BASIC)


def _spoil(orders: list[pb.Order], what: str) -> None:
    for order in orders:
        if what == "too short":
            order.inputs[1].default_row.pop()
        elif what == "none":
            del order.inputs[2].default_row[:]
        elif what == "another treatment":
            order.missing = "exclude"
        else:
            order.missing = "exclude"
            for one in order.inputs:
                del one.default_row[:]


@pytest.mark.parametrize("what", ["too short", "none", "another treatment", "left out without a default"])
def test_an_order_that_contradicts_itself_is_refused(what: str) -> None:
    orders = orders_of(BASIC)
    _spoil(orders, what)
    with pytest.raises(UsageError, match="does not fit its columns"):
        carry_out(orders)


@pytest.mark.parametrize("scheme", [REP4, REP3])
def test_replacing_takes_no_message(scheme: object) -> None:
    """All of it is local: as many rounds as with rows that are good."""
    good = [replace(owner, rows=(FINE,) * len(owner.rows), left_out=False) for owner in BASIC]

    def rounds(owners: Sequence[Owner]) -> list[int]:
        parties = [Computation(order, Epoch(order)) for order in orders_of(owners, scheme)]
        checking = lockstep([party.check() for party in parties])
        showing = lockstep([p.show(b) for p, b in zip(parties, checking.results(), strict=True)])
        program = lockstep([p.compute(o) for p, o in zip(parties, showing.results(), strict=True)])
        return [run.rounds for run in (checking, showing, program)]

    assert rounds(BASIC) == rounds(good)


def test_an_auction_goes_to_the_default_bid_if_it_is_the_highest() -> None:
    bids = [
        Bid(owner, "bids", {"bids": [bid]}, (default,), left_out)
        for owner, bid, default, left_out in
        [("acme", 500, 0, False), ("bolt", 1 << 62, 800, False), ("crux", 700, 100, True)]
    ]  # fmt: skip
    reserve = pb.Parameter(name="reserve", values=[100], scalar=True)
    orders = make_orders(
        second_price.canonical, bids, ["winner", "price"], PORTS, missing="default", parameters=[reserve],
        order=["acme", "bolt", "crux"],
    )  # fmt: skip
    messages = carry_out(orders)
    assert (reconstruct(messages, "winner"), reconstruct(messages, "price")) == ([1], [500])
    np.testing.assert_array_equal([r.owner for r in messages[0].result.excluded], ["bolt"])
