"""What a round of messages travels over: the `Channel` interface.

A channel joins one party to all others of one epoch. It moves opaque frames and knows nothing of what
they mean: one frame to and one frame from every peer per round, in order, whole or not at all.
Implementations: `links.Links` (TLS streams), `memory.MemoryChannel` (threads, for tests).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Buffer = bytes | bytearray | memoryview
"""Contiguous bytes; arrays are handed over as memoryviews, so that nothing is copied before it must be."""


class Channel(Protocol):
    """One party's way to its peers.

    me     index of this party
    peers  indices of the others
    """

    @property
    def me(self) -> int: ...

    @property
    def peers(self) -> frozenset[int]: ...

    def exchange(
        self,
        number: int,
        outgoing: Mapping[int, Sequence[Buffer]],
        lengths: Mapping[int, int],
        timeout_s: float,
        absent_ok: frozenset[int] = frozenset(),
    ) -> dict[int, memoryview]:
        """Send one frame to every peer in `outgoing` and receive one from every peer in `lengths`.

        number     the round; it only names the place in error messages
        outgoing   peer -> parts of one frame, sent one after the other; they may not change before return
        lengths    peer -> the longest acceptable frame in bytes; a longer one is refused before
                   anything is allocated for it
        timeout_s  how long silence is borne, in seconds
        absent_ok  peers whose silence, death or too long frame is no fault: they are left out of the result

        Returns    peer -> frame. A view stays valid for as long as it, or an array over it, is alive
        Raises     ChannelError, whose `unreachable` names the peers that are silent (after
                   `timeout_s`) or gone (at once); PeerError for a length that is not acceptable
        """
        ...

    def close(self) -> None:
        """Part from all peers. They see it as a clean end; nothing can be sent any more."""
        ...
