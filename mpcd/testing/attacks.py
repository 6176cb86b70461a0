"""Every lie that one party can tell in a run of a program, told one at a time.

`sweep` runs a subject honestly, lists every message, vouch and frame, and then runs it again for each of
them and each way of spoiling it, with one cheater. What must never happen is a wrong output at an honest
party, a lie before the outputs are opened that nobody notices, or an accusation without the cheater in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import ChannelError, MpcdError, PeerError
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.faults import TagFault, recorded_sets
from mpcd.runtime.lockstep import Run, Tamper, lockstep
from mpcd.testing.subject import Outputs, Subject
from mpcd.testing.wrappers import (
    Edit,
    Sent,
    Vouched,
    cheat,
    drop,
    edit_vouch,
    every_message,
    every_vouch,
    flip,
    plus,
    shift,
)

HIGH_BIT = 1 << 63
OTHER_SESSION = bytes(reversed(range(32)))

MESSAGE_KINDS: Mapping[str, Callable[[Sent], Edit]] = {
    "add-1": lambda m: shift(by=1, round=m.round, to=m.receiver, label=m.label),
    "add-high-bit": lambda m: shift(by=HIGH_BIT, round=m.round, to=m.receiver, label=m.label),
    "flip": lambda m: flip(bit=0, round=m.round, to=m.receiver, label=m.label),
    "leave-out": lambda m: drop(round=m.round, to=m.receiver, label=m.label),
}
FRAME_KINDS = ("lose", "truncate", "extend", "earlier-round", "other-receiver", "other-job")
"""What is done to the bytes of a whole frame by its sender."""
SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Attack:
    """One lie: who tells it to whom, in which round, and how; `label` names a message within the frame."""

    kind: str
    cheater: int
    round: int
    receiver: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        to = "everybody" if self.receiver is None else f"party {self.receiver}"
        what = f" ({self.label})" if self.label else ""
        return f"{self.kind} by party {self.cheater} in round {self.round} to {to}{what}"


@dataclass(slots=True)
class Sweep:
    """What came of all attacks. `wrong`, `unnoticed` and `slander` must stay empty."""

    told: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    harmless: int = 0
    wrong: list[Attack] = field(default_factory=list)
    unnoticed: list[Attack] = field(default_factory=list)
    slander: list[Attack] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.wrong or self.unnoticed or self.slander)

    def __str__(self) -> str:
        lines = [f"{sum(self.told.values())} lies: {self.caught} caught, {self.harmless} outvoted"]
        for name in ("wrong", "unnoticed", "slander"):
            lines += [f"{name}: {attack}" for attack in getattr(self, name)]
        return "\n".join(lines)


def attacks(subject: Subject, every: int = 1) -> Iterator[Attack]:
    """All attacks on a subject; with `every` k > 1 each k-th of them."""
    for number, attack in enumerate(_all(subject)):
        if number % every == 0:
            yield attack


def _all(subject: Subject) -> Iterator[Attack]:
    messages = every_message(subject.steps())
    for m in messages:
        for kind in MESSAGE_KINDS:
            yield Attack(kind, m.sender, m.round, m.receiver, m.label)
    for v in every_vouch(subject.steps()):
        yield Attack("vouch", v.backup, v.round, v.receiver, _vouch_label(v))
    rounds = 1 + max(m.round for m in messages)
    everybody = range(subject.parties)
    for number in range(rounds):
        for cheater in everybody:
            yield Attack(SILENT, cheater, number)
            for receiver in everybody:
                if receiver != cheater:
                    yield from (Attack(kind, cheater, number, receiver) for kind in FRAME_KINDS)


def _vouch_label(v: Vouched) -> str:
    return f"{v.sender}:{v.label}"


def sweep(subject: Subject, every: int = 1) -> Sweep:
    """Tell all lies, one per run, and judge what honest parties made of them."""
    expected = subject.expected()
    frames = _Frames.record(subject)
    opening = max(number for number, _, _ in frames.ours)
    found = Sweep()
    for attack in attacks(subject, every):
        found.told[attack.kind] += 1
        _judge(found, attack, expected, frames.run(subject, attack), opening)
    return found


def _judge(found: Sweep, attack: Attack, expected: Outputs, run: Run[Outputs], opening: int) -> None:
    """`opening` is the last round, in which outputs are opened: there, lies may be outvoted."""
    honest = {p: out for p, out in run.outputs.items() if p != attack.cheater}
    errors = {p: out for p, out in honest.items() if isinstance(out, MpcdError)}
    results = [out for out in honest.values() if not isinstance(out, MpcdError)]
    if any(not _same(out, expected) for out in results):
        found.wrong.append(attack)
    elif errors:
        found.caught += 1
    elif attack.round < opening:
        found.unnoticed.append(attack)
    else:
        found.harmless += 1
    if any(attack.cheater not in blamed for p, error in errors.items() if (blamed := _blamed(error, p))):
        found.slander.append(attack)


def _same(found: Outputs, expected: Outputs) -> bool:
    return found.keys() == expected.keys() and all(np.array_equal(found[n], expected[n]) for n in expected)


def _blamed(error: MpcdError, me: int) -> frozenset[int]:
    """Whom an honest party accuses on account of this error; silence accuses nobody."""
    if isinstance(error, TagFault):
        return recorded_sets(error, me)
    if isinstance(error, PeerError) and not isinstance(error, ChannelError):
        return frozenset(error.blamed) - {me}
    return frozenset()


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of an honest run, and of the same program in another job, for those who replay them."""

    ours: Mapping[tuple[int, int, int], bytes]
    others: Mapping[tuple[int, int, int], bytes]

    @classmethod
    def record(cls, subject: Subject) -> _Frames:
        kept: list[dict[tuple[int, int, int], bytes]] = []
        for session in (None, OTHER_SESSION):
            frames: dict[tuple[int, int, int], bytes] = {}

            def keep(
                frame: bytes, number: int, of: int, to: int, into: dict[tuple[int, int, int], bytes] = frames
            ) -> bytes:
                into[number, of, to] = frame
                return frame

            steps = subject.steps()
            run = (
                lockstep(steps, tamper=keep)
                if session is None
                else lockstep(steps, tamper=keep, session=session)
            )
            run.results()
            kept.append(frames)
        return cls(*kept)

    def run(self, subject: Subject, attack: Attack) -> Run[Outputs]:
        steps: Sequence[Rounds[Outputs]] = subject.steps()
        edit = _edit(attack)
        if edit is None:
            return lockstep(steps, tamper=self._tamper(attack))
        return lockstep([cheat(s, edit) if p == attack.cheater else s for p, s in enumerate(steps)])

    def _tamper(self, attack: Attack) -> Tamper:
        def tamper(frame: bytes, number: int, of: int, to: int) -> bytes | None:
            if of != attack.cheater:
                return frame
            if attack.kind == SILENT:
                return None if number >= attack.round else frame
            if (number, to) != (attack.round, attack.receiver):
                return frame
            return self._spoiled(attack.kind, frame, number, of, to)

        return tamper

    def _spoiled(self, kind: str, frame: bytes, number: int, of: int, to: int) -> bytes | None:
        if kind == "lose":
            return None
        if kind == "truncate":
            return frame[:-1]
        if kind == "extend":
            return frame + b"\0"
        if kind == "other-job":
            return self.others.get((number, of, to), b"")
        if kind == "other-receiver":
            others = (frame for (n, p, q), frame in self.ours.items() if (n, p) == (number, of) and q != to)
            return next(others, b"")
        return self.ours.get((number - 1, of, to), b"")


def _edit(attack: Attack) -> Edit | None:
    """The cheater's edit; None for what is done to whole frames."""
    if attack.kind == "vouch":
        of, _, label = (attack.label or "").partition(":")
        return edit_vouch(
            lambda words: plus(words, 1), round=attack.round, of=int(of), to=attack.receiver, label=label
        )
    make = MESSAGE_KINDS.get(attack.kind)
    if make is None or attack.receiver is None:
        return None
    return make(Sent(attack.round, attack.cheater, attack.receiver, attack.label or "", None))
