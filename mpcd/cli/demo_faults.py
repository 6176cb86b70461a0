"""What can go wrong in the demonstration: somebody is killed in a stage, or cheats; and how it is done.

Only the organisation that is at fault runs something else than the ordinary daemon, namely that daemon with a
part replaced from outside (`python -m mpcd.testing.cheat`). Whoever is to be killed in a stage stands still
there, so that the moment is met for certain; it does nothing wrong up to then, and nothing at all afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mpcd.cli.auction_job import PARTIES
from mpcd.cli.local_cluster import COORDINATOR, LocalCluster
from mpcd.errors import UsageError

JOB = "auction"
MOMENT_S = 120.0
"""How long the moment of a fault is waited for; the job has ended long before."""
ROUND = 20
"""In the middle of the auction's 47 rounds, which are counted from 0."""

STAGES: Mapping[str, str] = {
    "gathering": "hold slot=START",
    "computing": f"hold round={ROUND}",
    "verifying": "hold at=verifying",
    "opening": "hold at=opening",
}
_MOMENTS: Mapping[str, str] = {
    "gathering": "once the inputs are agreed, before the computation begins",
    "computing": f"in round {ROUND} of the computation",
    "verifying": "when its computation is done, before it says so",
    "opening": "when all have agreed to open the outputs, before it hands out its shares",
}
OTHER = "{other}"
"""In an edit, some other party."""


@dataclass(frozen=True, slots=True)
class Lie:
    """A way of cheating: `edit` brings it about, `what` says what it is, `mended` as in `Fault`."""

    edit: str
    what: str
    mended: str = ""


LIES: Mapping[str, Lie] = {
    "share": Lie(f"shift round={ROUND}", f"adds 1 to every number that it sends in round {ROUND}"),
    "tag": Lie(f"vouch round={ROUND}", f"vouches for other numbers in round {ROUND} than were sent"),
    "silent": Lie(f"hold round={ROUND}", f"says nothing from round {ROUND} on; its connections stay open"),
    "commitment": Lie("lie slot=BARRIER.0.1", "commits to other shares of the outputs than it holds"),
    "equivocate": Lie(
        f"equivocate slot=BARRIER.0.1 to={OTHER}",
        f"signs two different statements about the end, and shows the second one to {OTHER}",
    ),
    "key": Lie(
        f"keys to={OTHER}",
        f"sends {OTHER} another part of a key than the one it has committed to",
        f"{OTHER} complained, and what was then shown to everybody fits the commitment, so it counts",
    ),
    "box": Lie(
        f"box to={OTHER}",
        f"sends {OTHER} a share of its bid that does not open its commitment",
        f"the other holders of that share have forwarded it to {OTHER}, and it opens the commitment",
    ),
    "opening": Lie(
        "summand",
        "hands out wrong shares when the outputs are opened",
        "they do not open what was agreed on; the other holders' shares do",
    ),
}
DEFAULT_LIE = "share"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong in a demonstration.

    who     who is killed, or cheats
    kind, word  how, in words of the command
    what    a sentence about it that begins with `who`
    host    the party whose daemon runs with `edit`
    mended  why it does no harm, where the parties have to agree on nothing about it
    """

    who: str
    kind: Literal["kill", "cheat"]
    word: str
    what: str
    host: str
    edit: str
    mended: str

    @property
    def observer(self) -> str:
        """The first party that is not at fault: where the job is submitted and followed."""
        return next(name for name in PARTIES if name != self.who)

    @property
    def is_silence(self) -> bool:
        """Whether a party says nothing any more, so that the others have to wait for it."""
        return self.who != COORDINATOR and self._has_moment

    @property
    def _has_moment(self) -> bool:
        return self.edit.startswith("hold")

    def as_dict(self) -> dict[str, str]:
        """The fault as JSON."""
        return {"kind": self.kind, "party": self.who, "how": self.word, "what": self.what}

    def start(self, cluster: LocalCluster) -> None:
        """Start everybody, the host with what it does differently."""
        cluster.start(tuple(name for name in (COORDINATOR, *cluster.parties) if name != self.host))
        cluster.start_cheating(self.host, (f"{JOB} {self.edit}",))

    def happen(self, cluster: LocalCluster, has_ended: Callable[[], bool]) -> float | None:
        """Kill whoever is to be killed, at its moment; when that was, in seconds since 1970.

        None if nothing is killed and nobody falls silent, or the job ended before the moment came.
        """
        if not self._has_moment:
            return None
        said = _held(cluster, self.host, has_ended)
        if said is None:
            return None
        now = time.time()
        if self.kind == "kill":
            cluster.kill(self.who)
            if self.host != self.who:
                os.kill(said.get("pid", cluster.pids()[self.host]), signal.SIGUSR1)
        return now


def killed(text: str) -> Fault:
    """The fault of `--kill NAME@STAGE`.

    Raises  UsageError
    """
    who, _, stage = text.partition("@")
    if who not in (*PARTIES, COORDINATOR) or stage not in STAGES:
        names, stages = ", ".join((*PARTIES, COORDINATOR)), ", ".join(STAGES)
        raise UsageError(f"--kill {text}: nobody can be killed so", fix=f"NAME@STAGE: {names} @ {stages}")
    what = f"{who} is killed (SIGKILL) {_MOMENTS[stage]}"
    host, mended = who, "the other holders of its shares have handed them out"
    if who == COORDINATOR:
        # Somebody waits in the stage, so that the job is in it when the coordinator goes.
        host, what = PARTIES[-1], f"{who} is killed (SIGKILL) while the parties are {stage}"
        mended = "once all have consented, the parties need it no more"
    return Fault(who, "kill", stage, what, host, STAGES[stage], mended)


def cheating(who: str, lie: str) -> Fault:
    """The fault of `--cheat NAME --lie KIND`.

    Raises  UsageError
    """
    if who not in PARTIES or lie not in LIES:
        raise UsageError(
            f"--cheat {who} --lie {lie}: nobody can cheat so",
            fix=f"parties: {', '.join(PARTIES)}; lies: {', '.join(LIES)}",
        )
    other = next(name for name in PARTIES if name != who)
    edit, what, mended = (
        text.replace(OTHER, other) for text in (LIES[lie].edit, LIES[lie].what, LIES[lie].mended)
    )
    return Fault(who, "cheat", lie, f"{who} {what}", who, edit, mended)


def _held(cluster: LocalCluster, host: str, has_ended: Callable[[], bool]) -> dict[str, Any] | None:
    """What the log of a daemon says once it, or its job process, stands still; None if it never does."""
    until = time.monotonic() + MOMENT_S
    while True:
        ended = has_ended() or time.monotonic() > until
        for line in cluster.log(host).read_text().splitlines():
            if '"held"' in line and line.endswith("}"):
                found: dict[str, Any] = json.loads(line)
                return found
        if ended:
            return None
        time.sleep(0.005)
