"""Job processes as a job's life sees them: reserved, ordered, listened to, their links passed on.

The identity key stays here. A job process gets a TLS leaf that is good for links only, and pairwise secrets
that are derived for its session. It numbers parties by their place in the roster of its epoch; here, as
everywhere in the daemon, they have their index in the job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nacl.bindings import crypto_scalarmult

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.clock import Clock
from mpcd.errors import (
    DataError,
    DeadlineError,
    InternalError,
    MpcdError,
    RefusedError,
    UsageError,
)
from mpcd.identity.certificates import issue_leaf
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Roster
from mpcd.jobs.defaults import row_of
from mpcd.jobs.specification import Specification, program_inputs
from mpcd.party.link_port import LinkPort, Run
from mpcd.party.ports import AgreedInput, Batch, Delivery, Kept, Order, Product, Reveal, SharedOutput, Stop
from mpcd.program.text import parse
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.agreement.words import Complaint, Late, Stopped
from mpcd.ring.streams import derive
from mpcd.runtime.workers import Job, Lease, WorkerPool
from mpcd.transport.preface import JOB_BYTES

LEAF_SPARE_S = 60.0

Told = Callable[[bytes, pb.Progress], None]
"""(job, progress): a job process reports how far it is."""


@dataclass(frozen=True, slots=True)
class Processes:
    """`mpcd.party.ports.Workers` over the pool of the fork server; links_s, first_round_s as `Pace` says."""

    pool: WorkerPool
    port: LinkPort
    identity: Identity
    roster: Roster
    clock: Clock
    links_s: float
    first_round_s: float
    memory_bytes: int
    told: Told

    async def reserve(self, job: bytes, wait_s: float) -> JobProcess | None:
        """Reserve a process; None if there is none within that time."""
        try:
            lease = await self.pool.reserve(wait_s)
        except DeadlineError:
            return None
        lease.keep()  # for all epochs of the job
        return JobProcess(self, lease)


class JobProcess:
    """One reserved job process."""

    def __init__(self, processes: Processes, lease: Lease) -> None:
        self._processes = processes
        self._lease = lease
        self._job: Job | None = None

    async def run(self, order: Order, reveal: Reveal) -> Product:
        """Run the program. Cancelling the call kills the process.

        Raises  Stop if it cannot go on because of another party or a link, or was halted; DeadlineError,
                RefusedError, UsageError or DataError as the process reports; InternalError if it dies
        """
        processes = self._processes
        job = self._job = await self._lease.start()
        run: Run = (order.session[:JOB_BYTES], order.epoch, order.attempt)
        try:
            await job.send(pb.ToWorker(order=self._wire(order)))
            await processes.port.expect(run, job.pass_socket)
            return await self._listen(job, order, reveal)
        finally:
            processes.port.forget(run)
            job.close()

    async def expect(
        self, what: bytes, keys: Mapping[int, bytes], roster: Sequence[int], memory_bytes: int
    ) -> Expected:
        """What honest parties would have said in a batch; see `mpcd.party.ports.Arbiter`."""
        limit = min(self._processes.memory_bytes, memory_bytes)
        question = pb.BatchQuestion(what=what, keys=keys, memory_bytes=limit)
        job = self._job = await self._lease.start()
        try:
            await job.send(pb.ToWorker(batch=question))
            while (message := await job.receive()) is not None:
                if message.WhichOneof("body") == "failure":
                    raise _error(message.failure, roster)
                if message.WhichOneof("body") == "batch":
                    sent = {roster[place]: digest for place, digest in message.batch.sent.items()}
                    return Expected(sent, message.batch.shown)
            raise InternalError(f"the job process ended without an answer ({await _exit(job)})")
        finally:
            job.close()

    async def halt(self) -> None:
        """End the run where it is; `run` then raises Stop with all that is kept."""
        if self._job is not None:
            self._job.halt()

    async def release(self) -> None:
        """Give the process back, or kill it if it runs; may be called twice."""
        if self._job is not None:
            self._job.close()
        self._lease.release()

    async def _listen(self, job: Job, order: Order, reveal: Reveal) -> Product:
        while (message := await job.receive()) is not None:
            kind = message.WhichOneof("body")
            if kind == "progress":
                self._processes.told(order.job, message.progress)
            elif kind == "reveal":
                question = message.reveal
                go = await reveal(question.name, question.digest, _kept(question.kept, order.roster))
                await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=go)))
            elif kind == "failure":
                raise _error(message.failure, order.roster)
            elif kind == "result":
                progress = pb.Progress(stage="done", counters=message.result.counters)
                self._processes.told(order.job, progress)
                return _product(message.result, order.roster)
        raise InternalError(f"the job process ended without a result ({await _exit(job)})")

    def _wire(self, order: Order) -> pb.Order:
        processes, specification = self._processes, order.specification
        members = [processes.roster.member(specification.computing[party]) for party in order.roster]
        me = order.roster.index(order.me)
        secret = processes.identity.sealing_secret
        leaf = issue_leaf(
            processes.identity,
            now=processes.clock.now(),
            valid_s=order.deadline_s + LEAF_SPARE_S,
            purpose="link",
        )
        message = pb.Order(
            session=order.session,
            specification_hash=order.job,
            epoch=order.epoch,
            attempt=order.attempt,
            me=me,
            members=[_member(member) for member in members],
            program=specification.program.encode(),
            order=specification.order or (),
            missing=specification.missing,
            keys=order.keys,
            leaf_pem=leaf.certificate_pem,
            leaf_key_pem=leaf.key_pem,
            outputs=[pb.Output(name=e.output, recipients=sorted(e.to)) for e in specification.results],
            links_s=min(processes.links_s, order.deadline_s),
            first_round_s=processes.first_round_s,
            round_s=order.round_s,
            deadline_s=order.deadline_s,
            memory_bytes=min(processes.memory_bytes, specification.limits.memory),
            scheme=order.scheme,
            unchecked=not order.checked,
            history=order.history,
            roster=order.roster,
            dropped=order.dropped,
        )
        for place, member in enumerate(members):
            if place != me:
                shared = crypto_scalarmult(secret, member.sealing_key)
                message.tag_secrets[place] = derive(shared, b"mpcd tag secret", order.session, length=32)
        for name, value in specification.parameters.items():
            message.parameters.append(_parameter(name, value))
        checked = parse(specification.program.encode())
        for given in order.inputs:
            columns = list(program_inputs(checked, given.argument))
            message.inputs.append(_input(given, columns, _default_row(specification, given, columns)))
        return message


def _member(member: Member) -> pb.Member:
    host, _, port = member.links.rpartition(":")
    return pb.Member(
        name=member.name, identity_pem=member.certificate_pem, host=host.strip("[]"), port=int(port)
    )


def _parameter(name: str, value: int | bool | tuple[int | bool, ...]) -> pb.Parameter:
    values = value if isinstance(value, tuple) else (value,)
    return pb.Parameter(
        name=name,
        values=[int(item) for item in values],
        scalar=not isinstance(value, tuple),
        truth=all(isinstance(item, bool) for item in values),
    )


def _default_row(specification: Specification, given: AgreedInput, columns: list[str]) -> tuple[int, ...]:
    """What stands in for rows of this input, as all parties have consented to; () if nothing does."""
    for entry in specification.inputs_of(given.owner):
        if entry.argument == given.argument and entry.default is not None:
            return row_of(entry.default, columns)
    return ()


def _input(given: AgreedInput, columns: list[str], default_row: tuple[int, ...]) -> pb.Input:
    return pb.Input(
        owner=given.owner,
        owner_key=given.owner_key,
        table=given.argument,
        name=given.argument,
        rows=given.rows,
        columns=columns,
        payloads=given.payloads,
        default_row=default_row,
        left_out=given.left_out,
    )


def _product(result: pb.Result, roster: Sequence[int]) -> Product:
    outputs = tuple(
        SharedOutput(
            name=share.name,
            shape=tuple(share.shape),
            summands=dict(share.summands),
            deliveries=tuple(
                Delivery(recipient.name, dict(recipient.salts), dict(recipient.commitments))
                for recipient in share.recipients
            ),
        )
        for share in result.outputs
    )
    excluded = tuple((row.owner, row.table, row.row) for row in result.excluded)
    outvoted = tuple((n.path, frozenset(roster[place] for place in n.parties)) for n in result.notices)
    return Product(outputs, result.reveals, excluded, outvoted, _kept(result.kept, roster))


def _kept(kept: pb.Kept, roster: Sequence[int]) -> Kept:
    """What a process keeps, with the indices that parties have in the job."""
    return Kept(
        digests={
            (b.round, roster[b.sender], roster[b.backup], roster[b.receiver]): b.digest for b in kept.digests
        },
        accepted={roster[place]: number for place, number in kept.accepted.items()},
        batches={
            batch.number: Batch(
                batch.what,
                dict(batch.keys),
                batch.sent,
                batch.received,
                batch.shown,
                {roster[place]: hash_ for place, hash_ in batch.heard.items()},
            )
            for batch in kept.batches
        },
        late=tuple(Late(late.round, roster[late.peer], late.eighths) for late in kept.late),
    )


def _stop(failure: pb.Failure, roster: Sequence[int]) -> Stop:
    report, kept = failure.report, _kept(failure.kept, roster)
    said = report.complaint
    complaint = (
        Complaint(roster[said.sender], roster[said.backup], said.digest)
        if report.HasField("complaint")
        else None
    )
    stopped = Stopped(
        round=report.round,
        missing=frozenset(roster[place] for place in report.missing),
        complaint=complaint,
        batch=report.batch if report.HasField("batch") else None,
        late=kept.late,
    )
    return Stop(failure.text, report=stopped, kept=kept, where=failure.step)


def _error(failure: pb.Failure, roster: Sequence[int]) -> MpcdError:
    """What a job process reports, as an error; texts of job processes carry no values."""
    text, step = failure.text, failure.step
    match failure.kind:
        case "stopped":
            return _stop(failure, roster)
        case "deadline":
            return DeadlineError(text, where=step)
        case "input":
            rows = ", ".join(
                sorted({f"{row.owner} row {row.row + 1} of {row.table}" for row in failure.rows})
            )
            return DataError(f"{text}: {rows[:300]}", where=step)
        case "refused":
            return RefusedError(text, where=step)
        case "usage" | "memory":
            return UsageError(text, where=step)
    return InternalError(text, where=step)


async def _exit(job: Job) -> str:
    try:
        async with asyncio.timeout(5.0):
            status = await job.wait()
    except TimeoutError:
        return "and does not end"
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"
