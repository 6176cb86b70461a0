"""What a round is, and how protocol steps are composed from rounds.

A protocol step is a generator: it yields a `Round`, which states what this party sends, vouches
for and expects; it is resumed with an `Inbox`, and it returns its result. One `yield` is one
network round, composition is `yield from`, and `parallel` merges the rounds of independent steps.

Steps only state. Frames and tags are made and verified in one place (`mpcd.runtime.frames`),
for the merged round and before any step is resumed: a receiver thus never sends anything that depends
on a message it has not verified, not even in a parallel step.

Notation  parties are numbered 0..n-1; (to, label) names a message within a round. Every party yields
          in every round, an idle one with an empty `Round`, so that all agree on round number and path.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mpcd.errors import InternalError

T = TypeVar("T")

Words = npt.NDArray[np.uint64]
"""A plain array of 64-bit words: elements of Z_2^64, or packed bits."""

Payload = Words | bytes
"""What a message holds: words of a shape that the receiver expects, or bytes up to a limit."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A message of 64-bit words: the receiver knows the exact shape beforehand."""

    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        words = 1
        for length in self.shape:
            words *= length
        return 8 * words


@dataclass(frozen=True, slots=True)
class Blob:
    """A message of bytes whose length the receiver bounds but does not know (agreement)."""

    limit_bytes: int


Expected = Spec | Blob
Message = tuple[int, str]
"""(peer, label): the peer is the receiver in `send` and the sender in `recv`."""
Inbox = Mapping[Message, Payload]


@dataclass(slots=True)
class Round:
    """What one party does in one network round.

    path     structural path of this yield; the same at every party
    send     (to, label) -> payload
    vouch    (of, to, label) -> words that `of` sends to `to` and that this party knows as well;
             their tag travels from here to `to` in this same round
    recv     (of, label) -> what is expected
    vouched  (of, label) -> the party whose tag must match what `of` sent; every message in
             here is in `recv` too. Its label is made by `backed`
    absent   peers whose silence is allowed; a message that is not there is not in the inbox

    A round and all that it holds must stay unchanged until the party has been resumed. (`frozen` would make a
    round of few words dearer by 2 us.)
    """

    path: str
    send: Mapping[Message, Payload] = field(default_factory=dict)
    vouch: Mapping[tuple[int, int, str], Words] = field(default_factory=dict)
    recv: Mapping[Message, Expected] = field(default_factory=dict)
    vouched: Mapping[Message, int] = field(default_factory=dict)
    absent: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        """Paths and labels only: payloads may be shares."""
        return f"Round({self.path}, send={sorted(self.send)}, recv={sorted(self.recv)})"


def backed(label: str, backup: int) -> str:
    """The label of a message that `backup` vouches for: its sender, too, can tell from it who does so.

    In a dispute sender, backup and receiver say what the message was; all three must mean the same ones.
    """
    return f"{label}~{backup}"


def backup_of(label: str) -> int | None:
    """Who vouches for the message with this label; None if nobody does."""
    _, mark, backup = label.rpartition("~")
    return int(backup) if mark else None


Rounds = Generator[Round, Inbox, T]
"""A protocol step that ends with a result of type T."""


def idle(path: str) -> Rounds[None]:
    """Take part in one round without saying anything.

    Cost  1 round; no bytes but the frame's header
    """
    yield Round(path)


def run_locally(step: Rounds[T]) -> T:
    """Return the result of a step that needs no round at all.

    Raises  InternalError if the step wants to talk to somebody
    """
    try:
        step.send(None)  # type: ignore[arg-type]
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise InternalError("a step that was declared local asked for a round")


def parallel(branches: Sequence[Rounds[Any]]) -> Rounds[list[Any]]:
    """Run independent steps side by side: their k-th rounds become one round.

    Branch k's labels are prefixed with "k/". The caller gives branch k the child scope k of its
    own scope, so that no two branches share a path (`Engine.at`). A branch that ends early is silent.
    Silence of a peer is allowed only if every branch still running allows it.

    Cost    as many rounds as the longest branch; bytes add up
    Raises  whatever a branch raises; the other branches are closed
    """
    results: list[Any] = [None] * len(branches)
    waiting: dict[int, Round] = {}
    try:
        for k, branch in enumerate(branches):
            _resume(branch, None, k, waiting, results)
        while waiting:
            current = dict(waiting)
            inbox = yield _merge(current)
            mail = _sort_mail(inbox)
            waiting.clear()
            for k in current:
                _resume(branches[k], mail.get(k, {}), k, waiting, results)
    finally:
        for branch in branches:
            branch.close()
    return results


def _resume(
    branch: Rounds[Any], inbox: Inbox | None, k: int, waiting: dict[int, Round], results: list[Any]
) -> None:
    try:
        waiting[k] = branch.send(inbox)  # type: ignore[arg-type]
    except StopIteration as stop:
        results[k] = stop.value


def _merge(rounds: Mapping[int, Round]) -> Round:
    if len({r.absent for r in rounds.values()}) == 1:
        absent = next(iter(rounds.values())).absent
    else:
        absent = frozenset.intersection(*(r.absent for r in rounds.values()))
    return Round(
        path="|".join(f"{k}:{r.path}" for k, r in rounds.items()),
        send={(to, f"{k}/{label}"): a for k, r in rounds.items() for (to, label), a in r.send.items()},
        vouch={
            (of, to, f"{k}/{label}"): a for k, r in rounds.items() for (of, to, label), a in r.vouch.items()
        },
        recv={(of, f"{k}/{label}"): s for k, r in rounds.items() for (of, label), s in r.recv.items()},
        vouched={(of, f"{k}/{label}"): b for k, r in rounds.items() for (of, label), b in r.vouched.items()},
        absent=absent,
    )


def _sort_mail(inbox: Inbox) -> dict[int, dict[Message, Payload]]:
    """Undo the label prefixes: branch -> its own inbox."""
    mail: dict[int, dict[Message, Payload]] = {}
    for (of, label), payload in inbox.items():
        branch, _, rest = label.partition("/")
        mail.setdefault(int(branch), {})[of, rest] = payload
    return mail
