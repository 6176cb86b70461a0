"""Stages of a computing party that are nothing but agreement: session, keys, start."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable

from mpcd._pb.v1.peer_pb2 import KeyContribution, KeyContributions
from mpcd.errors import ChannelError, MpcdError, NotFoundError
from mpcd.jobs.states import Event
from mpcd.party.case import Case, StageEnd
from mpcd.party.ports import Worker
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.dolev_strong import Agreed, Outcome
from mpcd.protocols.agreement.outcomes import (
    NONCE_BYTES,
    complaint_value,
    complaints,
    key_commitments,
    key_value,
    session_of,
    start,
    start_value,
)
from mpcd.protocols.rep4 import keys

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
) -> Outcome:
    """One slot of this job; equivocations are remembered as proof."""
    outcome = await slots.decide(key, work=work, value=value, by=by, max_body=max_body, settled=settled)
    case.note_equivocations(key, outcome)
    return outcome


def silence(case: Case, stage: str, parties: Iterable[int], text: str) -> StageEnd:
    """The end of a job in which parties gave no value; those that are proven to have lied are blamed."""
    names = case.names(frozenset(parties))
    proven = frozenset(names & set(case.proofs))
    statements = tuple(words for name in sorted(proven) for words in case.proofs[name])
    if proven:
        return StageEnd(
            Event.FAULT,
            f"{text}: {', '.join(sorted(proven))} signed two values",
            kind="equivocation",
            blamed=proven,
            statements=statements,
            step=stage,
        )
    text = f"{text}: {', '.join(sorted(names))}"
    return StageEnd(Event.FAULT, text, kind="silence", unreachable=names - {case.name}, step=stage)


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


async def agree_session(case: Case, slots: Slots) -> tuple[bytes, int]:
    """A session that was never used before, and the number of the attempt that brought it about."""
    missing: set[int] = set()
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
        session = session_of(case.job, attempt, outcome)
        if session is not None:
            await case.tools.store.jobs.use_session(case.job, attempt, session)
            return session, attempt
        missing = {p for p, v in outcome.items() if not isinstance(v, Agreed)}
    raise silence(case, "session", missing, "no session could be agreed without")


async def agree_keys(case: Case, slots: Slots, session: bytes) -> dict[int, bytes]:
    """The secrets K[a] that this party may know: committed, agreed, then exchanged (Spec rep4 2.1)."""
    me, parties = case.computing.index(case.name), range(len(case.computing))
    own = keys.contribute(me, secrets.token_bytes)
    made = keys.commitments(session, me, own)
    value = key_value([made[a] for a in sorted(made)])
    outcome = await decide(
        case,
        slots,
        SlotKey("KEYS", session),
        lambda: value,
        by=case.until(case.tools.pace.stage_s),
        max_body=len(value),
    )
    committed = key_commitments(outcome)
    if len(committed) < len(parties):
        raise silence(case, "keys", set(parties) - set(committed), "no commitments to keys came from")
    received = await _exchange_keys(case, slots, session, own, committed)
    return keys.combine(session, me, committed, own, received)


async def _exchange_keys(
    case: Case,
    slots: Slots,
    session: bytes,
    own: dict[int, keys.Contribution],
    committed: dict[int, dict[int, bytes]],
) -> dict[int, dict[int, keys.Contribution]]:
    """Send our contributions, take the others', and agree that nobody complains."""
    me = case.computing.index(case.name)
    tray = case.desk.open_tray(session)
    outbox = keys.outbox(me, own)
    by = case.until(case.tools.pace.stage_s)

    async def deliver(name: str) -> None:
        parts = outbox[case.computing.index(name)]
        found = [KeyContribution(key=a, secret=c.key, salt=c.salt) for a, c in parts.items()]
        message = KeyContributions(job=case.job, session=session, contributions=found)
        await case.tools.peers.deliver_keys(name, message)

    def received() -> dict[int, dict[int, keys.Contribution]]:
        return {
            case.computing.index(name): {
                c.key: keys.Contribution(c.secret, c.salt) for c in message.contributions
            }
            for name, message in tray.keys.items()
        }

    async def exchanged() -> None:
        await case.desk.wait(lambda: set(case.others) <= set(tray.keys), by)

    sending = asyncio.create_task(send_to_all(case, case.others, deliver, by))
    try:
        outcome = await decide(
            case,
            slots,
            SlotKey("KEY-COMPLAINT", session),
            lambda: complaint_value(
                range(len(case.computing)), keys.check(session, me, committed, received())
            ),
            by=by,
            max_body=len(case.computing),
            work=exchanged(),
        )
    finally:
        sending.cancel()
    said = complaints(outcome)
    if said.pairs:
        # One of the two lied; before the others can settle it in public, either may be the cheater.
        pair = min(said.pairs)
        blamed = case.names(frozenset(pair))
        text = f"{case.computing[pair[0]]} complains about the key contributions of {case.computing[pair[1]]}"
        raise StageEnd(Event.FAULT, text, kind="bad-key", blamed=blamed, step="keys")
    if said.silent:
        raise silence(case, "keys", said.silent, "no word about the keys came from")
    return received()


async def agree_start(case: Case, slots: Slots, session: bytes) -> tuple[Worker, int]:
    """A job process here and at every other party at the same time, and the number of the agreed start.

    All release and try again if one party has none: two jobs that each hold what the other needs would
    otherwise wait for ever. How long a job waits depends on its hash, so that they do not meet again.
    """
    number = 0
    while True:
        worker = await _try_start(case, slots, SlotKey("START", session, number))
        if worker is not None:
            return worker, number
        pause = _pause(case, number)
        if case.now() + pause >= case.terms.deadline:
            raise StageEnd(Event.DEADLINE, "no job process was free at all parties before the deadline")
        await asyncio.sleep(pause)
        number += 1


async def _try_start(case: Case, slots: Slots, key: SlotKey) -> Worker | None:
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
        )
        result = start(outcome)
        if result.silent:
            raise silence(case, "start", result.silent, "no word about the start came from")
        keep = result.go
        return reserved[0] if keep else None
    finally:
        if not keep:
            for worker in reserved:
                await worker.release()


def _pause(case: Case, number: int) -> float:
    """The same at all parties: grows with every attempt, and differs between jobs by up to eight-fold."""
    share = 1 + 7 * case.job[number % len(case.job)] / 255
    return float(case.tools.pace.backoff_s * share * 2 ** min(number, 3))
