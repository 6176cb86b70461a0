"""Daemons that are killed at an exact point of a job: `JOB crash at=STATE point=POINT`.

before-write   right before the transaction that persists the step into STATE
after-fsync    right after it
after-send     after the first slot message or call that leaves for another daemon in STATE
after-receive  after the first message, call or answer that was taken in STATE

The daemon kills itself with SIGKILL. With edits for several jobs it does so when the last of them has come to
its point; until then the others stand still where they are: nothing of theirs is written, sent or heard.
A line in the log tells of each (`crash point`), with the time.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from mpcd._pb.v1 import peer_pb2
from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent
from mpcd.jobs.specification import Specification
from mpcd.party import assembly
from mpcd.party.attach import CoordinatorLink
from mpcd.party.office import Office
from mpcd.party.peers import PeerCalls
from mpcd.storage import store
from mpcd.storage.database import SqliteDatabase, Work
from mpcd.storage.jobs import JobRow, Jobs, Transition
from mpcd.testing.edits import EditLine

SEND_S = 0.05
"""For a call to leave, whose answer we do not wait for."""
PATIENCE_S = 1.0
"""For a message to leave that waits for its stream."""
T = TypeVar("T")

_present: ContextVar[bytes | None] = ContextVar("job", default=None)
"""The job that the current task works for."""


class Crash:
    """Which jobs have come to their points."""

    def __init__(self, edits: tuple[EditLine, ...]) -> None:
        self._ahead = {str(edit): edit for edit in edits if edit.kind == "crash"}
        self._names: dict[bytes, str] = {}
        self._states: dict[bytes, str] = {}
        self._standing: set[bytes] = set()
        self._tasks: set[asyncio.Future[Any]] = set()

    def learn(self, job: bytes, envelope: bytes) -> None:
        """The name of a job, from its specification."""
        try:
            self._names[job] = Specification.from_bytes(Envelope.from_bytes(envelope).payload).name
        except MalformedError:
            return

    def reached(self, job: bytes, state: str) -> None:
        """A job is in this state, on the disk."""
        self._states[job] = state

    def stands(self, job: bytes | None) -> bool:
        return job in self._standing

    async def stand(self, job: bytes | None) -> None:
        """Return at once, or for a job that has come to its point never."""
        if self.stands(job):
            await _for_ever()

    def claim(self, job: bytes, point: str, state: str | None = None) -> EditLine | None:
        """The edit that is due here; from now on its job stands still."""
        if self.stands(job):
            return None
        name, where = self._names.get(job, ""), state or self._states.get(job)
        for edit in self._ahead.values():
            if edit.concerns(name) and (edit.words["at"], edit.words["point"]) == (where, point):
                self._standing.add(job)
                return edit
        return None

    def come(self, job: bytes, edit: EditLine) -> None:
        """A job has come to its point; the last one kills the daemon."""
        self._ahead.pop(str(edit), None)
        said = {"event": "crash point", "name": self._names[job], "at": edit.words["at"]}
        line = {**said, "point": edit.words["point"], "time": time.time(), "last": not self._ahead}
        os.write(2, json.dumps(line).encode() + b"\n")
        if not self._ahead:
            os.kill(os.getpid(), signal.SIGKILL)

    async def at(self, job: bytes, point: str, state: str | None = None) -> None:
        """Come to a point, if it is one: then stand there."""
        edit = self.claim(job, point, state)
        if edit is not None:
            self.come(job, edit)
            await _for_ever()

    def at_once(self, job: bytes, point: str, state: str | None = None) -> None:
        """Come to a point where other jobs would wait for us.

        Raises  RefusedError to get no further
        """
        edit = self.claim(job, point, state)
        if edit is not None:
            self.come(job, edit)
            raise RefusedError("the job stands still")

    def come_later(self, job: bytes, edit: EditLine, left: Callable[[], bool]) -> None:
        """Come to the point as soon as what was sent has left."""

        async def watch() -> None:
            end = time.monotonic() + PATIENCE_S
            while not left() and time.monotonic() < end:
                await asyncio.sleep(0.001)
            self.come(job, edit)

        task = asyncio.ensure_future(watch())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, job: bytes, call: Coroutine[Any, Any, T]) -> T:
        """A call to another daemon about a job, and its answer."""
        if self.stands(job):
            call.close()
            await _for_ever()
        edit = self.claim(job, "after-send")
        if edit is not None:
            task = asyncio.ensure_future(call)
            self._tasks.add(task)
            await asyncio.wait({task}, timeout=SEND_S)
            self.come(job, edit)
            await _for_ever()
        answer = await call
        await self.at(job, "after-receive")
        return answer

    async def taken(self, job: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """A call of another daemon about a job."""
        await self.stand(job)
        _present.set(job)
        done = await work()
        await self.at(job, "after-receive")
        return done


async def _for_ever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends this wait")


def install(crash: Crash) -> None:
    """Put parts that crash over those that are there, in this process."""
    parts: list[tuple[Any, str, Any]] = [
        (store, "Jobs", crashing_jobs(crash)),
        (assembly, "SqliteDatabase", crashing_database(crash)),
        (assembly, "PeerCalls", _peers(crash, vars(assembly)["PeerCalls"])),
        (assembly, "Office", _office(crash, vars(assembly)["Office"])),
        (assembly, "CoordinatorLink", _link(crash)),
    ]
    for module, name, part in parts:
        setattr(module, name, part)


def crashing_jobs(crash: Crash) -> type[Jobs]:
    """The table of jobs: before and after every step."""

    class CrashingJobs(Jobs):
        async def add(self, row: JobRow) -> JobRow:
            crash.learn(row.job, row.envelope)
            crash.at_once(row.job, "before-write", row.state)
            added = await super().add(row)
            crash.reached(row.job, row.state)
            crash.at_once(row.job, "after-fsync")
            return added

        async def advance(self, job: bytes, step: Transition) -> None:
            await crash.stand(job)
            await crash.at(job, "before-write", step.after)
            await super().advance(job, step)
            crash.reached(job, step.after)
            await crash.at(job, "after-fsync")

    return CrashingJobs


def crashing_database(crash: Crash) -> type[SqliteDatabase]:
    """Writes nothing more for a job that stands still."""

    class CrashingDatabase(SqliteDatabase):
        async def run(self, work: Work[T]) -> T:
            await crash.stand(_present.get())
            return await super().run(work)

    return CrashingDatabase


def _peers(crash: Crash, base: type[PeerCalls]) -> type[PeerCalls]:
    class CrashingPeers(base):  # type: ignore[valid-type,misc]
        def send_slot(self, party: str, message: peer_pb2.SlotMessage) -> None:
            if crash.stands(message.job):
                return
            # A sign of life is no step of a job: it comes whatever the job does.
            edit = crash.claim(message.job, "after-send") if message.slot else None
            super().send_slot(party, message)
            if edit is not None:
                stream = self._streams[party]
                crash.come_later(message.job, edit, lambda: not stream._waiting)

        async def show_consents(self, party: str, note: peer_pb2.ConsentNote) -> None:
            await crash.call(note.job, super().show_consents(party, note))

        async def deliver_keys(self, party: str, message: peer_pb2.KeyContributions) -> None:
            await crash.call(message.job, super().deliver_keys(party, message))

        async def deliver_input(self, party: str, header: peer_pb2.InputHeader, data: bytes) -> None:
            await crash.call(header.job, super().deliver_input(party, header, data))

        async def forward_share(self, party: str, header: peer_pb2.ShareHeader, data: bytes) -> None:
            await crash.call(header.job, super().forward_share(party, header, data))

        async def fetch_output(
            self, party: str, request: peer_pb2.FetchOutputRequest, most_bytes: int = 0
        ) -> tuple[peer_pb2.OutputHeader, bytes]:
            return await crash.call(request.job, super().fetch_output(party, request, most_bytes))

        async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
            await crash.call(job, super().deliver_receipt(party, job, receipt))

        async def fetch_receipt(self, party: str, job: bytes, wait_ms: int) -> Envelope | None:
            return await crash.call(job, super().fetch_receipt(party, job, wait_ms))

    return CrashingPeers


def _office(crash: Crash, base: type[Office]) -> type[Office]:
    class CrashingOffice(base):  # type: ignore[valid-type,misc]
        async def _live(self, matter: Any) -> None:
            _present.set(matter.job)
            await super()._live(matter)

        def slot(self, sender: str, message: peer_pb2.SlotMessage) -> None:
            if crash.stands(message.job):
                return
            super().slot(sender, message)
            edit = crash.claim(message.job, "after-receive") if message.slot else None
            if edit is not None:
                crash.come(message.job, edit)

        async def consent_set(self, job: bytes, consents: list[Envelope]) -> None:
            if not crash.stands(job):  # the stream to the coordinator serves other jobs too
                await super().consent_set(job, consents)
                edit = crash.claim(job, "after-receive")
                if edit is not None:
                    crash.come(job, edit)

        async def consents(self, sender: str, note: peer_pb2.ConsentNote) -> None:
            await crash.taken(note.job, lambda: super(CrashingOffice, self).consents(sender, note))

        async def keys(self, sender: str, message: peer_pb2.KeyContributions) -> None:
            await crash.taken(message.job, lambda: super(CrashingOffice, self).keys(sender, message))

        async def input(self, sender: str, header: peer_pb2.InputHeader, data: bytes) -> None:
            await crash.taken(header.job, lambda: super(CrashingOffice, self).input(sender, header, data))

        async def share(self, sender: str, header: peer_pb2.ShareHeader, data: bytes) -> None:
            await crash.taken(header.job, lambda: super(CrashingOffice, self).share(sender, header, data))

        async def output(
            self, caller: str, request: peer_pb2.FetchOutputRequest
        ) -> tuple[peer_pb2.OutputHeader, bytes]:
            served: tuple[peer_pb2.OutputHeader, bytes] = await crash.taken(
                request.job, lambda: super(CrashingOffice, self).output(caller, request)
            )
            return served

        async def receipt(self, sender: str, job: bytes, receipt: Envelope) -> None:
            await crash.taken(job, lambda: super(CrashingOffice, self).receipt(sender, job, receipt))

    return CrashingOffice


def _link(crash: Crash) -> type[CoordinatorLink]:
    class CrashingLink(CoordinatorLink):
        """In `proposed` nothing is sent but our consent, to the coordinator."""

        def say(self, job: bytes, statement: Envelope) -> None:
            if crash.stands(job):
                return
            edit = crash.claim(job, "after-send") if statement.type == Consent.TYPE else None
            super().say(job, statement)
            if edit is not None:
                place = (job, statement.type)
                crash.come_later(job, edit, lambda: place not in self._unsent)

    return CrashingLink
