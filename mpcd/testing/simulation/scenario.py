"""A scenario, as a function of a seed: the job, who is at fault and how, and what the network is like."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from mpcd.party.pace import Pace
from mpcd.testing.network.weather import Weather
from mpcd.testing.simulation.acts import (
    IN_ANSWERS,
    IN_CALLS,
    IN_FRAMES,
    IN_HOUSE,
    IN_SLOTS,
    IN_STEPS,
    IN_WORDS,
    Act,
)
from mpcd.testing.simulation.jobs import Job
from mpcd.testing.simulation.people import COMPUTING, EVERYBODY, OWNER, READER
from mpcd.testing.simulation.programs import OUTSIDE, RANDOM

PACE = Pace(delta_s=1.0, stage_s=10.0, lease_s=0.5, backoff_s=0.2, round_s=6.0)
DEADLINE_S = 1200.0
FAMILIES = (
    *("SESSION", "KEYS", "KEY-COMPLAINT", "KEY-ANSWER", "INPUTS", "HAVE", "START"),
    *("BARRIER", "BARRIER", "BARRIER", "DISPUTE", "DISPUTE", "BATCH-KEYS"),
)
PROGRAMS = (("squares", 5), ("above", 3), ("first-price", 3), ("second-price", 2), (RANDOM, 1))
ROUNDS = {
    "squares": (11, 21), "above": (20, 35), "first-price": (38, 80), "second-price": (42, 96),
    RANDOM: (40, 80),
}  # fmt: skip
"""How many rounds an epoch of four has, range checks included, and one of three, about."""
THREE = 0.15
"""The share of jobs in which three compute."""
OF_OWNERS = ("box", "box-withheld", "box-two", "no-data")
AREAS = (
    (IN_STEPS, 6), (IN_FRAMES, 5), (IN_SLOTS, 5), (IN_WORDS, 3),
    (IN_CALLS, 3), (IN_ANSWERS, 2), (IN_HOUSE, 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crash:
    """The party's daemon ends after its count-th commit or message, and comes back after a while or never.

    vanishes  its streams do not even end: the host is gone
    """

    what: str
    count: int
    back_s: float | None
    vanishes: bool

    def __str__(self) -> str:
        how = "vanishes" if self.vanishes else "crashes"
        back = "for ever" if self.back_s is None else f"for {self.back_s:.1f} s"
        return f"{how} at {self.what} {self.count} {back}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Some hosts are cut off from the others for a while, in one direction or in both."""

    at_s: float
    until_s: float
    names: tuple[str, ...]
    both: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """faulty: who is at fault, if anybody; storms: whether the network breaks its promise."""

    seed: int
    job: Job
    weather: Weather
    faulty: str | None = None
    acts: tuple[Act, ...] = ()
    crash: Crash | None = None
    cuts: tuple[Cut, ...] = ()

    @property
    def storms(self) -> bool:
        return bool(self.cuts)

    @property
    def honest(self) -> tuple[str, ...]:
        return tuple(name for name in self.parties if name != self.faulty)

    @property
    def parties(self) -> tuple[str, ...]:
        return self.job.specification.parties

    def __str__(self) -> str:
        what = [str(act) for act in self.acts] + ([str(self.crash)] if self.crash else [])
        fault = f"{self.faulty}: {'; '.join(what)}" if self.faulty else "nobody is at fault"
        storm = "; the network is cut" if self.storms else ""
        three = ", of three" if self.job.parties == 3 else ""
        return f"{self.job.program}{three}, {self.job.profile}, missing: {self.job.missing}; {fault}{storm}"


def scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    dice = random.Random(seed)
    parties = 3 if dice.random() < THREE else 4
    computing = COMPUTING[:parties]
    faulty = dice.choice((*computing, *computing, *computing, OWNER, None))
    job = _job(seed, dice, faulty, parties)
    acts: tuple[Act, ...] = ()
    crash = None
    if faulty is not None:
        if dice.random() < 0.2:
            crash = _crash(dice)
        if crash is None or dice.random() < 0.2:
            acts = _acts(dice, job, faulty)
    cuts = _cuts(dice, computing) if dice.random() < 0.1 else ()
    return Scenario(seed, job, _weather(dice), faulty, acts, crash, cuts)


