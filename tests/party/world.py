"""Organisations with real keys, stores and lives of one job, joined in memory under virtual time.

What is not real: the network (calls between objects, with faults that the test chooses), the disk (SQLite in
memory, in the same thread), and the job process (`links`).
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np

from mpcd._pb.v1.peer_pb2 import (
    FetchOutputRequest,
    InputHeader,
    KeyContributions,
    OutputHeader,
    ShareHeader,
    SlotMessage,
)
from mpcd.errors import ChannelError, DataError, NotFoundError
from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster, entry_of
from mpcd.jobs.consent import Consent, accept
from mpcd.jobs.document import InputEntry, ResultEntry
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party.case import Terms, Tools
from mpcd.party.life import Life
from mpcd.party.notes import SessionNotice
from mpcd.party.pace import Pace
from mpcd.party.ports import Order, Product, Reveal, Worker
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.rounds import Words
from mpcd.storage.database import Work
from mpcd.storage.jobs import JobRow
from mpcd.storage.schema import MIGRATIONS
from mpcd.storage.store import Store, store_in
from mpcd.testing.simulation.clock import LoopClock
from tests.party.links import ROUND_S, Cheat, Linked, Wires, add_up

COMPUTING = ("acme", "bolt", "crux", "dune")
OWNER, READER = "echo", "fern"
EVERYBODY = (*COMPUTING, OWNER, READER)
DELTA, STAGE, DEADLINE = 1.0, 10.0, 120.0
PACE = Pace(delta_s=DELTA, stage_s=STAGE, lease_s=0.5, backoff_s=0.2, round_s=ROUND_S)
VALUES = {"acme": 10, "bolt": 20, "crux": 30, "dune": 40, "echo": 500}
TOTAL = sum(VALUES.values())
DEFAULT = 7000
"""With `missing: default`, what counts for an owner whose input cannot be used."""


@cache
def identities() -> dict[str, Identity]:
    return {name: Identity.create(name) for name in EVERYBODY}


@cache
def roster() -> Roster:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    members = [
        entry_of(who, self_signed_ca(who, now=now), "party", f"127.0.0.1:{7000 + k}", f"127.0.0.1:{8000 + k}")
        for k, who in enumerate(identities().values())
    ]
    return Roster.of(members)


def specification(
    name: str = "sum", owners: tuple[str, ...] = (*COMPUTING, OWNER), **changes: Any
) -> Specification:
    default = DEFAULT if changes.get("missing") == "default" else None
    terms: dict[str, Any] = {
        "name": name,
        "computing": COMPUTING,
        "inputs": tuple(
            InputEntry(party=o, dataset="bids", argument="bids", rows=1, default=default) for o in owners
        ),
        "results": (ResultEntry(output="total", to=("acme", READER)),),
        "program": "the sum",
        "program_hash": "0" * 64,
        "roster_hash": roster().hash.hex(),
        "submitter": "acme",
        "created": 0,
        "nonce": hashlib.sha256(name.encode()).hexdigest(),
        "deadline": DEADLINE,
        "profile": "fair",
    }
    return Specification(**(terms | changes))


class InlineDatabase:
    """A `Database` in memory, in this thread; `fail` makes it fail, `log` is what was committed."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for migration in MIGRATIONS:
            self.connection.executescript(migration)

    async def run(self, work: Work[Any]) -> Any:
        await asyncio.sleep(0)
        self.connection.execute("BEGIN")
        try:
            result = work(self.connection)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return result

    async def read(self, work: Work[Any]) -> Any:
        return await self.run(work)


@dataclass
class Pool:
    """Job processes of one party."""

    slots: int = 1
    taken: int = 0
    log: list[str] = field(default_factory=list)
    run: Callable[[Order, Reveal], Any] | None = None
    compute: Callable[[Order], Product] | None = None
    wires: Wires = field(default_factory=Wires)
    cheat: Cheat = field(default_factory=Cheat)
    reveal_after: int = 0
    orders: list[Order] = field(default_factory=list)

    async def reserve(self, job: bytes, wait_s: float) -> Worker | None:
        if self.taken >= self.slots:
            await asyncio.sleep(wait_s)
        if self.taken >= self.slots:
            return None
        self.taken += 1
        return _Process(self)


