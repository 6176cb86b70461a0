"""An owner's side: reads its data, shares it, commits to it, and gives every computing party its shares.

Members of the computing committee and outsiders take this same path, to themselves included.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from mpcd._pb.v1.peer_pb2 import InputHeader, SealedBox
from mpcd.errors import DataError
from mpcd.identity.encoding import pack
from mpcd.identity.envelope import Envelope
from mpcd.identity.sealing import seal
from mpcd.jobs.document import InputEntry
from mpcd.jobs.states import Event
from mpcd.party.agreeing import send_to_all
from mpcd.party.case import Case, StageEnd
from mpcd.party.notes import InputNote
from mpcd.party.pace import CORRUPTED
from mpcd.protocols.rep4.inputs import Context, InputShares, split
from mpcd.transport.wire import to_wire


@dataclass(frozen=True, slots=True)
class Parcel:
    """One input, ready to be sent: the signed entry, and holder -> a -> sealed box."""

    note: InputNote
    entry: bytes
    boxes: dict[str, dict[int, bytes]] = field(repr=False)


def box_context(session: bytes, note: InputNote, a: int, holder: str) -> tuple[bytes, ...]:
    """What a sealed share is bound to: it cannot be replayed as another's input, or to another holder."""
    return (session, note.owner.encode(), note.argument.encode(), bytes([a]), holder.encode())


async def prepare(case: Case, session: bytes) -> list[Parcel]:
    """Read and share everything that this party owes.

    Raises  DataError if its own data cannot be used
    """
    parcels: list[Parcel] = []
    for entry in case.terms.specification.inputs_of(case.name):
        columns = await case.tools.reader.read(entry)
        rows = case.terms.rows[entry.party, entry.argument]
        expected = (case.terms.columns[entry.argument], rows)
        if columns.shape != expected:
            raise DataError(f"dataset {entry.dataset} has {columns.shape}, consented to were {expected}")
        context = Context(session, case.tools.identity.verify_key, entry.argument)
        shares = await asyncio.to_thread(split, columns, context, secrets.token_bytes, case.scheme)
        parcels.append(await asyncio.to_thread(_parcel, case, session, entry, shares))
    return parcels


def _parcel(case: Case, session: bytes, entry: InputEntry, shares: InputShares) -> Parcel:
    note = InputNote(
        job=case.job.hex(),
        session=session.hex(),
        owner=case.name,
        argument=entry.argument,
        rows=shares.rows,
        commitments=tuple(com.hex() for com in shares.commitments),
    )
    boxes: dict[str, dict[int, bytes]] = {}
    for index, holder in enumerate(case.computing):
        key = case.tools.roster.member(holder).sealing_key
        boxes[holder] = {
            a: seal(key, box_context(session, note, a, holder), pack([payload, salt]))
            for a, (payload, salt) in shares.shares_for(index).items()
        }
    return Parcel(note, note.envelope(case.tools.identity).to_bytes(), boxes)


async def deliver(case: Case, session: bytes, parcels: list[Parcel], until: float) -> None:
    """Send every parcel to every other computing party and put our own copy on our own desk."""
    tray = case.desk.tray(session)
    if case.me is not None and tray is not None:
        for parcel in parcels:
            tray.entries[parcel.entry] = parcel.note.key
            tray.boxes[parcel.entry] = parcel.boxes[case.name]
        case.desk.ring()
    await asyncio.gather(*(_deliver(case, session, parcel, until) for parcel in parcels))


async def _deliver(case: Case, session: bytes, parcel: Parcel, until: float) -> None:
    envelope = to_wire(Envelope.from_bytes(parcel.entry))

    async def give(name: str) -> None:
        boxes = parcel.boxes[name]
        header = InputHeader(
            job=case.job,
            session=session,
            input=parcel.note.argument,
            entry=envelope,
            boxes=[SealedBox(summand=a, size_bytes=len(box)) for a, box in boxes.items()],
        )
        await case.tools.peers.deliver_input(name, header, b"".join(boxes.values()))

    await send_to_all(case, case.others, give, until)


async def await_session(case: Case) -> tuple[bytes, int]:
    """For an owner that does not compute: the session that t + 1 computing parties have signed.

    One honest party is among them, and it signs only the agreed session: nobody can make the owner share
    its data under a session of his choice.
    """

    def certified() -> tuple[bytes, int] | None:
        said = list(case.desk.sessions.values())
        return next((session for session in said if said.count(session) > CORRUPTED), None)

    until = case.until(2 * case.tools.pace.stage_s)
    await case.desk.wait(lambda: certified() is not None, until)
    found = certified()
    if found is None:
        silent = frozenset(case.computing) - set(case.desk.sessions)
        text = "too few computing parties announced a session"
        event = Event.DEADLINE if until >= case.terms.deadline else Event.FAULT
        raise StageEnd(event, text, kind="silence", unreachable=silent, step="session")
    return found
