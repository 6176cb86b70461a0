"""Running a scenario: all parties from consent to their ends, with what happens to them on the way."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.receipt import Receipt
from mpcd.jobs.states import State
from mpcd.party.ports import Order
from mpcd.runtime.computation import Computation
from mpcd.runtime.epochs import Epoch
from mpcd.testing.network.weather import Sky
from mpcd.testing.simulation.clock import run_virtually
from mpcd.testing.simulation.daemon import Daemon, Setting
from mpcd.testing.simulation.faults import Faulty, Frames
from mpcd.testing.simulation.jobs import Outputs
from mpcd.testing.simulation.ledger import Ledger
from mpcd.testing.simulation.network import Ground, Wires
from mpcd.testing.simulation.people import EVERYBODY
from mpcd.testing.simulation.scenario import PACE, Crash, Cut, Scenario


@dataclass
class PartyEnd:
    """How a party ended.

    results  output -> value; at_s: when it was in its last state; task: what its life raised, if anything
    records  its evidence, as it is signed
    """

    state: State
    at_s: float
    detail: str
    results: Outputs
    receipt: Envelope | None
    evidence: list[Evidence]
    opened: bool
    records: tuple[Envelope, ...] = ()
    error: str = ""


@dataclass
class Story:
    """What came of a scenario.

    injected   what the party at fault came to do, and what else happened
    orders     (party, order) of every run of a job process
    """

    scenario: Scenario
    ends: dict[str, PartyEnd] = field(default_factory=dict)
    injected: Counter[str] = field(default_factory=Counter)
    orders: list[tuple[str, Order]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    bugs: list[str] = field(default_factory=list)
    took_s: float = 0.0
    messages: int = 0

    @property
    def epochs(self) -> int:
        return 1 + max((order.epoch for _, order in self.orders), default=-1)

    @property
    def receipt(self) -> Receipt | None:
        found = [end.receipt for name, end in self.ends.items() if name in self.scenario.honest]
        return next((Receipt.from_bytes(e.payload) for e in found if e is not None), None)

    @property
    def outcome(self) -> str:
        """In a word, as the honest parties saw it."""
        states = sorted({self.ends[name].state.value for name in self.scenario.honest})
        return "+".join(states)

    def lines(self) -> list[str]:
        """Everything that has to be the same whenever the seed is run."""
        found = [str(self.scenario), f"{self.took_s:.9f} {self.messages} {sorted(self.injected.items())}"]
        for name, end in sorted(self.ends.items()):
            records = sorted((e.kind, e.blamed, e.unreachable, e.epoch, e.detail) for e in end.evidence)
            told = sorted(end.results.items())
            found.append(f"{name} {end.state} {end.at_s:.9f} {end.detail} {told} {records} {end.error}")
        found += [f"{name} {o.epoch} {o.roster} {o.scheme} {o.checked}" for name, o in self.orders]
        return [*found, f"{self.ledger.draws}", *self.bugs]

    @property
    def digest(self) -> bytes:
        return hashlib.sha256("\n".join(self.lines()).encode()).digest()


Listen = Callable[[Daemon], object]


def tell(scenario: Scenario, listen: Listen | None = None, foreign: Frames | None = None) -> Story:
    """Run a scenario: the same story whenever it is told.

    listen   is given every party before it begins
    foreign  frames of another run, for the party at fault
    """
    chance = random.Random(f"chance {scenario.seed}")
    with mock.patch("secrets.token_bytes", chance.randbytes):
        return run_virtually(_Telling(scenario, listen, foreign).whole(), 10 * scenario.job.deadline_s)


class _Telling:
    def __init__(self, scenario: Scenario, listen: Listen | None, foreign: Frames | None) -> None:
        self.scenario = scenario
        self._listen = listen
        self._foreign = foreign
        self.story = Story(scenario)
        self.ground = Ground(
            Sky(len(EVERYBODY), scenario.seed, scenario.weather), {n: k for k, n in enumerate(EVERYBODY)}
        )
        self.setting = Setting(scenario.job, PACE, self.ground, Wires(self.ground), self._watch)
        self.faulty: Faulty | None = None
        self._background: list[asyncio.Task[None]] = []
        self._crashed = False

    def _watch(self, party: str, order: Order, epoch: Epoch, computation: Computation) -> None:
        self.story.orders.append((party, order))
        if party != self.scenario.faulty:
            self.story.ledger.note(party, order, epoch, computation)

    async def whole(self) -> Story:
        scenario, setting = self.scenario, self.setting
        for name in scenario.parties:
            setting.daemons[name] = Daemon(setting, name)
            if self._listen is not None:
                self._listen(setting.daemons[name])
        if scenario.faulty is not None:
            self.faulty = Faulty(setting.daemons[scenario.faulty], scenario.acts, self._foreign)
        for daemon in setting.daemons.values():
            await daemon.know()
        if scenario.faulty is not None and scenario.crash is not None:
            self._prepare_crash(setting.daemons[scenario.faulty], scenario.crash)
        for daemon in setting.daemons.values():
            daemon.begin()
        self._background += [asyncio.create_task(self._cut(cut)) for cut in scenario.cuts]
        until = scenario.job.deadline_s + GRACE_S
        waits = [setting.daemons[name].ended.wait() for name in scenario.honest]
        try:
            async with asyncio.timeout_at(until):
                await asyncio.gather(*waits)
                await asyncio.sleep(2 * PACE.delta_s)  # what is on its way still counts
        except TimeoutError:
            pass
        await self._note()
        await self._stop()
        return self.story

    # -- what happens ----------------------------------------------------------------------------------

    def _prepare_crash(self, daemon: Daemon, crash: Crash) -> None:
        def look(what: str, count: int) -> None:
            if what == crash.what and count == crash.count and not self._crashed:
                self._crashed = True
                self.story.injected["vanish" if crash.vanishes else "crash"] += 1
                if crash.vanishes:
                    self.ground.vanished.add(daemon.name)
                daemon.crash()
                if crash.back_s is not None:
                    self._background.append(asyncio.create_task(self._back(daemon, crash.back_s)))

        daemon.on_event = look

    async def _back(self, daemon: Daemon, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.story.injected["restart"] += 1
        await daemon.restart()

    async def _cut(self, cut: Cut) -> None:
        sky, places = self.ground.sky, self.ground.places
        one = [places[name] for name in cut.names]
        other = [place for name, place in places.items() if name not in cut.names]
        await asyncio.sleep(cut.at_s)
        self.story.injected["cut"] += 1
        sky.cut(one, other, both=cut.both)
        await asyncio.sleep(cut.until_s - cut.at_s)
        sky.heal()

    # -- how it ended ----------------------------------------------------------------------------------

    async def _note(self) -> None:
        story, job = self.story, self.scenario.job.specification.job
        story.took_s = asyncio.get_running_loop().time()
        story.messages = sum(self.ground.messages.values())
        story.bugs = list(self.ground.bugs)
        if self.faulty is not None:
            story.injected.update(self.faulty.done.keys())
        for name, daemon in self.setting.daemons.items():
            if daemon.database.crashed:
                continue
            receipt = await daemon.store.receipts.get(job)
            bodies = await daemon.store.evidence.of(job)
            at_s, _, detail = daemon.states[-1] if daemon.states else (0.0, None, "")
            story.ends[name] = PartyEnd(
                state=daemon.state,
                at_s=at_s,
                detail=detail,
                results=await daemon.results(),
                receipt=None if receipt is None else Envelope.from_bytes(receipt),
                evidence=[Evidence.from_bytes(Envelope.from_bytes(body).payload) for _, body in bodies],
                records=tuple(Envelope.from_bytes(body) for _, body in bodies),
                opened=any(state is State.OPENING for _, state, _ in daemon.states),
                error=_error_of(daemon.task),
            )

    async def _stop(self) -> None:
        tasks: list[asyncio.Task[Any]] = [*self._background]
        tasks += [daemon.task for daemon in self.setting.daemons.values() if daemon.task is not None]
        for daemon in self.setting.daemons.values():
            self.ground.down.add(daemon.name)
            daemon.database.crashed = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _error_of(task: asyncio.Task[State] | None) -> str:
    if task is None or not task.done() or task.cancelled():
        return ""
    error = task.exception()
    return "" if error is None else f"{type(error).__name__}: {error}"
