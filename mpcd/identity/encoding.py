"""Length-prefixed bytes: the one encoding under every signature, hash and sealed box.

Concatenation alone is ambiguous ("ab" + "c" = "a" + "bc"), so every part is preceded by its length
in eight little-endian bytes. Two different lists of parts never have the same encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mpcd.errors import UsageError

PREFIX_BYTES = 8


class MalformedError(UsageError):
    """Bytes that do not have the promised form. The caller knows whose bytes they are."""


def pack(parts: Iterable[bytes]) -> bytes:
    """Return the parts, each behind its length."""
    return b"".join(len(part).to_bytes(PREFIX_BYTES, "little") + part for part in parts)


def unpack(data: bytes, *, max_parts: int, what: str) -> list[bytes]:
    """Return the parts of `data`; the inverse of `pack`.

    Raises    MalformedError if bytes are missing or left over, or if there are more than `max_parts`
    """
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        if len(parts) == max_parts:
            raise MalformedError(f"{what} has more than {max_parts} parts")
        end = at + PREFIX_BYTES
        if end > len(data):
            raise MalformedError(f"{what} ends inside a length")
        length = int.from_bytes(data[at:end], "little")
        if length > len(data) - end:
            raise MalformedError(f"{what} is cut short")
        parts.append(data[end : end + length])
        at = end + length
    return parts


def fingerprint(domain: str, parts: Iterable[bytes]) -> bytes:
    """SHA-256 (32 bytes) of the domain and the parts, length-prefixed."""
    return hashlib.sha256(pack([domain.encode(), *parts])).digest()
