"""The life of one job inside a party daemon, in every role, from consent to a terminal state.

Computing party  session, keys, inputs, start, compute, READY-OPEN, opening, receipt
Input party      waits for a session that t + 1 computing parties signed, gives its input, waits for the end
Result party     waits for certified commitments, fetches its outputs

Every wait has an end, so every job has one. Before READY-OPEN a party that cannot go on says so to the
others (`Slots.leave`) and they do not wait for it; after it has signed READY, the slot alone moves it.
A daemon that was restarted never goes on with a run: randomness is used once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mpcd._pb.v1.peer_pb2 import (
    FetchOutputRequest,
    InputHeader,
    KeyContributions,
    OutputHeader,
    ShareHeader,
    SlotMessage,
)
from mpcd.errors import ChannelError, DataError, MpcdError, PeerError, RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Kind
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party import complaints, mail, opening, receipts, serving
from mpcd.party.agreeing import agree_keys, agree_session, agree_start
from mpcd.party.case import CORRUPTED, Case, StageEnd, Terms, Tools, make_slots
from mpcd.party.computing import agree_to_open, compute
from mpcd.party.contributing import await_session, deliver, prepare
from mpcd.party.desk import Desk
from mpcd.party.gathering import announce, gather
from mpcd.party.ports import BadTag
from mpcd.storage.database import StorageError

A = TypeVar("A")
B = TypeVar("B")
RUNNING = frozenset({State.PROPOSED, State.CONSENTED, State.GATHERING, State.COMPUTING})


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
        self.session = session
        self._slots = make_slots(self.case) if self.case.me is not None else None
        self._task: asyncio.Task[Any] | None = None
        self._cancelled: str | None = None
        self._background: set[asyncio.Task[Any]] = set()

    @property
    def state(self) -> State:
        return self.case.state

    # -- mail ------------------------------------------------------------------------------------------

    def slot(self, sender: str, message: SlotMessage) -> None:
        """A slot message or a complaint; strangers' are dropped."""
        if message.slot == complaints.FAMILY:
            complaints.take(self.case, sender, message)
        elif self._slots is not None and sender in self.case.others:
            self._slots.deliver(self.case.computing.index(sender), message)

    async def keys(self, sender: str, message: KeyContributions) -> None:
        mail.take_keys(self.case, sender, message)

    async def announced(self, sender: str, notice: Envelope) -> None:
        mail.take_session(self.case, sender, notice)

    async def input(self, sender: str, header: InputHeader, data: bytes) -> None:
        mail.take_input(self.case, sender, header, data)

    async def share(self, sender: str, header: ShareHeader, data: bytes) -> None:
        mail.take_share(self.case, sender, header, data)

    async def output(self, caller: str, request: FetchOutputRequest) -> tuple[OutputHeader, bytes]:
        return await serving.serve(self.case, self.session, caller, request)

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
        return await self._guarded(self._whole())

    async def resume(self) -> State:
        """After a restart: a job in `verifying` or `opening` learns what the others have agreed on.

        Raises  StorageError
        """
        patience = self.case.now() + 2 * self.case.slot_s
        return await self._guarded(self._learn(max(self.case.last_call, patience)))

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
            await self._end(StageEnd(Event.CANCEL, self._cancelled))
        except StorageError:
            raise
        except MpcdError as error:
            await self._end(self._why(error))
        finally:
            self._task = None
            for task in self._background:
                task.cancel()
        return self.case.state

    # -- the roles -----------------------------------------------------------------------------------

    async def _whole(self) -> None:
        await self.case.move(Event.BEGIN)
        if self._slots is not None:
            await self._compute()
        else:
            await self._stand_by()

    async def _compute(self) -> None:
        case, slots = self.case, self._slots
        assert slots is not None
        session, tried = await agree_session(case, slots)
        self.session = session
        self._start(announce(case, session, tried))
        # Keys and inputs do not depend on each other: their slots go on side by side.
        keys, (_, (inputs, notes, left_out)) = await both(
            agree_keys(case, slots, session),
            both(self._contribute(session), gather(case, slots, session)),
        )
        worker, number = await agree_start(case, slots, session)
        try:
            await case.move(Event.INPUTS_AGREED)
        except BaseException:
            await worker.release()
            raise
        product, revealed = await compute(case, slots, session, worker, number, inputs, keys)
        await case.move(Event.OUTPUTS_SHARED)
        try:
            decision = await agree_to_open(case, slots, session, product)
        except StageEnd as end:
            await self._doubt(end)
            return
        await case.move(Event.READY_TO_OPEN)
        await case.tools.store.inputs.forget(session)
        made = [note for note, _ in notes]
        left_out |= receipts.rows_left_out(product.excluded)
        receipt = receipts.write(case, session, tried, made, left_out, revealed, decision)
        until = case.now() + 2 * case.tools.pace.delta_s
        await both(
            opening.fetch_agreed(case, session, decision, case.last_call),
            receipts.exchange(case, receipt, until),
        )
        await case.move(Event.OPENED)

    async def _doubt(self, end: StageEnd) -> None:
        """Believe that nothing was opened, unless more others are silent than can be faulty: then it is we
        who hear nothing, our own word may have reached them, and they know how the slot went.

        Raises  the same end, or another if the outcome cannot be learnt
        """
        if len(end.unreachable) <= CORRUPTED:
            raise end
        try:
            await self._learn(self.case.last_call)
        except StageEnd as other:
            # t + 1 say that they ended without opening, among them an honest one.
            raise end if other.event is Event.FAULT else other from None

    async def _contribute(self, session: bytes) -> None:
        """Share our own data; the parcels are on their way when this returns."""
        parcels = await prepare(self.case, session)
        until = self.case.until(self.case.tools.pace.stage_s)
        self._start(deliver(self.case, session, parcels, until))

    async def _stand_by(self) -> None:
        case = self.case
        if case.terms.specification.inputs_of(case.name):
            session, _ = await await_session(case)
            parcels = await prepare(case, session)
            await deliver(case, session, parcels, case.until(case.tools.pace.stage_s))
        await self._learn(case.last_call)

    async def _learn(self, until: float) -> None:
        """How the job went, from those who hold its outputs; then our own outputs and the receipt."""
        case = self.case
        if case.name in case.terms.specification.result_parties:
            await opening.certify_all(case, until)
        elif not case.opened:
            await opening.await_outcome(case, until)
        for event in (Event.INPUTS_AGREED, Event.OUTPUTS_SHARED, Event.READY_TO_OPEN):
            if case.can(event):
                await case.move(event)
        await opening.fetch_all(case, until)
        await receipts.fetch(case, case.now() + 2 * case.tools.pace.delta_s)
        await case.move(Event.OPENED)

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
        if isinstance(error, PeerError):
            blamed = case.names(error.blamed)
            kind: Kind | None = "bad-tag" if isinstance(error, BadTag) else "bad-frame"
            return StageEnd(Event.FAULT, error.what, kind=kind, blamed=blamed, step=error.step)
        if isinstance(error, ChannelError):
            # Timers of the computation fire at that moment, some a little before it.
            late = case.now() >= case.terms.deadline - 2 * case.slot_s - case.tools.pace.delta_s / 2
            event = Event.DEADLINE if late and not error.unreachable else Event.FAULT
            unreachable = case.names(error.unreachable) - {case.name}
            kind = "silence" if unreachable else None
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
        explained = await complaints.explain(case, end, self.session)
        record = await case.record(explained, self.session)
        if self._slots is not None and before is not State.OPENING:
            if explained is end and record is not None and self.session is not None:
                complaints.tell(case, self.session, record)
            self._slots.leave()
        end = explained
        event = end.event if case.can(end.event) else Event.FAILURE
        await case.move(event, end.text[:400])
        if self.session is not None:
            await case.tools.store.inputs.forget(self.session)
        if before in RUNNING:
            await case.tools.store.outputs.forget(case.job)


async def both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Run two things at the same time; if one fails, the other is cancelled and its error raised."""
    one, two = asyncio.create_task(first), asyncio.create_task(second)
    try:
        await asyncio.wait({one, two}, return_when=asyncio.FIRST_EXCEPTION)
        for task in (one, two):
            if task.done():
                task.result()
        return await one, await two
    finally:
        for task in (one, two):
            task.cancel()
        await asyncio.gather(one, two, return_exceptions=True)
