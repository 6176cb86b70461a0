"""The context of one party in one epoch of rep3: its index, its keys and its place in the computation.

Source  Spec rep3 1, 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from mpcd.errors import InternalError
from mpcd.ring.streams import Stream, Streams, derive, stream_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mpcd.protocols.rep3.batch import Batch

PARTIES = 3
BATCH_KEY_BYTES = 32


class Party3:
    """Who I am and where in the computation I am.

    me       index of this party, 0..2
    streams  the streams under the keys K[me] and K[me + 1]; K[i] is known to parties i - 1 and i
    roots    the secrets from which the keys of batches are derived, of the same two pieces; a party that
             checks nothing has none
    path     structural path of this place; every draw of randomness has a path of its own
    batches  path -> batch that is not settled yet, shared by all places of the computation (see `batch`)
    """

    __slots__ = ("batches", "me", "path", "roots", "streams")

    def __init__(
        self,
        me: int,
        streams: Streams[int],
        roots: Mapping[int, bytes] | None = None,
        path: str = "",
        batches: dict[str, Batch] | None = None,
    ) -> None:
        self.me = me
        self.streams = streams
        self.roots = {} if roots is None else roots
        self.path = path
        self.batches: dict[str, Batch] = {} if batches is None else batches

    @property
    def keys(self) -> tuple[int, int]:
        """The pieces whose keys this party holds, in the order of its slots."""
        return self.me, (self.me + 1) % PARTIES

    @property
    def before(self) -> int:
        """The party that gets this one's product messages."""
        return (self.me - 1) % PARTIES

    @property
    def after(self) -> int:
        """The party whose product messages this one gets."""
        return (self.me + 1) % PARTIES

    def at(self, *steps: str | int) -> Self:
        """The same party at a child path."""
        path = "/".join([self.path, *map(str, steps)])
        return type(self)(self.me, self.streams, self.roots, path, self.batches)

    def trusting(self) -> Self:
        """The same party without roots: it checks nothing (`gates`, `convert`)."""
        return type(self)(self.me, self.streams, None, self.path, self.batches)

    def open_streams(self) -> tuple[Stream, Stream]:
        """The streams of this path under K[me] and K[me + 1]; possible once per path."""
        name = stream_name(self.path)
        first, second = self.keys
        return self.streams.open_named(first, name), self.streams.open_named(second, name)

    def batch_keys(self) -> dict[int, bytes]:
        """The keys of the batch at this path, derived from the roots: to show them shows nothing else.

        Raises  InternalError if this party has no roots, or if the batch was begun before
        """
        if set(self.roots) != set(self.keys):
            raise InternalError("this party has no secrets to derive the keys of a batch from")
        # Two batches at one path would draw the same words twice: the names of streams are the guard.
        for key in self.keys:
            self.streams.open_named(key, stream_name(f"{self.path} batch"))
        return {
            key: derive(self.roots[key], b"batch", self.path.encode(), length=BATCH_KEY_BYTES)
            for key in self.keys
        }

    def __repr__(self) -> str:
        return f"Party3({self.me}, {self.path!r})"
