"""What a party keeps of its last rounds, so that a dispute about them can be settled.

If the tag of a backup B does not fit what a sender S sent a receiver R, one of the three lies. Each of them
says what the message was, as a digest, and the answers show with whom the fault is
(`mpcd.protocols.agreement.disputes`). S and B may have gone on by one round when R complains, and never by
more: without R's frame of that round they do not finish it. So the last two rounds are kept, and digests
are computed only when the epoch ends.

Rounds    count from 1; 0 is the meeting of the links
Digest    HMAC-SHA256(key, round, S, B, R, words of S -> R that B backs, in the order of the frame). Of four
          parties the key is known to S, B and R alone: the fourth knows the pad of the message, and could
          test guesses of a secret against a digest without a key. Of three each may see every message that
          has a backup, and the key is derived from the session
Memory    the arrays that were sent are kept as they are, without a copy: no step changes an array that it
          has sent or vouched for
Source    Spec agreement 10.2
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from mpcd.errors import InternalError
from mpcd.protocols.agreement.words import FULL, MAX_LATE
from mpcd.protocols.rounds import Payload, Round, backup_of
from mpcd.ring.streams import derive
from mpcd.runtime.faults import TagFault
from mpcd.transport.channel import Buffer

Place = tuple[int, int, int, int]
"""(round, sender, backup, receiver)."""
KeyOf = Callable[[int, int, int], bytes]
"""(sender, backup, receiver) -> the key of a digest about them."""

_PLACE = struct.Struct("<QBBB")
_ROUNDS = 2
LATE_FROM = 2
"""Eighths of the patience from which a peer was late."""


def dispute_keys(
    parties: int, keys: Mapping[int, bytes], session: bytes, epoch: int, history: bytes
) -> KeyOf:
    """The keys of digests in one epoch: of four parties, from the key that the fourth alone lacks.

    keys  a -> K[a] of the epoch; not used if there are three parties
    """
    stamp = epoch.to_bytes(4, "little")

    def key_of(sender: int, backup: int, receiver: int) -> bytes:
        outside = [a for a in range(parties) if a not in (sender, backup, receiver)]
        if not outside:
            return derive(session, b"dispute", stamp, history, length=32)
        (outsider,) = outside
        return derive(keys[outsider], b"dispute", session, stamp, history, length=32)

    return key_of


class Record:
    """The last two rounds of one party in one epoch.

    begun     number of the last round that was begun; 0 if none was
    accepted  peer -> number of the last round of which a frame from it has come
    pending   peers whose frame of that round had not come when a signal interrupted the waiting for it
    late      the last rounds in which one peer's frame alone was waited for long: (round, peer, eighths of
              the patience)
    """

    def __init__(self, me: int, key_of: KeyOf) -> None:
        self._me = me
        self._key_of = key_of
        self._rounds: deque[tuple[int, Round]] = deque(maxlen=_ROUNDS)
        self.begun = 0
        self.accepted: dict[int, int] = {}
        self.pending: frozenset[int] = frozenset()
        self.late: deque[tuple[int, int, int]] = deque(maxlen=MAX_LATE)

    def __repr__(self) -> str:
        return f"Record(me={self._me}, begun={self.begun})"

    def begin(self, number: int, r: Round) -> None:
        """Keep a round that is about to be sent; `number` as in frames, from 0."""
        self.begun = number + 1
        self._rounds.append((self.begun, r))

    def arrived(self, peers: Iterable[int]) -> None:
        """Frames of the round that was begun last have come from these peers."""
        self.accepted.update(dict.fromkeys(peers, self.begun))

    def interrupted(self, pending: frozenset[int], arrived: frozenset[int]) -> None:
        """The round that was begun last ends here, while frames of some peers were waited for."""
        self.pending = pending
        self.arrived(arrived)

    def waited(self, peer: int, seconds: float, patience_s: float) -> None:
        """In the round that was begun last everything but the frame of this peer had come."""
        eighths = min(int(FULL * seconds / patience_s), FULL)
        if eighths >= LATE_FROM:
            self.late.append((self.begun, peer, eighths))

    def digests(self) -> dict[Place, bytes]:
        """A digest of everything that this party sent or vouched for and somebody else knows as well."""
        found: dict[Place, bytes] = {}
        for number, r in self._rounds:
            for place, parts in _known(self._me, number, r).items():
                found[place] = digest_of(self._key_of(*place[1:]), place, map(_bytes_of, parts))
        return found

    def received(self, fault: TagFault) -> bytes:
        """The digest of what came from the sender that this party complains about."""
        place = fault.round + 1, fault.sender, fault.backup, fault.receiver
        return digest_of(self._key_of(*place[1:]), place, fault.received)


def digest_of(key: bytes, place: Place, parts: Iterable[Buffer]) -> bytes:
    """What a sender sent, under a key: 32 bytes."""
    state = hmac.new(key, _PLACE.pack(*place), hashlib.sha256)
    for part in parts:
        state.update(part)
    return state.digest()


def _known(me: int, number: int, r: Round) -> dict[Place, list[Payload]]:
    """(round, sender, backup, receiver) -> messages in the order of the frame."""
    known: dict[Place, list[Payload]] = {}
    for to, label in sorted(r.send):
        backup = backup_of(label)
        if backup is not None:
            known.setdefault((number, me, backup, to), []).append(r.send[to, label])
    for of, to, label in sorted(r.vouch):
        known.setdefault((number, of, me, to), []).append(r.vouch[of, to, label])
    return known


def _bytes_of(payload: Payload) -> Buffer:
    if isinstance(payload, bytes):
        raise InternalError("only words can be vouched for")
    return np.ascontiguousarray(payload).data.cast("B")
