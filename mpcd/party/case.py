"""One job at one party: what it is about, where it stands, and by when things must have happened.

The state is moved here only, by the table in `mpcd.jobs.states`, and persisted before anybody acts on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpcd.clock import Clock
from mpcd.errors import DeadlineError, MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.jobs.evidence import Kind
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import TERMINAL, Event, State, advance, is_possible
from mpcd.party.desk import Desk
from mpcd.party.pace import Pace
from mpcd.party.ports import Peers, Reader, Workers
from mpcd.protocols.scheme import SCHEMES, Scheme
from mpcd.storage.jobs import Transition
from mpcd.storage.shares import InputKey
from mpcd.storage.store import Store


@dataclass(frozen=True, slots=True)
class Tools:
    """What all jobs of a daemon share."""

    identity: Identity
    roster: Roster
    store: Store
    peers: Peers
    workers: Workers
    reader: Reader
    clock: Clock
    pace: Pace


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed before a job begins.

    rows      (owner, argument) -> rows, from the consents
    columns   argument -> number of columns of its table, from the program
    outputs   output -> the most bytes that a summand of it can have, from the program and the rows
    deadline  on this daemon's monotonic clock
    rounds    of all epochs that the job may have; 0 if that is not known
    """

    job: bytes
    specification: Specification
    rows: Mapping[InputKey, int]
    columns: Mapping[str, int]
    outputs: Mapping[str, int]
    deadline: float
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where a session comes from: the attempt, and everybody's nonce. They show to which job it belongs."""

    attempt: int
    nonces: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A value of one party in a slot: its signature, and what it signed the digest of.

    batch  in BATCH-KEYS: the batch whose keys they are, of which the slot's name has a digest
    """

    envelope: Envelope
    body: bytes
    batch: bytes = b""


@dataclass(eq=False)
class StageEnd(MpcdError):
    """A stage ends the job: `event` moves it, `text` says why. Names of parties; blamed and unreachable are
    kept apart. agreed: it follows from the words of more parties than can be corrupted, so all others come to
    the same."""

    event: Event
    text: str
    kind: Kind | None = None
    blamed: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()
    statements: tuple[Envelope, ...] = ()
    step: str = ""
    said: tuple[Said, ...] = ()
    epoch: int = 0
    agreed: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.text, where=self.step)


class DroppedError(MpcdError):
    """The others go on without this party: it gets its outputs like any recipient."""

    def __init__(self) -> None:
        super().__init__("the others go on without this party")


@dataclass(slots=True)
class Case:
    """A running job. `moving` is held while a transition is persisted, so that none is torn; `opened`: all
    have agreed to open, so that our shares of the outputs are served for ever, whatever comes after;
    `session`: once it is agreed; `drawn`: where it comes from; `patience_s`: how long rounds may take, in all
    epochs, once the first begins."""

    terms: Terms
    tools: Tools
    state: State
    desk: Desk
    on_change: Callable[[State, str], None] = lambda _state, _detail: None
    opened: bool = False
    session: bytes | None = None
    drawn: Drawn | None = None
    patience_s: float | None = None
    moving: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    proofs: dict[str, tuple[Envelope, Envelope]] = field(default_factory=dict)

    # -- who we are ------------------------------------------------------------------------------------

    @property
    def job(self) -> bytes:
        return self.terms.job

    @property
    def name(self) -> str:
        return self.tools.identity.name

    @property
    def computing(self) -> tuple[str, ...]:
        return self.terms.specification.computing

    @property
    def me(self) -> int | None:
        """Our index among the computing parties."""
        return self.terms.specification.index_of(self.name)

    @property
    def others(self) -> tuple[str, ...]:
        """The other computing parties."""
        return tuple(name for name in self.computing if name != self.name)

    @property
    def scheme(self) -> Scheme:
        """How the job's inputs are shared."""
        return SCHEMES[self.terms.specification.protocol]

    @property
    def guaranteed(self) -> bool:
        """Whether the job goes on without a party that is at fault."""
        return self.terms.specification.profile == "guaranteed"

    def names(self, parties: frozenset[int]) -> frozenset[str]:
        return frozenset(self.computing[p] for p in parties)

    # -- time ------------------------------------------------------------------------------------------

    def now(self) -> float:
        return self.tools.clock.monotonic()

    def until(self, seconds: float) -> float:
        """So many seconds from now, the deadline at the latest.

        Raises  DeadlineError if that has passed
        """
        now = self.now()
        if now >= self.terms.deadline:
            raise DeadlineError("the deadline of the job has passed")
        return min(now + seconds, self.terms.deadline)

    @property
    def last_call(self) -> float:
        """Until when recipients ask for outputs: holders may finish at the deadline itself."""
        return self.terms.deadline + min(2 * self.slot_s, GRACE_S - 10)

    @property
    def slot_s(self) -> float:
        return self.tools.pace.slot_s

    # -- state -----------------------------------------------------------------------------------------

    async def move(self, event: Event, detail: str = "") -> None:
        """Take an event: persist the next state, then tell everybody who watches.

        Raises  UsageError if the table has no such row; StorageError
        """
        async with self.moving:
            await self._move(event, detail)

    async def end(self, event: Event, detail: str) -> None:
        """Take the last event, or `failure` if it does not fit; nothing if the job has ended meanwhile.

        Raises  StorageError
        """
        async with self.moving:
            if not self.ended:
                await self._move(event if self.can(event) else Event.FAILURE, detail)

    async def _move(self, event: Event, detail: str) -> None:
        following = advance(self.state, event)
        at_ms = int(self.tools.clock.now().timestamp() * 1000)
        step = Transition(event.value, self.state.value, following.value, detail, at_ms)
        await self.tools.store.jobs.advance(self.job, step)
        self.state = following
        self.opened = self.opened or following is State.OPENING
        self.changed.set()
        self.desk.ring()
        self.on_change(following, detail)

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    def can(self, event: Event) -> bool:
        return is_possible(self.state, event)
