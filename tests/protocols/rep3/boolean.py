"""Operations on bits for tests: with checks and without, and what their messages look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rounds import Rounds
from mpcd.runtime.lockstep import Run, lockstep
from tests.protocols.rep3.three import parties

Step = Callable[..., Rounds[Any]]


def players(*, checked: bool, seed: int = 0) -> list[Party3]:
    """Three parties; those that check nothing have no roots."""
    who = parties(seed)
    return who if checked else [Party3(p.me, p.streams) for p in who]


def begin(step: Step, *args: Any, checked: bool = True, seed: int = 0) -> list[Rounds[Any]]:
    """Start a step at every party; a list of three is given out party by party, the rest to all."""
    return [
        step(p, *(arg[p.me] if isinstance(arg, list) and len(arg) == 3 else arg for arg in args))
        for p in players(checked=checked, seed=seed)
    ]


def play(step: Step, *args: Any, checked: bool = True, seed: int = 0) -> Run[Any]:
    return lockstep(begin(step, *args, checked=checked, seed=seed))
