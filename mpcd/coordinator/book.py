"""All jobs of the coordinator: on the disk first, then in memory, then to whoever waits for news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from mpcd.clock import Clock
from mpcd.coordinator.entry import (
    Entry,
    read_job,
    view,
    with_cancellation,
    with_consent,
    with_report,
)
from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.consent import Consent
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.notices import Cancellation, StatusReport
from mpcd.jobs.specification import check_roster
from mpcd.jobs.states import TERMINAL, State
from mpcd.storage.database import Database
from mpcd.storage.jobs import JobRow, Jobs, Transition
from mpcd.storage.notices import Notices

MAX_JOBS_LISTED = 200
SWEEP_S = 1.0


class Book:
    """Jobs by hash. Jobs that are not over are held in memory; the others are read when somebody asks."""

    def __init__(
        self, database: Database, roster: Roster, clock: Clock, *, max_jobs: int, max_per_submitter: int
    ) -> None:
        self._jobs = Jobs(database)
        self._notices = Notices(database)
        self._roster = roster
        self._clock = clock
        self._max_jobs = max_jobs
        self._max_per_submitter = max_per_submitter
        self._active: dict[bytes, Entry] = {}
        self._locks: dict[bytes, asyncio.Lock] = {}
        self._watchers: dict[bytes, set[asyncio.Event]] = {}

    def now_ms(self) -> int:
        """The wall clock, in milliseconds since 1970."""
        return int(self._clock.now().timestamp() * 1000)

    async def recover(self) -> int:
        """Read the jobs that are not over; how many."""
        unfinished = frozenset(str(state) for state in State if state not in TERMINAL)
        for row in await self._jobs.in_states(unfinished):
            # A row that this version cannot read stays on the disk and is skipped.
            with suppress(MalformedError, RefusedError):
                self._active[row.job] = await self._load(row)
        return len(self._active)

    def active(self) -> list[Entry]:
        """The jobs that are not over, the oldest first."""
        return sorted(self._active.values(), key=lambda entry: entry.specification.created)

    async def submit(self, envelope: Envelope, caller: str) -> tuple[Entry, bool]:
        """Take a job; a known idempotency key returns the job it belongs to, and True.

        Raises    RefusedError if the caller did not sign it or a limit is reached
        """
        entry = read_job(envelope, self._roster)
        specification = entry.specification
        if specification.submitter != caller:
            raise RefusedError(f"{caller} cannot submit a job of {specification.submitter}")
        check_roster(specification, self._roster)
        self._check_time(entry)
        self._check_room(entry)
        row = await self._jobs.add(
            JobRow(
                job=entry.job,
                envelope=envelope.to_bytes(),
                submitter=caller,
                idempotency_key=specification.idempotency_key or entry.job.hex(),
                state=State.PROPOSED,
                detail="",
                attempt=0,
                session=None,
                created_ms=specification.created,
                deadline_ms=entry.deadline_ms,
            )
        )
        if row.job in self._active:
            return self._active[row.job], True
        if row.job != entry.job or row.state in {str(state) for state in TERMINAL}:
            return await self._load(row), True
        self._active[row.job] = entry
        return entry, False

    def _check_time(self, entry: Entry) -> None:
        """A clock that is far off would let every job expire at once, or never."""
        ahead_ms = entry.specification.created - self.now_ms()
        if ahead_ms > 300_000 or -ahead_ms > entry.specification.deadline * 1000:
            raise RefusedError(
                f"the job was made {abs(ahead_ms) // 1000} s in the {'future' if ahead_ms > 0 else 'past'}",
                fix="look at the clocks of the two machines",
            )

    def _check_room(self, entry: Entry) -> None:
        submitter = entry.specification.submitter
        own = [e for e in self._active.values() if e.specification.submitter == submitter]
        key = entry.specification.idempotency_key
        if (key and any(e.specification.idempotency_key == key for e in own)) or entry.job in self._active:
            return
        if len(self._active) >= self._max_jobs or len(own) >= self._max_per_submitter:
            raise RefusedError(
                "there are too many unfinished jobs", fix="wait for some to end, or cancel some"
            )

    async def get(self, job: bytes) -> Entry:
        """Raises    NotFoundError"""
        return self._active.get(job) or await self._load(await self._jobs.get(job))

    async def recent(self, limit: int, *, unfinished: bool) -> list[Entry]:
        """The newest jobs first."""
        if unfinished:
            return self.active()[::-1][:limit]
        rows = await self._jobs.recent(min(limit, MAX_JOBS_LISTED))
        return [self._active.get(row.job) or await self._load(row) for row in rows]

    async def add_statement(self, envelope: Envelope, party: str) -> tuple[Entry, bool]:
        """Take a consent or a report that `party` signed; the job, and whether anything is new.

        Raises    RefusedError for other statements and bad signatures, NotFoundError for an unknown job
        """
        kinds: dict[str, Callable[[Entry], Entry]] = {
            Consent.TYPE: lambda entry: with_consent(entry, envelope, party, self._roster),
            StatusReport.TYPE: lambda entry: with_report(entry, envelope, party, self._roster),
        }
        if envelope.type not in kinds:
            raise RefusedError(f"a {envelope.type} is no statement about a job")
        model = Consent if envelope.type == Consent.TYPE else StatusReport
        job = bytes.fromhex(model.from_bytes(envelope.payload).job)
        return await self._change(job, party, kinds[envelope.type], envelope)

    async def cancel(self, envelope: Envelope, caller: str) -> tuple[Entry, bool]:
        """Take the submitter's cancellation.

        Raises    RefusedError if somebody else signed or sends it
        """
        job = bytes.fromhex(Cancellation.from_bytes(envelope.payload).job)
        entry = await self.get(job)
        if entry.specification.submitter != caller:
            raise RefusedError("only the submitter can cancel a job")
        return await self._change(
            job, caller, lambda entry: with_cancellation(entry, envelope, self._roster), envelope
        )

    async def _change(
        self, job: bytes, party: str, change: Callable[[Entry], Entry], envelope: Envelope
    ) -> tuple[Entry, bool]:
        async with self._locks.setdefault(job, asyncio.Lock()):
            entry = await self.get(job)
            if party not in entry.specification.parties and party != entry.specification.submitter:
                raise RefusedError(f"{party} takes no part in this job")
            changed = change(entry)
            if changed is entry:
                return entry, False
            report = changed.reports.get(party) if envelope.type == StatusReport.TYPE else None
            number = report.number if report else 0
            await self._notices.put(job, envelope.type, party, number, envelope.to_bytes())
            await self._note(entry, changed)
            return changed, True

    async def _note(self, before: Entry, after: Entry) -> None:
        """The new view, on the disk; then in memory; then to those who watch."""
        now = self.now_ms()
        state, detail = view(after, now)
        row = await self._jobs.get(after.job)
        if row.state != state:
            await self._jobs.advance(after.job, Transition("reports", row.state, state, detail, now))
        if after.is_over(now):
            self._active.pop(after.job, None)
            self._locks.pop(after.job, None)
        elif before.job in self._active:
            self._active[after.job] = after
        for event in self._watchers.get(after.job, ()):
            event.set()

    async def sweep(self) -> None:
        """For ever: close the jobs whose time is over."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.now_ms()
            for entry in [entry for entry in self._active.values() if entry.is_over(now)]:
                async with self._locks.setdefault(entry.job, asyncio.Lock()):
                    await self._note(entry, entry)

    async def watch(self, job: bytes) -> AsyncIterator[Entry]:
        """The job now and after every change, until it is over."""
        event = asyncio.Event()
        self._watchers.setdefault(job, set()).add(event)
        try:
            while True:
                event.clear()
                entry = await self.get(job)
                yield entry
                if entry.is_over(self.now_ms()):
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await event.wait()
        finally:
            self._watchers[job].discard(event)
            if not self._watchers[job]:
                del self._watchers[job]

    async def _load(self, row: JobRow) -> Entry:
        entry = read_job(Envelope.from_bytes(row.envelope), self._roster)
        for kind, party, raw in await self._notices.of(row.job):
            envelope = Envelope.from_bytes(raw)
            if kind == Consent.TYPE:
                entry = with_consent(entry, envelope, party, self._roster)
            elif kind == StatusReport.TYPE:
                entry = with_report(entry, envelope, party, self._roster)
            else:
                entry = with_cancellation(entry, envelope, self._roster)
        return entry
