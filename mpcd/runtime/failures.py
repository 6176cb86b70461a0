"""The end of a job process that is not a result, as its daemon gets to know it: worded without values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import DeadlineError, MpcdError, RefusedError, UsageError
from mpcd.protocols.rep3.batch import Record as BatchRecord
from mpcd.runtime.arguments import RangeFault
from mpcd.runtime.computation import row
from mpcd.runtime.kept import Record
from mpcd.runtime.reports import by_name, kept_of, report_of


class JobDeadline(DeadlineError):
    """The job's time is up."""


class MemoryFault(UsageError):
    """The job needs more memory than it may have."""


class Halted(MpcdError):
    """The daemon wants this process to end where it is, and what it keeps."""


_KINDS: tuple[tuple[type[MpcdError], str], ...] = (
    (JobDeadline, "deadline"),
    (MemoryFault, "memory"),
    (RangeFault, "input"),
    (RefusedError, "refused"),
    (UsageError, "usage"),
)


def failure_of(
    error: MpcdError,
    names: Sequence[str],
    stage: str,
    record: Record | None,
    batches: Iterable[BatchRecord] = (),
) -> pb.Failure:
    """The message about an error.

    names    of the parties of the epoch, by place; stage: where the process is, in a word
    record   of its last rounds, if it came so far; batches: those that are not settled
    """
    kind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), "internal")
    failure = pb.Failure(kind=kind, text=by_name(error.what, names), step=error.where or stage)
    if isinstance(error, RangeFault):
        failure.rows.extend(row(table, origin) for table, origin in error.rows)
    elif record is not None and kind == "internal":
        report = _report(error, record)
        if report is not None:
            failure.kind = "stopped"
            failure.report.CopyFrom(report)
            failure.kept.CopyFrom(kept_of(record, batches))
    return failure


def _report(error: MpcdError, record: Record) -> pb.Report | None:
    if isinstance(error, Halted):  # who is stopped while it waits says whom it waits for
        return pb.Report(round=record.begun, missing=sorted(record.pending))
    return report_of(error, record)
