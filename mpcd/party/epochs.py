"""The computation over its epochs: a process, barriers, and after a fault the same again with those left.

The inputs, their keys and the reserved process serve all epochs of a job; nothing of a run is used again. How
a new epoch stands is on the disk before it begins. What was found goes into the receipt, and with the signed
words that prove it into our evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from mpcd.errors import InternalError
from mpcd.jobs.receipt import MAX_EPOCHS
from mpcd.jobs.states import Event, State
from mpcd.party import recall
from mpcd.party.barriers import Meeting, barrier
from mpcd.party.blame import end_of, line_of
from mpcd.party.case import Case, DroppedError, Said, StageEnd
from mpcd.party.computing import in_time, order_for
from mpcd.party.course import Course
from mpcd.party.learning import learn
from mpcd.party.pace import CORRUPTED
from mpcd.party.ports import AgreedInput, Product, Worker
from mpcd.party.recording import record
from mpcd.party.running import Running
from mpcd.party.slots import Slots
from mpcd.protocols.agreement.findings import Fault, Go, Pair, TooMany
from mpcd.protocols.agreement.standing import Standing

STEP = "barrier"
Start = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What all epochs of a job start from."""

    session: bytes
    worker: Worker
    attempt: int
    inputs: list[AgreedInput]
    keys: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Computed:
    """The end of a computation that is to be opened."""

    decision: Go
    product: Product
    revealed: list[tuple[str, bytes]]


async def compute(
    case: Case, slots: Slots, course: Course, prepared: Prepared, start: Start
) -> tuple[Course, Computed] | None:
    """All epochs, to an agreed permission to open; the job is `verifying` then. None: the others have opened
    without us, and we have fetched what is ours.

    start  begins work beside this that nobody waits for
    Raises  StageEnd; DroppedError; what our process reports and is not for the others to know
    """
    try:
        while True:
            await course.begin(case)
            if recall.missing(course):
                start(recall.send(case, course))
            finding, computed, said = await _epoch(case, slots, course.standing, prepared)
            if computed is not None:
                if computed.decision.odd is not None:
                    await _note_odd(case, course, computed.decision.odd, said)
                return course, computed
            assert finding is not None
            try:
                await _recover(case, course, finding, said)
            except DroppedError:
                if not isinstance(finding, Pair) or course.standing.epoch >= MAX_EPOCHS:
                    raise
                called = await _wait_outside(case, course)
                if called is None:
                    return None
                course = called
    finally:
        await prepared.worker.release()


async def _wait_outside(case: Case, course: Course) -> Course | None:
    """Left out as one of a pair: until the others call us back, or have opened without us (None).

    Raises  StageEnd if the job ended otherwise
    """
    learning = asyncio.create_task(learn(case, case.last_call))
    calling = asyncio.create_task(recall.wait(case, course, case.last_call))
    try:
        await asyncio.wait({learning, calling}, return_when=asyncio.FIRST_COMPLETED)
        called = calling.result() if calling.done() else None
        if called is None or case.opened:
            await learning
            return None
    finally:
        for task in (learning, calling):
            task.cancel()
        await asyncio.wait({learning, calling})
    await case.move(Event.RESTART)
    return called


async def _epoch(
    case: Case, slots: Slots, standing: Standing, prepared: Prepared
) -> tuple[Fault | None, Computed | None, tuple[Said, ...]]:
    """One epoch: what ended it, or what is to be opened; and the words that say so."""
    order = order_for(case, prepared.session, prepared.attempt, standing, prepared.inputs, prepared.keys)
    running = Running(case, prepared.worker, order)
    meeting = Meeting(case, slots, prepared.session, standing, running, prepared.worker)
    revealed: list[tuple[str, bytes]] = []
    try:
        number = 0
        while True:
            finding, said = await barrier(meeting, number)
            if not isinstance(finding, Go):
                return finding, None, said
            number += 1
            if finding.kind == "open":
                product = running.product
                if product is None:
                    raise InternalError("all are said to have ended, and our process has not")
                return None, Computed(finding, product, revealed), said
            pause = running.go_on()
            revealed.append((pause.name, pause.digest))
    finally:
        await running.close()


async def _note_odd(case: Case, course: Course, odd: Fault, said: tuple[Said, ...]) -> None:
    """Somebody contradicts the three others, whose words stand: the job succeeds, and this is recorded."""
    course.faults.append(line_of(case, course.standing, odd, STEP))
    await record(case, end_of(case, odd, STEP, course.standing.epoch, said), case.session)


async def _recover(case: Case, course: Course, finding: Fault, said: tuple[Said, ...]) -> None:
    """From a fault to the next epoch.

    Raises  StageEnd, DroppedError as `drop`; StageEnd if there is no time left
    """
    if case.state is State.COMPUTING:
        await case.move(Event.STOPPED)
    late = not in_time(case)
    try:
        await course.drop(case, finding, STEP, said)
    except StageEnd as end:
        # They were heard: it is not we who are cut off.
        end.agreed = len({s.envelope.signers for s in said} - {frozenset({case.name})}) > CORRUPTED
        if isinstance(finding, TooMany) and end.agreed:
            end.kind, end.unreachable = None, frozenset()
        if late:
            await case.move(Event.RECOVER)
            raise StageEnd(Event.DEADLINE, f"there is no time left before the deadline: {end.text}") from None
        end.event = Event.NOT_READY
        raise
    except DroppedError:
        await case.move(Event.RECOVER, "the others go on without this party")
        raise
    await case.move(Event.RECOVER, course.faults[-1].reason)
    if late:
        raise StageEnd(Event.DEADLINE, "there is no time left before the deadline for another epoch")
    await case.move(Event.RESTART)
