"""Calling a party back: of a pair, the second one goes if it was not the first that was at fault.

Of two parties of whom one is at fault, the one with the higher number is left out first. If the other one is
at fault again, it goes, and the first comes back. It has taken no part in the slots in between: those who did
tell it how the job stands, and it believes t + 1 of them, one of whom is honest.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar

from pydantic import Field

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.errors import MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.limits import MAX_PARTIES
from mpcd.jobs.receipt import MAX_EPOCHS, EpochLine, FaultLine
from mpcd.jobs.statements import Hex32, Statement
from mpcd.party.case import Case
from mpcd.party.course import Course
from mpcd.party.pace import CORRUPTED
from mpcd.protocols.agreement.standing import Standing

FAMILY = "RECALL"
"""Recalls travel on the stream of the slots, as a family that is no slot."""
_SAID_AGAIN_DELTAS = (0.0, 0.5, 1.0, 2.0)


class RecallNote(Statement):
    """How a job stands in an epoch that begins; `epochs` are those before it, and `faults` how they ended."""

    TYPE: ClassVar[str] = "mpcd.recall"

    job: Hex32
    session: Hex32
    epoch: Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
    now: EpochLine
    history: Hex32
    epochs: Annotated[tuple[EpochLine, ...], Field(min_length=1, max_length=MAX_EPOCHS)]
    faults: Annotated[tuple[FaultLine, ...], Field(max_length=MAX_PARTIES)]


def missing(course: Course) -> frozenset[str]:
    """Who computes in the present epoch, which has begun, and did not in the one before."""
    if len(course.epochs) < 2:  # the first epoch
        return frozenset()
    return frozenset(course.epochs[-1].computing) - frozenset(course.epochs[-2].computing)


async def send(case: Case, course: Course) -> None:
    """Tell those who come back how the job stands, a few times: what is on a stream that breaks is lost."""
    standing = course.standing
    note = RecallNote(
        job=case.job.hex(),
        session=(case.session or b"").hex(),
        epoch=standing.epoch,
        now=course.epochs[-1],
        history=standing.history.hex(),
        epochs=tuple(course.epochs[:-1]),
        faults=tuple(course.faults),
    )
    part = SlotPart(label=FAMILY, body=note.envelope(case.tools.identity).to_bytes())
    message = SlotMessage(job=case.job, session=case.session or b"", slot=FAMILY, parts=[part])
    began = case.now()
    for deltas in _SAID_AGAIN_DELTAS:
        await asyncio.sleep(max(0.0, began + deltas * case.tools.pace.delta_s - case.now()))
        for name in missing(course):
            case.tools.peers.send_slot(name, message)


def take(case: Case, sender: str, message: SlotMessage) -> None:
    """Keep the first recall of each other computing party; what is not one is dropped."""
    if sender not in case.others or sender in case.desk.recalls or len(message.parts) != 1:
        return
    try:
        note = RecallNote.read(Envelope.from_bytes(message.parts[0].body), sender, case.tools.roster)
    except MpcdError:
        return
    case.desk.recalls[sender] = note.to_bytes()
    case.desk.ring()


async def wait(case: Case, course: Course, until: float) -> Course | None:
    """How the job stands, once t + 1 have called us back; None if they have not by then."""

    def certified() -> RecallNote | None:
        said = list(case.desk.recalls.values())
        found = next((raw for raw in said if said.count(raw) > CORRUPTED), None)
        return None if found is None else RecallNote.from_bytes(found)

    await case.desk.wait(lambda: certified() is not None, until)
    note = certified()
    about = None if note is None else (note.job, note.session, case.name in note.now.computing)
    if note is None or about != (case.job.hex(), (case.session or b"").hex(), True):
        return None
    standing = Standing(
        epoch=note.epoch,
        parties=course.standing.parties,
        roster=tuple(case.computing.index(name) for name in note.now.computing),
        scheme=note.now.protocol,
        checked=note.now.checked,
        history=bytes.fromhex(note.history),
    )
    return Course(standing, list(note.epochs), list(note.faults))
