"""What a round of messages travels over: the `Channel` interface.

A channel joins one party to all others of one epoch. It moves opaque frames and knows nothing of what
they mean: one frame to and one frame from every peer per round, in order, whole or not at all.
Implementations: `links.Links` (TLS streams), `memory.MemoryChannel` (threads, for tests).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mpcd.errors import ChannelError

Buffer = bytes | bytearray | memoryview
"""Contiguous bytes; arrays are handed over as memoryviews, so that nothing is copied before it must be."""


class IncompleteRound(ChannelError):
    """Some frames of a round did not come, or could not be sent, and never will.

    unreachable  all peers with whom it failed: silent, gone, or with too long a frame
    arrived      peers whose frame has come
    """

    def __init__(self, reasons: Mapping[int, str], arrived: frozenset[int], number: int) -> None:
        what = "; ".join(dict.fromkeys(reasons[peer] for peer in sorted(reasons)))
        super().__init__(what, where=f"round {number}", unreachable=frozenset(reasons))
        self.arrived = arrived


class Channel(Protocol):
    """One party's way to its peers.

    me      index of this party
    peers   indices of the others
    waited  (peer, seconds) if in the last exchange everything but the frame of this peer had come, and for
            how long that one was waited for; None if it was not
    """

    @property
    def me(self) -> int: ...

    @property
    def peers(self) -> frozenset[int]: ...

    @property
    def waited(self) -> tuple[int, float] | None: ...

    def pending(self, number: int) -> frozenset[int]:
        """Peers whose part of round `number`, the last one, was not complete when a signal interrupted it."""
        ...

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
        timeout_s  how long a round may take, in seconds, beside the time that its bytes need on a slow line
        absent_ok  peers whose silence, death or too long frame is no fault: they are left out of the result

        Returns    peer -> frame. A view stays valid for as long as it, or an array over it, is alive
        Raises     IncompleteRound, after the frames of all others have been exchanged: whoever stops
                   because of one peer must not look silent to another, nor miss that another is silent too
        """
        ...

    def close(self) -> None:
        """Part from all peers. They see it as a clean end; nothing can be sent any more."""
        ...
