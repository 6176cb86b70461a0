"""The client of a party's daemon on this machine: what commands and scripts use.

A call goes over the daemon's Unix socket; whoever may open the socket acts for the organisation. Every
call has a deadline. Errors of the daemon come back as the errors of `mpcd.errors`, with their fix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mpcd.transport import grpc_environment

grpc_environment.prepare()

import grpc  # noqa: E402  (only after its environment)
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from mpcd._pb.v1 import party_pb2 as pb  # noqa: E402
from mpcd._pb.v1.party_pb2_grpc import OperatorStub  # noqa: E402
from mpcd.client.evidence import EvidenceFile  # noqa: E402
from mpcd.errors import ChannelError, InternalError  # noqa: E402
from mpcd.identity.envelope import Envelope  # noqa: E402
from mpcd.transport.grpc_errors import from_status  # noqa: E402
from mpcd.transport.wire import from_wire  # noqa: E402

CALL_S = 30.0
"""Deadline of a call that does not wait for a job."""

Results = dict[str, npt.NDArray[np.int64]]


class Operator:
    """A connection to the daemon that listens on `socket`; use it as a context manager."""

    def __init__(self, socket: Path) -> None:
        if not socket.exists():
            raise ChannelError(
                f"there is no daemon at {socket}", fix="start it: mpcd party serve --config party.yaml"
            )
        self._channel = grpc.insecure_channel(f"unix:{socket.absolute()}")
        self._stub: Any = OperatorStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def status(self, timeout_s: float = CALL_S) -> pb.PartyStatus:
        """How the daemon is: its name, its peers, whether the coordinator is there."""
        reply: pb.PartyStatus = self._call(self._stub.Status, pb.StatusRequest(), timeout_s)
        return reply

    def plan(self, job_file: bytes, source: str, program: bytes) -> pb.PlanReply:
        """What a job would cost, who would learn what, and what forbids it, if anything does.

        `job_file` as written, `source` what messages call it, `program` its canonical bytes.
        """
        request = pb.OperatorPlanRequest(job_file=job_file, source=source, program=program)
        reply: pb.PlanReply = self._call(self._stub.Plan, request, CALL_S)
        return reply

    def submit(
        self, job_file: bytes, source: str, program: bytes, idempotency_key: str = ""
    ) -> tuple[bytes, bool]:
        """Sign and submit; return the job's hash, and whether it was there already. Arguments as `plan`.

        Raises  ConfigError (file:line:column), UsageError, RefusedError, ChannelError (no coordinator)
        """
        request = pb.OperatorSubmitRequest(
            job_file=job_file, source=source, program=program, idempotency_key=idempotency_key
        )
        reply = self._call(self._stub.Submit, request, CALL_S)
        return reply.job, reply.existed

    def get(self, job: bytes) -> pb.OperatorJob:
        """A job as this party sees it.

        Raises  NotFoundError
        """
        reply: pb.OperatorJob = self._call(self._stub.Get, pb.OperatorJobRequest(job=job), CALL_S)
        return reply

    def jobs(self, limit: int = 100) -> list[pb.OperatorJob]:
        """The latest jobs, the newest first."""
        return list(self._call(self._stub.List, pb.OperatorListRequest(limit=limit), CALL_S).jobs)

    def watch(self, job: bytes, timeout_s: float) -> Iterator[pb.OperatorJob]:
        """The job now and after every change, until it has ended.

        Raises  NotFoundError; DeadlineError if it has not ended in time
        """
        with _errors():
            yield from self._stub.Watch(pb.OperatorJobRequest(job=job), timeout=timeout_s)

    def cancel(self, job: bytes, reason: str) -> None:
        """Cancel a job that this party submitted and that has not begun to open its outputs."""
        self._call(self._stub.Cancel, pb.OperatorCancelRequest(job=job, reason=reason), CALL_S)

    def result(self, job: bytes, wait_s: float = 0.0) -> Results:
        """The outputs that this party is entitled to; waits for them up to `wait_s` seconds.

        Raises  NotFoundError, RefusedError (not a recipient), DeadlineError, or what ended the job
        """
        return self.result_with_rows(job, wait_s)[0]

    def result_with_rows(self, job: bytes, wait_s: float = 0.0) -> tuple[Results, dict[str, pb.RowOrigin]]:
        """The same, and for the outputs that are numbers of rows, as far as it is known, whose rows.

        Raises  as `result`
        """
        request = pb.OperatorResultRequest(job=job, wait_ms=int(wait_s * 1000))
        origins: dict[str, pb.RowOrigin] = {}
        parts: dict[str, list[bytes]] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        with _errors():
            for chunk in self._stub.Result(request, timeout=CALL_S + wait_s):
                parts.setdefault(chunk.output, []).append(chunk.values)
                shapes[chunk.output] = tuple(chunk.shape)
                if chunk.HasField("origin"):
                    origins[chunk.output] = chunk.origin
        return {name: _array(b"".join(raw), shapes[name]) for name, raw in parts.items()}, origins

    def receipt(self, job: bytes, wait_s: float = 0.0) -> Envelope:
        """The receipt with all signatures that have come in."""
        request = pb.OperatorReceiptRequest(job=job, wait_ms=int(wait_s * 1000))
        return from_wire(self._call(self._stub.Receipt, request, CALL_S + wait_s))

    def evidence(self, job: bytes) -> EvidenceFile:
        """What this party has recorded about faults in a job, as a file that others can check.

        Raises  NotFoundError
        """
        reply = self._call(self._stub.Evidence, pb.OperatorJobRequest(job=job), CALL_S)
        records, entries = ([from_wire(one) for one in some] for some in (reply.records, reply.entries))
        return EvidenceFile(from_wire(reply.job), tuple(records), tuple(entries))

    def _call(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        with _errors():
            return method(request, timeout=timeout_s)


def _array(raw: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    values = np.frombuffer(raw, dtype="<i8")
    if values.size != int(np.prod(shape, dtype=np.int64)):
        raise InternalError("the daemon sent a result of another size than it announced")
    return values.reshape(shape)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise from_status(error, "the daemon") from None
