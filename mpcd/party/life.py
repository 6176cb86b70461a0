"""The life of one job inside a party daemon, in every role, from consent to a terminal state.

What a party does is in `roles`; here are its mail, its cancellation and its end.

Every wait has an end, so every job has one. A party that cannot go on says so to the others (`Slots.leave`)
and they do not wait for it; after it has signed its word at a barrier, the slot alone moves it.
A daemon that was restarted never goes on with a run: randomness is used once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from mpcd._pb.v1.peer_pb2 import (
    FetchOutputRequest,
    InputHeader,
    KeyContributions,
    OutputHeader,
    ShareHeader,
    SlotMessage,
)
from mpcd.errors import ChannelError, DataError, InternalError, MpcdError, RefusedError, UsageError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Kind
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party import mail, recall, receipts, roles, serving
from mpcd.party.case import Case, DroppedError, StageEnd, Terms, Tools
from mpcd.party.desk import Desk
from mpcd.party.learning import learn
from mpcd.party.pace import CORRUPTED
from mpcd.party.recording import record
from mpcd.party.seating import make_slots
from mpcd.party.slots import Slots
from mpcd.storage.database import StorageError

FAREWELLS = 5
"""How often a daemon that was restarted says that it has left: its streams are only being opened."""
RUNNING = frozenset({State.PROPOSED, State.CONSENTED, State.GATHERING, State.COMPUTING, State.RECOVERING})
GAVE_UP = "an error of this daemon's own; its log says more"
BREATHING = RUNNING | {State.VERIFYING}


class Life:
    """One job at this party. Made when the job becomes known, so that no early mail is lost."""

    def __init__(
        self,
        terms: Terms,
        tools: Tools,
        *,
        state: State = State.CONSENTED,
        session: bytes | None = None,
        opened: bool | None = None,
        on_change: Callable[[State, str], None] = lambda _state, _detail: None,
    ) -> None:
        """`session` and `opened` come from the store after a restart (`past.was_opened`)."""
        known = state in serving.OPENED if opened is None else opened
        self.case = Case(terms, tools, state, Desk(tools.clock), on_change, known)
        self.case.session = session
        self._slots = make_slots(self.case) if self.case.me is not None else None
        self._task: asyncio.Task[Any] | None = None
        self._cancelled: str | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._breathing: asyncio.Task[None] | None = None

    @property
    def session(self) -> bytes | None:
        """The session, once it is agreed."""
        return self.case.session

    @property
    def state(self) -> State:
        return self.case.state

    # -- mail ------------------------------------------------------------------------------------------

    def slot(self, sender: str, message: SlotMessage) -> None:
        """A slot message or a recall; strangers' are dropped."""
        if message.slot == recall.FAMILY:
            recall.take(self.case, sender, message)
        elif self._slots is not None and sender in self.case.others:
            self._slots.deliver(self.case.computing.index(sender), message)

    async def keys(self, sender: str, message: KeyContributions) -> None:
        self._hear(sender)
        mail.take_keys(self.case, sender, message)

    async def announced(self, sender: str, notice: Envelope) -> None:
        mail.take_session(self.case, sender, notice)

    async def input(self, sender: str, header: InputHeader, data: bytes) -> None:
        self._hear(sender)
        mail.take_input(self.case, sender, header, data)

    async def share(self, sender: str, header: ShareHeader, data: bytes) -> None:
        self._hear(sender)
        mail.take_share(self.case, sender, header, data)

    def _hear(self, sender: str) -> None:
        """Whatever a computing party sends is a sign of life."""
        if self._slots is not None and sender in self.case.others:
            self._slots.hear(self.case.computing.index(sender))

    async def output(self, caller: str, request: FetchOutputRequest) -> tuple[OutputHeader, bytes]:
        return await serving.serve(self.case, caller, request)

    async def receipt(self, sender: str, envelope: Envelope) -> None:
        await receipts.take(self.case, sender, envelope)

    async def fetch_receipt(self, caller: str, wait_s: float) -> Envelope | None:
        """Our receipt with all signatures that we have, or None if there is none by then."""
        if caller not in self.case.terms.specification.parties:
            raise RefusedError(f"{caller} takes no part in this job")
        until = self.case.now() + wait_s
        await self.case.desk.wait(lambda: self.case.state in TERMINAL, until)
        raw = await self.case.tools.store.receipts.get(self.case.job)
        return None if raw is None else Envelope.from_bytes(raw)

    def room_for(self, sender: str) -> int:
        """Bytes of bulk that `sender` may send in one call."""
        return mail.room_for(self.case, sender)

    # -- from outside ------------------------------------------------------------------------------------

    async def move(self, event: Event, detail: str = "") -> None:
        """Take an event of the time before the job begins: consents, a refusal, a deadline."""
        await self.case.move(event, detail)

    async def cancel(self, reason: str) -> bool:
        """Cancel the job if its state still allows it; whether it did."""
        async with self.case.moving:
            if self._cancelled is not None or not self.case.can(Event.CANCEL):
                return False
            self._cancelled = reason
            if self._task is not None:
                self._task.cancel()
                return True
        await self.case.move(Event.CANCEL, reason)
        return True

    async def run(self) -> State:
        """From `consented` to a terminal state.

        Raises  StorageError: the daemon must stop
        """
        self.breathe()
        return await self._guarded(self._whole())

    def breathe(self) -> None:
        """Give the other computing parties signs of life from now on, as long as the job runs."""
        if self._slots is not None and self._breathing is None:
            self._breathing = asyncio.create_task(self._breathe(self._slots))

    async def _breathe(self, slots: Slots) -> None:
        while self.case.state in BREATHING:
            slots.alive()
            await asyncio.sleep(self.case.tools.pace.delta_s / 2)

    def hush(self) -> None:
        """No signs of life any more."""
        if self._breathing is not None:
            self._breathing.cancel()

    def silent_from(self, names: Collection[str]) -> float:
        """From when on none of these computing parties is waited for, if nothing is heard of any of them."""
        if self._slots is None:
            return math.inf
        return self._slots.given_up([self.case.computing.index(name) for name in names])

    async def farewell(self) -> None:
        """After a restart: tell the others that we take no part any more, so that they do not wait for us."""
        if self._slots is None:
            return
        for _ in range(FAREWELLS):
            self._slots.leave()
            await asyncio.sleep(self.case.tools.pace.delta_s)

    async def resume(self) -> State:
        """After a restart: a job learns what the others have agreed on, or agree on without us.

        Raises  StorageError
        """
        self._start(self.farewell())
        patience = self.case.now() + 2 * self.case.slot_s
        return await self._guarded(learn(self.case, max(self.case.last_call, patience)))

    async def give_up(self) -> None:
        """A bug of ours has ended the work on this job: tell the others, and end it.

        Raises  StorageError
        """
        if self.case.state is State.VERIFYING:
            # Our word may be out, and the others may open: we learn how it went, as after a restart.
            await self.resume()
        else:
            await self._end(StageEnd(Event.FAILURE, GAVE_UP))

    async def _guarded(self, life: Coroutine[Any, Any, None]) -> State:
        self._task = asyncio.current_task()
        try:
            if self._cancelled is not None:
                life.close()
                raise asyncio.CancelledError
            await life
        except asyncio.CancelledError:
            if self._cancelled is None or self._task is None:
                if self._slots is not None and self.case.state in RUNNING:
                    self._slots.leave()  # the daemon stops: nobody needs to wait for us
                raise
            self._task.uncancel()
            self._task = None
            await self._end(StageEnd(Event.CANCEL, self._cancelled))
        except StorageError:
            raise
        except MpcdError as error:
            self._task = None  # a cancellation that comes now must not cut off the end
            await self._end(self._why(error))
        finally:
            self._task = None
            self.hush()
            for task in self._background:
                task.cancel()
        return self.case.state

    # -- the roles -----------------------------------------------------------------------------------

    async def _whole(self) -> None:
        case = self.case
        await case.move(Event.BEGIN)
        if self._slots is None:
            await roles.other_party(case)
            return
        try:
            await roles.computing_party(case, self._slots, self._start)
        except DroppedError:
            await self._stand_aside()
        except (StageEnd, ChannelError) as end:
            await self._doubt(end)
        except (InternalError, UsageError):
            if case.state is not State.VERIFYING:
                raise
            await self._stand_aside()  # our word may be out, and the others may open

    async def _doubt(self, end: StageEnd | ChannelError) -> None:
        """Believe that the job has ended, unless more others are silent than can be faulty: then it is we who
        hear nothing, our own word may have reached them, and they know how it went.

        Raises  the same end, or another if the outcome cannot be learnt
        """
        asking = self.case.guaranteed or self.case.state is State.VERIFYING
        agreed = isinstance(end, StageEnd) and end.agreed
        if len(end.unreachable) <= CORRUPTED or not asking or agreed:
            raise end
        try:
            await self._stand_aside()
        except StageEnd as other:
            # t + 1 say that they ended without opening, among them an honest one.
            if other.event is Event.FAULT:
                raise end from None
            raise

    async def _stand_aside(self) -> None:
        """We compute no more. If the job goes on, its outputs are fetched as a recipient fetches them."""
        case = self.case
        if case.guaranteed:
            for event in (Event.STAND_BY, Event.RECOVER):
                if case.can(event):
                    await case.move(event, "the others may go on without this party")
        await learn(case, case.last_call)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that goes on beside the stages and whose end nobody waits for."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # a deadline that passed meanwhile; the stages notice it themselves

    # -- the end -----------------------------------------------------------------------------------------

    def _why(self, error: MpcdError) -> StageEnd:
        """Which event an error is, and who is concerned."""
        case = self.case
        if isinstance(error, StageEnd):
            return error
        if isinstance(error, ChannelError):
            # Timers of the computation fire at that moment, some a little before it.
            late = case.now() >= case.terms.deadline - 2 * case.slot_s - case.tools.pace.delta_s / 2
            event = Event.DEADLINE if late and not error.unreachable else Event.FAULT
            unreachable = case.names(error.unreachable) - {case.name}
            kind: Kind | None = "silence" if unreachable else None
            return StageEnd(event, error.what, kind=kind, unreachable=unreachable, step=case.state.value)
        if isinstance(error, DataError) and case.state is State.COMPUTING:
            # Not our data: an owner's rows turned out to be outside of their range, and all parties saw it.
            return StageEnd(Event.FAULT, str(error), step="ranges")
        return StageEnd(Event.FAILURE, str(error))

    async def _end(self, end: StageEnd) -> None:
        """Tell the others, keep what is known, take the last transition."""
        case = self.case
        before = case.state
        if before in TERMINAL:
            return
        await record(case, end, self.session)
        if self._slots is not None and before is not State.OPENING:
            self._slots.leave()
        event = end.event
        if event is Event.NOT_READY and not case.can(event):
            event = Event.FAULT
        await case.end(event, end.text[:400])
        if self.session is not None:
            await case.tools.store.inputs.forget(self.session)
        if before in RUNNING:
            await case.tools.store.outputs.forget(case.job)
