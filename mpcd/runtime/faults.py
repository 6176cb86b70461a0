"""What each party may conclude from a failed tag.

A tag that does not fit means that the sender, the backup or the complaining receiver lied. Each of
the three knows that it did not itself, so each holds the other two; a bystander, and a receipt,
must name all three: a lying receiver must not put two honest parties in the dock.

Source  protocol notes 11.9
"""

from __future__ import annotations

from mpcd.runtime.frames import TagFault


def recorded_sets(fault: TagFault, me: int) -> frozenset[int]:
    """Return the smallest set that contains a cheater, in the view of party `me`."""
    return frozenset((fault.sender, fault.backup, fault.receiver)) - {me}
