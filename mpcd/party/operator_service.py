"""What the local operator may ask of the daemon, over its Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from mpcd import __version__
from mpcd._pb.v1 import party_pb2 as pb
from mpcd._pb.v1.common_pb2 import Ack
from mpcd._pb.v1.common_pb2 import Envelope as WireEnvelope
from mpcd._pb.v1.party_pb2_grpc import OperatorServicer
from mpcd.errors import ConfigError, DeadlineError, NotFoundError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Role
from mpcd.jobs.notices import Cancellation
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import TERMINAL, State
from mpcd.party.attach import CoordinatorLink
from mpcd.party.late_receipts import complete
from mpcd.party.office import Office
from mpcd.party.plans import plan
from mpcd.party.results import chunks
from mpcd.party.submissions import specify
from mpcd.program.text import parse
from mpcd.storage.jobs import JobRow
from mpcd.transport.grpc_guard import MESSAGE_BYTES, Rule
from mpcd.transport.leaves import Leaves
from mpcd.transport.wire import to_wire

MAX_LISTED = 1000
_ANY: frozenset[Role] = frozenset()
_METHODS = ("Status", "Submit", "Plan", "Get", "List", "Watch", "Cancel", "Result", "Receipt", "Evidence")
RULES = {f"/mpcd.v1.Operator/{method}": Rule(_ANY, MESSAGE_BYTES) for method in _METHODS}


class OperatorService(OperatorServicer):
    """The RPCs of the operator's socket. Whoever may open it acts for the organisation."""

    def __init__(self, office: Office, link: CoordinatorLink, leaves: Leaves) -> None:
        self._office = office
        self._link = link
        self._leaves = leaves
        self._house = office.house
        self._store = office.house.tools.store

    async def Status(self, request: pb.StatusRequest, context: Any) -> pb.PartyStatus:  # noqa: N802
        """How the daemon is."""
        config, roster = self._house.config, self._house.tools.roster
        peers = [
            pb.PeerStatus(
                name=member.name, role=member.role, connected=self._house.peers.is_connected(member.name)
            )
            for member in roster.parties
            if member.name != config.name
        ]
        return pb.PartyStatus(
            name=config.name,
            version=__version__,
            roster_hash=roster.hash,
            control=config.listen.control,
            links=config.listen.links,
            coordinator_attached=self._link.attached,
            peers=peers,
            jobs_running=self._office.running(),
            leaf_expires_at_ms=int(self._leaves.expires.timestamp() * 1000),
        )

    async def Plan(self, request: pb.OperatorPlanRequest, context: Any) -> pb.PlanReply:  # noqa: N802
        """What a job would cost, who would learn what, what forbids it."""
        specification = specify(self._house, request.job_file, request.source, request.program, "")
        return plan(self._house, specification)

    async def Submit(  # noqa: N802
        self, request: pb.OperatorSubmitRequest, context: Any
    ) -> pb.OperatorSubmitReply:
        """Sign a job and hand it to the coordinator."""
        specification = specify(
            self._house, request.job_file, request.source, request.program, request.idempotency_key
        )
        envelope = specification.envelope(self._house.tools.identity)
        try:
            self._office.check(envelope)
        except UsageError as error:
            raise ConfigError(error.what, where=error.where or request.source, fix=error.fix) from None
        job, existed = await self._link.submit(envelope)
        if not existed:
            await self._office.proposal(envelope)
        return pb.OperatorSubmitReply(job=job, existed=existed)

    async def Get(self, request: pb.OperatorJobRequest, context: Any) -> pb.OperatorJob:  # noqa: N802
        """One job."""
        return await self._view(await self._store.jobs.get(request.job))

    async def List(self, request: pb.OperatorListRequest, context: Any) -> pb.OperatorJobs:  # noqa: N802
        """The newest jobs first."""
        rows = await self._store.jobs.recent(min(request.limit or MAX_LISTED, MAX_LISTED))
        return pb.OperatorJobs(jobs=[await self._view(row) for row in rows])

    async def Watch(  # noqa: N802
        self, request: pb.OperatorJobRequest, context: Any
    ) -> AsyncIterator[pb.OperatorJob]:
        """A job, again after every change, until it has ended."""
        with self._office.watching(request.job) as event:
            while True:
                event.clear()
                view = await self._view(await self._store.jobs.get(request.job))
                yield view
                if view.ended:
                    return
                await event.wait()

    async def Cancel(self, request: pb.OperatorCancelRequest, context: Any) -> Ack:  # noqa: N802
        """Sign a cancellation and let the coordinator pass it on."""
        row = await self._store.jobs.get(request.job)
        name = self._house.config.name
        if row.submitter != name:
            raise RefusedError(f"only the submitter, {row.submitter}, can cancel this job")
        if State(row.state) in TERMINAL:
            raise UsageError(f"the job has ended already: it {row.state}")
        statement = Cancellation(job=request.job.hex(), submitter=name, reason=request.reason[:500])
        envelope = statement.envelope(self._house.tools.identity)
        await self._link.cancel(envelope)
        await self._office.cancellation(envelope)
        return Ack()

    async def Result(  # noqa: N802
        self, request: pb.OperatorResultRequest, context: Any
    ) -> AsyncIterator[pb.ResultChunk]:
        """The outputs that this party was to learn."""
        row = await self._ended(request.job, request.wait_ms / 1000)
        specification = _specification(row)
        if self._house.config.name not in specification.result_parties:
            raise RefusedError("this party is not among those who learn an output of this job")
        values = await self._store.results.of(request.job)
        if not values:
            raise UsageError(f"the job has no results: it ended {row.state}", where=row.detail)
        receipt = await self._store.receipts.get(request.job)
        for chunk in chunks(parse(specification.program.encode()), values, receipt):
            yield chunk

    async def Receipt(  # noqa: N802
        self, request: pb.OperatorReceiptRequest, context: Any
    ) -> WireEnvelope:
        """The receipt, with the signatures that have come in."""
        row = await self._ended(request.job, request.wait_ms / 1000)
        tools = self._house.tools
        receipt = await complete(request.job, self._house.config.name, self._store, tools.peers, tools.roster)
        if receipt is None:
            raise NotFoundError(f"there is no receipt: the job ended {row.state}")
        return to_wire(receipt)

    async def Evidence(  # noqa: N802
        self, request: pb.OperatorJobRequest, context: Any
    ) -> pb.OperatorEvidence:
        """What this party has recorded about faults, with what is needed to check it elsewhere."""
        row = await self._store.jobs.get(request.job)
        records = [Envelope.from_bytes(body) for _, body in await self._store.evidence.of(row.job)]
        entries = [] if row.session is None else await self._store.inputs.entries(row.session)
        return pb.OperatorEvidence(
            job=to_wire(Envelope.from_bytes(row.envelope)),
            records=map(to_wire, records),
            entries=[to_wire(Envelope.from_bytes(entry)) for entry in entries],
        )

    async def _ended(self, job: bytes, wait_s: float) -> JobRow:
        """The job once it has ended.

        Raises  NotFoundError; DeadlineError if it has not ended by then
        """
        try:
            async with asyncio.timeout(wait_s or 0.001):
                with self._office.watching(job) as event:
                    while State((row := await self._store.jobs.get(job)).state) not in TERMINAL:
                        event.clear()
                        await event.wait()
                    return row
        except TimeoutError:
            row = await self._store.jobs.get(job)
            if State(row.state) in TERMINAL:
                return row
            raise DeadlineError(f"the job has not ended: it is {row.state}", fix="wait longer") from None

    async def _view(self, row: JobRow) -> pb.OperatorJob:
        specification = _specification(row)
        progress = self._office.progress.get(row.job)
        view = pb.OperatorJob(
            job=row.job,
            name=specification.name,
            submitter=row.submitter,
            state=row.state,
            ended=State(row.state) in TERMINAL,
            detail=row.detail,
            parties=specification.parties,
            deadline_ms=row.deadline_ms,
            attempt=row.attempt,
            session=row.session or b"",
        )
        for step in await self._store.jobs.history(row.job):
            view.history.add(state=step.after, at_ms=step.at_ms, detail=step.detail)
        if progress is not None:
            counters = progress.counters
            view.progress.rounds_done = counters.rounds
            view.progress.rounds_total = self._office.planned.get(row.job, 0)
            view.progress.bytes_sent = counters.link_sent_bytes
            view.progress.bytes_received = counters.link_received_bytes
        return view


def _specification(row: JobRow) -> Specification:
    return Specification.from_bytes(Envelope.from_bytes(row.envelope).payload)
