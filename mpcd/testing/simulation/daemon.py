"""A simulated party: the real life of a job over a real store in memory, with a network that is not.

It can crash at any moment, with everything that it had in memory, and start again from what is on its disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from mpcd._pb.v1.peer_pb2 import (
    FetchOutputRequest,
    InputHeader,
    KeyContributions,
    OutputHeader,
    ShareHeader,
    SlotMessage,
)
from mpcd.errors import ChannelError, DataError, NotFoundError, PeerError, StorageError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent, accept
from mpcd.jobs.document import InputEntry
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import TERMINAL, State
from mpcd.party import past
from mpcd.party.case import Tools
from mpcd.party.life import Life
from mpcd.party.notes import SessionNotice
from mpcd.party.pace import Pace
from mpcd.protocols.rounds import Words
from mpcd.storage.database import Work
from mpcd.storage.jobs import JobRow
from mpcd.storage.schema import MIGRATIONS
from mpcd.storage.store import Store, store_in
from mpcd.testing.simulation.clock import LoopClock
from mpcd.testing.simulation.jobs import Job, Outputs
from mpcd.testing.simulation.network import Ground, Wires
from mpcd.testing.simulation.people import identities, roster
from mpcd.testing.simulation.process import Pool, Watch

T = TypeVar("T")


class Disk:
    """What survives a crash."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA synchronous=OFF")
        for migration in MIGRATIONS:
            self.connection.executescript(migration)


class InlineDatabase:
    """A `Database` on a disk, in this thread, until the party crashes; `on_commit` is told of every one."""

    def __init__(self, disk: Disk, on_commit: Callable[[], None]) -> None:
        self._connection = disk.connection
        self._on_commit = on_commit
        self.crashed = False

    async def run(self, work: Work[Any]) -> Any:
        await asyncio.sleep(0)
        self._alive()
        self._connection.execute("BEGIN")
        try:
            result = work(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._on_commit()
        self._alive()
        return result

    async def read(self, work: Work[Any]) -> Any:
        await asyncio.sleep(0)
        self._alive()
        return work(self._connection)

    def _alive(self) -> None:
        if self.crashed:
            raise StorageError("the daemon has crashed")


@dataclass
class OwnData:
    """The dataset of one party."""

    row: tuple[int, ...] | None

    async def read(self, entry: InputEntry) -> Words:
        if self.row is None:
            raise DataError("the file is gone")
        return np.array(self.row, np.int64).view(np.uint64).reshape(-1, 1)


@dataclass
class Setting:
    """What all parties of a simulation share."""

    job: Job
    pace: Pace
    ground: Ground
    wires: Wires
    watch: Watch
    daemons: dict[str, Daemon] = field(default_factory=dict)

    def life(self, name: str) -> Life:
        """Raises  NotFoundError if the party does not know the job"""
        life = self.daemons[name].life
        if life is None:
            raise NotFoundError("no such job")
        return life


class Daemon:
    """One party. `states`: (time, state, detail) of every transition."""

    def __init__(self, setting: Setting, name: str) -> None:
        self.setting = setting
        self.name = name
        self.disk = Disk()
        self.life: Life | None = None
        self.task: asyncio.Task[State] | None = None
        self.ended = asyncio.Event()
        self.states: list[tuple[float, State, str]] = []
        self.commits = 0
        self.sent = 0
        self.on_event: Callable[[str, int], None] = lambda _what, _count: None
        self.pool = Pool(identities()[name], setting.wires, setting.pace, setting.watch)
        self.data = OwnData(setting.job.row(name))
        self.wire: Wire = Wire(setting, name, self._message)
        self.make_life: Callable[[Life], None] = lambda _life: None
        self._deadline = 0.0
        self._start()

    def _start(self) -> None:
        self.database = InlineDatabase(self.disk, self._committed)
        self.tools = Tools(
            identity=identities()[self.name],
            roster=roster(),
            store=store_in(self.database, bytes(32)),
            peers=self.wire,
            workers=self.pool,
            reader=self.data,
            clock=LoopClock(),
            pace=self.setting.pace,
        )

    @property
    def store(self) -> Store:
        return self.tools.store

    @property
    def state(self) -> State:
        return State.FAILED if self.life is None else self.life.state

    def _committed(self) -> None:
        self.commits += 1
        self.on_event("commit", self.commits)

    def _message(self) -> None:
        self.sent += 1
        self.on_event("message", self.sent)

    async def serve(self, caller: str, request: FetchOutputRequest) -> tuple[OutputHeader, bytes]:
        """What a recipient is answered."""
        return await self.setting.life(self.name).output(caller, request)

    # -- life ------------------------------------------------------------------------------------------

    async def know(self) -> None:
        """The job is consented to by all; nothing runs yet."""
        spec, loop = self.setting.job.specification, asyncio.get_running_loop()
        self._deadline = loop.time() + spec.deadline
        signed = Envelope(Specification.TYPE, spec.to_bytes()).to_bytes()
        row = JobRow(spec.job, signed, spec.submitter, spec.name, "consented", "", 0, None, 0, 0)
        await self.store.jobs.add(row)
        consent = Envelope(Consent.TYPE, accept(spec, spec.job, self.name).to_bytes()).to_bytes()
        await self.store.consents.add(spec.job, {self.name: consent})
        terms = self.setting.job.terms(self._deadline)
        self._live(Life(terms, self.tools, on_change=self._changed))

    def _live(self, life: Life) -> None:
        self.life = life
        self.make_life(life)

    def begin(self) -> None:
        assert self.life is not None
        self._run(self.life.run())

    def _run(self, life: Any) -> None:
        self.task = asyncio.create_task(life, name=self.name)
        self.task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[State]) -> None:
        if not task.cancelled():
            task.exception()  # of a daemon that crashed; that of a living one is looked at in the end
            if task is self.task:
                self.ended.set()

    def _changed(self, state: State, detail: str) -> None:
        self.states.append((asyncio.get_running_loop().time(), state, detail))

    def crash(self) -> None:
        """Everything in memory is gone, job processes included, and nobody is told."""
        self.setting.ground.down.add(self.name)
        self.database.crashed = True
        self.life = None
        task, self.task = self.task, None
        if task is not None:
            task.cancel()

    async def restart(self) -> None:
        """Start again from the disk, as `mpcd.party.past` does."""
        self.pool.taken = False
        self._start()
        self.setting.ground.down.discard(self.name)
        self.setting.ground.vanished.discard(self.name)
        resumed = await past.sweep(self.store, self.tools.clock)
        row = await self.store.jobs.get(self.setting.job.specification.job)
        opened = await past.was_opened(self.store, row.job)
        life = Life(
            self.setting.job.terms(self._deadline),
            self.tools,
            state=State(row.state),
            session=row.session,
            opened=opened,
            on_change=self._changed,
        )
        self._live(life)
        if any(other.job == row.job for other in resumed):
            self._run(life.resume())
        elif life.state in TERMINAL:
            self.ended.set()

    async def results(self) -> Outputs:
        """What this party has learnt."""
        found = await self.store.results.of(self.setting.job.specification.job)
        return {name: tuple(np.frombuffer(data, "<i8").tolist()) for name, data in found.items()}


