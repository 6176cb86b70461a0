"""Encryption of rows that hold secrets: shares, salts and private results.

ChaCha20-Poly1305 under the storage key with a fresh random nonce per row. The row's identity (table and
key columns) is associated data: a row moved to another place does not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mpcd.errors import UsageError
from mpcd.identity.encoding import pack
from mpcd.storage.database import StorageError

KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Seals and opens rows; knows the storage key and never shows it."""

    def __init__(self, storage_key: bytes) -> None:
        """Raises  UsageError if the key is not 32 bytes"""
        if len(storage_key) != KEY_BYTES:
            raise UsageError(f"a storage key has {KEY_BYTES} bytes, not {len(storage_key)}")
        self._cipher = ChaCha20Poly1305(storage_key)

    def seal(self, row: tuple[bytes, ...], secret: bytes) -> bytes:
        """Encrypt `secret` for the row with this identity."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _bound(row))

    def open(self, row: tuple[bytes, ...], sealed: bytes) -> bytes:
        """The inverse of `seal`.

        Raises  StorageError if the row was changed or moved, or if the key is another one
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(row))
        except (InvalidTag, ValueError):
            raise StorageError(
                "a stored secret does not open: the row was changed or the storage key is another one",
                fix="restore database and storage key from the same backup",
            ) from None


def _bound(row: tuple[bytes, ...]) -> bytes:
    """The associated data of a row."""
    return pack(row)
