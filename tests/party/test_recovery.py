"""A fault while the parties compute: in a job with guaranteed output everybody gets it all the same.

Delta is a second, a silent frame costs five (`links.ROUND_S`); the virtual clock jumps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.evidence import verify as check_evidence
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.receipt import EpochLine, Receipt, verify
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party import recall
from mpcd.party.course import Course
from mpcd.party.ports import Order, Reveal
from mpcd.party.recall import RecallNote
from mpcd.protocols.agreement.standing import Standing
from mpcd.testing.simulation.clock import run_virtually
from tests.party.links import Cheat
from tests.party.world import (
    COMPUTING,
    DEADLINE,
    EVERYBODY,
    READER,
    TOTAL,
    World,
    identities,
    result_of,
    roster,
    run_job,
    specification,
)

Script = Callable[[World], None]
A, B, C, D = COMPUTING


def cheats(who: str, **what: Any) -> Script:
    def script(world: World) -> None:
        world.daemon(who).pool.cheat = Cheat(**what)

    return script


def job(**changes: Any) -> Specification:
    return specification(profile="guaranteed", **changes)


async def receipts_of(world: World, spec: Specification) -> dict[str, Receipt]:
    found = {}
    for name in sorted(set(EVERYBODY) - world.dead):
        raw = await world.daemons[name].store.receipts.get(spec.job)
        if raw is not None:
            verdict = verify(Envelope.from_bytes(raw), roster())
            assert verdict.valid
            found[name] = verdict.receipt
    return found


async def records_of(world: World, name: str, spec: Specification) -> list[Evidence]:
    rows = await world.daemons[name].store.evidence.of(spec.job)
    return [Evidence.from_bytes(Envelope.from_bytes(body).payload) for _, body in rows]


def play(script: Script, spec: Specification | None = None) -> tuple[World, dict[str, State], Receipt | None]:
    """One job with one cheater; the receipt, which is the same for all who have one."""

    async def story() -> tuple[World, dict[str, State], Receipt | None]:
        world, made = World(), spec or job()
        script(world)
        ended = await run_job(world, made)
        assert asyncio.get_running_loop().time() <= DEADLINE + GRACE_S
        await asyncio.sleep(2)
        found = list((await receipts_of(world, made)).values())
        assert all(receipt == found[0] for receipt in found)
        learnt = {name: await result_of(world, name, made) for name in ("acme", READER)}
        if all(ended[name] is State.SUCCEEDED for name in COMPUTING):
            assert learnt == {"acme": TOTAL, READER: TOTAL}
        else:
            assert set(learnt.values()) == {None}, (learnt, ended)
        return world, ended, found[0] if found else None

    return run_virtually(story())


def epochs(receipt: Receipt) -> list[tuple[str, bool, int]]:
    return [(line.protocol, line.checked, len(line.computing)) for line in receipt.epochs]


REP4, CHECKED, UNCHECKED = ("rep4", True, 4), ("rep3", True, 3), ("rep3", False, 3)


@pytest.mark.parametrize("who", COMPUTING)
def test_a_process_that_dies_costs_its_party_its_part_and_nobody_the_output(who: str) -> None:
    _, ended, receipt = play(cheats(who, dies={(0, 2)}))
    assert set(ended.values()) == {State.SUCCEEDED}, ended
    assert receipt is not None
    assert epochs(receipt) == [REP4, CHECKED]
    assert [(f.unreachable, f.blamed, f.link) for f in receipt.faults] == [((who,), (), ())]


LIES: dict[str, tuple[Script, list[tuple[str, bool, int]]]] = {
    # A frame that does not come: two miss it, or one.
    "silent to two": (cheats(B, mute={(0, 2, 0), (0, 2, 2)}), [REP4, CHECKED]),
    "silent to all": (cheats(A, mute={(0, 2, 1), (0, 2, 2), (0, 2, 3)}), [REP4, CHECKED]),
    "silent to one": (cheats(D, mute={(0, 3, 0)}), [REP4, CHECKED]),
    # A message that does not fit: the pair that contradicts each other, of whom the higher one is dropped.
    "a lie": (cheats(D, lie={(0, 2, 1)}), [REP4, CHECKED]),
    "a false tag": (cheats(A, vouch={(0, 2, 1, 2)}), [REP4, CHECKED]),
    "a false complaint": (cheats(C, accuse={(0, 2): (0, 1)}), [REP4, CHECKED]),
    "a lie in the last round": (cheats(D, lie={(0, 4, 0)}), [REP4, CHECKED]),
    # The lower one of a pair stays, and cheats again: then it is out, too.
    "a lie, and another one": (cheats(A, lie={(0, 2, 1), (1, 2, 2)}), [REP4, CHECKED, UNCHECKED]),
    "a lie, then silence": (
        cheats(A, lie={(0, 2, 2)}, mute={(1, 1, 1), (1, 1, 2), (1, 1, 3)}),
        [REP4, CHECKED, CHECKED],
    ),
    "silent to one, twice": (cheats(A, mute={(0, 2, 3), (1, 2, 2)}), [REP4, CHECKED, CHECKED]),
    "a lie, then it dies": (cheats(A, lie={(0, 2, 2)}, dies={(1, 2)}), [REP4, CHECKED, CHECKED]),
}


@pytest.mark.parametrize("name", LIES, ids=lambda name: name.replace(",", "").replace(" ", "-"))
def test_every_fault_of_one_party_is_survived_and_nobody_honest_is_blamed_alone(name: str) -> None:
    script, expected = LIES[name]
    world, ended, receipt = play(script)
    assert set(ended.values()) == {State.SUCCEEDED}, ended
    assert receipt is not None
    assert epochs(receipt) == expected
    (cheater,) = [who for who in COMPUTING if world.daemons[who].pool.cheat != Cheat()]
    for line in receipt.faults:
        assert cheater in {*line.blamed, *line.link, *line.unreachable}


def test_the_words_that_prove_a_lie_are_kept_and_can_be_checked_by_anybody() -> None:
    async def story() -> None:
        world, spec = World(), job()
        LIES["a lie"][0](world)
        await run_job(world, spec)
        for name in (A, B, C):
            (raw,) = await world.daemons[name].store.evidence.of(spec.job)
            record = check_evidence(Envelope.from_bytes(raw[1]), roster())
            assert (record.kind, len(record.blamed)) == ("contradiction", 2)
            assert D in record.blamed
            assert record.bodies

    run_virtually(story())


@pytest.mark.parametrize("profile", ["fair", "abort"])
def test_without_guaranteed_output_the_job_ends_and_the_same_is_found(profile: str) -> None:
    async def story() -> None:
        world, spec = World(), specification(profile=profile)
        LIES["a lie"][0](world)
        ended = await run_job(world, spec)
        assert {ended[name] for name in EVERYBODY if name != "echo"} == {State.ABORTED}
        for name in (A, B, C):
            (record,) = await records_of(world, name, spec)
            assert (record.kind, D in record.blamed, len(record.blamed)) == ("contradiction", True, 2)

    run_virtually(story())


SECOND: dict[str, list[Script]] = {
    "two die": [cheats(A, dies={(0, 2)}), cheats(B, dies={(0, 2)})],
    "one dies, another one lies": [cheats(A, dies={(0, 2)}), cheats(B, lie={(1, 2, 2)})],
    "two lie": [cheats(A, lie={(0, 2, 1)}), cheats(D, lie={(1, 2, 2)})],
    "two lie at once": [cheats(A, lie={(0, 2, 1)}), cheats(D, lie={(0, 2, 1), (1, 1, 2)})],
}


@pytest.mark.parametrize("name", SECOND)
def test_more_faults_than_one_party_can_cause_end_the_job_for_all_alike(name: str) -> None:
    def script(world: World) -> None:
        for part in SECOND[name]:
            part(world)

    _, ended, _ = play(script)
    assert State.SUCCEEDED not in {ended[who] for who in COMPUTING}, ended


def test_how_an_epoch_stands_is_on_the_disk_before_anything_of_it_runs() -> None:
    async def story() -> None:
        world, spec = World(), job()
        LIES["a lie"][0](world)
        seen: list[list[bytes]] = []

        async def look(order: Order, _reveal: Reveal) -> None:
            if order.epoch == 1:
                seen.append(await world.daemons[A].store.epochs.of(spec.job))
                assert order.roster == (0, 1, 2)
                assert (order.scheme, order.checked, order.dropped) == ("rep3", True, 3)
                assert order.history != bytes(32)

        world.daemon(A).pool.run = look
        await run_job(world, spec)
        ((line,),) = seen
        assert EpochLine.model_validate_json(line).computing == (A, B, C)

    run_virtually(story())


def test_nobody_computes_in_an_epoch_on_the_word_of_one() -> None:
    """A party that is left out believes t + 1 who call it back, and one only once."""

    async def story() -> None:
        world, spec = World(), job()
        life = await world.daemon(D).know(spec)
        case, session = life.case, b"s" * 32
        case.session = session
        left = Course(Standing(1, (0, 1, 2, 3), (0, 1, 2), "rep3", True))
        four = EpochLine(protocol="rep4", computing=COMPUTING)
        note = RecallNote(
            job=spec.job.hex(),
            session=session.hex(),
            epoch=2,
            now=EpochLine(protocol="rep3", computing=(B, C, D)),
            history="ab" * 32,
            epochs=(four, EpochLine(protocol="rep3", computing=(A, B, C))),
            faults=(),
        )

        def said_by(name: str) -> SlotMessage:
            part = SlotPart(label="RECALL", body=note.envelope(identities()[name]).to_bytes())
            return SlotMessage(job=spec.job, session=session, slot="RECALL", parts=[part])

        for _ in range(3):
            life.slot(A, said_by(A))
        life.slot(B, said_by(A))  # under another one's name
        assert await recall.wait(case, left, case.now() + 1) is None
        life.slot(B, said_by(B))
        course = await recall.wait(case, left, case.now() + 1)
        assert course is not None
        assert (course.standing.epoch, course.standing.roster) == (2, (1, 2, 3))

    run_virtually(story())
