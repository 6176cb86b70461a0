"""Job processes as a job's life sees them: reserved, ordered, listened to, their links passed on.

The identity key stays here. A job process gets a TLS leaf that is good for links only, and pairwise secrets
that are derived for its session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from nacl.bindings import crypto_scalarmult

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.clock import Clock
from mpcd.errors import (
    ChannelError,
    DataError,
    DeadlineError,
    InternalError,
    MpcdError,
    PeerError,
    RefusedError,
    UsageError,
)
from mpcd.identity.certificates import issue_leaf
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Roster
from mpcd.party.datasets import program_inputs
from mpcd.party.link_port import LinkPort, Run
from mpcd.party.ports import AgreedInput, BadTag, Delivery, Kept, Order, Product, Reveal, SharedOutput
from mpcd.program.text import parse
from mpcd.ring.streams import derive
from mpcd.runtime.workers import Job, Lease, WorkerPool
from mpcd.transport.preface import JOB_BYTES

EPOCH = 0
LINKS_S = 10.0
LEAF_SPARE_S = 60.0

Told = Callable[[bytes, pb.Progress], None]
"""(job, progress): a job process reports how far it is."""


@dataclass(frozen=True, slots=True)
class Processes:
    """`mpcd.party.ports.Workers` over the pool of the fork server."""

    pool: WorkerPool
    port: LinkPort
    identity: Identity
    roster: Roster
    clock: Clock
    round_s: float
    memory_bytes: int
    told: Told

    async def reserve(self, job: bytes, wait_s: float) -> JobProcess | None:
        """Reserve a process; None if there is none within that time."""
        try:
            return JobProcess(self, await self.pool.reserve(wait_s))
        except DeadlineError:
            return None


class JobProcess:
    """One reserved job process."""

    def __init__(self, processes: Processes, lease: Lease) -> None:
        self._processes = processes
        self._lease = lease
        self._job: Job | None = None

    async def run(self, order: Order, reveal: Reveal) -> Product:
        """Run the program. Cancelling the call kills the process.

        Raises  PeerError, ChannelError, DeadlineError, RefusedError or DataError as the process reports;
                InternalError if it dies
        """
        processes = self._processes
        job = self._job = await self._lease.start()
        run: Run = (order.session[:JOB_BYTES], EPOCH, order.attempt)
        try:
            await job.send(pb.ToWorker(order=self._wire(order)))
            await processes.port.expect(run, job.pass_socket)
            return await self._listen(job, order, reveal)
        finally:
            processes.port.forget(run)
            job.close()
            self._lease.release()

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
                go = await reveal(message.reveal.name, message.reveal.digest, Kept())
                await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=go)))
            elif kind == "failure":
                raise _error(message.failure)
            elif kind == "result":
                progress = pb.Progress(stage="done", counters=message.result.counters)
                self._processes.told(order.job, progress)
                return _product(message.result)
        raise InternalError(f"the job process ended without a result ({await _exit(job)})")

    def _wire(self, order: Order) -> pb.Order:
        processes, specification = self._processes, order.specification
        members = [processes.roster.member(name) for name in specification.computing]
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
            epoch=EPOCH,
            attempt=order.attempt,
            me=order.me,
            members=[_member(member) for member in members],
            program=specification.program.encode(),
            order=specification.order or (),
            missing=specification.missing,
            keys=order.keys,
            leaf_pem=leaf.certificate_pem,
            leaf_key_pem=leaf.key_pem,
            outputs=[pb.Output(name=e.output, recipients=sorted(e.to)) for e in specification.results],
            links_s=min(LINKS_S, order.deadline_s),
            round_s=processes.round_s,
            deadline_s=order.deadline_s,
            memory_bytes=min(processes.memory_bytes, specification.limits.memory),
        )
        for index, member in enumerate(members):
            if index != order.me:
                shared = crypto_scalarmult(secret, member.sealing_key)
                message.tag_secrets[index] = derive(shared, b"mpcd tag secret", order.session, length=32)
        for name, value in specification.parameters.items():
            message.parameters.append(_parameter(name, value))
        checked = parse(specification.program.encode())
        for given in order.inputs:
            message.inputs.append(_input(given, list(program_inputs(checked, given.argument))))
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


def _input(given: AgreedInput, columns: list[str]) -> pb.Input:
    return pb.Input(
        owner=given.owner,
        owner_key=given.owner_key,
        table=given.argument,
        name=given.argument,
        rows=given.rows,
        columns=columns,
        payloads=given.payloads,
    )


def _product(result: pb.Result) -> Product:
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
    outvoted = tuple((notice.path, frozenset(notice.parties)) for notice in result.notices)
    return Product(outputs, result.reveals, excluded, outvoted)


def _error(failure: pb.Failure) -> MpcdError:
    """What a job process reports, as an error; texts of job processes carry no values."""
    text, step = failure.text, failure.step
    blamed = frozenset(failure.blamed)
    match failure.kind:
        case "peer":
            error = BadTag if failure.suspects else PeerError
            return error(text, step=step, blamed=blamed)
        case "channel":
            return ChannelError(text, unreachable=frozenset(failure.unreachable), where=step)
        case "deadline":
            return DeadlineError(text, unreachable=frozenset(failure.unreachable), where=step)
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
