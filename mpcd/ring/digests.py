"""Digests with one reading: SHA-256 over length-prefixed parts under a domain.

A digest of a concatenation could be explained by two different lists of parts; here every part, the
domain first, is preceded by its length.

Rule    no digest of a share or of another secret without a salt or key: whoever may not know it could test
        guesses against the digest
Source  FIPS 180-4
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from mpcd.errors import InternalError

Buffer = bytes | bytearray | memoryview

DIGEST_BYTES = 32
SALT_BYTES = 32


def digest(domain: str, *parts: Buffer) -> bytes:
    """The 32-byte digest of a list of byte strings, for one purpose.

    Every part counts in bytes, whatever the item size of its buffer; it must be contiguous.
    """
    state = hashlib.sha256()
    for part in (domain.encode(), *parts):
        size = part.nbytes if isinstance(part, memoryview) else len(part)
        state.update(size.to_bytes(8, "little"))
        state.update(part)
    return state.digest()


@lru_cache(maxsize=16)
def path_digest(path: str) -> bytes:
    """The plain SHA-256 of a structural path; a round's streams and its frames ask for the same one."""
    return hashlib.sha256(path.encode()).digest()


def commit(domain: str, salt: bytes, *parts: Buffer) -> bytes:
    """A commitment to the parts: hiding because of the salt, binding because of the lengths.

    Raises  InternalError if the salt has not exactly 32 bytes (a salt of floating length has two openings)
    """
    if len(salt) != SALT_BYTES:
        raise InternalError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return digest(domain, *parts, salt)
