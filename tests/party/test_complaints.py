"""A failed check at one party: what everybody records, whether the complaint is true or a lie."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.errors import ChannelError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import MAX_STATEMENTS, Evidence, as_statements
from mpcd.jobs.states import Event, State
from mpcd.party.case import StageEnd
from mpcd.party.complaints import FAMILY
from mpcd.party.ports import BadTag, Order, Reveal
from tests.party.test_life_cheaters import evidence_of
from tests.party.virtual_time import run_virtually
from tests.party.world import COMPUTING, World, identities, result_of, run_job, specification

VICTIM, SENDER, BACKUP, BYSTANDER = COMPUTING[2], COMPUTING[0], COMPUTING[1], COMPUTING[3]


def _stops(world: World, name: str, error: Exception, after_s: float) -> None:
    async def stop(order: Order, reveal: Reveal) -> None:
        await asyncio.sleep(after_s)
        raise error

    world.daemon(name).pool.run = stop


@pytest.mark.parametrize("cheater", [VICTIM, SENDER, BACKUP])
def test_everybody_records_a_set_with_the_cheater_and_no_honest_party_alone(cheater: str) -> None:
    """The same three sets whoever of the three lied: nobody can tell, so nobody claims to."""

    async def story() -> None:
        world, spec = World(), specification()
        suspects = frozenset({COMPUTING.index(SENDER), COMPUTING.index(BACKUP)})
        _stops(world, VICTIM, BadTag("a tag did not fit", step="mul", blamed=suspects), 0.2)
        gone = ChannelError("gone", unreachable=frozenset({COMPUTING.index(VICTIM)}))
        for name in (SENDER, BACKUP, BYSTANDER):
            _stops(world, name, gone, 0.19)
        ended = await run_job(world, spec)
        assert {ended[name] for name in COMPUTING} == {State.ABORTED}
        assert await result_of(world, "acme", spec) is None
        recorded = {name: (await evidence_of(world, name))[0] for name in COMPUTING}
        assert {name: set(record.blamed) for name, record in recorded.items()} == {
            VICTIM: {SENDER, BACKUP},
            SENDER: {VICTIM, BACKUP},
            BACKUP: {VICTIM, SENDER},
            BYSTANDER: {VICTIM, SENDER, BACKUP},
        }
        assert all(cheater in record.blamed for name, record in recorded.items() if name != cheater)
        assert all(not record.unreachable for record in recorded.values())
        assert len(recorded[BYSTANDER].statements) == 1  # the complaint itself, signed by the victim

    run_virtually(story())


def test_silence_without_a_complaint_accuses_nobody() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        gone = ChannelError("gone", unreachable=frozenset({COMPUTING.index(VICTIM)}))
        for name in (SENDER, BACKUP, BYSTANDER):
            _stops(world, name, gone, 0.2)
        await run_job(world, spec)
        for name in (SENDER, BACKUP, BYSTANDER):
            (record,) = await evidence_of(world, name)
            assert (record.blamed, record.unreachable) == ((), (VICTIM,))

    run_virtually(story())


@pytest.mark.parametrize(
    "lie", ["signer", "reporter", "job", "session", "itself", "stranger", "kind", "long"]
)
def test_a_complaint_that_nobody_may_make_is_dropped(lie: str) -> None:
    async def story() -> None:
        world, spec = World(), specification()
        gone = ChannelError("gone", unreachable=frozenset({COMPUTING.index(VICTIM)}))
        for name in (SENDER, BACKUP, BYSTANDER):
            _stops(world, name, gone, 0.4)

        async def forge(order: Order, reveal: Reveal) -> None:
            message = _complaint(order, lie)
            world.daemons[BYSTANDER].lives[order.job].slot(VICTIM, message)
            await asyncio.sleep(1.0)

        world.daemon(VICTIM).pool.run = forge
        await run_job(world, spec)
        (record,) = await evidence_of(world, BYSTANDER)
        assert not record.blamed

    run_virtually(story())


def test_one_complaint_of_a_party_is_verified_however_many_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(Evidence, "read", lambda _envelope, sender, _roster: read.append(sender))

    async def story() -> None:
        world, spec = World(), specification()
        life = await world.daemon(BYSTANDER).know(spec)
        part = SlotPart(label=FAMILY, body=Envelope("mpcd.evidence", b"forged").to_bytes())
        for _ in range(100):
            with contextlib.suppress(AttributeError):  # no record comes of it
                life.slot(VICTIM, SlotMessage(job=spec.job, slot=FAMILY, parts=[part]))

    run_virtually(story())
    assert read == [VICTIM]


def test_more_proofs_than_a_record_has_room_for_do_not_keep_it_from_being_written() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        case = world.daemons[BYSTANDER].lives[spec.job].case
        proofs = (Envelope("mpcd.input", b"proof").sign(identities()["acme"]),) * (2 * MAX_STATEMENTS)
        end = StageEnd(
            Event.FAULT, "two inputs", kind="equivocation", blamed=frozenset({"acme"}), statements=proofs
        )
        assert await case.record(end, None) is not None
        assert len((await evidence_of(world, BYSTANDER))[0].statements) == MAX_STATEMENTS

    run_virtually(story())


def _complaint(order: Order, lie: str) -> SlotMessage:
    session = bytes(32) if lie == "session" else order.session
    record = Evidence(
        job=(bytes(32) if lie == "job" else order.job).hex(),
        session=session.hex(),
        reporter=BACKUP if lie == "reporter" else VICTIM,
        kind="bad-key" if lie == "kind" else "bad-tag",
        step="mul",
        # A record of ours that carried this one would be longer than any may be.
        statements=as_statements([Envelope("mpcd.padding", bytes(180_000))] if lie == "long" else []),
        blamed=tuple(sorted({SENDER, {"itself": VICTIM, "stranger": "zeta"}.get(lie, BACKUP)})),
    )
    envelope: Envelope = record.envelope(identities()[BACKUP if lie == "signer" else VICTIM])
    part = SlotPart(label=FAMILY, body=envelope.to_bytes())
    return SlotMessage(job=order.job, session=order.session, slot=FAMILY, parts=[part])
