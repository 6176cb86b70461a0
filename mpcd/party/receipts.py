"""The receipt: computing parties sign the same bytes, which come from agreed outcomes only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from mpcd.errors import MpcdError, RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import (
    ExcludedLine,
    InputLine,
    OutputLine,
    Receipt,
    RevealLine,
    combine,
    verify,
)
from mpcd.jobs.rows import say_left_out
from mpcd.party.agreeing import send_to_all
from mpcd.party.case import Case
from mpcd.party.computing import places
from mpcd.party.course import Course
from mpcd.party.notes import InputNote
from mpcd.party.pace import CORRUPTED
from mpcd.protocols.agreement.findings import Go
from mpcd.storage.shares import InputKey


def write(
    case: Case,
    session: bytes,
    attempt: int,
    notes: Mapping[InputKey, InputNote],
    left_out: Mapping[InputKey, str],
    course: Course,
    decision: Go,
    revealed: list[tuple[str, bytes]],
) -> Receipt:
    """The receipt of a run that opened its outputs: identical at every honest party.

    notes     of the owners whose inputs were used; left_out: what was not used of whose inputs, and why
    """
    terms = case.terms.specification
    defaults = terms.missing == "default"
    lines = [
        OutputLine(output=output, to=(recipient,), commitments=tuple(com.hex() for com in row))
        for (output, recipient), row in zip(places(case), decision.commitments, strict=True)
    ]
    return Receipt(
        job=case.job.hex(),
        session=session.hex(),
        attempt=attempt,
        program_hash=terms.program_hash,
        roster_hash=terms.roster_hash,
        protocol=terms.protocol,
        profile=terms.profile,
        adversary=terms.adversary,
        computing=terms.computing,
        epochs=tuple(course.epochs),
        faults=tuple(course.faults),
        outcome="succeeded",
        inputs=tuple(_input_lines(case, notes)),
        excluded=tuple(
            ExcludedLine(owner=owner, argument=argument, reason=why, default=defaults)
            for (owner, argument), why in left_out.items()
        ),
        reveals=tuple(RevealLine(name=name, digest=digest.hex()) for name, digest in revealed),
        outputs=tuple(lines),
    )


def _input_lines(case: Case, notes: Mapping[InputKey, InputNote]) -> Iterator[InputLine]:
    """What was computed on, in the order of the specification, which is that of the rows."""
    defaults = case.terms.specification.missing == "default"
    for (owner, argument), rows in case.terms.rows.items():
        note = notes.get((owner, argument))
        if note is not None:
            yield InputLine(owner=owner, argument=argument, rows=rows, commitments=note.commitments)
        elif defaults:
            yield InputLine(owner=owner, argument=argument, rows=rows, default=True)


def rows_left_out(excluded: Iterable[tuple[str, str, int]]) -> dict[InputKey, str]:
    """Rows outside of their declared range, by input; all parties have seen the same."""
    rows: dict[InputKey, list[int]] = {}
    for owner, argument, row in excluded:
        rows.setdefault((owner, argument), []).append(row)
    return {key: say_left_out(found) for key, found in sorted(rows.items())}


async def exchange(case: Case, receipt: Receipt, until: float) -> None:
    """Sign, tell the others of the last roster, keep what they have signed.

    Waits for the signatures of all, at most until then; what comes later is added by `take`.
    """
    own = receipt.envelope(case.tools.identity)
    roster = frozenset(receipt.epochs[-1].computing)
    case.desk.receipts[case.name] = own
    await _keep(case, own)

    async def deliver(name: str) -> None:
        await case.tools.peers.deliver_receipt(name, case.job, own)

    case.desk.collecting = True
    try:
        await send_to_all(case, sorted(roster - {case.name}), deliver, until)
        await case.desk.wait(lambda: roster <= set(case.desk.receipts), until)
    finally:
        case.desk.collecting = False
    await _keep(case, own)


async def take(case: Case, sender: str, envelope: Envelope) -> None:
    """A receipt from another computing party: kept if it is about the same run, in the same bytes, as ours.

    Raises  RefusedError if it is not
    """
    if sender not in case.computing or envelope.signers != {sender}:
        raise RefusedError("a computing party delivers a receipt under its own signature")
    receipt = Receipt.read(envelope, sender, case.tools.roster)
    if receipt.job != case.job.hex():
        raise RefusedError("the receipt is about another job")
    case.desk.receipts.setdefault(sender, envelope)
    if not case.desk.collecting:
        await _keep(case, case.desk.receipts.get(case.name))
    case.desk.ring()


async def _keep(case: Case, own: Envelope | None) -> None:
    """Persist our receipt with the signatures of all who signed these bytes."""
    if own is None:
        return
    same = [e for e in case.desk.receipts.values() if e.payload == own.payload]
    await case.tools.store.receipts.put(case.job, combine([own, *same]).to_bytes())


async def fetch(case: Case, until: float) -> bool:
    """For those who did not compute: a receipt signed by t + 1 who did; whether there is one."""
    while True:
        for name in case.computing:
            found = await _ask(case, name, until)
            if found is not None:
                await case.tools.store.receipts.put(case.job, found.to_bytes())
                return True
        if case.now() >= until:
            return False
        await asyncio.sleep(min(case.tools.pace.delta_s / 4, max(0.0, until - case.now())))


async def _ask(case: Case, name: str, until: float) -> Envelope | None:
    wait_ms = int(1000 * min(2.0, max(0.0, until - case.now())))
    try:
        async with asyncio.timeout(2.0 + wait_ms / 1000):
            envelope = await case.tools.peers.fetch_receipt(name, case.job, wait_ms)
        if envelope is None:
            return None
        verdict = verify(envelope, case.tools.roster)
    except (MpcdError, TimeoutError):
        return None
    about = (verdict.receipt.job, verdict.receipt.computing)
    enough = len(verdict.signed) > CORRUPTED
    return envelope if enough and about == (case.job.hex(), case.computing) else None
