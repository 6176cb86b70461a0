"""Auctions between real daemons: who wins, who learns it, one after another and at the same time."""

from __future__ import annotations

import concurrent.futures

import pytest

from mpcd.apps.auction import first_price_in_clear
from mpcd.cli.auction_job import PARTIES, RESERVE, job_text
from mpcd.cli.job import read_job
from mpcd.errors import NotFoundError, RefusedError, UsageError
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import verify
from tests.e2e.town import BIDS, EVERYBODY, JOB_S, READER, Town, chain_text

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_an_auction_of_four(town: Town) -> None:
    assert town.auction() == ("bolt", 650)


def test_a_fifth_only_bids_and_a_sixth_only_reads(town: Town) -> None:
    town.bid(erin=900)
    bidders = ("erin", "acme", "bolt", "crux")
    job = town.submit(job_text("outsiders", bidders=bidders, readers=[READER]))
    assert {name: town.wait(job, at=name).state for name in EVERYBODY} == dict.fromkeys(
        EVERYBODY, "succeeded"
    )
    assert town.outputs(job, at=READER) == {"winner": 0, "price": 700}
    for name in EVERYBODY:
        if name != READER:
            with pytest.raises(RefusedError, match="not among those who learn"):
                town.outputs(job, at=name)


def test_an_outsider_may_submit_and_has_the_receipt(town: Town) -> None:
    bidders = ("erin", "acme", "bolt", "crux", "dana")
    job = town.submit(job_text("outsiders", bidders=bidders, readers=["erin", READER]), at="erin")
    for name in ("erin", READER):
        assert town.outputs(job, at=name) == {"winner": 2, "price": 650}
        with town.operator(name) as operator:
            verdict = verify(operator.receipt(job, JOB_S), Roster.load(town.cluster.roster()))
        assert verdict.valid, verdict.reason
        assert verdict.receipt.job == job.hex()
        assert [line.owner for line in verdict.receipt.inputs] == list(bidders)


def test_different_outputs_for_different_readers(town: Town) -> None:
    text = job_text("split", readers=["acme"]).replace("price, to: [acme]", f"price, to: [{READER}]")
    job = town.submit(text)
    assert town.outputs(job, at="acme") == {"winner": 1}
    assert town.outputs(job, at=READER) == {"price": 650}


@pytest.mark.parametrize("order", [("dana", "crux", "bolt", "acme"), ("bolt", "acme", "dana", "crux")])
def test_ties_are_broken_by_the_public_order(town: Town, order: tuple[str, ...]) -> None:
    town.bid(acme=800, bolt=800, crux=800, dana=700)
    text = job_text("tie").replace("order: [acme, bolt, crux, dana]", f"order: [{', '.join(order)}]")
    last = town.run(text)
    assert last.state == "succeeded", last.detail
    first = next(name for name in order if name != "dana")
    assert town.outputs(last.job, at="acme") == {"winner": PARTIES.index(first), "price": 800}


def test_a_reserve_that_is_not_reached(town: Town) -> None:
    town.bid(**dict.fromkeys(PARTIES, RESERVE - 1))
    assert town.auction() == (None, 0)
    town.bid(crux=RESERVE)
    assert town.auction() == ("crux", RESERVE)


def test_the_first_price_auction_and_the_greatest_bids(town: Town) -> None:
    bids = {"acme": (1 << 32) - 1, "bolt": (1 << 31), "crux": 0, "dana": (1 << 31) - 1}
    town.bid(**bids)
    last = town.run(job_text("first").replace("second-price", "first-price"))
    expected = first_price_in_clear(list(bids.values()), RESERVE, range(4))
    assert town.outputs(last.job, at="dana") == expected == {"winner": 0, "price": (1 << 32) - 1}


def test_jobs_at_the_same_time_that_need_each_others_processes(town: Town) -> None:
    """Every daemon runs one job process at a time, and every job needs one at all four."""
    texts = {name: job_text(f"from-{name}", readers=[READER]) for name in ("acme", "bolt", "erin")}
    texts["erin"] = job_text("from-erin", bidders=(*PARTIES, "erin"), readers=[READER])
    with concurrent.futures.ThreadPoolExecutor(len(texts)) as pool:
        jobs = list(pool.map(lambda item: town.submit(item[1], at=item[0]), texts.items()))
    assert len(set(jobs)) == len(texts)
    for job in jobs:
        last = town.wait(job, at=READER)
        assert last.state == "succeeded", (last.state, last.detail)
        assert town.outputs(job, at=READER) == {"winner": 1, "price": 650}


def test_a_key_gives_the_same_job_again(town: Town) -> None:
    file = town.job_file()
    job_file, program = read_job(file)
    with town.operator() as operator:
        job, existed = operator.submit(job_file, "job", program, "the-key")
        again, existed_then = operator.submit(job_file, "job", program, "the-key")
        assert (existed, existed_then) == (False, True)
        assert again == job
        assert [j.job for j in operator.jobs()].count(job) == 1
    assert town.wait(job).state == "succeeded"
    with town.operator() as operator:
        assert operator.submit(job_file, "job", program, "the-key") == (job, True)
    with town.operator("bolt") as other:
        assert other.submit(job_file, "job", program, "the-key")[0] != job
        newest = other.jobs(1)[0].job
    assert town.wait(newest, at="bolt").state == "succeeded"


def test_a_job_that_computes_can_be_cancelled(town: Town) -> None:
    """A thousand dependent products last long enough."""
    job = town.submit(chain_text())
    with town.operator() as operator:
        for view in operator.watch(job, JOB_S):
            if view.state == "computing":
                operator.cancel(job, "no longer wanted")
                break
    for name in PARTIES:
        last = town.wait(job, at=name)
        assert (last.state, last.detail) == ("cancelled", "cancelled by acme: no longer wanted")
    with pytest.raises(UsageError, match="no results: it ended cancelled"):
        town.outputs(job, at="acme")
    assert town.auction() == ("bolt", 650)


def test_only_the_submitter_cancels_and_only_before_the_end(town: Town) -> None:
    last = town.run()
    with town.operator("bolt") as other, pytest.raises(RefusedError, match="only the submitter, acme"):
        other.cancel(last.job, "spite")
    with town.operator() as operator, pytest.raises(UsageError, match="ended already: it succeeded"):
        operator.cancel(last.job, "too late")


def test_who_takes_no_part_knows_nothing_of_a_job(town: Town) -> None:
    last = town.run()
    for name in ("erin", READER):
        with town.operator(name) as operator, pytest.raises(NotFoundError):
            operator.get(last.job)
    assert set(last.parties) == set(PARTIES)
    assert set(BIDS) - set(last.parties) == {"erin"}
