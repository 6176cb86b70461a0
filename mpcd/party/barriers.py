"""One barrier of an epoch, and the dispute that may follow: what all parties come to, from what each says.

Nothing is decided here: `mpcd.protocols.agreement` judges, the same at every honest party.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpcd.errors import MpcdError
from mpcd.party.agreeing import decide
from mpcd.party.case import Case, Said
from mpcd.party.computing import latest_ready, places
from mpcd.party.disputing import PATIENT_DELTAS, Hearing, hear
from mpcd.party.ports import Worker
from mpcd.party.recording import said_in
from mpcd.party.running import Running, is_own_failure
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.findings import Dispute, Fault, Go
from mpcd.protocols.agreement.judging import judge
from mpcd.protocols.agreement.standing import Standing
from mpcd.protocols.agreement.words import word_limit, word_value


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the barriers of one epoch need."""

    case: Case
    slots: Slots
    session: bytes
    standing: Standing
    running: Running
    worker: Worker


async def barrier(meeting: Meeting, number: int) -> tuple[Go | Fault, tuple[Said, ...]]:
    """Meet the others, and settle what has to be settled: what it comes to, with the words that prove it.

    Raises  StageEnd, DataError, StorageError as our process reports; DeadlineError if too few come
    """
    case, running, standing = meeting.case, meeting.running, meeting.standing
    delta_s, round_s = case.tools.pace.delta_s, case.tools.pace.bears_s
    outputs = len(places(case))

    def spared(error: MpcdError) -> bool:
        return case.guaranteed and is_own_failure(error)

    def patience() -> float:
        # While we rest at the end of our last round, others may still wait for a frame of it.
        return PATIENT_DELTAS * delta_s + (0.0 if running.stopped else round_s)

    async def at_entry() -> None:
        await running.halt(delta_s / 2)
        await running.note()

    key = SlotKey("BARRIER", meeting.session, number, standing.epoch)
    outcome = await decide(
        case,
        meeting.slots,
        key,
        lambda: word_value(running.word()),
        by=latest_ready(case),
        max_body=word_limit(standing.sharing, outputs),
        work=running.rest(spared),
        settled=False,  # whether there is time left is seen when the slot begins
        among=frozenset(standing.roster),
        patience=patience,
        at_entry=at_entry,
    )
    finding = judge(outcome, standing.sharing, standing.roster, outputs)
    said = said_in(case, key, outcome)
    if not isinstance(finding, Dispute):
        return finding, said
    hearing = Hearing(case, meeting.slots, meeting.session, standing, number, running.kept, meeting.worker)
    fault, more = await hear(hearing, finding)
    return fault, (*said, *more)
