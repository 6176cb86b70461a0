"""A simulated job process: the steps of a real one over simulated links, in the event loop.

Everything that a job process does with its order is done here by the same code (`runtime.computation`,
frames, tags, records, reports); only links, the pipe and the process itself are not real. What makes a
process cheat is put around it (`Tampering`): production code has no hook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import InternalError, MpcdError
from mpcd.identity.keys import Identity
from mpcd.party import processes
from mpcd.party.pace import Pace
from mpcd.party.ports import Order, Product, Reveal
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.rep3 import replay
from mpcd.protocols.rep3.batch import understand
from mpcd.protocols.rounds import Inbox, Rounds
from mpcd.runtime.computation import QUESTION, Computation
from mpcd.runtime.epochs import Epoch
from mpcd.runtime.failures import Halted, JobDeadline, failure_of
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.kept import Record
from mpcd.runtime.reports import kept_of
from mpcd.testing.simulation.clock import LoopClock
from mpcd.testing.simulation.network import Ends, Wires, joined
from mpcd.testing.simulation.people import roster
from mpcd.transport.channel import IncompleteRound

T = TypeVar("T")
Send = Callable[[int, bytes], None]


class Tampering(Protocol):
    """What a party does differently in its job processes."""

    def shunned(self, order: Order) -> frozenset[int]:
        """Places in the roster to which no link is opened."""
        ...

    def step(self, order: Order, number: int, step: Rounds[T]) -> Rounds[T]:
        """Put something around a step that begins with round `number` of the epoch, from 0."""
        ...

    def frame(self, order: Order, number: int, to: int, frame: bytes, send: Send) -> None:
        """Send a frame, or do something else; `to` is a place in the roster."""
        ...

    def end(self, order: Order, end: Product | MpcdError) -> Product | MpcdError:
        """What the process hands up in the end."""
        ...


class Honest:
    """Nothing."""

    def shunned(self, order: Order) -> frozenset[int]:
        return frozenset()

    def step(self, order: Order, number: int, step: Rounds[T]) -> Rounds[T]:
        return step

    def frame(self, order: Order, number: int, to: int, frame: bytes, send: Send) -> None:
        send(to, frame)

    def end(self, order: Order, end: Product | MpcdError) -> Product | MpcdError:
        return end


Watch = Callable[[str, Order, Epoch, Computation], None]
"""(party, order, its epoch, what was computed with): told when a run has ended, whatever its end."""


@dataclass
class Pool:
    """The job processes of one party."""

    identity: Identity
    wires: Wires
    pace: Pace
    watch: Watch
    tampering: Tampering = field(default_factory=Honest)
    busy: Callable[[], bool] = lambda: False
    taken: bool = False

    async def reserve(self, job: bytes, wait_s: float) -> Process | None:
        if self.taken or self.busy():
            await asyncio.sleep(wait_s)
            return None
        self.taken = True
        return Process(self)


class Process:
    """One reserved job process (`mpcd.party.ports.Worker`)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._task: asyncio.Task[Product] | None = None
        self._halting = False
        self._held = True

    async def run(self, order: Order, reveal: Reveal) -> Product:
        """See `mpcd.party.ports.Worker.run`."""
        self._halting = False
        self._task = asyncio.create_task(_Run(self._pool, order, reveal).whole(self._is_halting))
        try:
            return await self._task
        finally:
            self._task.cancel()

    def _is_halting(self) -> bool:
        return self._halting

    async def halt(self) -> None:
        """See `mpcd.party.ports.Worker.halt`."""
        if self._task is not None and not self._task.done():
            self._halting = True
            self._task.cancel()
            await asyncio.wait({self._task})

    async def expect(
        self, what: bytes, keys: Mapping[int, bytes], roster: Sequence[int], memory_bytes: int
    ) -> Expected:
        """See `mpcd.party.ports.Arbiter.expect`."""
        found = replay.expected(*understand(what), dict(keys))
        return Expected({roster[place]: digest for place, digest in found.products.items()}, found.shown)

    async def release(self) -> None:
        """See `mpcd.party.ports.Arbiter.release`."""
        if self._held:
            self._held = self._pool.taken = False


