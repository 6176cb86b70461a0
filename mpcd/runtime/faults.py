"""A failed tag, and what each party may conclude from it.

Source  Spec rep4 5.4
"""

from __future__ import annotations

from collections.abc import Sequence

from mpcd.errors import PeerError
from mpcd.ring.tags import Buffer


class TagFault(PeerError):
    """The tag of `backup` does not fit what `sender` sent: one of the two lied, or `receiver` does.

    The round (`round` is its number, `path` its path) has been withheld from every step; `received` is what
    came from the sender, as far as the backup knows it. See `recorded_sets` for what each party may conclude.
    """

    def __init__(
        self,
        path: str,
        *,
        sender: int,
        backup: int,
        receiver: int,
        round: int,
        received: Sequence[Buffer] = (),
    ) -> None:
        super().__init__(
            f"in round {round} party {receiver} received from party {sender} something that the tag of "
            f"party {backup} does not fit",
            step=path,
            blamed=frozenset((sender, backup)),
        )
        self.sender = sender
        self.backup = backup
        self.receiver = receiver
        self.round = round
        self.path = path
        self.received = received


def recorded_sets(fault: TagFault, me: int) -> frozenset[int]:
    """Return the smallest set that contains a cheater, in the view of party `me`.

    Sender, backup or complaining receiver lied. Each of the three knows that it did not itself, so it holds
    the other two; a bystander, and a receipt, must name all three: a lying receiver must not
    put two honest parties in the dock.
    """
    return frozenset((fault.sender, fault.backup, fault.receiver)) - {me}