class Wire:
    """The ways out of one daemon (`mpcd.party.ports.Peers`)."""

    def __init__(self, setting: Setting, me: str, on_message: Callable[[], None]) -> None:
        self.setting = setting
        self.me = me
        self._on_message = on_message

    def send_slot(self, party: str, message: SlotMessage) -> None:
        self._on_message()
        copy = SlotMessage.FromString(message.SerializeToString())

        def deliver() -> None:
            life = self.setting.daemons[party].life
            if life is not None:
                life.slot(self.me, copy)

        self.setting.ground.post(self.me, party, copy.ByteSize(), deliver)

    async def deliver_keys(self, party: str, message: KeyContributions) -> None:
        await self._call("keys", party, lambda life: life.keys(self.me, message))

    async def announce_session(self, party: str, notice: Envelope) -> None:
        SessionNotice.from_bytes(notice.payload)
        await self._call("session", party, lambda life: life.announced(self.me, notice))

    async def deliver_input(self, party: str, header: InputHeader, data: bytes) -> None:
        def give(life: Life) -> Awaitable[None]:
            if len(data) > life.room_for(self.me):
                raise PeerError("there is no room for so much", step="input", blamed=frozenset())
            return life.input(self.me, header, data)

        await self._call("input", party, give)

    async def forward_share(self, party: str, header: ShareHeader, data: bytes) -> None:
        await self._call("share", party, lambda life: life.share(self.me, header, data))

    async def fetch_output(
        self, party: str, request: FetchOutputRequest, most_bytes: int = 0
    ) -> tuple[OutputHeader, bytes]:
        answers = self.setting.daemons[party]
        header, body = await self._call("output", party, lambda _life: answers.serve(self.me, request))
        if len(body) != header.size_bytes or len(body) > most_bytes:
            raise PeerError(f"{party} sent an output of a wrong length", step="output", blamed=frozenset())
        return header, body

    async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
        await self._call("receipt", party, lambda life: life.receipt(self.me, receipt))

    async def fetch_receipt(self, party: str, job: bytes, wait_ms: int) -> Envelope | None:
        wait_s = wait_ms / 1000
        return await self._call("fetch receipt", party, lambda life: life.fetch_receipt(self.me, wait_s))

    async def _call(self, what: str, party: str, handle: Callable[[Life], Awaitable[T]]) -> T:
        self._on_message()
        setting = self.setting

        async def answer() -> T:
            if party in setting.ground.down:
                raise ChannelError(f"{party} is down")
            try:
                return await handle(setting.life(party))
            except StorageError:
                raise ChannelError(f"{party} is down") from None

        return await setting.ground.call(what, self.me, party, answer)
