"""Inputs at a computing party: agree on the commitments, open the boxes, agree on who has what, pass on.

1  INPUTS   union of the owner-signed entries that anybody holds; boxes stay closed until it is decided
2  boxes    each is opened and checked against the agreed commitment
3  HAVE     who holds which summand; accepted is what at least two of three holders have
4  forward  whoever has a summand of an accepted input sends it to the holders who have not
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError, unpack
from mpcd.identity.envelope import Envelope
from mpcd.identity.sealing import unseal
from mpcd.jobs.evidence import MAX_STATEMENTS
from mpcd.jobs.states import Event
from mpcd.party.agreeing import decide, send_to_all, wait_for_mail
from mpcd.party.case import Case, StageEnd
from mpcd.party.contributing import box_context
from mpcd.party.desk import Tray
from mpcd.party.forwarding import Shares, fits, forward
from mpcd.party.notes import InputNote, SessionNotice, read_input_note
from mpcd.party.ports import AgreedInput
from mpcd.party.present import Present
from mpcd.party.recording import record
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.outcomes import (
    Holdings,
    InputSet,
    have_value,
    holdings,
    inputs_agreed,
    inputs_value,
)
from mpcd.storage.shares import InputKey

ENTRY_BYTES = 1024
"""More than an owner's signed entry can have."""


def expected_inputs(case: Case) -> list[InputKey]:
    """(owner, argument) in the order of the specification."""
    return [(entry.party, entry.argument) for entry in case.terms.specification.inputs]


async def announce(case: Case, session: bytes, attempt: int) -> None:
    """Tell the owners who do not compute that they may begin."""
    owners = {owner for owner, _ in expected_inputs(case)} - set(case.computing)
    notice = SessionNotice(job=case.job.hex(), session=session.hex(), attempt=attempt, party=case.name)
    envelope = notice.envelope(case.tools.identity)

    async def tell(name: str) -> None:
        await case.tools.peers.announce_session(name, envelope)

    await send_to_all(case, sorted(owners), tell, case.until(case.tools.pace.stage_s))


def readable(case: Case, session: bytes, entry: bytes) -> InputNote | None:
    """The note of an entry, if it is its owner's, for this session, and what the owner consented to."""
    note = case.desk.read_entry(entry, lambda: read_input_note(entry, case.tools.roster))
    if note is None or (note.job, note.session) != (case.job.hex(), session.hex()):
        return None
    if case.terms.rows.get(note.key) != note.rows or len(note.commitments) != len(case.computing):
        return None
    return note


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is computed on, the notes of the owners whose inputs are accepted, what is left out and why."""

    inputs: list[AgreedInput]
    notes: Mapping[InputKey, InputNote]
    left_out: dict[InputKey, str]
    present: Present


async def gather(case: Case, slots: Slots, session: bytes, present: Present) -> Gathered:
    """The inputs of the job, as far as they came.

    Raises  StageEnd if an input is missing and the job does not allow that
    """
    tray = case.desk.open_tray(session)
    agreed, present = await _agree_inputs(case, slots, session, tray, present)
    notes = {key: readable(case, session, entry) for key, entry in agreed.entries.items()}
    known = {key: note for key, note in notes.items() if note is not None}
    shares: Shares = {key: {} for key in known}
    found, present = await _agree_holdings(case, slots, session, tray, present, agreed, known, shares)
    left_out = _left_out(case, agreed, found)
    _allow(case, left_out, agreed)
    await _record_two_inputs(case, session, agreed)
    await forward(case, session, tray, present.among, known, found, shares)
    await case.tools.store.inputs.put(session, {key: shares[key] for key in found.accepted})
    notes_of = {key: known[key] for key in found.accepted}
    return Gathered(_inputs(case, notes_of, shares), notes_of, left_out, present)


async def _agree_inputs(
    case: Case, slots: Slots, session: bytes, tray: Tray, present: Present
) -> tuple[InputSet, Present]:
    expected = expected_inputs(case)
    by = case.until(case.tools.pace.stage_s)

    def owner_of(entry: bytes) -> InputKey | None:
        note = readable(case, session, entry)
        return None if note is None else note.key

    def value() -> bytes:
        return inputs_value(list(tray.entries))

    def missing() -> set[str]:
        return {owner for owner, argument in expected if (owner, argument) not in tray.entries.values()}

    # Two entries of one owner are proof against it, so room for two each.
    limit = 2 * len(expected) * ENTRY_BYTES
    outcome = await decide(
        case,
        slots,
        SlotKey("INPUTS", session),
        value,
        by=by,
        max_body=limit,
        work=wait_for_mail(case, slots, missing, by),
        settled=False,  # an owner's second entry may come while we wait for the others
        among=present.among,
    )
    present = present.after(case, outcome, "inputs", "a list of inputs", vital=False)
    agreed = inputs_agreed(outcome, expected, owner_of)
    await case.tools.store.inputs.add_entries(session, agreed.entries.items())
    return agreed, present


async def _agree_holdings(
    case: Case,
    slots: Slots,
    session: bytes,
    tray: Tray,
    present: Present,
    agreed: InputSet,
    known: Mapping[InputKey, InputNote],
    shares: Shares,
) -> tuple[Holdings, Present]:
    parties = range(len(case.computing))
    order = list(known)
    by = case.until(case.tools.pace.stage_s)
    # Boxes come with the entries; of an owner who sent us none directly, they may never come.
    patience = min(by, case.now() + case.slot_s)

    async def open_boxes() -> None:
        for key in order:
            await case.desk.wait(lambda key=key: agreed.entries[key] in tray.boxes, patience)  # type: ignore[misc]
            boxes = tray.boxes.get(agreed.entries[key], {})
            shares[key].update(await asyncio.to_thread(_open, case, session, known[key], boxes))

    def value() -> bytes:
        return have_value(order, parties, {(key, a) for key, held in shares.items() for a in held})

    size = -(-len(order) * len(parties) // 8)
    outcome = await decide(
        case,
        slots,
        SlotKey("HAVE", session),
        value,
        by=by,
        max_body=size,
        work=open_boxes(),
        among=present.among,
    )
    present = present.after(
        case, outcome, "have", "a list of shares", lambda _, body: len(body) == size, vital=False
    )
    here = {p: verdict for p, verdict in outcome.items() if p in present.among}
    return holdings(here, order, case.scheme), present


def _open(
    case: Case, session: bytes, note: InputNote, boxes: Mapping[int, bytes]
) -> dict[int, tuple[bytes, bytes]]:
    """What opens and is what the owner has committed to; the rest is as good as not sent."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for a in case.scheme.held(case.computing.index(case.name)):
        context = box_context(session, note, a, case.name)
        try:
            plain = unseal(case.tools.identity, context, boxes.get(a, b""))
            payload, salt = unpack(plain, max_parts=2, what="an input share")
        except (RefusedError, MalformedError, ValueError):
            continue
        if fits(case, session, note, a, payload, salt):
            found[a] = (payload, salt)
    return found


