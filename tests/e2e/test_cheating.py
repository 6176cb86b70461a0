"""One cheating daemon among four: dana's lies, over real TLS, and what becomes of them.

Whatever it does: nobody has a wrong output, the honest three end in the same way, and either all of
them have the outputs or none has any; what they write down accuses dana or a set with dana in it; and
the daemons serve the next job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pytest

from mpcd.cli.auction_job import PARTIES
from mpcd.errors import MpcdError
from tests.e2e.committee import DANA, HONEST, OUTPUTS, Committee, auction, committee

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("e2e-cheating")]

Blame = Literal["nobody", "suspects", "proof"]


@dataclass(frozen=True, slots=True)
class Lie:
    """What dana does, how the job must end, and what must be on record among the honest three.

    nobody    silence is no accusation, and what can be corrected is none
    suspects  a set with dana in it, at one of them at least
    proof     dana alone, at all of them, with two signed statements that anybody can check
    """

    name: str
    edits: tuple[str, ...]
    ends: Literal["aborted", "succeeded"]
    blame: Blame

    @property
    def lines(self) -> list[str]:
        return [f"{self.name} {edit}" for edit in self.edits]


LIES = (
    # in the protocol
    Lie("shift-range-check", ("shift round=3",), "aborted", "suspects"),
    Lie("shift-to-one", ("shift round=4 to=2",), "aborted", "suspects"),
    Lie("shift-before-reveal", ("shift round=8",), "aborted", "suspects"),
    Lie("shift-product", ("shift round=20 to=2",), "aborted", "suspects"),
    Lie("shift-last", ("shift round=46",), "aborted", "suspects"),
    Lie("flip", ("flip round=13",), "aborted", "suspects"),
    Lie("drop", ("drop round=12",), "aborted", "nobody"),
    Lie("vouch", ("vouch round=5",), "aborted", "suspects"),
    Lie("vouch-late", ("vouch round=31",), "aborted", "suspects"),
    Lie("silent", ("hold round=25",), "aborted", "nobody"),
    # about keys and inputs
    Lie("key", ("keys to=acme",), "succeeded", "nobody"),
    Lie("key-commitments", ("lie slot=KEYS",), "aborted", "suspects"),
    Lie("false-complaint", ("lie slot=KEY-COMPLAINT body=00010000",), "succeeded", "nobody"),
    Lie("box", ("box to=acme",), "succeeded", "nobody"),
    Lie("two-boxes", ("box to=acme", "box to=bolt"), "aborted", "nobody"),
    # in agreement
    Lie("two-nonces", ("equivocate slot=SESSION to=bolt",), "aborted", "proof"),
    Lie("two-key-sets", ("equivocate slot=KEYS to=crux",), "aborted", "proof"),
    Lie("two-input-lists", ("equivocate slot=INPUTS to=acme",), "succeeded", "nobody"),
    Lie("two-bitmaps", ("equivocate slot=HAVE to=acme",), "succeeded", "nobody"),
    Lie("two-starts", ("equivocate slot=START to=bolt",), "aborted", "proof"),
    Lie("two-reveals", ("equivocate slot=BARRIER.0.0 to=crux",), "aborted", "proof"),
    Lie("two-words", ("equivocate slot=BARRIER.0.1 to=acme",), "aborted", "proof"),
    Lie("wrong-have", ("lie slot=HAVE",), "succeeded", "nobody"),
    Lie("wrong-reveal", ("lie slot=BARRIER.0.0",), "aborted", "suspects"),
    Lie("wrong-ready", ("lie slot=BARRIER.0.1",), "succeeded", "suspects"),
    Lie("not-ready", ("lie slot=BARRIER.0.1 body=00",), "aborted", "nobody"),
    Lie("no-ready", ("mute slot=BARRIER.0.1 round=1",), "aborted", "nobody"),
    Lie("ready-to-one", ("mute slot=BARRIER.0.1 round=1 but=crux",), "succeeded", "nobody"),
    Lie("ready-and-gone", ("mute slot=BARRIER.0.1 round=2",), "succeeded", "nobody"),
    Lie("deaf", ("deaf slot=BARRIER.0.1",), "succeeded", "nobody"),
    # after the agreement to open
    Lie("wrong-summands", ("summand",), "succeeded", "nobody"),
    Lie("wrong-claims", ("claims", "summand"), "succeeded", "nobody"),
    Lie("other-receipt", ("receipt",), "succeeded", "nobody"),
)


@pytest.fixture(scope="module")
def four() -> Iterator[Committee]:
    with committee() as made:
        made.start(*(line for lie in LIES for line in lie.lines))
        yield made
        made.auction_works()
        made.no_tracebacks()


@pytest.mark.parametrize("lie", LIES, ids=[lie.name for lie in LIES])
def test_a_lie(four: Committee, lie: Lie) -> None:
    job = four.submit(auction(lie.name))
    assert four.states(job) == dict.fromkeys(HONEST, lie.ends), four.details(job)
    if lie.ends == "succeeded":
        check_outputs(four, job)
    else:
        check_nothing(four, job)
    check_records(four, job, lie.blame)


def check_outputs(four: Committee, job: bytes) -> None:
    """Everybody has the right ones, with a receipt that needs no word of dana's."""
    for party in HONEST:
        assert four.outputs(job, party) == OUTPUTS
        verdict = four.receipt(job, party)
        assert verdict.valid, verdict.reason
        assert verdict.receipt.job == job.hex()
        assert party in verdict.signed


def check_nothing(four: Committee, job: bytes) -> None:
    """Nobody has an output, dana neither, and there is no receipt."""
    for party in HONEST:
        assert "opening" not in {step.state for step in four.get(job, party).history}
        with pytest.raises(MpcdError):
            four.receipt(job, party)
    assert four.get(job, DANA).state != "succeeded"
    assert [four.results_on_disk(job, party) for party in (*HONEST, DANA)] == [0, 0, 0, 0]


def check_records(four: Committee, job: bytes, blame: Blame) -> None:
    """No record of an honest party accuses a set without the cheater."""
    records = {party: four.evidence(job, party) for party in HONEST}
    accused = {party: [r for r in found if r.blamed] for party, found in records.items()}
    for record in (r for found in accused.values() for r in found):
        assert DANA in record.blamed, record
    if blame == "nobody":
        assert not any(accused.values()), accused
    elif blame == "suspects":
        assert any(accused.values()), records
    else:
        assert all(accused.values()), records
        for record in (r for found in accused.values() for r in found):
            assert record.blamed == (DANA,)
            first, second = record.envelopes()
            assert first.signers == second.signers == {DANA}
            assert first.payload != second.payload


def test_the_other_receipt_changes_nobodys(four: Committee) -> None:
    """What dana sends instead is dropped; when it is asked again later, its daemon gives the true one."""
    job = four.submit(auction("other-receipt"))
    assert set(four.states(job).values()) == {"succeeded"}
    verdicts = [four.receipt(job, name) for name in HONEST]
    assert all(verdict.valid and set(HONEST) <= set(verdict.signed) for verdict in verdicts)
    assert all(verdict.receipt == verdicts[0].receipt for verdict in verdicts)


def test_a_daemon_that_hears_nothing_asks_how_it_went(four: Committee) -> None:
    """It was heard, so the others have opened; they tell it so, and it has the outputs too."""
    job = four.submit(auction("deaf"))
    assert set(four.states(job, PARTIES).values()) == {"succeeded"}, four.details(job, PARTIES)
    assert four.outputs(job, DANA) == OUTPUTS
