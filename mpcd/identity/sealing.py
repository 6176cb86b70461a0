"""Sealed boxes that are bound to their purpose.

A box can be opened by one holder of a sealing key and by nobody else; the sender stays anonymous to the
cryptography, so whoever needs to know the sender signs the box. PyNaCl's sealed box (X25519,
XSalsa20-Poly1305) has no associated data. The box therefore holds the context, length-prefixed, before the
payload, and the holder compares it: a box made for one job, input or holder cannot be replayed in another.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from mpcd.errors import RefusedError, UsageError
from mpcd.identity.encoding import MalformedError, pack, unpack
from mpcd.identity.keys import KEY_BYTES, Identity

_DOMAIN = b"mpcd/sealed/1"


def seal(recipient_key: bytes, context: Sequence[bytes], payload: bytes) -> bytes:
    """Encrypt `payload` for the owner of the 32-byte public `recipient_key`, bound to `context`.

    Raises    UsageError if the key is not a usable X25519 key
    """
    if len(recipient_key) != KEY_BYTES:
        raise UsageError(f"a sealing key has {KEY_BYTES} bytes, not {len(recipient_key)}")
    body = pack([_DOMAIN, pack(context), payload])
    try:
        return SealedBox(PublicKey(recipient_key)).encrypt(body)
    except (CryptoError, RuntimeError):
        # libsodium refuses points of small order, for which everybody knows the shared secret.
        raise UsageError("this sealing key is not a usable X25519 key") from None


def unseal(identity: Identity, context: Sequence[bytes], box: bytes) -> bytes:
    """Open a box that was sealed for `identity` in exactly this context; any bytes are accepted.

    Raises    RefusedError if the box is damaged, for somebody else, or made for another context
    """
    try:
        body = SealedBox(PrivateKey(identity.sealing_secret)).decrypt(box)
        domain, found, payload = unpack(body, max_parts=3, what="the sealed box")
    except (CryptoError, RuntimeError, TypeError, ValueError, MalformedError):
        # One answer for every way to fail: the sender learns nothing from it.
        raise RefusedError("the sealed box cannot be opened by this party") from None
    if domain != _DOMAIN or not hmac.compare_digest(found, pack(context)):
        raise RefusedError("the sealed box was made for another purpose")
    return payload