def _left_out(case: Case, agreed: InputSet, found: Holdings) -> dict[InputKey, str]:
    reasons: dict[InputKey, str] = {}
    for key in expected_inputs(case):
        if key in agreed.excluded:
            reasons[key] = "the owner signed two different inputs"
        elif key in agreed.missing:
            reasons[key] = "no input came in time"
        elif key not in found.accepted:
            reasons[key] = "too few parties got shares that fit the commitments"
    return reasons


def _allow(case: Case, left_out: Mapping[InputKey, str], agreed: InputSet) -> None:
    """Whether the job may go on without these inputs."""
    if not left_out or case.terms.specification.missing == "default":
        return
    arguments = {argument for _, argument in set(expected_inputs(case)) - set(left_out)}
    complete = all(argument in arguments for _, argument in expected_inputs(case))
    if case.terms.specification.missing == "exclude" and complete:
        return
    listed = "; ".join(f"{argument} of {owner}: {why}" for (owner, argument), why in left_out.items())
    proven = {key[0]: agreed.excluded[key] for key in left_out if key in agreed.excluded}
    if proven:
        statements = tuple(Envelope.from_bytes(entry) for pair in proven.values() for entry in pair)
        raise StageEnd(
            Event.FAULT,
            f"inputs cannot be used: {listed}",
            kind="equivocation",
            blamed=frozenset(proven),
            statements=statements,
            step="inputs",
        )
    owners = frozenset(owner for owner, _ in left_out) - {case.name}
    text = f"inputs are missing: {listed}"
    raise StageEnd(Event.FAULT, text, kind="silence", unreachable=owners, step="inputs")


async def _record_two_inputs(case: Case, session: bytes, agreed: InputSet) -> None:
    """Owners that signed two inputs each, in a job that goes on without these: kept with the proofs."""
    pairs = sorted(agreed.excluded.items())
    for at in range(0, len(pairs), MAX_STATEMENTS // 2):
        some = pairs[at : at + MAX_STATEMENTS // 2]
        owners = frozenset(owner for (owner, _), _ in some)
        statements = tuple(Envelope.from_bytes(entry) for _, pair in some for entry in pair)
        text = f"two different inputs were signed by {', '.join(sorted(owners))}; neither is used"
        end = StageEnd(
            Event.FAULT, text, kind="equivocation", blamed=owners, statements=statements, step="inputs"
        )
        await record(case, end, session)


def _inputs(case: Case, notes: Mapping[InputKey, InputNote], shares: Shares) -> list[AgreedInput]:
    """What all epochs compute on. With `missing: default` every input has its place and its rows, which the
    owner consented to; which of them are left out follows from agreed outcomes alone."""
    defaults = case.terms.specification.missing == "default"
    return [
        AgreedInput(
            owner=key[0],
            argument=key[1],
            rows=case.terms.rows[key],
            owner_key=case.tools.roster.member(key[0]).verify_key,
            payloads={a: payload for a, (payload, _) in shares[key].items()} if key in notes else {},
            left_out=key not in notes,
        )
        for key in expected_inputs(case)
        if key in notes or defaults
    ]
