"""The long-term secrets of one organisation and the files that hold them.

An identity is an Ed25519 key that signs and an X25519 key that opens sealed boxes. It never leaves the
daemon: job processes get short-lived keys derived or issued for them. The storage key encrypts what the
daemon keeps on disk. Both live in files of mode 0600; a file that others could read is refused.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.public import PrivateKey
from nacl.signing import SigningKey, VerifyKey

from mpcd.errors import ConfigError, InternalError, NotFoundError, UsageError
from mpcd.identity.encoding import MalformedError, fingerprint, pack, unpack
from mpcd.identity.names import is_name

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_IDENTITY_LABEL = "MPCD IDENTITY"
_STORAGE_LABEL = "MPCD STORAGE KEY"
_MAX_FILE_BYTES = 4096
_SIGNED = "mpcd/signed/1"


def signed_digest(type: str, payload: bytes) -> bytes:
    """The 32 bytes that a signature over (type, payload) covers."""
    return fingerprint(_SIGNED, [type.encode(), payload])


def verify_signature(verify_key: bytes, type: str, payload: bytes, signature: bytes) -> bool:
    """True if `signature` is the one of `verify_key` over (type, payload); any bytes are accepted."""
    if len(verify_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        VerifyKey(verify_key).verify(signed_digest(type, payload), signature)
    except (BadSignatureError, ValueError):
        return False
    return True


class Identity:
    """The name and the secret keys of one organisation."""

    __slots__ = ("_sealing", "_signing", "name")

    def __init__(self, name: str, signing_seed: bytes, sealing_secret: bytes) -> None:
        """Keys from their 32-byte seeds; `Identity.create` draws fresh ones.

        Raises    UsageError if the name is not a plain one, MalformedError for a seed of a wrong length
        """
        if not is_name(name):
            raise UsageError(
                f"{name!r} cannot name an organisation",
                fix="use 1 to 32 lower-case letters, digits and hyphens, a letter first",
            )
        if len(signing_seed) != KEY_BYTES or len(sealing_secret) != KEY_BYTES:
            raise MalformedError("an identity has two keys of 32 bytes each")
        self.name = name
        self._signing = SigningKey(signing_seed)
        self._sealing = PrivateKey(sealing_secret)

    @classmethod
    def create(cls, name: str) -> Identity:
        """A new identity with fresh keys from the operating system."""
        return cls(name, os.urandom(KEY_BYTES), os.urandom(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> Identity:
        """Read the file that `save` wrote.

        Raises    NotFoundError if there is none, ConfigError if others may read it or it is damaged
        """
        raw = _read_secret(path, _IDENTITY_LABEL)
        try:
            name, signing_seed, sealing_secret = unpack(raw, max_parts=3, what="the identity")
            return cls(name.decode("ascii"), signing_seed, sealing_secret)
        except (ValueError, UsageError):
            # No `from`: a traceback of the cause could show bytes of the file.
            raise ConfigError("this is not an identity file", where=str(path)) from None

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600; an existing file is never overwritten.

        Raises    UsageError if the file exists
        """
        body = pack([self.name.encode(), bytes(self._signing), bytes(self._sealing)])
        _write_secret(path, _IDENTITY_LABEL, body)

    @property
    def verify_key(self) -> bytes:
        """The public Ed25519 key, 32 bytes."""
        return bytes(self._signing.verify_key)

    @property
    def sealing_key(self) -> bytes:
        """The public X25519 key, 32 bytes."""
        return bytes(self._sealing.public_key)

    @property
    def signing_seed(self) -> bytes:
        """The secret seed of the signing key, for the code that issues certificates."""
        return bytes(self._signing)

    @property
    def sealing_secret(self) -> bytes:
        """The secret X25519 key, for the code that opens boxes and agrees on pairwise keys."""
        return bytes(self._sealing)

    def sign(self, type: str, payload: bytes) -> bytes:
        """The 64-byte signature over (type, payload)."""
        return self._signing.sign(signed_digest(type, payload)).signature

    def __repr__(self) -> str:
        return f"Identity({self.name!r})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise InternalError("an identity is not to be copied between processes")


def create_storage_key(path: Path) -> bytes:
    """Draw a key of 32 bytes for the data a daemon keeps, write it to a new 0600 file and return it."""
    key = os.urandom(KEY_BYTES)
    _write_secret(path, _STORAGE_LABEL, key)
    return key


def load_storage_key(path: Path) -> bytes:
    """Read the key that `create_storage_key` wrote.

    Raises    NotFoundError if there is none, ConfigError if others may read it or it is damaged
    """
    key = _read_secret(path, _STORAGE_LABEL)
    if len(key) != KEY_BYTES:
        raise ConfigError("this is not a storage key file", where=str(path))
    return key


def _write_secret(path: Path, label: str, body: bytes) -> None:
    text = f"-----BEGIN {label}-----\n{base64.b64encode(body).decode()}\n-----END {label}-----\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o600)
    except FileExistsError:
        raise UsageError(
            "the file exists and keys are never overwritten",
            where=str(path),
            fix="move it away first if it is no longer needed",
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write the key file: {error.strerror}", where=str(path)) from None
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _open_secret(path: str, flags: int) -> int:
    # Neither a link to elsewhere nor a pipe that makes us wait.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _read_secret(path: Path, label: str) -> bytes:
    try:
        with open(path, "rb", opener=_open_secret) as file:
            _check_mode(os.fstat(file.fileno()), path)
            text = file.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        raise NotFoundError(
            "there is no such key file", where=str(path), fix="`mpcd party init` makes one; or correct keys:"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot read the key file: {error.strerror}", where=str(path)) from None
    lines = text.split(b"\n")
    if lines[0] != f"-----BEGIN {label}-----".encode() or lines[2:] != [
        f"-----END {label}-----".encode(),
        b"",
    ]:
        raise ConfigError(f"this is not a file of type {label}", where=str(path))
    try:
        return base64.b64decode(lines[1], validate=True)
    except binascii.Error:
        raise ConfigError(f"this file of type {label} is damaged", where=str(path)) from None


def _check_mode(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("a key file must be an ordinary file", where=str(path))
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise ConfigError(
            f"others may read or write this key file (mode {mode:04o})",
            where=str(path),
            fix=f"chmod 600 {path}; if others had access, make new keys",
        )
