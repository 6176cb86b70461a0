"""The pairwise tags by which a backup vouches for another party's messages.

One tag covers everything that one sender sends one receiver in one round and that one
backup knows as well; it travels from the backup to the receiver in that same round. It is a GMAC
under the key of (backup, receiver), which the sender does not know.

Nonce     round u64, (sender, backup, receiver) packed in one byte, chunk u24. Round numbers strictly
          increase in a codec and a party holds one codec per epoch, whose keys are its own, so no nonce
          is used twice with one key.
Malicious a changed message passes with probability at most length / 2^128 per attempt
Source    Spec rep4 5.2
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Mapping, Sequence

from mpcd.errors import InternalError
from mpcd.ring.tags import Buffer, TagKey

DOMAIN = b"mpcd tag v1\0"

_NUMBER = struct.Struct("<Q")
_NONCE_END = struct.Struct("<I")
_PLACE = struct.Struct("<BBBBQ")
# (sender, backup, receiver) must fit one byte of the nonce: 6^3 <= 256.
MOST_PARTIES = 6


class Tagger:
    """Makes and verifies the tags of one party in one epoch.

    context  what every tag authenticates first
    """

    def __init__(self, parties: Sequence[int], session: bytes, epoch: int, keys: Mapping[int, bytes]) -> None:
        """`keys[peer]` is the 16-byte key shared with that peer, derived for this session and epoch."""
        self._base = max(parties) + 1
        if keys and self._base > MOST_PARTIES:
            raise InternalError(f"tags are defined for at most {MOST_PARTIES} parties")
        self._keys = {peer: TagKey(key) for peer, key in keys.items()}
        self.context = DOMAIN + session + struct.pack("<I", epoch)

    def __repr__(self) -> str:
        return f"Tagger(peers={sorted(self._keys)})"

    def make(
        self,
        number: int,
        sender: int,
        backup: int,
        receiver: int,
        peer: int,
        parts: Sequence[Buffer],
        size: int,
    ) -> bytes:
        """Return the 16-byte tag of `parts` (`size` bytes in all) under the key shared with `peer`.

        `peer` is the receiver when the backup calls, the backup when the receiver does.
        """
        key = self._key(peer)
        counted = _NUMBER.pack(number)
        header = self.context + counted + self.place(sender, backup, receiver, size)
        return key.tag(counted + self.nonce_end(sender, backup, receiver), header, parts)

    def gcm(self, peer: int) -> Callable[[bytes, bytes, bytes], bytes]:
        """AES-GCM under the key shared with `peer`, see `TagKey.gcm`."""
        return self._key(peer).gcm

    def nonce_end(self, sender: int, backup: int, receiver: int) -> bytes:
        """The nonce of a tag behind the number of the round. The chunk is 0: a frame is one chunk."""
        return _NONCE_END.pack((sender * self._base + backup) * self._base + receiver)

    def place(self, sender: int, backup: int, receiver: int, size: int) -> bytes:
        """What is authenticated between the number of the round and the `size` bytes of words."""
        return _PLACE.pack(sender, backup, receiver, 0, size)

    def _key(self, peer: int) -> TagKey:
        key = self._keys.get(peer)
        if key is None:
            raise InternalError(f"no tag key is shared with party {peer}")
        return key

    def matches(
        self,
        number: int,
        sender: int,
        backup: int,
        receiver: int,
        parts: Sequence[Buffer],
        size: int,
        claimed: bytes,
    ) -> bool:
        """Say whether the backup's tag fits what the sender sent (compared in constant time)."""
        expected = self.make(number, sender, backup, receiver, backup, parts, size)
        return hmac.compare_digest(expected, claimed)
