"""Everything that one party can do differently in a whole job, one thing per run.

`survey` lists what there is; here each is told, the oracle judges the run, and whoever lied about something
that matters must have been noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache

from mpcd.errors import UsageError
from mpcd.jobs.states import State
from mpcd.testing.network.weather import Weather
from mpcd.testing.simulation.acts import (
    IN_ANSWERS,
    IN_BARRIERS,
    IN_CALLS,
    IN_FRAMES,
    IN_HOUSE,
    IN_SLOTS,
    IN_STEPS,
    OTHER_JOB,
    Act,
)
from mpcd.testing.simulation.jobs import Job
from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.programs import text_of
from mpcd.testing.simulation.running import Story, tell
from mpcd.testing.simulation.scenario import Scenario
from mpcd.testing.simulation.survey import Lie, Survey, survey

BIDS = {"acme": 10, "crux": 30, "echo": 20}
READERS = ("acme", "fern")
CALM = Weather(delay_s=0.01, jitter_s=0.02)
DEADLINE_S = 300.0

DAMAGED = frozenset({"leave-out", *IN_FRAMES, OTHER_JOB}) - {"late", "twice"}
"""What makes a frame one that is not taken."""
MATTERS = frozenset({*IN_STEPS, *IN_FRAMES, OTHER_JOB}) - {"late", "twice"}
"""What changes what a job process sends: somebody has to notice, always."""
CAUGHT, HARMLESS, IDLE, WRONG = "caught", "harmless", "idle", "wrong"
WHY = {
    **dict.fromkeys(IN_SLOTS, "the slots decided the same"),
    **dict.fromkeys(IN_BARRIERS, "the words of the others stood"),
    "dispute-lie": "nobody asked",
    **dict.fromkeys(IN_CALLS, "what one lacks others have, and pass on"),
    **dict.fromkeys(IN_ANSWERS, "other answers are enough"),
    **dict.fromkeys(IN_HOUSE, "the others waited, or did without it"),
    "late": "it came while it was still waited for",
    "twice": "no frame follows for which it could be taken",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One lie and what came of it.

    number   its place in the list of all of the job
    verdict  caught: somebody recorded it; harmless: everything went as without it, and why; idle: it had no
             occasion; wrong: what may not happen, in `wrong`
    """

    number: int
    party: str
    kind: str
    lie: str
    verdict: str
    why: str
    epochs: int
    wrong: tuple[str, ...]
    digest: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Told:
        found = json.loads(text)
        return cls(**{**found, "wrong": tuple(found["wrong"])})


def job_scenario(name: str) -> Scenario:
    """The job of a sweep: three owners, one of them outside; two recipients, one of them outside.

    name   a program; with `:3` behind it three compute it, and the job is a fair one
    Raises UsageError if there is no such program
    """
    program, of, three = name.partition(":")
    if of and three != "3":
        raise UsageError(f"{name!r} is no job here", fix="PROGRAM, or PROGRAM:3 for three parties")
    text_of(program)
    parties, profile = (3, "fair") if three else (4, "guaranteed")
    return Scenario(1, Job(1, program, BIDS, READERS, 5, profile, "exclude", DEADLINE_S, parties), CALM)


@cache
def surveyed(job: str) -> Survey:
    """What there is to a job; the list is the same in every process."""
    return survey(job_scenario(job))


def chosen(lies: list[Lie], every: int = 1) -> list[int]:
    """Numbers of the lies to tell: of every kind each `every`-th, one at least, evenly over rounds and slots.

    Within a round or slot lies are in an order that has nothing to do with who tells them to whom.
    """
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, (_, acts) in enumerate(lies):
        kinds[acts[-1].kind].append(number)
    found: list[int] = []
    for numbers in kinds.values():
        numbers.sort(key=lambda number: _order(lies[number]))
        found += numbers[(min(every, len(numbers)) - 1) // 2 :: every]
    return sorted(found)


def _order(lie: Lie) -> tuple[int, str, bytes]:
    party, acts = lie
    text = f"{party}: {in_words(acts)}"
    return acts[0].round, acts[0].slot, hashlib.sha256(text.encode()).digest()


def in_words(acts: tuple[Act, ...]) -> str:
    return "; ".join(map(str, acts))


def run(job: str, number: int) -> Story:
    """The job with one lie."""
    found = surveyed(job)
    party, acts = found.lies[number]
    return tell(replace(job_scenario(job), faulty=party, acts=acts), foreign=found.foreign)


def told(job: str, number: int) -> Told:
    """Tell one lie and judge what came of it; a simulation that breaks is wrong, too."""
    found = surveyed(job)
    party, acts = found.lies[number]
    about = number, party, acts[-1].kind, in_words(acts)
    try:
        story = run(job, number)
    except Exception as error:  # noqa: BLE001 - a finding like the others, to be repeated by its number
        broken = f"the simulation ended with {type(error).__name__}: {error}"
        return Told(*about, WRONG, "", 0, (broken,), hashlib.sha256(broken.encode()).hexdigest())
    verdict, why, wrong = judge(found, story)
    return Told(*about, verdict, why, story.epochs, tuple(wrong), story.digest.hex())


def judge(found: Survey, story: Story) -> tuple[str, str, list[str]]:
    """(verdict, why it was harmless, what is wrong) of a run with one lie."""
    acts, party = story.scenario.acts, story.scenario.faulty
    wrong = complaints(story)
    if wrong:
        return WRONG, "", wrong
    if any(act.kind not in story.injected for act in acts):
        return IDLE, "", []
    if _noticed(story):
        return CAUGHT, "", []
    if course(story, party) != course(found.story, party):
        return WRONG, "", ["unnoticed: the job went another way, and nobody has recorded why"]
    if all(_spared(found, party, act) for act in acts):
        return HARMLESS, "an opening bears one absent frame", []
    if any(act.kind in MATTERS for act in acts):
        return WRONG, "", ["unnoticed: everything went as if nothing had been changed"]
    return HARMLESS, WHY[acts[-1].kind], []


def _spared(found: Survey, party: str | None, act: Act) -> bool:
    """Whether it was only a frame that its receiver can do without."""
    return act.kind in DAMAGED and (party, act.round, act.to) in found.spared


def _noticed(story: Story) -> bool:
    """Whether an honest party has a record of it, the receipt says that something was left out, or the job,
    which need not go on, has ended for all."""
    receipt = story.receipt
    if all(story.ends[name].state is not State.SUCCEEDED for name in story.scenario.honest):
        return True
    if receipt is not None and (receipt.faults or receipt.excluded):
        return True
    return any(story.ends[name].evidence for name in story.scenario.honest)


def course(story: Story, without: str | None) -> list[object]:
    """How a job went, as all but one party see it: ends, outputs, and what the receipt says of the way.

    How often a session was looked for does not matter.
    """
    ends = [
        (name, end.state, sorted(end.results.items()))
        for name, end in sorted(story.ends.items())
        if name != without
    ]
    receipt = story.receipt
    if receipt is None:
        return [ends]
    inputs = [(line.owner, line.argument, line.rows) for line in receipt.inputs]
    return [ends, inputs, receipt.excluded, receipt.epochs, receipt.faults]


def sweep(job: str, every: int = 1, part: int = 0, parts: int = 1) -> Iterator[Told]:
    """Tell the chosen lies of a job, or each `parts`-th of them."""
    for number in chosen(surveyed(job).lies, every)[part::parts]:
        yield told(job, number)
