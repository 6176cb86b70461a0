"""A batch: random numbers made together, checked together, and thrown away together if the check fails.

Messages of products (`product`) are known to their sender alone. So where one party may be malicious, the
parties multiply only random numbers by them, which no secret has touched, and check the result. All random
words of a batch come from keys of its own. If the check fails, the three parties say what they sent and
received, then show these keys; everybody computes what should have been sent (`replay`), and the liar is
found (`mpcd.protocols.agreement.disputes`). To show the keys is harmless only as long as nobody has masked a
secret with words of the batch:

  1  a party that finds the check failed sends nothing more;
  2  after the check there is one round in which nothing is said. Whoever has all frames of it knows that the
     check passed at both others; only then is the batch *settled*, and used;
  3  until then it stands in `Party3.batches`. The keys are shown only if all three parties have said, by
     agreement, that the batch is not settled with them.

Notation  recipe: what kind of batch, and of what size; public. Path, recipe and keys determine a batch
Sources   Spec rep3 6, 7
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.rep3.party import PARTIES, Party3
from mpcd.protocols.rep3.sharing import ALL
from mpcd.protocols.rounds import Round, Rounds, Spec, Words, idle
from mpcd.ring.digests import digest, path_digest
from mpcd.ring.streams import Streams, derive

_HASH = "hash"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a batch consists of; `replay` knows the kinds and what their sizes mean."""

    kind: str
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What one party knows of a batch that is not settled, for a dispute, which may come after the run.

    keys      piece -> key of the batch, of the two pieces that this party holds: secret until they are shown
    sent      digest of the product messages that this party sent, in order
    received  digest of those that it received
    shown     the hash that this party sent in the check; empty if it did not get that far
    heard     party -> the hash that came from it
    """

    me: int
    path: str
    recipe: Recipe
    keys: Mapping[int, bytes] = field(repr=False)
    sent: bytes
    received: bytes
    shown: bytes = b""
    heard: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """A short name of the batch, the same at all parties: the first 64 bits of the hash of its path."""
        return int.from_bytes(path_digest(self.path)[:8], "little")


def describe(path: str, recipe: Recipe) -> bytes:
    """Path and recipe as bytes, to be kept or to be handed to another process."""
    return f"{recipe.kind} {','.join(map(str, recipe.sizes))} {path}".encode()


def understand(described: bytes) -> tuple[str, Recipe]:
    """The inverse of `describe`.

    Raises  UsageError if this describes no batch
    """
    try:
        kind, sizes, path = described.decode().split(" ", 2)
        return path, Recipe(kind, tuple(int(size) for size in sizes.split(",")))
    except ValueError:
        raise UsageError("these bytes describe no batch") from None


class BatchFault(PeerError):
    """The check of a batch failed: one of the two others lied; `record` is what a dispute needs."""

    def __init__(self, record: Record) -> None:
        super().__init__(
            "random numbers that the parties made together do not fit",
            step=record.path,
            blamed=ALL - {record.me},
            fix="nothing of it was used; the parties can find out who lied by opening this batch",
        )
        self.record = record


class Batch:
    """A batch in the making, at the path of a party.

    party  the party to make it with: its streams are under the keys of the batch; the paths within it are the
           batch's path and those below it
    shown  the hash that this party has sent in the check; empty before that
    """

    __slots__ = ("_heard", "_ledger", "_products", "keys", "party", "path", "recipe", "shown")

    def __init__(self, p: Party3, recipe: Recipe) -> None:
        self.path = p.path
        self.recipe = recipe
        self.keys = p.batch_keys()
        self.party = Party3(p.me, _streams(self.keys), path=p.path)
        self._products: list[tuple[Words, Words]] = []
        self.shown = b""
        self._heard: dict[int, bytes] = {}
        self._ledger = p.batches
        self._ledger[self.path] = self

    def __repr__(self) -> str:
        return f"Batch({self.path!r}, {self.recipe})"

    def multiplied(self, sent: Words, received: Words) -> None:
        """Note a product's messages; they must stay unchanged until the batch is settled."""
        self._products.append((sent, received))

    def record(self) -> Record:
        """What this party can say about the batch so far."""
        return Record(
            self.party.me,
            self.path,
            self.recipe,
            dict(self.keys),
            messages_digest([sent for sent, _ in self._products]),
            messages_digest([received for _, received in self._products]),
            self.shown,
            dict(self._heard),
        )

    def settle(self, shown: bytes) -> Rounds[None]:
        """The end of the check: all three must arrive at the same hash of 32 bytes.

        Cost       2 rounds, the second without messages; 64 bytes per party
        Malicious  a party that gets another hash than its own says nothing in the second round, so that no
                   honest party ever uses a batch whose check failed at an honest one
        Raises     BatchFault if the hashes differ
        """
        self.shown = shown
        me, path = self.party.me, f"{self.path}/check"
        words = np.frombuffer(shown, "<u8")
        others = sorted(ALL - {me})
        inbox = yield Round(
            path,
            {(to, _HASH): words for to in others},
            recv={(of, _HASH): Spec(words.shape) for of in others},
        )
        self._heard = {of: np.asarray(inbox[of, _HASH]).tobytes() for of in others}
        if any(heard != shown for heard in self._heard.values()):
            raise BatchFault(self.record())
        yield from idle(f"{self.path}/settled")
        del self._ledger[self.path]
        self._products.clear()


def _streams(keys: Mapping[int, bytes]) -> Streams[int]:
    return Streams({piece: derive(key, b"stream") for piece, key in keys.items()})


def messages_digest(messages: list[Words]) -> bytes:
    """The digest of the messages that one party sent another; all three parties may see it."""
    return digest("mpcd rep3 products", *(np.ascontiguousarray(m).data.cast("B") for m in messages))


def zero_hash(me: int, first: Words, second: Words, implied: Words) -> bytes:
    """What a party shows in the check: the hash of all three pieces of what must be a sharing of zero.

    It holds pieces me and me + 1 and takes the third to be what makes the sum zero. Two honest parties whose
    hashes are equal have found the same three, so the sum is zero.

    Shapes  three times (*s), in whatever ring -> 32 bytes
    """
    given = (first, second, implied)
    ordered = [given[(piece - me) % PARTIES] for piece in range(PARTIES)]
    return digest("mpcd rep3 check", *(np.ascontiguousarray(w).data.cast("B") for w in ordered))
