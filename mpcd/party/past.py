"""Jobs from before the last start of the daemon, brought back from the disk to serve what they still owe."""

from __future__ import annotations

from dataclasses import replace

from mpcd.errors import RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import verify_consents
from mpcd.jobs.states import State
from mpcd.party.case import Terms
from mpcd.party.datasets import Datasets, program_inputs
from mpcd.party.life import Life, was_opened
from mpcd.party.matter import House
from mpcd.party.proposals import read_proposal
from mpcd.storage.jobs import JobRow


async def revive(house: House, row: JobRow) -> Life:
    """The life of a job in the state that is on the disk; it is not running.

    Raises  RefusedError if the job or its consents on the disk no longer verify, for example after the roster
            was changed
    """
    tools = house.tools
    proposal = read_proposal(Envelope.from_bytes(row.envelope), tools.roster)
    specification = proposal.specification
    raw = await tools.store.consents.of(row.job)
    envelopes = {name: Envelope.from_bytes(data) for name, data in raw.items()}
    rows = {}
    try:
        consents = verify_consents(envelopes, specification, row.job, tools.roster)
        brought = {(name, d.argument): d.rows for name, c in consents.items() for d in c.datasets}
        rows = {(e.party, e.argument): brought[e.party, e.argument] for e in specification.inputs}
    except RefusedError:
        if State(row.state) in (State.VERIFYING, State.OPENING, State.SUCCEEDED):
            raise
    terms = Terms(
        job=row.job,
        specification=specification,
        rows=rows,
        columns={e.argument: len(program_inputs(proposal.checked, e.argument)) for e in specification.inputs},
        deadline=tools.clock.monotonic() + row.deadline_ms / 1000 - tools.clock.now().timestamp(),
    )
    datasets = Datasets(house.config.data, house.dataset_key, row.job, proposal.checked, {})
    return Life(
        terms,
        replace(tools, reader=datasets),
        state=State(row.state),
        session=row.session,
        opened=await was_opened(tools.store, row.job),
        on_change=lambda state, detail: house.changed(row.job, state, detail),
    )
