"""The job process: one epoch of one job, from its order to its result.

It is a fork of the fork server with a pipe to its daemon and nothing else. The order gives it shares, keys
of this epoch and a short-lived key for links; it never sees the party's identity key. It meets its peers,
checks the declared range of every input, runs the program, commits to its shares of the outputs, and hands
them up the pipe. It opens no output: that is decided by the daemons, after it has ended.

Whatever goes wrong is one `Failure` message, worded without values, and the end of the process: its links
close, and the others notice. What it keeps of its last rounds goes up the pipe with result, question or
failure, for a dispute. If it is halted in a long computation, a second thread says it (`halting`).

A process can also be asked, in the place of an order, what honest parties would have said in a batch of rep3.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - looked up when a host name is resolved; loaded before the fork
import resource
import signal
import socket
import time
import traceback
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy.ma  # noqa: F401 - loaded at its first use otherwise, after the fork

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import (
    ChannelError,
    InternalError,
    MpcdError,
    RefusedError,
)
from mpcd.identity.certificates import Leaf
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.batch import Record as BatchRecord
from mpcd.protocols.rep3.batch import understand
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.computation import QUESTION, Computation
from mpcd.runtime.driver import Counters, drive
from mpcd.runtime.epochs import Epoch
from mpcd.runtime.failures import Halted, JobDeadline, MemoryFault, failure_of
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.halting import Halting
from mpcd.runtime.kept import Record
from mpcd.runtime.orders import ORDER_S, Pipe
from mpcd.runtime.reports import kept_of
from mpcd.transport.hello import Meeting, Peer
from mpcd.transport.links import Links
from mpcd.transport.meeting import open_links

T = TypeVar("T")

PROGRESS_S = 0.2
_MOST_DEADLINE_S = 86_400.0 * 7


def main(sock: socket.socket) -> None:
    """Take one order from the daemon at the other end of `sock` and carry it out."""
    pipe = Pipe(sock)
    work = _Work(pipe)
    try:
        message = pipe.receive(ORDER_S)
        what = message.WhichOneof("body")
        if what == "order":
            pipe.send(pb.FromWorker(result=work.carry_out(message.order)))
        elif what == "batch":
            pipe.send(pb.FromWorker(batch=_expected(message.batch)))
        else:
            raise InternalError("the first message to a job process is its order")
    except MpcdError as error:
        _report(pipe, work.failure(error))
    except MemoryError:
        _report(pipe, work.failure(MemoryFault("the job needs more memory than it may have")))
    except Exception as error:  # noqa: BLE001 - the top level of this process: a bug of ours, to be reported
        at = traceback.extract_tb(error.__traceback__)[-1]
        bug = InternalError(f"{type(error).__name__} at {at.filename.rpartition('/')[2]}:{at.lineno}")
        _report(pipe, work.failure(bug))


def _report(pipe: Pipe, failure: pb.Failure) -> None:
    with contextlib.suppress(ChannelError):  # nobody is left to tell
        pipe.send(pb.FromWorker(failure=failure))


class _Work:
    """The state of a running job: how far it is, and what it is made of."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._counters = Counters()
        self._stage = "starting"
        self._started = time.monotonic()
        self._told = 0.0
        self._links: Links | None = None
        self._names: list[str] = []
        self._computation: Computation | None = None
        self._record: Record | None = None
        self._halting = Halting(self._report_halted)

    def carry_out(self, order: pb.Order) -> pb.Result:
        """Do all of it; nothing but the result may be said after that. Raises whatever goes wrong."""
        self._order = order
        self._names = [member.name for member in order.members]
        with _interruptible(order.deadline_s):
            try:
                self._epoch = Epoch(order)
                self._record = Record(order.me, self._epoch.dispute_keys())
                self._halting.watch()
                self._meet()
                # After the handshakes: a thread that finds no memory could not tell anybody.
                _limit_memory(order.memory_bytes)
                result = self._compute()
            finally:
                if self._links is not None:
                    self._links.close()
        self._halting.end()
        return result

    def _meet(self) -> None:
        order = self._order
        self._enter("links")
        meeting = Meeting(order.session, order.specification_hash, order.epoch, order.attempt, order.me)
        peers = {
            k: Peer(k, member.name, member.identity_pem, member.host, member.port)
            for k, member in enumerate(order.members)
            if k != order.me
        }
        leaf = Leaf(order.leaf_pem, order.leaf_key_pem)
        self._links = open_links(meeting, peers, leaf, self._pipe, order.links_s)

    def _compute(self) -> pb.Result:
        order, epoch = self._order, self._epoch
        self._codec = FrameCodec(
            order.me, range(len(order.members)), order.session, order.epoch, epoch.tag_keys()
        )
        self._enter("checking")
        work = self._computation = Computation(order, epoch)
        bits = self._drive(work.check())
        self._ask(QUESTION, work.question())
        opened = self._drive(work.show(bits))
        step = work.compute(opened)
        self._enter("computing")
        shares = self._drive(step)
        self._enter("committing")
        result = work.result(shares)
        result.counters.CopyFrom(self.counters())
        result.kept.CopyFrom(self._kept())
        return result

    def _kept(self) -> pb.Kept:
        if self._record is None:
            return pb.Kept()
        return kept_of(self._record, self._unsettled())

    def _unsettled(self) -> Iterable[BatchRecord]:
        return () if self._computation is None else self._computation.unsettled()

    def _drive(self, step: Rounds[T]) -> T:
        if self._links is None:
            raise InternalError("a step is driven before the links are up")
        return drive(
            step,
            self._codec,
            self._links,
            round_timeout_s=self._order.round_s,
            first_round_s=self._order.first_round_s,
            counters=self._counters,
            record=self._record,
            on_round=self._on_round,
            speaking=self._halting.speaking,
        )

    def _on_round(self, _counters: Counters) -> None:
        if time.monotonic() - self._told >= PROGRESS_S:
            self._tell()

    def _enter(self, stage: str) -> None:
        self._stage = stage
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._say(pb.FromWorker(progress=pb.Progress(stage=self._stage, counters=self.counters())))

    def _ask(self, name: str, digest: bytes) -> None:
        """Have the daemons agree that all checks so far passed at everybody, before something is shown."""
        question = pb.RevealQuestion(name=name, digest=digest, kept=self._kept())
        self._say(pb.FromWorker(reveal=question))
        answer = self._pipe.receive(self._order.deadline_s)
        if answer.WhichOneof("body") != "reveal":
            raise InternalError("the daemon answered something else than was asked")
        if not answer.reveal.go:
            raise RefusedError("the parties did not agree that all checks had passed", where=name)

    def _say(self, message: pb.FromWorker) -> None:
        with self._halting.speaking:
            self._pipe.send(message)

    def counters(self) -> pb.Counters:
        links = self._links
        return pb.Counters(
            rounds=self._counters.rounds,
            payload_sent_bytes=self._counters.sent_bytes,
            payload_received_bytes=self._counters.received_bytes,
            link_sent_bytes=links.sent_bytes if links else 0,
            link_received_bytes=links.received_bytes if links else 0,
            seconds=time.monotonic() - self._started,
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )

    def failure(self, error: MpcdError) -> pb.Failure:
        """The error as the daemon gets to know it, as the last message of this process."""
        self._halting.end()
        return self._failure(error)

    def _report_halted(self) -> None:
        """For the thread that waits beside the computation."""
        _report(self._pipe, self._failure(_halted()))

    def _failure(self, error: MpcdError) -> pb.Failure:
        failure = failure_of(error, self._names, self._stage, self._record, self._unsettled())
        failure.counters.CopyFrom(self.counters())
        return failure


@contextlib.contextmanager
def _interruptible(deadline_s: float) -> Iterator[None]:
    """Raise `JobDeadline` or, at SIGTERM, `Halted` wherever the job then is."""
    signal.signal(signal.SIGALRM, _time_is_up)
    signal.signal(signal.SIGTERM, _halt)
    signal.setitimer(signal.ITIMER_REAL, min(max(deadline_s, 0.001), _MOST_DEADLINE_S))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has come to its end and says so now


def _limit_memory(memory_bytes: int) -> None:
    """Let the kernel refuse more than this beyond what the process has by now; 0: no limit."""
    if memory_bytes:
        with open("/proc/self/statm", encoding="ascii") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize()
        most = size + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _time_is_up(*_: object) -> None:
    raise JobDeadline("the job's deadline has passed")


def _halt(*_: object) -> None:
    raise _halted()


def _halted() -> Halted:
    return Halted("the job process was stopped while it worked")


def _expected(question: pb.BatchQuestion) -> pb.BatchAnswer:
    """What honest parties would have said in a batch of rep3."""
    _limit_memory(question.memory_bytes)
    expected = replay.expected(*understand(question.what), dict(question.keys))
    return pb.BatchAnswer(sent=expected.products, shown=expected.shown)
