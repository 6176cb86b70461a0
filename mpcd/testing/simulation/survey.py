"""Every place of a job's first epoch at which one party could do something differently.

The job is run honestly while a `Listener` sits at every party, in the place of a party at fault: whatever it
is asked for, an act could answer. What is found is a list of acts, each with the party that would do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mpcd.party.ports import Order
from mpcd.party.slots import SlotKey
from mpcd.protocols.rounds import Payload, Round, Rounds
from mpcd.testing.simulation.acts import (
    ANSWERS,
    IN_BARRIERS,
    IN_FRAMES,
    LATE_SHARES,
    MARKS,
    NOTES,
    OTHER_JOB,
    SLOW_DELTAS,
    Act,
    address,
)
from mpcd.testing.simulation.daemon import Daemon
from mpcd.testing.simulation.faults import Faulty, Frames
from mpcd.testing.simulation.people import COMPUTING, EVERYBODY
from mpcd.testing.simulation.process import Send
from mpcd.testing.simulation.running import Story, tell
from mpcd.testing.simulation.scenario import Scenario
from mpcd.testing.wrappers import cheat

T = TypeVar("T")
Place = tuple[str, int, int]
"""(sender, round, receiver) of a frame."""
Lie = tuple[str, tuple[Act, ...]]
"""(party, what it does): one act, and before it what brings about the occasion for it."""


def throws(kind: str, options: Sequence[object]) -> tuple[int, ...]:
    """The least numbers whose dice choose each of these once."""
    wanted, found, number = set(options), list[int](), 0
    while wanted:
        chosen = Act(kind, number=number).dice.choice(options)
        if chosen in wanted:
            wanted.remove(chosen)
            found.append(number)
        number += 1
    return tuple(found)


TWICE = (0, 1)
DICED: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("garble", "noise", "lie", "spoil", "keys", "box", "share", "summand"), TWICE),
    "slow": throws("slow", SLOW_DELTAS),
    "late": throws("late", LATE_SHARES),
    "note": throws("note", NOTES),
    "forge": throws("forge", MARKS),
    "dispute-lie": throws("dispute-lie", ANSWERS),
}
"""Which throws of the dice are told where the kind alone does not say what is done."""


class Listener(Faulty):
    """An honest party that notes what it could do differently.

    places  in the order in which they came; sent: the frames that it sent
    spared  frames that it can do without: each piece of what is opened comes in several
    """

    def __init__(self, daemon: Daemon) -> None:
        self.places: dict[Act, None] = {}
        self.sent: dict[Place, bytes] = {}
        self.spared: set[Place] = set()
        super().__init__(daemon, ())
        if daemon.data.row is not None:
            self._note(Act("no-data"))

    def _note(self, act: Act) -> None:
        self.places[act] = None

    def of(
        self,
        *kinds: str,
        to: str | None = None,
        slot: SlotKey | None = None,
        at: int | None = None,
        of: int | None = None,
        label: str | None = None,
        epoch: int | None = None,
    ) -> list[Act]:
        for kind in kinds:
            self._note(
                Act(
                    kind,
                    epoch=epoch or 0,
                    to=None if to is None else EVERYBODY.index(to),
                    slot="" if slot is None else address(slot),
                    at=at,
                    of=of,
                    label=label or "",
                )
            )
        return []

    def step(self, order: Order, number: int, step: Rounds[T]) -> Rounds[T]:
        def listen(current: int, r: Round) -> Round:
            self._round(order, number + current, r)
            return r

        return cheat(step, listen)

    def _round(self, order: Order, number: int, r: Round) -> None:
        for (to, label), payload in r.send.items():
            for kind in _changes(payload):
                self._note(Act(kind, order.epoch, number, order.roster[to], label=label))
        for (of, to, label), words in r.vouch.items():
            if words.size:
                place = Act("vouch", order.epoch, number, order.roster[to], of=order.roster[of], label=label)
                self._note(place)
        names = order.specification.computing
        self.spared |= {(names[order.roster[sender]], number, self.me) for sender in r.absent}
        self._note(Act("die", order.epoch, number))
        self._note(Act("fall-silent", order.epoch, number))

    def frame(self, order: Order, number: int, to: int, frame: bytes, send: Send) -> None:
        self.sent[self.daemon.name, number, order.roster[to]] = frame
        for kind in (*IN_FRAMES, OTHER_JOB):
            if kind != "fall-silent":
                self._note(Act(kind, order.epoch, number, order.roster[to]))
        send(to, frame)


def _changes(payload: Payload) -> Iterator[str]:
    """The ways in which a message can be another one, or none."""
    words = not isinstance(payload, bytes)
    if len(payload) if isinstance(payload, bytes) else payload.size:
        yield from ("add-1", "flip")
        if words:
            yield "add-high-bit"
    yield "leave-out"


@dataclass(frozen=True, slots=True)
class Survey:
    """The honest run of a scenario, and all that one party could do differently in it.

    foreign  the frames of a run with other dice, which stand for those of another job
    spared   frames without which their receivers can go on
    """

    story: Story
    lies: list[Lie]
    foreign: Frames
    spared: frozenset[Place]


def survey(scenario: Scenario) -> Survey:
    """Run a scenario twice, with nobody at fault, and look where somebody could be."""
    honest = replace(scenario, faulty=None, acts=())
    story, heard = _listened(honest)
    _, others = _listened(replace(honest, seed=scenario.seed + 1))
    foreign = {place: frame for listener in others.values() for place, frame in listener.sent.items()}
    spared = frozenset[Place]().union(*(listener.spared for listener in heard.values()))
    return Survey(story, _lies(scenario, heard), foreign, spared)


def _listened(scenario: Scenario) -> tuple[Story, dict[str, Listener]]:
    heard: dict[str, Listener] = {}

    def listen(daemon: Daemon) -> None:
        heard[daemon.name] = Listener(daemon)

    return tell(scenario, listen), heard


def _lies(scenario: Scenario, heard: Mapping[str, Listener]) -> list[Lie]:
    lies: list[Lie] = []
    for name, listener in heard.items():
        lies += [(name, (act,)) for place in listener.places for act in _thrown(place, listener.places)]
        lies += [(name, acts) for acts in _second(name, scenario, listener.places)]
    return lies


def _thrown(place: Act, places: Iterable[Act]) -> Iterator[Act]:
    """A place, with every throw of the dice and, for words about rounds, every round."""
    if place.kind in IN_BARRIERS:
        for number in sorted({act.round for act in places if act.kind == "die"}):
            yield replace(place, round=number)
        return
    for number in DICED.get(place.kind, (0,)):
        yield replace(place, number=number)


def _second(name: str, scenario: Scenario, places: Iterable[Act]) -> Iterator[tuple[Act, ...]]:
    """What comes up only after something else: shares passed on, and what is said in a dispute."""
    index = EVERYBODY.index(name)
    if name in scenario.job.bids and name in COMPUTING:
        for to in range(scenario.job.parties):
            if to != index:
                for number in DICED["share"]:
                    yield Act("box-withheld", to=to), Act("share", to=to, number=number)
    first = {act.round: act for act in places if act.kind == "vouch"}
    for act in first.values():
        yield from ((act, Act("dispute-lie", number=number)) for number in DICED["dispute-lie"])
        for kind in ("nothing", "mute", "equivocate", "leave"):
            yield act, Act(kind, slot="DISPUTE")
