"""All jobs of a party daemon: what the coordinator proposes, what peers send, and where each job stands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

import structlog

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd._pb.v1 import worker_pb2
from mpcd.errors import MpcdError, NotFoundError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.notices import Cancellation, StatusReport
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party.greeting import Greeting
from mpcd.party.life import RUNNING, Life
from mpcd.party.matter import House, Matter
from mpcd.party.notes import SessionNotice
from mpcd.party.past import KEPT, Past, revive, sweep
from mpcd.party.proposals import Proposal, read_proposal, too_short
from mpcd.party.supervising import Supervisor
from mpcd.storage.database import StorageError
from mpcd.storage.jobs import JobRow
from mpcd.transport.wire import from_wire

AHEAD_S = 300.0
"""How far another organisation's clock may be ahead of ours."""
REPORTED = 200
_log = structlog.get_logger("mpcd.party")


class Office:
    """`Listener` of the coordinator's stream and `Mail` of the peer service."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._matters: dict[bytes, Matter] = {}
        self._past = Past(house)
        self._supervisor = Supervisor(self._ended)
        self._admitting = asyncio.Lock()
        self._reported = 0
        self._watchers: dict[bytes, set[asyncio.Event]] = {}
        self._greeting = Greeting(house.tools.store, house.tools.roster)
        self.progress: dict[bytes, worker_pb2.Progress] = {}
        self.planned: dict[bytes, int] = {}

    # -- the daemon's life ---------------------------------------------------------------------------------

    async def recover(self) -> None:
        """At the start: end what was running, take up what was being opened, report how recent jobs ended."""
        tools = self.house.tools
        ran = await tools.store.jobs.in_states(frozenset(state.value for state in RUNNING))
        resumed = await sweep(tools.store, tools.clock)
        for row in resumed:
            life = await self._revived(row)
            if life is not None:
                self._past.put(row.job, life)
                self._supervisor.start(row.job, partial(_resume, life), life.give_up)
        for row in ran:
            if row.job not in {other.job for other in resumed} and row.session is not None:
                life = await self._revived(row)
                if life is not None:
                    self._supervisor.start(row.job, life.farewell, life.give_up)
        for row in reversed(await tools.store.jobs.recent(REPORTED)):
            self.report(row.job, State(row.state), row.detail)

    async def _revived(self, row: JobRow) -> Life | None:
        try:
            return await revive(self.house, row)
        except MpcdError as error:
            _log.error("job cannot be resumed", job=row.job.hex(), error=error.what)
            return None

    async def close(self) -> None:
        """Stop everything; what ran is ended by the next start."""
        await self._supervisor.close()

    def running(self) -> int:
        """Jobs that have not ended."""
        return sum(not matter.ended for matter in self._matters.values())

    def fail(self, error: StorageError) -> None:
        """The disk has failed: the daemon must stop."""
        self._supervisor.fail(error)

    @property
    def failed(self) -> asyncio.Future[StorageError]:
        """Done when the disk has failed."""
        return self._supervisor.failed

    def _ended(self, job: bytes) -> None:
        self.touch(job)
        self._archive(job)

    def _archive(self, job: bytes) -> None:
        matter = self._matters.get(job)
        if matter is None or not matter.ended:
            return
        del self._matters[job]
        if matter.life is not None:
            self._past.put(job, matter.life)

    def check(self, envelope: Envelope) -> None:
        """Look at a job of our own before it is sent anywhere.

        Raises  RefusedError, UsageError if it is not in order
        """
        specification = read_proposal(envelope, self.house.tools.roster).specification
        self._remaining(specification)
        short = too_short(specification, self.house.config.timing.delta)
        if short:
            raise UsageError(short, fix="give the job a longer deadline")

    # -- what the coordinator passes on ----------------------------------------------------------------------

    async def proposal(self, envelope: Envelope) -> None:
        """A job; one that is known is ignored.

        Raises  RefusedError, UsageError if it is not in order
        """
        async with self._admitting:
            known = await self._known(envelope.digest)
            if known is not None:
                return
            if await self.house.tools.store.jobs.was_forgotten(envelope.digest):
                text = "the job ran before and was forgotten"
                raise RefusedError(text, fix="submit it as a new job; compare the clocks of the machines")
            proposal = read_proposal(envelope, self.house.tools.roster)
            if self.house.config.name not in proposal.specification.parties:
                raise RefusedError("the job does not concern this party")
            matter = await self._admit(proposal)
        if matter is not None:
            self._supervisor.start(matter.job, partial(_live, matter), matter.give_up)

    async def _known(self, job: bytes) -> JobRow | None:
        with contextlib.suppress(NotFoundError):
            return await self.house.tools.store.jobs.get(job)
        return None

    async def _admit(self, proposal: Proposal) -> Matter | None:
        """Persist the job; None if its idempotency key belongs to another one that is known."""
        house, specification = self.house, proposal.specification
        remaining_s = self._remaining(specification)
        if self.running() >= house.config.limits.jobs:
            raise RefusedError("this party has too many unfinished jobs")
        row = JobRow(
            job=proposal.job,
            envelope=proposal.envelope.to_bytes(),
            submitter=specification.submitter,
            idempotency_key=specification.idempotency_key or proposal.job.hex(),
            state=State.PROPOSED,
            detail="",
            attempt=0,
            session=None,
            created_ms=specification.created,
            deadline_ms=specification.created + int(specification.deadline * 1000),
        )
        if (await house.tools.store.jobs.add(row)).job != proposal.job:
            raise RefusedError("the idempotency key of the job belongs to another job")
        matter = Matter(proposal, house, house.tools.clock.monotonic() + remaining_s)
        self._matters[proposal.job] = matter
        self.changed(proposal.job, State.PROPOSED, "")
        return matter

    def _remaining(self, specification: Specification) -> float:
        """Seconds until the deadline."""
        age_s = self.house.tools.clock.now().timestamp() - specification.created / 1000
        if age_s < -AHEAD_S:
            raise RefusedError(
                f"the job was made {-age_s:.0f} s in the future", fix="compare the clocks of the machines"
            )
        if age_s >= specification.deadline:
            raise RefusedError("the deadline of the job has passed", fix="compare the clocks of the machines")
        return specification.deadline - age_s

    async def consent_set(self, job: bytes, consents: list[Envelope]) -> None:
        """Raises  RefusedError if the set is wrong"""
        matter = self._matters.get(job)
        if matter is not None:
            await matter.consent_set(consents)

    async def refusal(self, envelope: Envelope) -> None:
        """Raises  RefusedError if it is none"""
        for matter in [*self._matters.values()]:
            if matter.job.hex().encode() in envelope.payload:
                await matter.refusal(envelope)

    async def cancellation(self, envelope: Envelope) -> None:
        """Raises  RefusedError if the submitter did not sign it"""
        said = Cancellation.from_bytes(envelope.payload)
        matter = self._matters.get(bytes.fromhex(said.job))
        if matter is not None:
            submitter = matter.proposal.specification.submitter
            Cancellation.read(envelope, submitter, self.house.tools.roster)
            await matter.cancel(f"cancelled by {submitter}: {said.reason}")

    # -- what peers send -------------------------------------------------------------------------------------

    def slot(self, sender: str, message: pb.SlotMessage) -> None:
        """A slot message; for jobs that are not running it is dropped."""
        matter = self._matters.get(message.job)
        if matter is not None and matter.life is not None:
            matter.life.slot(sender, message)

    async def hello(self, sender: str, message: pb.Start) -> None:
        """Which start of a peer's daemon a stream comes from.

        Raises  RefusedError if its store is not the one that we have met; UsageError
        """
        await self._greeting.meet(sender, message)
        self.house.peers.is_back(sender)

    async def consents(self, sender: str, note: pb.ConsentNote) -> None:
        """Raises  NotFoundError, RefusedError"""
        matter = self._matters.get(note.job)
        if matter is None:
            raise NotFoundError("this party has no such job")
        if sender not in matter.proposal.specification.parties:
            raise RefusedError(f"{sender} takes no part in this job")
        await matter.note(sender, [from_wire(consent) for consent in note.consents])

    async def keys(self, sender: str, message: pb.KeyContributions) -> None:
        """Raises  NotFoundError, RefusedError"""
        await self._running(message.job).keys(sender, message)

    async def session(self, sender: str, notice: Envelope) -> None:
        """Raises  NotFoundError, RefusedError"""
        job = bytes.fromhex(SessionNotice.from_bytes(notice.payload).job)
        await self._running(job).announced(sender, notice)

    async def input(self, sender: str, header: pb.InputHeader, data: bytes) -> None:
        """Raises  NotFoundError, RefusedError"""
        await self._running(header.job).input(sender, header, data)

    async def share(self, sender: str, header: pb.ShareHeader, data: bytes) -> None:
        """Raises  NotFoundError, RefusedError"""
        await self._running(header.job).share(sender, header, data)

    async def output(self, caller: str, request: pb.FetchOutputRequest) -> tuple[pb.OutputHeader, bytes]:
        """Raises  NotFoundError, RefusedError"""
        return await (await self._any(request.job)).output(caller, request)

    async def receipt(self, sender: str, job: bytes, receipt: Envelope) -> None:
        """Raises  NotFoundError, RefusedError"""
        await (await self._any(job)).receipt(sender, receipt)

    async def fetch_receipt(self, caller: str, job: bytes, wait_s: float) -> Envelope | None:
        """Raises  NotFoundError, RefusedError"""
        return await (await self._any(job)).fetch_receipt(caller, wait_s)

    def room_for(self, sender: str, job: bytes) -> int:
        """Raises  NotFoundError"""
        return self._running(job).room_for(sender)

    def _running(self, job: bytes) -> Life:
        matter = self._matters.get(job)
        if matter is None or matter.life is None:
            raise NotFoundError("this party is not running such a job")
        return matter.life

    async def _any(self, job: bytes) -> Life:
        """A job that runs or has ended.

        Raises  NotFoundError
        """
        matter = self._matters.get(job)
        if matter is not None and matter.life is not None:
            return matter.life
        return await self._past.get(job)

    # -- news ------------------------------------------------------------------------------------------------

    def changed(self, job: bytes, state: State, detail: str) -> None:
        """After every transition: the coordinator and all who watch are told."""
        _log.info("job", job=job.hex(), state=state.value)
        self.report(job, state, detail)
        self.touch(job)

    def report(self, job: bytes, state: State, detail: str) -> None:
        """A signed report for the coordinator. Its number grows, over restarts too."""
        now_ms = int(self.house.tools.clock.now().timestamp() * 1000)
        self._reported = max(self._reported + 1, now_ms)
        report = StatusReport(
            job=job.hex(),
            party=self.house.config.name,
            number=self._reported,
            state=state,
            detail=_told(state, detail),
            at=now_ms,
        )
        self.house.say(job, report.envelope(self.house.tools.identity))

    def told(self, job: bytes, progress: worker_pb2.Progress) -> None:
        """How far a job process is, and how many rounds it will take in all."""
        self.progress[job] = progress
        if job in self._matters:
            self.planned[job] = self._matters[job].proposal.cost.rounds
        for kept in (self.progress, self.planned):
            while len(kept) > KEPT:
                kept.pop(next(iter(kept)))
        self.touch(job)

    def touch(self, job: bytes) -> None:
        """Wake all who watch a job."""
        for event in self._watchers.get(job, ()):
            event.set()

    @contextlib.contextmanager
    def watching(self, job: bytes) -> Iterator[asyncio.Event]:
        """An event that is set after every change of a job."""
        event = asyncio.Event()
        self._watchers.setdefault(job, set()).add(event)
        try:
            yield event
        finally:
            self._watchers[job].discard(event)
            if not self._watchers[job]:
                del self._watchers[job]

    def matter(self, job: bytes) -> Matter | None:
        """The job, if it has not ended."""
        return self._matters.get(job)


async def _live(matter: Matter) -> None:
    await matter.answer()
    if not matter.ended:
        await matter.run()


async def _resume(life: Life) -> None:
    await life.resume()


def _told(state: State, detail: str) -> str:
    """What others learn of the reason: our own faults may name files, and refusals were told before."""
    if state is State.FAILED:
        return "a fault of this party's own; its operator sees which"
    return "" if state in (State.REFUSED, State.VERIFYING) else detail[:400]
