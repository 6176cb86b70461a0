"""Auctions between real daemons: who wins, who learns it, and what a job leaves behind."""

from __future__ import annotations

import pytest

from mpcd.apps.auction import second_price_in_clear
from mpcd.cli.auction_job import PARTIES, RESERVE, job_text
from mpcd.errors import RefusedError
from tests.e2e.town import BIDS, READER, Town


def test_an_auction_of_four(town: Town) -> None:
    assert town.auction() == ("bolt", 650)


def test_a_fifth_only_bids_and_a_sixth_only_reads(town: Town) -> None:
    town.bid(erin=900)
    bidders = ("erin", "acme", "bolt", "crux")
    assert town.auction(bidders, readers=[READER]) == ("erin", 700)


@pytest.mark.parametrize("order", [("dana", "crux", "bolt", "acme"), ("bolt", "acme", "dana", "crux")])
def test_ties_are_broken_by_the_public_order(town: Town, order: tuple[str, ...]) -> None:
    town.bid(acme=800, bolt=800, crux=800, dana=700)
    assert town.auction(order) == (next(name for name in order if name != "dana"), 800)
