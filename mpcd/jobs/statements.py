"""What the signed statements of a job have in common: one canonical byte form, strictly read.

A statement is a frozen pydantic model. Its bytes are compact JSON with sorted keys, in UTF-8. `from_bytes`
accepts exactly what `to_bytes` writes: no unknown or doubled keys, no other spelling of a number, no blanks.
So two readers can never see different statements in the same bytes. What is hashed and signed are the bytes.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, StringConstraints, ValidationError

from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.identity.units import Strict
from mpcd.jobs.limits import MAX_REASON_CHARACTERS, MAX_STATEMENT_BYTES


def _hex(value: object) -> object:
    """Bytes as hexadecimal text, so that callers may pass either."""
    return value.hex() if isinstance(value, bytes) else value


# 32 bytes as 64 hexadecimal digits: a hash, a nonce or a session.
Hex32 = Annotated[str, BeforeValidator(_hex), StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(max_length=MAX_REASON_CHARACTERS)]


class Statement(Strict):
    """A signed thing: subclasses set TYPE, the type of its envelope, and MAX_BYTES."""

    model_config = ConfigDict(strict=True)

    TYPE: ClassVar[str]
    MAX_BYTES: ClassVar[int] = MAX_STATEMENT_BYTES

    def to_bytes(self) -> bytes:
        """The canonical bytes.

        Raises    MalformedError if they exceed MAX_BYTES
        """
        plain = self.model_dump(mode="json")
        data = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        if len(data) > self.MAX_BYTES:
            raise MalformedError(f"a {self.TYPE} of {len(data)} bytes exceeds {self.MAX_BYTES}")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read canonical bytes; any bytes either parse or raise MalformedError."""
        if len(data) > cls.MAX_BYTES:
            raise MalformedError(f"a {cls.TYPE} of {len(data)} bytes exceeds {cls.MAX_BYTES}")
        try:
            found = cls.model_validate_json(data)
            canonical = found.to_bytes() == data
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, fault["loc"]))
            raise MalformedError(f"a {cls.TYPE} is malformed at {place!r}: {fault['msg']}") from None
        except ValueError:
            # Lone surrogates can be written in JSON but not in UTF-8.
            raise MalformedError(f"a {cls.TYPE} has text that is not Unicode") from None
        if not canonical:
            raise MalformedError(f"a {cls.TYPE} is not in canonical form")
        return found

    def envelope(self, identity: Identity) -> Envelope:
        """The statement, signed."""
        return Envelope(self.TYPE, self.to_bytes()).sign(identity)

    @classmethod
    def read(cls, envelope: Envelope, signer: str, roster: Roster) -> Self:
        """The statement in an envelope with a good signature of `signer`.

        Raises    RefusedError for a wrong type or signature, MalformedError for the content
        """
        return cls.from_bytes(envelope.expect(cls.TYPE, signer, roster))


def sorted_names(names: list[str] | tuple[str, ...] | frozenset[str]) -> tuple[str, ...]:
    """Names once each, in order: a set in a statement has one spelling."""
    return tuple(sorted(set(names)))


def check_sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    """Accept only what `sorted_names` returns."""
    if names != sorted_names(names):
        raise ValueError("names come once each and in order")
    return names


Profile = Literal["guaranteed", "fair", "identified-abort", "abort"]
Adversary = Literal["malicious", "semi-honest"]
Missing = Literal["exclude", "default", "abort"]
