"""The context of one party in one epoch of rep4: its index, its keys and its place in the computation.

Source  Spec rep4 2.3, 2.4, 6.2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mpcd.ring.streams import Stream, Streams, stream_name

PARTIES = 4


@dataclass(frozen=True, slots=True)
class Notice:
    """A fault that did no harm: `pair` contains a cheater; one of the two is the party that says so."""

    path: str
    pair: frozenset[int]


class Party4:
    """Who I am and where in the computation I am.

    me       index of this party, 0..3
    streams  the streams under the keys K[a], a != me; K[a] is known to every party except a
    path     structural path of this place; every draw of randomness has a path of its own
    notices  faults that were seen and outvoted, shared by all places of the computation
    """

    __slots__ = ("me", "notices", "path", "streams")

    def __init__(
        self, me: int, streams: Streams[int], path: str = "", notices: list[Notice] | None = None
    ) -> None:
        self.me = me
        self.streams = streams
        self.path = path
        self.notices: list[Notice] = [] if notices is None else notices

    def at(self, *steps: str | int) -> Self:
        """The same party at a child path."""
        return type(self)(self.me, self.streams, "/".join([self.path, *map(str, steps)]), self.notices)

    def open_streams(self, keys: tuple[int, ...]) -> list[Stream]:
        """The streams of this path under some of the keys; possible once per path and key."""
        name = stream_name(self.path)
        return [self.streams.open_named(key, name) for key in keys]

    def notice(self, path: str, suspect: int) -> None:
        """Record a fault of `suspect` that nobody else can see: the pair of the two is all that it proves."""
        self.notices.append(Notice(path, frozenset({self.me, suspect})))

    def __repr__(self) -> str:
        return f"Party4({self.me}, {self.path!r})"
