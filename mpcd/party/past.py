"""Jobs from before the last start: ended if they ran, otherwise brought back to serve what they still owe."""

from __future__ import annotations

from dataclasses import replace

from mpcd.clock import Clock
from mpcd.errors import NotFoundError, RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent, verify_consents
from mpcd.jobs.specification import Specification, program_inputs
from mpcd.jobs.states import TERMINAL, Event, State, advance
from mpcd.party.case import Terms
from mpcd.party.datasets import Datasets
from mpcd.party.life import RUNNING, Life
from mpcd.party.matter import House
from mpcd.party.proposals import longest_outputs, read_proposal
from mpcd.storage.jobs import JobRow, Transition
from mpcd.storage.store import Store

RESUMED = frozenset({State.RECOVERING.value, State.VERIFYING.value, State.OPENING.value})
KEPT = 256
"""Jobs that have ended whose outputs and receipts are served from memory."""


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
        outputs=longest_outputs(proposal, rows),
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


class Past:
    """Jobs that no longer run: the last ones that anybody asked for are at hand, others are read again."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lives: dict[bytes, Life] = {}

    def __len__(self) -> int:
        return len(self._lives)

    def put(self, job: bytes, life: Life) -> None:
        """Keep a life at hand; what is being resumed stays, of the others those that were used last."""
        self._lives.pop(job, None)
        self._lives[job] = life
        ended = [known for known, other in self._lives.items() if other.state in TERMINAL]
        for known in ended[: max(0, len(self._lives) - KEPT)]:
            del self._lives[known]

    async def get(self, job: bytes) -> Life:
        """A job that has ended or is being resumed.

        Raises  NotFoundError if it is not here, runs, or was forgotten meanwhile
        """
        try:
            row = await self._house.tools.store.jobs.get(job)
        except NotFoundError:
            self._lives.pop(job, None)
            raise
        life = self._lives.get(job)
        if life is None:
            if State(row.state) not in TERMINAL:
                raise NotFoundError("this party is not running such a job")
            life = await revive(self._house, row)
            life = self._lives.get(job, life)  # somebody else may have been quicker
        self.put(job, life)
        return life


async def was_opened(store: Store, job: bytes) -> bool:
    """Whether a job has ever been `opening`: its outputs are served for ever, also if it `failed` later."""
    return any(step.after == State.OPENING.value for step in await store.jobs.history(job))


async def sweep(store: Store, clock: Clock) -> list[JobRow]:
    """At the start of a daemon: end what was running, and return the jobs that are to be resumed.

    No run is ever gone on with: its randomness is spent. A job with guaranteed output is `recovering`: the
    others go on, and we get what is ours like any recipient; of the others, one that was being computed is
    `failed`. One that was `verifying` may have been opened, and one that was `opening` is opened again.
    """
    at_ms = int(clock.now().timestamp() * 1000)
    for row in await store.jobs.in_states(frozenset(state.value for state in RUNNING)):
        event = Event.STAND_BY if await _goes_on(store, row) else Event.FAILURE
        if State(row.state) is not State.RECOVERING or event is Event.FAILURE:
            after = advance(State(row.state), event)
            why = "the daemon was restarted"
            await store.jobs.advance(row.job, Transition(event.value, row.state, after.value, why, at_ms))
        if row.session is not None:
            await store.inputs.forget(row.session)
        await store.outputs.forget(row.job)
    return await store.jobs.in_states(RESUMED)


async def _goes_on(store: Store, row: JobRow) -> bool:
    """Whether the others may finish a job without us: they can once they may have our consent."""
    said = await store.consents.of(row.job)
    try:
        specification = Specification.from_bytes(Envelope.from_bytes(row.envelope).payload)
        consents = [Consent.from_bytes(Envelope.from_bytes(raw).payload) for raw in said.values()]
    except MalformedError:
        return False
    agreed = bool(consents) and all(consent.accept for consent in consents)
    return agreed and specification.profile == "guaranteed"