class _Run:
    """One epoch in one process: what `mpcd.runtime.worker._Work` is."""

    def __init__(self, pool: Pool, order: Order, reveal: Reveal) -> None:
        self._pool = pool
        self._order = order
        self._reveal = reveal
        self._epoch: Epoch | None = None
        self._computation: Computation | None = None
        self._record: Record | None = None
        self._names = tuple(order.specification.computing[p] for p in order.roster)
        self._wire = order_message(pool, order)

    async def whole(self, halting: Callable[[], bool]) -> Product:
        """To the result.

        Raises  what a real process reports
        """
        order = self._order
        meeting = (order.session, order.epoch, order.attempt)
        ends = self._pool.wires.ends(meeting, self._pool.identity.name, self._names)
        ends.shunned = self._pool.tampering.shunned(order)
        try:
            end = await self._to_its_end(ends, halting)
        finally:
            ends.close()
            if self._epoch is not None and self._computation is not None:
                self._pool.watch(self._pool.identity.name, order, self._epoch, self._computation)
        end = self._pool.tampering.end(order, end)
        if isinstance(end, MpcdError):
            raise end
        return end

    async def _to_its_end(self, ends: Ends, halting: Callable[[], bool]) -> Product | MpcdError:
        try:
            async with asyncio.timeout(self._order.deadline_s):
                return processes._product(await self._compute(ends), self._order.roster)
        except TimeoutError:
            return self._failed(JobDeadline("the job's deadline has passed"))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not halting() or task is None:
                raise
            task.uncancel()
            return self._failed(Halted("the job process was stopped while it worked"))
        except MpcdError as error:
            return self._failed(error)

    async def _compute(self, ends: Ends) -> pb.Result:
        wire = self._wire
        epoch = self._epoch = Epoch(wire)
        self._record = Record(wire.me, epoch.dispute_keys())
        await ends.meet(wire.links_s)
        codec = FrameCodec(wire.me, range(len(wire.members)), wire.session, wire.epoch, epoch.tag_keys())
        work = self._computation = Computation(wire, epoch)
        bits = await self._drive(work.check(), codec, ends)
        if not await self._reveal(QUESTION, work.question(), self._kept()):
            raise InternalError("a reveal was refused")
        opened = await self._drive(work.show(bits), codec, ends)
        shares = await self._drive(work.compute(opened), codec, ends)
        result = work.result(shares)
        result.kept.CopyFrom(self._kept_message())
        return result

    async def _drive(self, step: Rounds[T], codec: FrameCodec, ends: Ends) -> T:
        """As `mpcd.runtime.driver.drive`."""
        assert self._record is not None
        step = self._pool.tampering.step(self._order, codec.next_number, step)
        inbox: Inbox | None = None
        bears_s = max(self._wire.round_s, self._wire.first_round_s)
        try:
            while True:
                try:
                    r = step.send(inbox)  # type: ignore[arg-type]
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                number = codec.next_number
                outgoing = codec.encode(number, r)
                self._record.begin(number, r)
                for peer, parts in outgoing.items():
                    self._pool.tampering.frame(self._order, number, peer, joined(parts), ends.send)
                lengths = dict(codec.expected_bytes(number, r))
                try:
                    frames, missed = await ends.collect(number, lengths, bears_s, r.absent)
                except asyncio.CancelledError:
                    self._record.interrupted(ends.pending, ends.peers - ends.pending)
                    raise
                self._record.arrived(frames)
                if missed:
                    raise IncompleteRound(missed, frozenset(frames), number)
                if ends.waited is not None:
                    self._record.waited(*ends.waited, self._wire.round_s)
                inbox = codec.decode(number, r, frames)
                bears_s = self._wire.round_s
        finally:
            step.close()

    # -- what goes up ----------------------------------------------------------------------------------

    def _kept_message(self) -> pb.Kept:
        if self._record is None:
            return pb.Kept()
        return kept_of(self._record, () if self._computation is None else self._computation.unsettled())

    def _kept(self) -> Any:
        return processes._kept(self._kept_message(), self._order.roster)

    def _failed(self, error: MpcdError) -> MpcdError:
        """What the daemon makes of an error."""
        unsettled = () if self._computation is None else self._computation.unsettled()
        failure = failure_of(error, self._names, "computing", self._record, unsettled)
        return processes._error(failure, self._order.roster)


def order_message(pool: Pool, order: Order) -> pb.Order:
    """What a daemon sends its job process."""
    waits = pool.pace.links_s, pool.pace.bears_s
    house = processes.Processes(None, None, pool.identity, roster(), LoopClock(), *waits, 0, _untold)  # type: ignore[arg-type]
    return processes.JobProcess(house, None)._wire(order)  # type: ignore[arg-type]


def _untold(_job: bytes, _progress: pb.Progress) -> None:
    """Nobody watches."""