def _job(seed: int, dice: random.Random, faulty: str | None, parties: int) -> Job:
    program = _weighted(dice, PROGRAMS)
    if program == RANDOM:
        program = f"{RANDOM}-{dice.randrange(1000)}"
    others = [name for name in COMPUTING if dice.random() < 0.6] or ["bolt"]
    owners = [*others[:3], *([OWNER] if faulty == OWNER or len(others) < 2 or dice.random() < 0.6 else [])]
    bids = {name: dice.choice((0, 3, 5, 7, 7, 50, 65535)) for name in owners}
    if dice.random() < 0.08:
        bids[dice.choice(owners)] = OUTSIDE
    readers = tuple(sorted({dice.choice(EVERYBODY), dice.choice((*COMPUTING, READER)), READER}))
    profiles = ("guaranteed", "guaranteed", "guaranteed", "fair", "abort")
    profile = dice.choice(profiles if parties == 4 else ("fair", "abort"))
    missing = "abort" if faulty not in owners and dice.random() < 0.3 else "exclude"
    if missing == "exclude" and seed % 2:
        missing = "default"
    readers = readers[: dice.choice((1, 2, 3))]
    return Job(seed, program, bids, readers, 5, profile, missing, DEADLINE_S, parties)


def _acts(dice: random.Random, job: Job, faulty: str) -> tuple[Act, ...]:
    """A few things that have nothing to do with each other, or one in every epoch; and lies about them."""
    if dice.random() < 0.35:
        acts = [_act(dice, job, faulty, dice.choice((IN_STEPS, IN_FRAMES, IN_WORDS)), e) for e in range(3)]
    else:
        acts = [_act(dice, job, faulty) for _ in range(dice.choice((1, 1, 2, 2, 3)))]
    if dice.random() < 0.25:
        kind = dice.choice(("dispute-lie", "dispute-lie", "nothing", "noise", "equivocate", "mute", "deaf"))
        acts.append(
            Act(kind, slot=dice.choice(("DISPUTE", "DISPUTE", "BATCH-KEYS")), number=dice.randrange(99))
        )
    return tuple(acts)


def _act(
    dice: random.Random,
    job: Job,
    faulty: str,
    area: tuple[str, ...] | None = None,
    epoch: int | None = None,
) -> Act:
    area = _weighted(dice, AREAS) if area is None else area
    if faulty == OWNER:
        area = OF_OWNERS
    epoch = dice.choice((0, 0, 0, 0, 0, 1)) if epoch is None else epoch
    others = [p for p, name in enumerate(job.computing) if name != faulty]
    most = ROUNDS[job.program.partition(f"{RANDOM}-")[0] or RANDOM][1 if epoch or job.parties == 3 else 0]
    return Act(
        kind=dice.choice(area),
        epoch=epoch,
        round=dice.randrange(most if dice.random() < 0.7 else 4),
        to=dice.choice(others) if dice.random() < 0.7 else None,
        slot=dice.choice(FAMILIES) if area is IN_SLOTS and dice.random() < 0.95 else "",
        number=dice.randrange(1 << 20),
    )


def _crash(dice: random.Random) -> Crash:
    what = dice.choice(("commit", "message"))
    count = dice.randrange(1, 30) if what == "commit" else dice.randrange(1, 140)
    back_s = dice.choice((None, 0.05, 1.0, 8.0, 40.0))
    return Crash(what, count, back_s, vanishes=dice.random() < 0.3)


def _cuts(dice: random.Random, computing: tuple[str, ...]) -> tuple[Cut, ...]:
    cuts = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        at_s = dice.random() * dice.choice((1.0, 4.0, 20.0))
        names = tuple(dice.sample(computing, dice.choice((1, 1, 1, 2))))
        until_s = at_s + dice.choice((0.5, 3.0, 12.0, 60.0, 2000.0))
        cuts.append(Cut(at_s, until_s, names, dice.random() < 0.7))
    return tuple(cuts)


def _weather(dice: random.Random) -> Weather:
    """What arrives arrives within Delta."""
    delay_s, jitter_s = dice.choice(((0.001, 0.001), (0.01, 0.02), (0.05, 0.2), (0.2, 0.3), (0.1, 0.85)))
    return Weather(delay_s=delay_s * PACE.delta_s, jitter_s=jitter_s * PACE.delta_s)


def _weighted(dice: random.Random, table: tuple[tuple[Any, int], ...]) -> Any:
    return dice.choices([item for item, _ in table], [weight for _, weight in table])[0]
