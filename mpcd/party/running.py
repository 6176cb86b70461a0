"""Our job process in one epoch, as the barriers see it: it runs, rests at a reveal, or has come to its end.

A process that rests says what it is ready for, or why it cannot go on; one that still runs when a barrier
begins is halted there: as backup of a message it may have to answer for it in a dispute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mpcd.errors import InternalError, MpcdError, StorageError, UsageError
from mpcd.jobs.states import Event, State
from mpcd.party.case import Case
from mpcd.party.computing import in_time, persist, record_outvoted, rows
from mpcd.party.ports import Kept, Order, Product, Stop, Worker
from mpcd.protocols.agreement.words import Ready, Stopped, Word


@dataclass(frozen=True, slots=True)
class Pause:
    """The process rests: it may show `name` to all parties if a barrier says so."""

    name: str
    digest: bytes
    kept: Kept
    answer: asyncio.Future[bool] = field(repr=False)


class Running:
    """One epoch of our job process. It begins when this is made and ends with `close` at the latest."""

    def __init__(self, case: Case, worker: Worker, order: Order) -> None:
        self._case = case
        self._worker = worker
        self._order = order
        self._pause: Pause | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._work(), name=f"epoch {order.epoch}")
        self._task.add_done_callback(lambda _: self._news.set())

    async def _work(self) -> Product:
        product = await self._worker.run(self._order, self._reveal)
        await record_outvoted(self._case, self._order, product)
        await persist(self._case, self._order, product)
        return product

    async def _reveal(self, name: str, digest: bytes, kept: Kept) -> bool:
        self._pause = Pause(name, digest, kept, asyncio.get_running_loop().create_future())
        self._news.set()
        return await self._pause.answer

    # -- where it is -------------------------------------------------------------------------------------

    @property
    def resting(self) -> bool:
        return self._pause is not None or self._task.done()

    @property
    def stopped(self) -> bool:
        """Whether it has ended without a product."""
        return self._task.done() and (self._task.cancelled() or self._task.exception() is not None)

    @property
    def product(self) -> Product | None:
        return self._task.result() if self._task.done() and not self.stopped else None

    @property
    def pause(self) -> Pause | None:
        return self._pause

    @property
    def kept(self) -> Kept:
        """What we answer in a dispute."""
        if self._pause is not None:
            return self._pause.kept
        end = self._end()
        if isinstance(end, Stop):
            return end.kept
        return Kept() if self.product is None else self.product.kept

    def _end(self) -> BaseException | None:
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    @property
    def failure(self) -> str:
        """Why it ended, in words for our operator."""
        return str(self._end() or "the job process was still at work when the barrier began")

    async def rest(self, spare: Callable[[MpcdError], bool]) -> None:
        """Wait until it rests.

        spare   which errors of the process become a word at the barrier; all others are raised
        """
        while not self.resting:
            self._news.clear()
            await self._news.wait()
        end = self._end()
        if end is not None and not isinstance(end, Stop) and not (isinstance(end, MpcdError) and spare(end)):
            raise end

    def word(self) -> Word:
        """What this party says at a barrier that begins now."""
        if self._pause is not None:
            return Ready("reveal", (), self._pause.digest, self._pause.kept.late)
        product = self.product
        if product is not None:
            if not in_time(self._case):
                return Stopped(0)
            return Ready("open", rows(self._case, product), product.reveals, product.kept.late)
        end = self._end()
        return end.report if isinstance(end, Stop) else Stopped(0)

    # -- what is done with it ----------------------------------------------------------------------------

    async def halt(self, within_s: float) -> None:
        """End it where it is, with what it keeps; without that if it takes longer."""
        if self.resting:
            return
        try:
            async with asyncio.timeout(within_s):
                await self._worker.halt()
                await asyncio.wait({self._task})
        except TimeoutError:
            pass  # it is killed
        if not self.resting:
            await self.close()

    async def note(self) -> None:
        """Bring the job's state up to what is now going to be said."""
        case = self._case
        if case.state is not State.COMPUTING or self._pause is not None:
            return
        if self.product is None:
            await case.move(Event.STOPPED, self.failure[:400])
        else:
            await case.move(Event.OUTPUTS_SHARED)

    def go_on(self) -> Pause:
        """Let it show what it rests for."""
        pause = self._pause
        assert pause is not None
        self._pause = None
        pause.answer.set_result(True)
        return pause

    async def close(self) -> None:
        """Kill it if it still runs."""
        self._task.cancel()
        await asyncio.wait({self._task})


def is_own_failure(error: MpcdError) -> bool:
    """A failure of our own machine or code, of which the others can be told no more than that."""
    return isinstance(error, InternalError | UsageError) and not isinstance(error, StorageError)
