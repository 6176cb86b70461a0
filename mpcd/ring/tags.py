"""Message tags: GMAC, the authentication of AES-GCM over data that is not encrypted.

Malicious without the key, a changed message passes with probability at most length / 2^128 per
          attempt; a nonce used twice with one key gives the key away, so callers must never repeat one
Source    NIST SP 800-38D
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Buffer = bytes | bytearray | memoryview

TAG_BYTES = 16

# Joining small parts for the one-shot call takes about 2 us; a streaming object takes 8, but copies nothing.
_ONE_SHOT_BYTES = 32_768


class TagKey:
    """One 16-byte key, ready for many tags: setting a key up takes longer than a small tag.

    gcm  (nonce, plaintext, authenticated) -> ciphertext and tag; with an empty plaintext, the tag alone
    """

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.AES128(key)
        self.gcm = AESGCM(key).encrypt

    def __repr__(self) -> str:
        return "TagKey(hidden)"

    def tag(self, nonce: bytes, header: bytes, parts: Sequence[Buffer]) -> bytes:
        """Return the 16-byte tag of `header` followed by all parts; the nonce has 12 bytes.

        The result depends on the concatenation alone: the header must tell where parts begin and end.
        """
        if (len(parts[0]) if len(parts) == 1 else sum(map(len, parts))) <= _ONE_SHOT_BYTES:
            return self.gcm(nonce, b"", b"".join((header, *parts)))
        mac = Cipher(self._key, modes.GCM(nonce)).encryptor()
        mac.authenticate_additional_data(header)
        for part in parts:
            mac.authenticate_additional_data(part)
        mac.finalize()
        return mac.tag


def tag(key: bytes, nonce: bytes, header: bytes, parts: Sequence[Buffer]) -> bytes:
    """`TagKey(key).tag(nonce, header, parts)`, for a single tag."""
    return TagKey(key).tag(nonce, header, parts)
