"""From proposal to beginning: who consents to what, and what a lying coordinator can and cannot do."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mpcd.errors import MpcdError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent
from mpcd.jobs.notices import Cancellation, StatusReport
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party.plans import plan
from tests.party.offices import Town, job, signed
from tests.party.world import COMPUTING, EVERYBODY, OWNER, READER, identities

Play = Callable[[Town], Awaitable[None]]


def play(directory: Path, scene: Play, approval: str = "automatic") -> None:
    async def run() -> None:
        town = Town(directory, approval)
        try:
            await scene(town)
        finally:
            await town.close()

    asyncio.run(run())


def test_all_consent_and_all_begin(tmp_path: Path) -> None:
    """The coordinator shows the set to one party only: the others get it from there."""

    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        assert all(Consent.from_bytes(envelope.payload).accept for envelope in answers.values())
        await town.offices["crux"].consent_set(specification.job, list(answers.values()))
        await town.until(lambda: town.begun == set(EVERYBODY))

    play(tmp_path, scene)


def test_an_owner_consents_with_rows_and_a_digest_and_the_others_with_nothing(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        await town.propose(signed(job()))
        answers = await town.answers()
        brought = {n: Consent.from_bytes(e.payload).datasets for n, e in answers.items()}
        assert [d.rows for d in brought[OWNER]] == [1]
        assert brought["crux"] == brought[READER] == ()
        # Equal data of two owners has unequal digests.
        assert brought["acme"][0].digest != brought["bolt"][0].digest

    play(tmp_path, scene)


def test_nobody_begins_without_every_consent(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        for missing in EVERYBODY:
            some = [envelope for name, envelope in answers.items() if name != missing]
            with pytest.raises(RefusedError, match=missing):
                await town.offices["acme"].consent_set(specification.job, some)
        assert (await town.state("acme", specification.job))[0] is State.PROPOSED

    play(tmp_path, scene)


def test_a_changed_specification_after_consent_is_refused(tmp_path: Path) -> None:
    """The same submission with one word changed is another job: nobody's consent fits it."""

    async def scene(town: Town) -> None:
        specification, changed = job(), job(parameters={"reserve": 500})
        envelope = signed(specification)
        await town.propose(envelope)
        answers = await town.answers()
        forged = Envelope(envelope.type, changed.to_bytes(), envelope.signatures)
        with pytest.raises(RefusedError, match="forged"):
            await town.offices["bolt"].proposal(forged)
        # A submitter that signs both still does not get consents for one used for the other.
        await town.propose(signed(changed), ("dune",))
        with pytest.raises(RefusedError, match="another job"):
            await town.offices["dune"].consent_set(changed.job, list(answers.values()))

    play(tmp_path, scene)


def _bad(changes: dict[str, Any], by: str = "acme") -> Callable[[], Envelope]:
    return lambda: signed(job(**changes), by)


def _bids(default: object) -> list[dict[str, Any]]:
    entry = {"dataset": "bids", "argument": "bids", "rows": 1, "default": default}
    return [{"party": bidder, **entry} for bidder in ("acme", "bolt", OWNER)]


def _written(old: str, new: str) -> Envelope:
    """A job that no honest submitter can write, signed by a lying one."""
    text = job().to_bytes().decode()
    assert old in text
    return Envelope(Specification.TYPE, text.replace(old, new).encode()).sign(identities()["acme"])


def _damaged() -> Envelope:
    envelope = signed(job())
    signature = envelope.signatures[0].signature
    flipped = signature[:-1] + bytes([signature[-1] ^ 1])
    return Envelope(envelope.type, envelope.payload, (type(envelope.signatures[0])("acme", flipped),))


