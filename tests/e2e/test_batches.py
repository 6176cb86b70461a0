"""Random numbers that a cheating daemon spoils: three parties find out who it was, between real daemons.

Messages of products in rep3 are known to their sender alone. If the check of a batch fails, the daemons show
what they know of it, have a job process of their own compute it again, and come to a name, or to the pair of
sender and receiver if the sender denies what it sent. Of four parties such a batch is made only after a first
fault: dana is the first in these jobs, so that the other one of a pair is left out, and dana computes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mpcd.cli.auction_job import job_text
from tests.e2e.committee import DANA, HONEST, Committee, X, committee, slow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("e2e-batches")]

FOUR = (DANA, "acme", "bolt", "crux")
THREE = ("acme", "bolt", DANA)
FIRST_FAULT = "shift epoch=0 round=3"
LATER = 4
"""A batch of the program, after those of the range checks."""


@dataclass(frozen=True, slots=True)
class Lie:
    """What dana does to a batch, and whom that must come to: dana by name, or as one of a pair."""

    name: str
    edit: str
    named: bool
    program: str


LIES = (
    Lie("bits-admitted", "spoil batch=0 admit=yes", True, "auction"),
    Lie("bits-denied", "spoil batch=0", False, "auction"),
    Lie("numbers-admitted", f"spoil batch={LATER} admit=yes", True, "slow"),
    Lie("numbers-denied", f"spoil batch={LATER}", False, "slow"),
)


DISPUTED = {
    "wrong-hash": (("shift round=3 label=0/hash to=0",), ("acme", DANA), "contradiction"),
    "wrong-keys": (("spoil batch=0 admit=yes", "lie slot=BATCH-KEYS"), ("bolt", DANA), "contradiction"),
    "void": (("spoil batch=0", "lie slot=DISPUTE body=00"), (DANA,), "contradiction"),
    "two-claims": (("spoil batch=0", "equivocate slot=DISPUTE to=acme"), (DANA,), "equivocation"),
    "two-keys": (("spoil batch=0", "equivocate slot=BATCH-KEYS to=acme"), (DANA,), "equivocation"),
    "no-claim": (("spoil batch=0", "mute slot=DISPUTE round=1"), (), "silence"),
    "no-keys": (("spoil batch=0", "mute slot=BATCH-KEYS round=1"), (), "silence"),
}
"""Lies of dana's about a batch of the first range checks, as party 2 of three: edits, who is blamed, how."""


def edits(lie: Lie) -> list[str]:
    return [
        f"four-{lie.name} {FIRST_FAULT}",
        f"four-{lie.name} {lie.edit} epoch=1",
        f"three-{lie.name} {lie.edit}",
    ]


@pytest.fixture(scope="module")
def daemons() -> Iterator[Committee]:
    with committee() as made:
        disputed = [f"{name} {line}" for name, (lines, _, _) in DISPUTED.items() for line in lines]
        made.start(*(edit for lie in LIES for edit in edits(lie)), *disputed)
        yield made
        made.no_tracebacks()


def job_of(name: str, program: str, computing: tuple[str, ...], profile: str) -> str:
    """The auction between all four, or products one after another, computed by these."""
    if program == "auction":
        text = job_text(name, computing=computing, deadline="60s", profile=profile)
    else:
        text = slow(name, "60s", profile)
        computes = next(line for line in text.splitlines() if line.startswith("computing:"))
        text = text.replace(computes, f"computing: [{', '.join(computing)}]")
    return text if len(computing) == len(FOUR) else f"{text}protocol: rep3\n"


def outputs_of(program: str) -> dict[str, int]:
    # Bids are in the order of the job: acme, bolt, crux, dana.
    return {"winner": 1, "price": 500} if program == "auction" else {"total": X}


@pytest.mark.parametrize("lie", LIES, ids=[lie.name for lie in LIES])
def test_who_spoils_a_batch_after_a_first_fault_is_left_out_and_the_output_stands(
    daemons: Committee, lie: Lie
) -> None:
    job = daemons.submit(job_of(f"four-{lie.name}", lie.program, FOUR, "guaranteed"))
    assert daemons.states(job) == dict.fromkeys(HONEST, "succeeded"), daemons.details(job)
    for party in HONEST:
        assert daemons.outputs(job, party) == outputs_of(lie.program)
        verdict = daemons.receipt(job, party)
        assert verdict.valid, verdict.reason
        first, second = verdict.receipt.faults
        assert DANA in first.blamed
        (left_out,) = set(first.blamed) - {DANA}
        rosters = [(line.protocol, set(line.computing), line.checked) for line in verdict.receipt.epochs]
        assert rosters == [
            ("rep4", set(FOUR), True),
            ("rep3", set(FOUR) - {left_out}, True),
            ("rep3", set(HONEST), False),
        ]
        blamed = (DANA,) if lie.named else tuple(sorted({DANA, before_dana(left_out)}))
        assert (second.epoch, second.blamed) == (1, blamed), second.reason
    check_evidence(daemons, job, 1, blamed, set(HONEST) - {left_out})
    daemons.auction_works()


def before_dana(left_out: str) -> str:
    return [name for name in FOUR if name != left_out][-1]


@pytest.mark.parametrize("lie", LIES, ids=[lie.name for lie in LIES])
def test_of_three_parties_nobody_gets_an_output_and_it_is_known_who_spoiled_a_batch(
    daemons: Committee, lie: Lie
) -> None:
    job = daemons.submit(job_of(f"three-{lie.name}", lie.program, THREE, "fair"))
    check_nothing(daemons, job)
    blamed = (DANA,) if lie.named else tuple(sorted({DANA, "bolt"}))
    check_evidence(daemons, job, 0, blamed, {"acme", "bolt"})
    daemons.auction_works()


@pytest.mark.parametrize("name", DISPUTED)
def test_what_dana_says_of_a_batch_helps_it_nothing(daemons: Committee, name: str) -> None:
    _, blamed, kind = DISPUTED[name]
    job = daemons.submit(job_of(name, "auction", THREE, "fair"))
    check_nothing(daemons, job)
    for party in ("acme", "bolt"):
        (record,) = daemons.evidence(job, party)
        assert (record.kind, record.blamed) == (kind, blamed), record.detail
        assert record.unreachable == (() if blamed else (DANA,))
    daemons.auction_works()


def check_nothing(daemons: Committee, job: bytes) -> None:
    """The job has ended without outputs for anybody."""
    assert daemons.states(job) == dict.fromkeys(HONEST, "aborted"), daemons.details(job)
    assert daemons.get(job, DANA).state != "succeeded"
    assert [daemons.results_on_disk(job, party) for party in (*HONEST, DANA)] == [0, 0, 0, 0]


def check_evidence(
    daemons: Committee, job: bytes, epoch: int, blamed: tuple[str, ...], computing: set[str]
) -> None:
    """All honest parties that computed have it on record, with what was signed about the batch."""
    for party in computing:
        (record,) = [r for r in daemons.evidence(job, party) if r.epoch == epoch]
        assert (record.kind, record.blamed) == ("contradiction", blamed), record.detail
        assert "batch" in record.detail
        signers = [signer for envelope in record.envelopes() for signer in envelope.signers]
        assert {signers.count(name) for name in signers} == {3}, "a word, a claim and the keys of each"
    for party in set(HONEST) - computing:
        assert all(DANA in r.blamed for r in daemons.evidence(job, party) if r.blamed)
