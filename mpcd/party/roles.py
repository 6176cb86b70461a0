"""What a party does in a job: it computes, or gives its input and waits; in the end it learns what is its.

Computing party  session, keys, inputs, start, the epochs of the computation, opening, receipt
Input party      waits for a session that t + 1 computing parties signed, gives its input, waits for the end
Result party     waits for certified notes of what is opened, fetches its outputs

A computing party without which the others go on waits and fetches like a result party.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mpcd.jobs.states import Event
from mpcd.party import opening, receipts
from mpcd.party.agreeing import agree_session, agree_start
from mpcd.party.case import Case
from mpcd.party.contributing import await_session, deliver, prepare
from mpcd.party.course import Course
from mpcd.party.epochs import Computed, Prepared, compute
from mpcd.party.gathering import Gathered, announce, gather
from mpcd.party.keying import agree_keys
from mpcd.party.learning import learn
from mpcd.party.ports import Worker
from mpcd.party.present import Present
from mpcd.party.slots import Slots
from mpcd.protocols.agreement.standing import first as first_standing

A = TypeVar("A")
B = TypeVar("B")
Start = Callable[[Coroutine[Any, Any, None]], None]
"""Work that goes on beside the stages and whose end nobody waits for."""


async def computing_party(case: Case, slots: Slots, start: Start) -> None:
    """From the session to the receipt.

    Raises  StageEnd; DroppedError if the others go on without us
    """
    session, tried, present = await agree_session(case, slots)
    case.session = session
    start(announce(case, session, tried))
    # Keys and inputs do not depend on each other: their slots go on side by side.
    (keys, with_keys), (_, gathered) = await both(
        agree_keys(case, slots, session, present),
        both(_contribute(case, session, start), gather(case, slots, session, present)),
    )
    present = with_keys.merged(case, gathered.present)
    worker, number, present = await agree_start(case, slots, session, present)
    course = await _begin(case, worker, present)
    prepared = Prepared(session, worker, number, gathered.inputs, keys)
    end = await compute(case, slots, course, prepared, start)
    if end is not None:
        await _open(case, session, tried, gathered, *end)


async def _contribute(case: Case, session: bytes, start: Start) -> None:
    """Share our own data; the parcels are on their way when this returns."""
    parcels = await prepare(case, session)
    start(deliver(case, session, parcels, case.until(case.tools.pace.stage_s)))


async def _begin(case: Case, worker: Worker, present: Present) -> Course:
    """How the job stands when it begins to compute; without one party from the beginning, perhaps."""
    course = Course(first_standing(case.scheme, len(case.computing)))
    try:
        if present.fault is not None:
            await course.drop(case, present.fault, present.step, present.said)
        await case.move(Event.INPUTS_AGREED)
    except BaseException:
        await worker.release()
        raise
    return course


async def _open(
    case: Case, session: bytes, tried: int, gathered: Gathered, course: Course, computed: Computed
) -> None:
    """All have agreed to open: promise it on the disk, then fetch what is ours and sign the receipt."""
    notes = opening.notes_of(case, session, course.standing, computed.decision)
    signed = {place: note.envelope(case.tools.identity).to_bytes() for place, note in notes.items()}
    await case.tools.store.decisions.put(case.job, signed)
    await case.move(Event.READY_TO_OPEN)
    await case.tools.store.inputs.forget(session)
    left_out = gathered.left_out | receipts.rows_left_out(computed.product.excluded)
    receipt = receipts.write(
        case, session, tried, gathered.notes, left_out, course, computed.decision, computed.revealed
    )
    until = case.now() + 2 * case.tools.pace.delta_s
    await both(
        opening.fetch_agreed(case, notes, case.last_call),
        receipts.exchange(case, receipt, until),
    )
    await case.move(Event.OPENED)


async def other_party(case: Case) -> None:
    """Who does not compute: gives its input, waits for the end, fetches its outputs."""
    if case.terms.specification.inputs_of(case.name):
        session, _ = await await_session(case)
        parcels = await prepare(case, session)
        await deliver(case, session, parcels, case.until(case.tools.pace.stage_s))
    await learn(case, case.last_call)


async def both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Run two things at the same time; if one fails, the other is cancelled and its error raised."""
    one, two = asyncio.create_task(first), asyncio.create_task(second)
    try:
        await asyncio.wait({one, two}, return_when=asyncio.FIRST_EXCEPTION)
        for task in (one, two):
            if task.done():
                task.result()
        return await one, await two
    finally:
        for task in (one, two):
            task.cancel()
        await asyncio.gather(one, two, return_exceptions=True)
