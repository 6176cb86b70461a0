"""What people read: the program with its ranges, and who learns what."""

from __future__ import annotations

import mpcd as mpc
from mpcd.apps.auction import second_price
from mpcd.program.reading import show, sources, who_learns_what


def test_an_auction_fits_on_a_screen() -> None:
    text = show(second_price.checked)
    assert len(text.splitlines()) <= 16
    assert second_price.hash.hex() in text
    assert "the highest bidder wins and pays the second-highest bid" in text
    assert "input     bids: secret int[0,4294967295] (n)" in text
    assert "reveal    price = %13" in text


def test_every_recipient_and_every_output_is_named() -> None:
    lines = who_learns_what(second_price.checked, {"winner": ["seller", "alice"], "price": ["seller"]})
    text = "\n".join(lines)
    assert "Everybody in the job knows the program, reserve, order, the length of n" in text
    assert "seller, alice learn winner: an integer from -1 to 1048575, computed from bids." in text
    assert "seller learns price" in text
    assert "Nobody learns anything else of bids." in text
    assert "Nobody learns price" in "\n".join(who_learns_what(second_price.checked, {"winner": ["a"]}))


@mpc.program
def careless(a: mpc.Vector[mpc.UInt8], b: mpc.Vector[mpc.UInt8], c: mpc.Secret[mpc.UInt8]) -> object:
    return mpc.reveal(raw=b, one=a.max(), both=(a + b).sum() + c)


def test_an_input_revealed_as_it_is_is_pointed_out() -> None:
    assert sources(careless.checked) == {"raw": ("b",), "one": ("a",), "both": ("a", "b", "c")}
    lines = who_learns_what(careless.checked, {"raw": ["x"]})
    assert [line for line in lines if line.startswith("WARNING")] == [
        "WARNING: the output raw is a private input just as it was put in."
    ]
