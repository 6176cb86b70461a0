"""Signed messages: a type, a payload as it was received, and signatures.

Signatures cover the type and the payload bytes. Nothing is parsed and written again before it is hashed,
so two programs that would write the same content differently can still agree on what was signed.

Byte form: the length-prefixed list (version, type, payload, signer, signature, signer, signature, ...).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Self

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError, pack, unpack
from mpcd.identity.keys import SIGNATURE_BYTES, Identity, signed_digest, verify_signature
from mpcd.identity.names import is_name
from mpcd.identity.roster import Roster

MAX_PAYLOAD_BYTES = 1 << 20
MAX_SIGNATURES = 64
_VERSION = b"mpcd/envelope/1"
_TYPE = re.compile(r"[a-z][a-z0-9/.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, by name, and the 64 bytes."""

    signer: str
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload that says what it is and who stands by it. Signatures are in order of the signers' names."""

    type: str
    payload: bytes = field(repr=False)
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        if not _TYPE.fullmatch(self.type):
            raise MalformedError("an envelope has an unusable type")
        if len(self.payload) > MAX_PAYLOAD_BYTES:
            raise MalformedError(f"the payload of an envelope exceeds {MAX_PAYLOAD_BYTES} bytes")
        if len(self.signatures) > MAX_SIGNATURES:
            raise MalformedError(f"an envelope has more than {MAX_SIGNATURES} signatures")
        names = [entry.signer for entry in self.signatures]
        if names != sorted(set(names)):
            raise MalformedError("an envelope has its signers once each and in the order of their names")
        for entry in self.signatures:
            if not is_name(entry.signer) or len(entry.signature) != SIGNATURE_BYTES:
                raise MalformedError("an envelope has a malformed signature")

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed: the hash of type and payload, without the signatures."""
        return signed_digest(self.type, self.payload)

    @property
    def signers(self) -> frozenset[str]:
        """Who claims to have signed; `verify` says whether it is true."""
        return frozenset(entry.signer for entry in self.signatures)

    def sign(self, identity: Identity) -> Envelope:
        """The same envelope with a signature of `identity` added (or renewed: they are deterministic)."""
        own = Signature(identity.name, identity.sign(self.type, self.payload))
        return self.with_signatures([own])

    def with_signatures(self, extra: list[Signature] | tuple[Signature, ...]) -> Envelope:
        """The same envelope with unverified signatures of others added; the newer of one signer stays."""
        merged = {entry.signer: entry for entry in (*self.signatures, *extra)}
        return Envelope(self.type, self.payload, tuple(merged[name] for name in sorted(merged)))

    def verify(self, roster: Roster) -> frozenset[str]:
        """Return the names of the signers, all of them in the roster and all signatures good.

        Raises    RefusedError if any signature is by a stranger or does not verify
        """
        for entry in self.signatures:
            member = roster.find(entry.signer)
            if member is None:
                raise RefusedError(f"{entry.signer} signed a message but is not in the roster")
            if not verify_signature(member.verify_key, self.type, self.payload, entry.signature):
                raise RefusedError(
                    f"the signature of {entry.signer} under a {self.type} is forged or damaged"
                )
        return self.signers

    def expect(self, type: str, signer: str, roster: Roster) -> bytes:
        """Return the payload if this is a `type` with a good signature of `signer` among its signatures.

        Raises    RefusedError otherwise
        """
        if self.type != type:
            raise RefusedError(f"expected a message of type {type}, not {self.type}")
        if signer not in self.verify(roster):
            raise RefusedError(f"a {type} lacks the signature of {signer}")
        return self.payload

    def to_bytes(self) -> bytes:
        """The byte form; `from_bytes` reads it."""
        tail = [part for entry in self.signatures for part in (entry.signer.encode(), entry.signature)]
        return pack([_VERSION, self.type.encode(), self.payload, *tail])

    def to_text(self) -> str:
        """A file that people can read: JSON with the payload as text. `from_text` reads it.

        Raises    MalformedError if the payload is not UTF-8
        """
        try:
            payload = self.payload.decode()
        except UnicodeDecodeError:
            raise MalformedError(f"a {self.type} has no text form") from None
        signatures = {e.signer: base64.b64encode(e.signature).decode() for e in self.signatures}
        plain = {"type": self.type, "payload": payload, "signatures": signatures}
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text form; any text either parses or raises MalformedError. Signatures are not checked."""
        try:
            plain = json.loads(text)
            found: dict[str, str] = dict(plain["signatures"].items())
            raw = {name: base64.b64decode(found[name], validate=True) for name in sorted(found)}
            type, payload = str(plain["type"]), str(plain["payload"]).encode()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise MalformedError("this is not a file with a signed message") from None
        return cls(type, payload, tuple(map(Signature, raw.keys(), raw.values())))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the byte form; any bytes either parse or raise MalformedError. Signatures are not checked."""
        parts = unpack(data, max_parts=3 + 2 * MAX_SIGNATURES, what="the envelope")
        if len(parts) < 3 or len(parts) % 2 == 0 or parts[0] != _VERSION:
            raise MalformedError("this is not an envelope")
        try:
            signers = [part.decode("ascii") for part in parts[3::2]]
            type = parts[1].decode("ascii")
        except UnicodeDecodeError:
            raise MalformedError("an envelope has a name outside ASCII") from None
        return cls(type, parts[2], tuple(map(Signature, signers, parts[4::2])))