class _Process:
    """One reserved process: in every epoch it runs `Pool.run`, if there is one, and the linked program."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.held = True
        self.linked: Linked | None = None

    async def run(self, order: Order, reveal: Reveal) -> Product:
        assert self.held
        self.pool.orders.append(order)
        await asyncio.sleep(0.02)
        if self.pool.run is not None:
            await self.pool.run(order, reveal)
        self.linked = Linked(self.pool.wires, order, self.pool.cheat)
        return await self.linked.run(reveal, self.pool.reveal_after, self.pool.compute or add_up)

    async def halt(self) -> None:
        if self.linked is not None:
            self.linked.halted.set()
            self.pool.wires.ring()

    async def expect(
        self, what: bytes, keys: Mapping[int, bytes], roster: Sequence[int], memory_bytes: int
    ) -> Expected:
        raise AssertionError("the program of the tests has no batches")

    async def release(self) -> None:
        if self.held:
            self.held = False
            self.pool.taken -= 1


@dataclass
class OwnData:
    """The dataset of one party."""

    value: int | None

    async def read(self, entry: InputEntry) -> Words:
        if self.value is None:
            raise DataError("the file is gone")
        return np.array([[self.value]], np.uint64)


Fault = Callable[[str, str, str, Any], bool]
"""(what, sender, receiver, message) -> whether it is lost."""


Twist = Callable[[str, str, str, Any], Any]
"""(what, sender, receiver, message) -> what the sender says instead: how a cheater is made."""


@dataclass
class World:
    """All daemons."""

    lost: Fault = lambda what, sender, to, message: False
    twist: Twist = lambda what, sender, to, message: message
    daemons: dict[str, Daemon] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    killed: set[str] = field(default_factory=set)
    log: list[tuple[str, str, str, Any]] = field(default_factory=list)
    wires: Wires = field(default_factory=Wires)

    def daemon(self, name: str) -> Daemon:
        if name not in self.daemons:
            self.daemons[name] = Daemon(self, name)
        return self.daemons[name]

    async def call(self, what: str, sender: str, to: str, message: Any) -> Life:
        """The life that a message is for, after its way through the network."""
        await asyncio.sleep(0.002)
        job = message if isinstance(message, bytes) else message.job
        self.log.append((what, sender, to, message))
        if {sender, to} & self.dead or self.lost(what, sender, to, message):
            raise ChannelError(f"{to} is silent")
        life = self.daemons[to].lives.get(job) if to in self.daemons else None
        if life is None:
            raise NotFoundError("no such job")
        return life

    def kill(self, name: str) -> None:
        """The daemon is gone, its job processes with it: its tasks stop without a word."""
        self.dead.add(name)
        self.killed.add(name)
        for task in self.daemons[name].tasks:
            task.cancel()


class Daemon:
    """One party."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.lives: dict[bytes, Life] = {}
        self.tasks: list[asyncio.Task[State]] = []
        self.database = InlineDatabase()
        self.pool = Pool(wires=world.wires)
        self.data = OwnData(VALUES.get(name))
        self.states: list[tuple[float, State]] = []
        self.tools = self.make_tools()

    def make_tools(self) -> Tools:
        return Tools(
            identity=identities()[self.name],
            roster=roster(),
            store=store_in(self.database, bytes(32)),
            peers=Wire(self.world, self.name),
            workers=self.pool,
            reader=self.data,
            clock=LoopClock(),
            pace=PACE,
        )

    @property
    def store(self) -> Store:
        return self.tools.store

    async def know(self, spec: Specification) -> Life:
        """The job is consented to by all; nothing runs yet."""
        loop = asyncio.get_running_loop()
        signed = Envelope(Specification.TYPE, spec.to_bytes()).to_bytes()
        row = JobRow(spec.job, signed, spec.submitter, spec.name, "consented", "", 0, None, 0, 0)
        await self.store.jobs.add(row)
        consent = Envelope(Consent.TYPE, accept(spec, spec.job, self.name).to_bytes()).to_bytes()
        await self.store.consents.add(spec.job, {self.name: consent})
        life = Life(terms_of(spec, loop.time() + spec.deadline), self.tools, on_change=self._changed)
        self.lives[spec.job] = life
        return life

    def begin(self, spec: Specification) -> asyncio.Task[State]:
        task = asyncio.create_task(self.lives[spec.job].run(), name=self.name)
        self.tasks.append(task)
        return task

    def _changed(self, state: State, _detail: str) -> None:
        self.states.append((asyncio.get_running_loop().time(), state))


