"""Who does not compute, or computes no more, learns how the job went from those who hold its outputs."""

from __future__ import annotations

from mpcd.jobs.states import Event
from mpcd.party import opening, receipts
from mpcd.party.case import Case


async def learn(case: Case, until: float) -> None:
    """How the job went, then our own outputs and the receipt. Moves the job to its end if it was opened.

    Raises  StageEnd if t + 1 say that nothing was opened, or at the deadline
    """
    if case.name in case.terms.specification.result_parties:
        await opening.certify_all(case, until)
    elif not case.opened:
        await opening.await_outcome(case, until)
    for event in (Event.INPUTS_AGREED, Event.OUTPUTS_SHARED, Event.READY_TO_OPEN):
        if case.can(event):
            await case.move(event)
    await opening.fetch_all(case, until)
    await receipts.fetch(case, case.now() + 2 * case.tools.pace.delta_s)
    await case.move(Event.OPENED)
