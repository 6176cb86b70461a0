"""What honest parties would have said in a batch, computed from its three keys.

The three parties' own steps are run side by side in this process, without any network: there is no second
description of a batch that could differ from the first.

Source  Spec rep3 7
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mpcd.errors import UsageError
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.rep3 import triples, words
from mpcd.protocols.rep3.batch import Recipe
from mpcd.protocols.rep3.party import PARTIES, Party3
from mpcd.protocols.rep3.sharing import held
from mpcd.protocols.rounds import Inbox, Round, Rounds
from mpcd.ring.streams import Streams

KINDS: Final[dict[str, Callable[[Party3, Recipe], Rounds[Any]]]] = {
    triples.ROWS: triples.make,
    triples.MATRIX: triples.make,
    words.WORDS: words.make,
}
"""Kind of a recipe -> how such a batch is made."""


class _Replayed(Party3):
    """A party that makes one batch, from keys that are given instead of derived."""

    def batch_keys(self) -> dict[int, bytes]:
        return dict(self.roots)


def expected(path: str, recipe: Recipe, keys: Mapping[int, bytes]) -> Expected:
    """What honest parties say in the batch with these three keys; parties by their place.

    Raises  UsageError if there is no such recipe, or the keys are not three
    """
    if recipe.kind not in KINDS or set(keys) != set(range(PARTIES)):
        raise UsageError(f"there is no batch {recipe} with keys of the pieces {sorted(keys)}")
    who = [_Replayed(me, Streams[int]({}), {i: keys[i] for i in held(me)}, path) for me in range(PARTIES)]
    steps = [KINDS[recipe.kind](p, recipe) for p in who]
    try:
        rounds = [next(step) for step in steps]
        while not all(p.batches[path].shown for p in who):
            rounds = [step.send(_inbox(me, rounds)) for me, step in enumerate(steps)]
    finally:
        for step in steps:
            step.close()
    records = [p.batches[path].record() for p in who]
    return Expected({record.me: record.sent for record in records}, records[0].shown)


def _inbox(me: int, rounds: Sequence[Round]) -> Inbox:
    """What all send to a party; nobody lies here, so tags are not needed."""
    return {
        (of, label): payload
        for of, r in enumerate(rounds)
        for (to, label), payload in r.send.items()
        if to == me
    }
