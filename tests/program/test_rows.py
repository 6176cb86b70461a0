"""Which outputs are numbers of rows: by what the program does, never by a name."""

from __future__ import annotations

import mpcd as mpc
from mpcd.apps.auction import first_price, second_price
from mpcd.program.rows import row_outputs

M = mpc.Dim("m")


@mpc.program
def many(
    x: mpc.Vector[mpc.Int32],
    y: mpc.Vector[mpc.Int32, M],  # type: ignore[type-arg, valid-type]
    start: mpc.Public[mpc.Int32],
) -> object:
    """Row numbers, and what looks like them."""
    first, second = x.top(2)
    other = y.argmax()
    flag = first.value > start
    return mpc.reveal(
        row=first.index,
        second=second.index,
        either=mpc.where(flag, first.index, second.index),
        nobody=mpc.where(flag, mpc.where(first.value > 3, -7, first.index), -1),
        elsewhere=other.index,
        mixed=mpc.where(flag, first.index, other.index),
        shifted=first.index + 1,
        larger=mpc.maximum(first.index, second.index),
        zero=mpc.where(flag, first.index, 0),
        public=mpc.where(flag, first.index, start),
        value=first.value,
        negative=mpc.where(flag, -1, -2),
        truth=flag,
    )


def test_the_winner_of_an_auction_is_a_row_and_the_price_is_none() -> None:
    for program in (first_price, second_price):
        assert row_outputs(program.checked) == {"winner": "n"}


def test_an_output_is_a_row_only_if_it_always_is_one() -> None:
    assert row_outputs(many.checked) == {
        "row": "n",
        "second": "n",
        "either": "n",
        "nobody": "n",
        "elsewhere": "m",
    }
