"""One job at this party, from the proposal to the beginning of its life.

1  the proposal is checked, our answer is signed, kept and sent to the coordinator
2  the complete set of consents arrives, from the coordinator or from another party, and is verified
3  the parties compare notes directly: whoever was shown another set than we stops the job; nobody begins
   before all computing parties have shown the same
4  `mpcd.party.life` takes over
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mpcd.errors import DataError, RefusedError
from mpcd.identity.config import PartyConfig
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent, read_consent, verify_consents
from mpcd.jobs.specification import program_inputs
from mpcd.jobs.states import TERMINAL, Event, State, advance
from mpcd.party.case import Terms, Tools
from mpcd.party.confirming import Confirming, Patience
from mpcd.party.datasets import Datasets
from mpcd.party.life import GAVE_UP, Life
from mpcd.party.pace import CORRUPTED
from mpcd.party.peers import PeerCalls
from mpcd.party.proposals import KNOWN_REASON, Proposal, consent_to, judge, longest_outputs, refusal_of
from mpcd.storage.jobs import Transition


@dataclass(frozen=True, slots=True)
class House:
    """What all matters of a daemon share.

    say      send a signed statement about a job to the coordinator
    changed  (job, state, detail): told after every transition
    """

    config: PartyConfig
    tools: Tools
    peers: PeerCalls
    catalogue: Mapping[str, str]
    dataset_key: bytes
    say: Callable[[bytes, Envelope], None]
    changed: Callable[[bytes, State, str], None]


class Matter:
    """A job that this party takes part in."""

    def __init__(self, proposal: Proposal, house: House, deadline: float) -> None:
        self.proposal = proposal
        self.deadline = deadline
        self.life: Life | None = None
        self._house = house
        self._state = State.PROPOSED
        self._consents: dict[str, Envelope] = {}
        self._read: tuple[dict[str, Envelope], dict[str, Consent]] | None = None
        self._news = asyncio.Event()
        self._confirming = Confirming(
            self.name, self.job, proposal.specification, house.peers, house.tools.clock, self._news
        )
        self._moving = asyncio.Lock()
        self._taking = asyncio.Lock()

    @property
    def job(self) -> bytes:
        return self.proposal.job

    @property
    def name(self) -> str:
        return self._house.config.name

    @property
    def state(self) -> State:
        return self._state if self.life is None else self.life.state

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    # -- our answer --------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Sign and send our consent or refusal; of a fault in our data others are told no more than that.

        Raises  StorageError
        """
        house, proposal = self._house, self.proposal
        decision = judge(proposal, house.config, house.catalogue)
        why = "" if decision.kind == "accept" else decision.reason
        if decision.kind == "ask":
            why = f"{decision.reason}; approval by hand is not offered yet"
        consent = None
        try:
            if not why:
                consent = await asyncio.to_thread(consent_to, proposal, self.name, self._datasets({}))
        except DataError as error:
            await self._refuse(KNOWN_REASON, str(error))
            return
        if consent is None:
            await self._refuse(why, why)
            return
        await self._send(consent)

    async def _send(self, consent: Consent) -> None:
        envelope = consent.envelope(self._house.tools.identity)
        await self._house.tools.store.consents.add(self.job, {self.name: envelope.to_bytes()})
        self._house.say(self.job, envelope)

    async def _refuse(self, told: str, kept: str) -> None:
        await self._send(refusal_of(self.proposal, self.name, told))
        await self._move(Event.REFUSAL, f"{self.name}: {kept}"[:400])

    def _datasets(self, consented: Mapping[str, bytes]) -> Datasets:
        house = self._house
        return Datasets(house.config.data, house.dataset_key, self.job, self.proposal.checked, consented)

    # -- what others say ---------------------------------------------------------------------------------

    async def refusal(self, envelope: Envelope) -> None:
        """Another party's signed refusal.

        Raises  RefusedError if it is none
        """
        party = next(iter(envelope.signers), "")
        specification, roster = self.proposal.specification, self._house.tools.roster
        consent = read_consent(envelope, party, specification, self.job, roster)
        if consent.accept or party not in specification.parties:
            raise RefusedError("a refusal that is none was passed on")
        if self._state is State.PROPOSED:
            await self._move(Event.REFUSAL, f"{party}: {consent.reason}"[:400])

    async def consent_set(self, envelopes: list[Envelope]) -> None:
        """All consents, from whoever shows them; the first complete set counts.

        Raises  RefusedError if anything about the set is wrong
        """
        found = self._verified(envelopes)
        # One at a time: a second set that came while the first is written would replace it in memory, and we
        # would show the others a set that is not the one by which our job is made.
        async with self._taking:
            if self._consents or self._state is not State.PROPOSED:
                return
            rows = {name: envelope.to_bytes() for name, envelope in found.items()}
            await self._house.tools.store.consents.add(self.job, rows)
            self._consents = found
        self._news.set()

    async def note(self, sender: str, envelopes: list[Envelope]) -> None:
        """The set that another party was shown.

        Raises  RefusedError if the set is wrong
        """
        self._confirming.note(sender, self._verified(envelopes))
        await self.consent_set(envelopes)
        self._news.set()

    def _verified(self, envelopes: list[Envelope]) -> dict[str, Envelope]:
        by_name = {next(iter(envelope.signers), ""): envelope for envelope in envelopes}
        if len(by_name) != len(envelopes):
            raise RefusedError("a set of consents has one of each party")
        self._contents(by_name)
        return by_name

    def _contents(self, envelopes: dict[str, Envelope]) -> dict[str, Consent]:
        """What a set says, verified; the set that was verified last, byte for byte, is not verified again.

        Raises  RefusedError if anything about it is wrong
        """
        if self._read is None or envelopes != self._read[0]:
            specification, roster = self.proposal.specification, self._house.tools.roster
            self._read = envelopes, verify_consents(envelopes, specification, self.job, roster)
        return self._read[1]

    async def cancel(self, reason: str) -> bool:
        """The submitter's cancellation; whether it came in time."""
        if self.life is not None:
            return await self.life.cancel(reason)
        if self._state is not State.PROPOSED:
            return False
        await self._move(Event.CANCEL, reason[:400])
        return True

    async def give_up(self) -> None:
        """A bug of ours has ended the work on this job.

        Raises  StorageError
        """
        if self.life is not None:
            await self.life.give_up()
        else:
            await self._move(Event.FAILURE, GAVE_UP)

    # -- the way to the beginning --------------------------------------------------------------------------

    async def run(self) -> None:
        """Wait for the consents, compare notes, live.

        Raises  StorageError: the daemon must stop
        """
        clock = self._house.tools.clock
        until = min(self.deadline, clock.monotonic() + self._house.config.timing.consent)
        if not await self._wait(lambda: bool(self._consents) or self.ended, until):
            await self._move(Event.DEADLINE, "not all parties answered in time")
        if self.ended:
            return
        life = self._make_life()
        await self._move(Event.ALL_CONSENTED, "")
        if self.ended:
            return
        self.life = life
        life.breathe()
        try:
            await self._begin(life)
        finally:
            life.hush()

    async def _begin(self, life: Life) -> None:
        different, silent = await self._compare(life)
        if life.state is State.CONSENTED and different:
            who = ", ".join(sorted(different))
            await life.move(Event.FAULT, f"{who} was shown other consents than {self.name}")
        elif life.state is State.CONSENTED and len(silent) > self._dispensable:
            event = Event.DEADLINE if self._house.tools.clock.monotonic() >= self.deadline else Event.FAULT
            await life.move(event, f"{', '.join(sorted(silent))} did not confirm the consents in time")
        elif life.state not in TERMINAL:
            await life.run()

    @property
    def _dispensable(self) -> int:
        """How many computing parties may be silent when the job begins.

        Whoever does not compute need not hear of all: it shares its data only under a session that t + 1 of
        them have signed.
        """
        specification = self.proposal.specification
        computes = self.name in specification.computing
        return 0 if computes and specification.profile != "guaranteed" else CORRUPTED

    def _make_life(self) -> Life:
        house, specification = self._house, self.proposal.specification
        read = self._contents(self._consents)
        brought = {(name, d.argument): d for name, consent in read.items() for d in consent.datasets}
        own = {
            argument: bytes.fromhex(d.digest) for (name, argument), d in brought.items() if name == self.name
        }
        # In the order of the specification, which is that of the rows.
        keys = [(entry.party, entry.argument) for entry in specification.inputs]
        rows = {key: brought[key].rows for key in keys}
        terms = Terms(
            job=self.job,
            specification=specification,
            rows=rows,
            columns={a: len(program_inputs(self.proposal.checked, a)) for _, a in keys},
            outputs=longest_outputs(self.proposal, rows),
            deadline=self.deadline,
            rounds=self.proposal.all_rounds,
        )
        tools = replace(house.tools, reader=self._datasets(own))
        return Life(terms, tools, on_change=self._changed)

    def _changed(self, state: State, detail: str) -> None:
        self._house.changed(self.job, state, detail)
        self._news.set()

    async def _compare(self, life: Life) -> tuple[set[str], set[str]]:
        """Who has other consents than we, and who does not confirm ours."""
        pace, house = self._house.tools.pace, self._house
        return await self._confirming.compare(
            self._consents,
            Patience(
                until=min(self.deadline, house.tools.clock.monotonic() + pace.stage_s),
                delta_s=pace.delta_s,
                dispensable=self._dispensable,
                silent_from=life.silent_from,
            ),
            lambda: self.ended,
            self._wait,
        )

    async def _wait(self, ready: Callable[[], bool], until: float) -> bool:
        while not ready():
            delay = until - self._house.tools.clock.monotonic()
            if delay <= 0:
                return False
            self._news.clear()
            try:
                async with asyncio.timeout(delay):
                    await self._news.wait()
            except TimeoutError:
                return ready()
        return True

    async def _move(self, event: Event, detail: str) -> None:
        """A transition of the time before the life begins; one that comes too late does nothing."""
        async with self._moving:
            if self._state is not State.PROPOSED:
                return
            after = advance(self._state, event)
            tools = self._house.tools
            at_ms = int(tools.clock.now().timestamp() * 1000)
            step = Transition(event.value, self._state.value, after.value, detail, at_ms)
            await tools.store.jobs.advance(self.job, step)
            self._state = after
        self._news.set()
        self._house.changed(self.job, after, detail)
