"""What a job process of a later epoch says, with the indices that parties have in the job."""

from __future__ import annotations

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import DeadlineError, InternalError, UsageError
from mpcd.party.ports import Batch, Kept, Stop
from mpcd.party.processes import _error, _product
from mpcd.protocols.agreement.words import Complaint, Late, Stopped

ROSTER = (0, 2, 3)
KEPT = pb.Kept(
    digests=[pb.Backed(round=4, sender=1, backup=2, receiver=0, digest=b"d" * 32)],
    accepted={1: 5, 2: 4},
    batches=[
        pb.Batch(
            number=9, what=b"rows", keys={1: b"k"}, sent=b"s", received=b"r", shown=b"h", heard={1: b"x"}
        )
    ],
    late=[pb.Late(round=3, peer=2, eighths=7)],
)
MAPPED = Kept(
    digests={(4, 2, 3, 0): b"d" * 32},
    accepted={2: 5, 3: 4},
    batches={9: Batch(b"rows", {1: b"k"}, b"s", b"r", b"h", {2: b"x"})},
    late=(Late(3, 3, 7),),
)


def _stopped(report: pb.Report) -> Stop:
    error = _error(pb.Failure(kind="stopped", text="why", step="mul", report=report, kept=KEPT), ROSTER)
    assert isinstance(error, Stop)
    assert (error.what, error.where, error.kept) == ("why", "mul", MAPPED)
    return error


def test_whom_a_process_misses() -> None:
    report = _stopped(pb.Report(round=5, missing=[1, 2])).report
    assert report == Stopped(5, frozenset({2, 3}), late=(Late(3, 3, 7),))


def test_what_a_process_complains_about() -> None:
    said = pb.Backed(round=5, sender=2, backup=1, receiver=0, digest=b"c" * 32)
    report = _stopped(pb.Report(round=5, complaint=said)).report
    assert report.complaint == Complaint(3, 2, b"c" * 32)
    assert (report.round, report.missing, report.batch) == (5, frozenset(), None)


def test_batch_number_nought_is_a_batch() -> None:
    assert _stopped(pb.Report(round=5, batch=0)).report.batch == 0
    assert _stopped(pb.Report(round=5)).report.batch is None


def test_what_is_kept_comes_with_the_product() -> None:
    notice = pb.Pair(path="/open", parties=[0, 1])
    product = _product(pb.Result(reveals=b"r" * 32, kept=KEPT, notices=[notice]), ROSTER)
    assert product.kept == MAPPED
    assert product.outvoted == (("/open", frozenset({0, 2})),)


def test_our_own_faults_are_no_words_about_others() -> None:
    for kind, cls in (("deadline", DeadlineError), ("memory", UsageError), ("internal", InternalError)):
        error = _error(pb.Failure(kind=kind, text="why"), ROSTER)
        assert isinstance(error, cls)
        assert not isinstance(error, Stop)