def terms_of(spec: Specification, deadline: float) -> Terms:
    rows = {(e.party, e.argument): e.rows for e in spec.inputs}
    return Terms(spec.job, spec, rows, {"bids": 1}, {"total": 8}, deadline)


@dataclass
class Wire:
    """The ways out of one daemon."""

    world: World
    me: str

    def send_slot(self, party: str, message: SlotMessage) -> None:
        asyncio.get_running_loop().call_later(0.001, self._arrive, party, message)

    def _arrive(self, party: str, message: SlotMessage) -> None:
        self.world.log.append(("slot", self.me, party, message))
        if {self.me, party} & self.world.dead or self.world.lost("slot", self.me, party, message):
            return
        life = self.world.daemons[party].lives.get(message.job) if party in self.world.daemons else None
        if life is not None:
            life.slot(self.me, message)

    async def deliver_keys(self, party: str, message: KeyContributions) -> None:
        life = await self.world.call("keys", self.me, party, message)
        await life.keys(self.me, self.world.twist("keys", self.me, party, message))

    async def announce_session(self, party: str, notice: Envelope) -> None:
        job = bytes.fromhex(SessionNotice.from_bytes(notice.payload).job)
        life = await self.world.call("session", self.me, party, job)
        await life.announced(self.me, self.world.twist("session", self.me, party, notice))

    async def deliver_input(self, party: str, header: InputHeader, data: bytes) -> None:
        life = await self.world.call("input", self.me, party, header)
        assert len(data) <= life.room_for(self.me)
        await life.input(self.me, *self.world.twist("input", self.me, party, (header, data)))

    async def forward_share(self, party: str, header: ShareHeader, data: bytes) -> None:
        life = await self.world.call("share", self.me, party, header)
        await life.share(self.me, *self.world.twist("share", self.me, party, (header, data)))

    async def fetch_output(
        self, party: str, request: FetchOutputRequest, most_bytes: int = 0
    ) -> tuple[OutputHeader, bytes]:
        life = await self.world.call("output", self.me, party, request)
        answer = await life.output(self.me, request)
        found: tuple[OutputHeader, bytes] = self.world.twist("output", party, self.me, answer)
        assert most_bytes == (8 if request.body else 0), "the length of the output, and no more"
        return found

    async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
        life = await self.world.call("receipt", self.me, party, job)
        await life.receipt(self.me, receipt)

    async def fetch_receipt(self, party: str, job: bytes, wait_ms: int) -> Envelope | None:
        life = await self.world.call("fetch receipt", self.me, party, job)
        return await life.fetch_receipt(self.me, wait_ms / 1000)


async def run_job(world: World, spec: Specification, parties: tuple[str, ...] = ()) -> dict[str, State]:
    """Everybody who takes part knows the job and begins; how it ended at each."""
    names = parties or spec.parties
    for name in names:
        await world.daemon(name).know(spec)
    tasks = {name: world.daemons[name].begin(spec) for name in names}
    done = await asyncio.gather(*tasks.values(), return_exceptions=True)
    ended = dict(zip(tasks, done, strict=True))
    for name, state in ended.items():
        if isinstance(state, BaseException) and name not in world.killed:
            raise state
    return {name: state for name, state in ended.items() if isinstance(state, State)}


async def result_of(world: World, name: str, spec: Specification) -> int | None:
    """What a party has learnt."""
    found: Mapping[str, bytes] = await world.daemons[name].store.results.of(spec.job)
    return int(np.frombuffer(found["total"], "<u8")[0]) if found else None
