"""What travels in a slot: a body under a chain of signatures, and its bytes.

A *statement* is what a party signs in a slot: (slot, sender, digest of the body), so that a signature
counts for one value of one sender in one slot of one session and for nothing else. A *chain* is a body
with the signatures collected so far, the sender's first. Decoding is total: bytes either are a letter
within the limits or they are nothing at all.

Source  Spec agreement 2.1, 2.5
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE_BYTES = 64
DIGEST_BYTES = 32
VALUES_FORWARDED = 2
"""Values of one sender that a party passes on: two prove that the sender cheats, a third adds nothing."""

_PREFIX = b"mpcd slot\0"
_NAMED = struct.Struct("<IB")
_COUNT = struct.Struct("<H")
_HEAD = struct.Struct("<BBI")
_SIGNATURE = struct.Struct(f"<B{SIGNATURE_BYTES}s")


@dataclass(frozen=True, slots=True)
class Chain:
    """A body that `sender` put forward, and (signer, signature) of all who signed, the sender first."""

    sender: int
    body: bytes
    signatures: tuple[tuple[int, bytes], ...]

    def __repr__(self) -> str:
        return f"Chain({self.sender}, {len(self.body)} bytes, signers={[s for s, _ in self.signatures]})"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


def statement(slot_id: bytes, sender: int, digest: bytes) -> bytes:
    """The bytes that a party signs for one value of one sender in one slot."""
    return _PREFIX + struct.pack("<IB", len(slot_id), sender) + slot_id + digest


def read_statement(words: bytes) -> tuple[bytes, int, bytes] | None:
    """(slot, sender, digest of the body) of what `statement` makes; None if it does not make these bytes."""
    start = len(_PREFIX) + _NAMED.size
    if len(words) < start:
        return None
    length, sender = _NAMED.unpack(words[len(_PREFIX) : start])
    slot_id, digest = words[start : start + length], words[start + length :]
    if len(digest) != DIGEST_BYTES or statement(slot_id, sender, digest) != words:
        return None
    return slot_id, sender, digest


def encode(chains: Sequence[Chain]) -> bytes:
    """One letter: all chains that a party shows in one round."""
    parts = [_COUNT.pack(len(chains))]
    for chain in chains:
        parts.append(_HEAD.pack(chain.sender, len(chain.signatures), len(chain.body)))
        parts.extend(_SIGNATURE.pack(signer, signature) for signer, signature in chain.signatures)
        parts.append(chain.body)
    return b"".join(parts)


def letter_limit(parties: int, max_body: int) -> int:
    """The greatest length in bytes of a letter between `parties` parties."""
    chain = _HEAD.size + parties * _SIGNATURE.size + max_body
    return _COUNT.size + VALUES_FORWARDED * parties * chain


def decode(letter: bytes, parties: Sequence[int], max_body: int) -> list[Chain]:
    """The chains of a letter; none at all if anything in it is malformed or over a limit.

    Checked here: lengths, known parties, a sender who comes first, signers who are different,
    and at most two values per sender. Signatures are not.
    """
    try:
        chains = _chains(letter, max_body)
    except struct.error:
        return []
    known = set(parties)
    for chain in chains:
        signers = [signer for signer, _ in chain.signatures]
        if not signers or signers[0] != chain.sender or len(set(signers)) != len(signers):
            return []
        if not known.issuperset(signers):
            return []
        if sum(1 for other in chains if other.sender == chain.sender) > VALUES_FORWARDED:
            return []
    return chains


def _chains(letter: bytes, max_body: int) -> list[Chain]:
    (count,) = _COUNT.unpack_from(letter)
    at = _COUNT.size
    chains: list[Chain] = []
    for _ in range(count):
        sender, signers, length = _HEAD.unpack_from(letter, at)
        at += _HEAD.size
        signatures = tuple(_SIGNATURE.unpack_from(letter, at + k * _SIGNATURE.size) for k in range(signers))
        at += signers * _SIGNATURE.size
        if length > max_body or at + length > len(letter):
            raise struct.error("body out of bounds")
        chains.append(Chain(sender, letter[at : at + length], signatures))
        at += length
    if at != len(letter):
        raise struct.error("bytes after the last chain")
    return chains
