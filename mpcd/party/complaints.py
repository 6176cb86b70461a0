"""What a party tells the others when a check of its own has failed: its signed record of the fault.

The others see only that the complainer is gone. With its word they record what follows for each of them: the
sender and the backup of the message, and a bystander, suspect whoever is named *and the complainer*, each
without itself. So the set that an honest party records contains the cheater, whether the complaint is
true or is the lie, and no honest party is suspected alone on a cheater's word.
"""

from __future__ import annotations

from dataclasses import replace

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.errors import MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.states import State
from mpcd.party.case import Case, StageEnd

FAMILY = "COMPLAINT"
"""Complaints travel on the stream of the slots, as a family that is no slot."""
_KINDS = frozenset({"bad-tag", "bad-frame"})


def tell(case: Case, session: bytes, envelope: Envelope) -> None:
    """Send our record of a fault to the other computing parties, without waiting."""
    part = SlotPart(label=FAMILY, body=envelope.to_bytes())
    message = SlotMessage(job=case.job, session=session, slot=FAMILY, parts=[part])
    for name in case.others:
        case.tools.peers.send_slot(name, message)


def take(case: Case, sender: str, message: SlotMessage) -> None:
    """Keep the first complaint of each other computing party; what is not one is dropped."""
    if sender not in case.others or sender in case.desk.complainers or len(message.parts) != 1:
        return
    case.desk.complainers.add(sender)  # one per sender is looked at: an honest party has one, and it is good
    try:
        envelope = Envelope.from_bytes(message.parts[0].body)
        record = Evidence.read(envelope, sender, case.tools.roster)
    except MpcdError:
        return
    known = set(case.computing) - {sender}
    if (record.job, record.reporter) != (case.job.hex(), sender) or record.kind not in _KINDS:
        return
    if record.statements:
        return  # a check of one's own needs none, and they could make ours, which carries this one, too long
    if not set(record.blamed) <= known:
        return
    case.desk.complaints.setdefault(sender, (record, envelope))
    case.desk.ring()


async def explain(case: Case, end: StageEnd, session: bytes | None) -> StageEnd:
    """If a party fell silent while we computed, wait for a complaint of anybody, at most Delta.

    A complainer stops, and so does everybody who notices: the one we miss need not be the complainer.
    Returns the end that follows from the complaint, or `end` as it was
    """
    if case.state is not State.COMPUTING or end.kind != "silence" or session is None:
        return end
    await case.desk.wait(lambda: bool(_heard(case, session)), case.now() + case.tools.pace.delta_s)
    heard = _heard(case, session)
    if not heard:
        return end
    name = min(heard)
    record, envelope = heard[name]
    suspects = (frozenset(record.blamed) | {name}) - {case.name}
    return replace(
        end,
        text=f"{name} stopped after a check had failed: {record.detail}"[:400],
        kind=record.kind,
        blamed=suspects,
        unreachable=frozenset(),
        statements=(envelope,),
        step=record.step,
    )


def _heard(case: Case, session: bytes) -> dict[str, tuple[Evidence, Envelope]]:
    """The complaints about this run, by complainer."""
    said = case.desk.complaints.items()
    return {name: (record, envelope) for name, (record, envelope) in said if record.session == session.hex()}
