"""What a job process says when it cannot go on, and what it hands over for a dispute.

A report accuses nobody: it lists whose frames are missing, or one tag or check that failed. Only what the
daemons of all parties say together shows with whom the fault is (`mpcd.protocols.agreement.findings`).

Source  Spec agreement 9
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import ChannelError, MpcdError, PeerError
from mpcd.protocols.rep3.batch import BatchFault, describe
from mpcd.protocols.rep3.batch import Record as BatchRecord
from mpcd.runtime.faults import TagFault
from mpcd.runtime.kept import Record


def report_of(error: MpcdError, record: Record) -> pb.Report | None:
    """What a party says of an error that lies with another one or with a link; None if it lies with us.

    The first round that could not be finished is the one that was begun last, as no other is begun before.
    """
    report = pb.Report(round=record.begun)
    if isinstance(error, TagFault):
        report.complaint.CopyFrom(
            pb.Backed(
                round=record.begun,
                sender=error.sender,
                backup=error.backup,
                receiver=error.receiver,
                digest=record.received(error),
            )
        )
    elif isinstance(error, BatchFault):
        report.batch = error.record.number
    elif isinstance(error, PeerError) and error.blamed:
        report.missing.extend(sorted(error.blamed))
    elif isinstance(error, ChannelError) and error.unreachable:
        report.missing.extend(sorted(error.unreachable))
    else:
        return None
    return report


def kept_of(record: Record, batches: Iterable[BatchRecord] = ()) -> pb.Kept:
    """What this party can say in a dispute.

    batches  those that are not settled
    """
    return pb.Kept(
        digests=[
            pb.Backed(round=number, sender=sender, backup=backup, receiver=receiver, digest=digest)
            for (number, sender, backup, receiver), digest in record.digests().items()
        ],
        accepted=record.accepted,
        batches=[_batch(batch) for batch in batches],
        late=[pb.Late(round=number, peer=peer, eighths=eighths) for number, peer, eighths in record.late],
    )


def _batch(batch: BatchRecord) -> pb.Batch:
    return pb.Batch(
        number=batch.number,
        what=describe(batch.path, batch.recipe),
        keys=batch.keys,
        sent=batch.sent,
        received=batch.received,
        shown=batch.shown,
        heard=batch.heard,
    )


def by_name(text: str, names: Sequence[str]) -> str:
    """The text with names in the place of party numbers: people outside know parties by name."""

    def replaced(match: re.Match[str]) -> str:
        numbers = [int(n) for n in re.findall(r"\d+", match[0])]
        known = [names[n] if n < len(names) else f"party {n}" for n in numbers]
        return ", ".join(known)

    return re.sub(r"\bpart(?:y \d+|ies \[\d+(?:, \d+)*\])", replaced, text)
