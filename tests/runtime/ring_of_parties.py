"""A small protocol for the tests of frames: everybody sends to the next, the one before backs it.

Party i sends `words` to party i+1; party i-1 knows them too and vouches. A blob goes to party i+2, unvouched.
"""

from __future__ import annotations

import numpy as np

from mpcd.errors import PeerError
from mpcd.protocols.rounds import Blob, Inbox, Payload, Round, Rounds, Spec, Words, backed
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.lockstep import tag_keys

PARTIES = 4
LIMIT = 40
SESSION = bytes(range(32))
EVERYBODY = range(PARTIES)


def words_of(party: int, size: int = 3) -> Words:
    """What a party sends: any fixed words."""
    return np.arange(size, dtype=np.uint64) * np.uint64(2**60) + np.uint64(party)


def round_of(me: int, path: str = "top", size: int = 3) -> Round:
    """One round with a vouched message, a tag and a blob at every party."""
    nxt, far, prv = ((me + k) % PARTIES for k in (1, 2, 3))
    return Round(
        path,
        send={(nxt, backed("words", prv)): words_of(me, size), (far, "blob"): bytes([me]) * (me + 1)},
        vouch={(nxt, far, backed("words", me)): words_of(nxt, size)},
        recv={(prv, backed("words", far)): Spec((size,)), (far, "blob"): Blob(LIMIT)},
        vouched={(prv, backed("words", far)): far},
    )


def step(me: int, rounds: int = 1) -> Rounds[list[Payload]]:
    """Take part in `rounds` rounds; return all messages received, in order."""
    got: list[Payload] = []
    for k in range(rounds):
        inbox = yield round_of(me, f"top/{k}")
        got += [inbox[key] for key in sorted(inbox)]
    return got


def steps(rounds: int = 1) -> list[Rounds[list[Payload]]]:
    """All parties' steps."""
    return [step(me, rounds) for me in range(PARTIES)]


def codec(me: int, *, session: bytes = SESSION, epoch: int = 0) -> FrameCodec:
    """One party's codec, with the keys of lockstep runs."""
    return FrameCodec(me, EVERYBODY, session, epoch, tag_keys(me, EVERYBODY))


def frames_to(receiver: int, number: int = 0, path: str = "top") -> dict[int, bytes]:
    """The honest frames of one round as one party receives them."""
    return {
        sender: b"".join(codec(sender).encode(number, round_of(sender, path))[receiver])
        for sender in EVERYBODY
        if sender != receiver
    }


def decode(frames: dict[int, bytes], number: int = 0, r: Round | None = None, me: int = 0) -> Inbox:
    """Decode frames as party `me`, which expects round `r` (by default its round of this protocol)."""
    r = round_of(me) if r is None else r
    mine = codec(me)
    mine.encode(number, r)
    return mine.decode(number, r, frames)


def decoded_or_refused(frames: dict[int, bytes]) -> Inbox | PeerError:
    try:
        return decode(frames)
    except PeerError as error:
        return error