BAD: dict[str, Callable[[], Envelope]] = {
    "no signature": lambda: Envelope(Specification.TYPE, job().to_bytes()),
    "damaged signature": _damaged,
    "signed by another": _bad({}, "bolt"),
    "another roster": _bad({"roster_hash": "11" * 32}),
    "unknown party": _bad({"computing": ("acme", "bolt", "crux", "zoe")}),
    "another hash of the program": _bad({"program_hash": "22" * 32}),
    "no program": _bad({"program": "hello"}),
    "missing parameter": _bad({"parameters": {}}),
    "parameter out of range": _bad({"parameters": {"reserve": -1}}),
    "list for a number": _bad({"parameters": {"reserve": (1, 2)}}),
    "unknown output": _bad({"results": [{"output": "loser", "to": ("acme",)}]}),
    "unknown argument": _bad(
        {"inputs": [{"party": "acme", "dataset": "bids", "argument": "asks", "rows": 1}], "order": ("acme",)}
    ),
    "no default row": lambda: _written('"missing":"abort"', '"missing":"default"'),
    "default row out of range": lambda: signed(job(missing="default", inputs=_bids(1 << 32))),
    "default row by columns": lambda: signed(job(missing="default", inputs=_bids({"bid": 1}))),
    "made long ago": _bad({"created": 1_700_000_000_000}),
    "made in the future": _bad({"created": 4_000_000_000_000}),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_job_that_is_not_in_order_gets_no_consent(tmp_path: Path, kind: str) -> None:
    async def scene(town: Town) -> None:
        for name in ("acme", "crux", OWNER):
            with pytest.raises(MpcdError):
                await town.offices[name].proposal(BAD[kind]())
        assert not [envelope for some in town.said.values() for envelope in some]
        await town.propose(signed(job("good")))
        await town.answers()

    play(tmp_path, scene)


def test_five_computing_parties_are_refused_before_anything_is_signed() -> None:
    with pytest.raises(ValueError, match="exactly 4"):
        job(computing=(*COMPUTING, OWNER))


@pytest.mark.parametrize(
    ("content", "word"),
    [("", "empty"), ("bid\nx\n", "whole number"), ("bid\n1001\n", "range"), ("bid\n1\n2\n", "rows")],
)
def test_bad_data_refuses_the_job_and_only_its_owner_sees_why(
    tmp_path: Path, content: str, word: str
) -> None:
    async def scene(town: Town) -> None:
        (tmp_path / OWNER / "bids.csv").write_text(content)
        specification = job()
        await town.propose(signed(specification))
        answer = (await town.answers((OWNER,)))[OWNER]
        consent = Consent.from_bytes(answer.payload)
        assert not consent.accept
        assert "bids.csv" not in consent.reason
        detail = await town.settle(OWNER, specification.job, State.REFUSED)
        assert "bids.csv" in detail
        assert word in detail
        await town.offices["acme"].refusal(answer)
        await town.settle("acme", specification.job, State.REFUSED)
        # Nor do the reports to the coordinator name the file.
        for envelope in town.said[OWNER]:
            assert b"bids.csv" not in envelope.payload

    play(tmp_path, scene)


def test_a_policy_that_wants_a_person_refuses_for_now(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answer = (await town.answers(("crux",)))["crux"]
        assert "person" in Consent.from_bytes(answer.payload).reason

    play(tmp_path, scene, approval="manual")


def test_a_refusal_of_another_party_needs_its_signature(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        consent = Consent.from_bytes(answers["bolt"].payload)
        no = consent.model_copy(update={"accept": False, "reason": "no", "datasets": ()})
        forged = Envelope(Consent.TYPE, no.to_bytes(), answers["bolt"].signatures)
        with pytest.raises(RefusedError):
            await town.offices["acme"].refusal(forged)
        with pytest.raises(RefusedError):
            await town.offices["acme"].refusal(answers["bolt"])
        assert (await town.state("acme", specification.job))[0] is State.PROPOSED

    play(tmp_path, scene)


def test_only_the_submitter_cancels(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        await town.answers()
        words = Cancellation(job=specification.job.hex(), submitter="bolt", reason="mine")
        with pytest.raises(RefusedError):
            await town.offices["crux"].cancellation(words.envelope(identities()["bolt"]))
        words = Cancellation(job=specification.job.hex(), submitter="acme", reason="mistake")
        await town.offices["crux"].cancellation(words.envelope(identities()["acme"]))
        assert "mistake" in await town.settle("crux", specification.job, State.CANCELLED)

    play(tmp_path, scene)


def test_without_answers_the_job_expires(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job(deadline=1.0)
        await town.propose(signed(specification), ("acme",))
        await town.settle("acme", specification.job, State.EXPIRED)

    play(tmp_path, scene)


def test_a_job_that_could_only_expire_is_refused_by_submitter_plan_and_parties(tmp_path: Path) -> None:
    """timing.delta is 50 ms here: 500 ms for BARRIER and the opening, and one delta before it."""

    async def scene(town: Town) -> None:
        short, enough = job("short", deadline=1.0), job("enough", deadline=1.2)
        for name in ("crux", READER):
            config = town.offices[name].house.config
            timing = config.timing.model_copy(update={"delta": 0.1})
            house = dataclasses.replace(
                town.offices[name].house, config=config.model_copy(update={"timing": timing})
            )
            town.offices[name].house = house
            with pytest.raises(UsageError, match=r"deadline of 1 s is too short: .* less than 1\.1 s"):
                town.offices[name].check(signed(short))
            town.offices[name].check(signed(enough))
            (problem,) = [f.text for f in plan(house, short).facts if f.topic == "problem"]
            assert "too short" in problem
            assert not [f.text for f in plan(house, enough).facts if f.topic == "problem"]
            await town.propose(signed(short), (name,))
            detail = await town.settle(name, short.job, State.REFUSED)
            assert detail == f"{name}: {problem}"

    play(tmp_path, scene)


def test_a_proposal_is_taken_once_and_an_idempotency_key_belongs_to_one_job(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        first, second = job("one", idempotency_key="k"), job("two", idempotency_key="k")
        for _ in range(3):
            await town.propose(signed(first), ("acme",))
        with pytest.raises(RefusedError, match="idempotency"):
            await town.propose(signed(second), ("acme",))
        await town.answers(("acme",))
        assert len(await town.offices["acme"].house.tools.store.jobs.recent(9)) == 1

    play(tmp_path, scene)


def test_reports_are_signed_and_their_numbers_grow(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job(deadline=1.0)
        await town.propose(signed(specification), ("crux",))
        await town.settle("crux", specification.job, State.EXPIRED)
        reports = [
            StatusReport.read(e, "crux", town.offices["crux"].house.tools.roster)
            for e in town.said["crux"]
            if e.type == StatusReport.TYPE
        ]
        assert [report.state for report in reports] == [State.PROPOSED, State.EXPIRED]
        assert reports[0].number < reports[1].number

    play(tmp_path, scene)


def test_a_restart_ends_what_was_running_and_says_so(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job(profile="fair")
        await town.propose(signed(specification), ("bolt",))
        await town.answers(("bolt",))
        office = town.offices["bolt"]
        await office.close()
        town.said["bolt"].clear()
        await office.recover()
        assert (await town.state("bolt", specification.job))[0] is State.FAILED
        (report,) = town.said["bolt"]
        assert StatusReport.from_bytes(report.payload).state is State.FAILED

    play(tmp_path, scene)


def test_mail_for_a_job_that_is_not_running_is_refused(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        office = town.offices["acme"]
        with pytest.raises(UsageError):
            office.room_for("bolt", bytes(32))
        specification = job()
        await town.propose(signed(specification))
        with pytest.raises(UsageError):
            office.room_for("bolt", specification.job)

    play(tmp_path, scene)
