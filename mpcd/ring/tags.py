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


def tag(key: bytes, nonce: bytes, header: bytes, parts: Sequence[Buffer]) -> bytes:
    """Return the 16-byte tag of header followed by all parts.

    The result depends on the concatenation alone: header must tell where parts begin and end.
    key is 16 bytes, nonce 12 bytes.
    """
    if sum(map(len, parts)) <= _ONE_SHOT_BYTES:
        return AESGCM(key).encrypt(nonce, b"", b"".join((header, *parts)))
    mac = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    mac.authenticate_additional_data(header)
    for part in parts:
        mac.authenticate_additional_data(part)
    mac.finalize()
    return mac.tag
