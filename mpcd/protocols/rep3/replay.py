"""What honest parties would have said in a batch, computed from its three keys.

The three parties' own steps are run in this process, without any network: there is no second description of a
batch that could differ from the first. Each round they are run again from their beginning, one after the
other, so that all there is at a time is one of them and messages: that takes little more memory than to make
the batch (`mpcd.protocols.rep3.costs`), and about ten times the work of one party.

Source  Spec rep3 7
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.agreement.disputes import Expected
from mpcd.protocols.rep3 import triples, words
from mpcd.protocols.rep3.batch import Recipe, Record
from mpcd.protocols.rep3.party import PARTIES, Party3
from mpcd.protocols.rep3.sharing import held
from mpcd.protocols.rounds import Inbox, Message, Payload, Rounds, Words
from mpcd.ring.streams import Streams

KINDS: Final[dict[str, Callable[[Party3, Recipe], Rounds[Any]]]] = {
    triples.ROWS: triples.make,
    triples.MATRIX: triples.make,
    words.WORDS: words.make,
}
"""Kind of a recipe -> how such a batch is made."""

Sent = Mapping[Message, Payload]
"""What one party sends in a round."""


class _Replayed(Party3):
    """A party that makes one batch, from keys that are given instead of derived."""

    def batch_keys(self) -> dict[int, bytes]:
        return dict(self.roots)


def expected(path: str, recipe: Recipe, keys: Mapping[int, bytes]) -> Expected:
    """What honest parties say in the batch with these three keys; parties by their place.

    Memory  of the batch at one party, and of the messages of all three
    Raises  UsageError if there is no such recipe, or the keys are not three
    """
    if recipe.kind not in KINDS or set(keys) != set(range(PARTIES)):
        raise UsageError(f"there is no batch {recipe} with keys of the pieces {sorted(keys)}")
    heard: list[list[Inbox]] = [[] for _ in range(PARTIES)]
    products: dict[int, bytes] = {}
    while True:
        said: list[Sent] = []
        for me, inboxes in enumerate(heard):
            sent, record = _play(
                _Replayed(me, Streams({}), {i: keys[i] for i in held(me)}, path), recipe, inboxes
            )
            if record.shown:
                return Expected(products, record.shown)
            said.append(sent)
            products[me] = record.sent
        for me, inboxes in enumerate(heard):
            inboxes.append(_inbox(me, said))


def _play(p: Party3, recipe: Recipe, inboxes: Sequence[Inbox]) -> tuple[Sent, Record]:
    """Run the step of one party as far as it gets with these inboxes: what it says then, and its record."""
    step = KINDS[recipe.kind](p, recipe)
    try:
        r = next(step)
        for inbox in inboxes:
            r = step.send(inbox)
        # Copies: a message may be a part of an array that would stay with it.
        return {key: _copy(payload) for key, payload in r.send.items()}, p.batches[p.path].record()
    finally:
        step.close()
        p.batches.clear()  # a batch and its ledger hold each other, and with them messages


def _copy(payload: Payload) -> Words:
    words = np.array(payload, np.uint64)
    words.setflags(write=False)  # it is heard in every later round
    return words


def _inbox(me: int, said: Sequence[Sent]) -> Inbox:
    """What all send to a party; nobody lies here, so tags are not needed."""
    return {
        (of, label): payload
        for of, sent in enumerate(said)
        for (to, label), payload in sent.items()
        if to == me
    }
