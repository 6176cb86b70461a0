"""Stages of a computing party that are nothing but agreement: session and start."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Iterable, Set

from mpcd.errors import ChannelError, InternalError, MpcdError, NotFoundError
from mpcd.jobs.states import Event
from mpcd.party.case import Case, Drawn, StageEnd
from mpcd.party.pace import BUSY_SHARE, CORRUPTED
from mpcd.party.ports import Worker
from mpcd.party.present import Present
from mpcd.party.recording import note_equivocations
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.findings import Absent
from mpcd.protocols.agreement.outcomes import (
    NONCE_BYTES,
    nonces_of,
    session_of,
    start,
    start_value,
)

_RETRY_S = 0.1


async def decide(
    case: Case,
    slots: Slots,
    key: SlotKey,
    value: Callable[[], bytes],
    *,
    by: float,
    max_body: int,
    work: Awaitable[None] | None = None,
    settled: bool = True,
    among: frozenset[int] | None = None,
    about: bytes = b"",
    patience: Callable[[], float] | None = None,
    at_entry: Callable[[], Awaitable[None]] | None = None,
) -> Outcome:
    """One slot of this job; equivocations are remembered as proof."""
    outcome = await slots.decide(
        key,
        work=work,
        value=value,
        by=by,
        max_body=max_body,
        settled=settled,
        among=among,
        about=about,
        patience=patience,
        at_entry=at_entry,
    )
    note_equivocations(case, key, outcome, about)
    return outcome


async def wait_for_mail(case: Case, slots: Slots, missing: Callable[[], Set[str]], by: float) -> None:
    """Wait for mail until nothing is missing from anybody, or only from computing parties that are gone.

    Whoever does not compute gives no signs of life, and we ourselves are not gone: both are waited for until
    `by`.
    """
    while (names := missing()) and (now := case.now()) < by:
        gone_at = math.inf
        if names <= {*case.others}:
            gone_at = slots.given_up([case.computing.index(name) for name in names])
        if now >= gone_at:
            return
        await case.desk.wait(lambda before=names: missing() != before, min(by, gone_at))  # type: ignore[misc]


async def send_to_all(
    case: Case, names: Iterable[str], call: Callable[[str], Awaitable[None]], until: float
) -> frozenset[str]:
    """Call every party at the same time, again and again until it takes it; who has not by `until`."""

    async def insist(name: str) -> bool:
        while True:
            try:
                await call(name)
                return True
            except (ChannelError, NotFoundError):
                # A peer that does not know the job yet will know it soon.
                if case.now() + _RETRY_S >= until:
                    return False
                await asyncio.sleep(_RETRY_S)
            except MpcdError:
                return False

    async def bounded(name: str) -> bool:
        try:
            async with asyncio.timeout(max(0.0, until - case.now())):
                return await insist(name)
        except TimeoutError:
            return False

    listed = list(names)
    done = await asyncio.gather(*(bounded(name) for name in listed))
    return frozenset(name for name, good in zip(listed, done, strict=True) if not good)


async def agree_session(case: Case, slots: Slots) -> tuple[bytes, int, Present]:
    """A session that was never used before, the number of the attempt that brought it about, who is here."""
    present = Present.all_of(case)
    for attempt in range(case.tools.pace.attempts):
        nonce = secrets.token_bytes(NONCE_BYTES)
        outcome = await decide(
            case,
            slots,
            SlotKey("SESSION", number=attempt),
            lambda nonce=nonce: nonce,  # type: ignore[misc]
            by=case.until(case.tools.pace.stage_s),
            max_body=NONCE_BYTES,
        )
        session = session_of(case.job, attempt, outcome, without=CORRUPTED if case.guaranteed else 0)
        if session is not None:
            await case.tools.store.jobs.use_session(case.job, attempt, session)
            case.drawn = Drawn(attempt, nonces_of(outcome))
            return session, attempt, present.after(case, outcome, "session", "a nonce", _is_nonce)
    present.after(case, outcome, "session", "a nonce", _is_nonce)
    raise InternalError("no session was agreed, and nobody was missing")


def _is_nonce(_party: int, body: bytes) -> bool:
    return len(body) == NONCE_BYTES


async def agree_start(
    case: Case, slots: Slots, session: bytes, present: Present
) -> tuple[Worker, int, Present]:
    """A job process here and at every other party at the same time, the number of the agreed start, and who
    is here.

    All release and try again if one party has none: two jobs that each hold what the other needs would
    otherwise wait for ever. How long a job waits depends on its hash, so that they do not meet again. One
    party that alone never has a process is left out of a job with guaranteed output after a part of its time.
    """
    number, waited_s = 0, 0.0
    while True:
        worker, present, busy = await _try_start(case, slots, SlotKey("START", session, number), present)
        if worker is not None:
            return worker, number, present
        pause = _pause(case, number)
        waited_s += pause
        if case.guaranteed and waited_s > BUSY_SHARE * case.terms.specification.deadline and len(busy) == 1:
            (party,) = busy
            why = f"party {party} alone had no job process free, {number + 1} times"
            present = present.without(case, Absent(party, why), "start")
        if case.now() + pause >= case.terms.deadline:
            raise StageEnd(Event.DEADLINE, "no job process was free at all parties before the deadline")
        await asyncio.sleep(pause)
        number += 1


async def _try_start(
    case: Case, slots: Slots, key: SlotKey, present: Present
) -> tuple[Worker | None, Present, frozenset[int]]:
    """The process if all have one, who is here, and who had none."""
    reserved: list[Worker] = []

    async def reserve() -> None:
        worker = await case.tools.workers.reserve(case.job, case.tools.pace.lease_s)
        if worker is not None:
            reserved.append(worker)

    keep = False
    try:
        outcome = await decide(
            case,
            slots,
            key,
            lambda: start_value(bool(reserved)),
            by=case.until(case.tools.pace.stage_s),
            max_body=1,
            work=reserve(),
            among=present.among,
        )
        result = start(outcome)
        present = present.after(
            case, outcome, "start", "a word about the start", lambda p, _: p not in result.silent
        )
        keep = not result.busy
        return (reserved[0] if keep else None), present, result.busy
    finally:
        if not keep:
            for worker in reserved:
                await worker.release()


def _pause(case: Case, number: int) -> float:
    """The same at all parties: grows with every attempt, and differs between jobs by up to eight-fold."""
    share = 1 + 7 * case.job[number % len(case.job)] / 255
    return float(case.tools.pace.backoff_s * share * 2 ** min(number, 3))
