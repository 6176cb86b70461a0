"""The roster: who takes part, under which keys, and where each one is reached.

Every party keeps a copy and every job names its hash. The hash covers the content, not the file: comments,
order and line breaks may differ between copies. A sealing key counts only with the identity's signature, so
that whoever edits the file cannot slip in a key of his own under a known certificate.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mpcd.errors import NotFoundError
from mpcd.identity.certificates import identity_fault, to_der, verify_key_of
from mpcd.identity.complaints import did_you_mean
from mpcd.identity.documents import load, loads
from mpcd.identity.encoding import fingerprint, pack
from mpcd.identity.keys import KEY_BYTES, Identity, verify_signature
from mpcd.identity.names import Name
from mpcd.identity.units import Strict

MAX_MEMBERS = 64
SEALING_TYPE = "mpcd.sealing-key"
_ADDRESS = re.compile(r"(?:\[[0-9a-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9.-]{0,252}):([0-9]{1,5})")

Role = Literal["party", "coordinator"]


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation, as the others know it. Keys are public and 32 bytes long."""

    name: str
    role: Role
    certificate_pem: bytes = field(repr=False)
    verify_key: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)
    sealing_signature: bytes = field(repr=False)
    control: str
    links: str  # "" for a coordinator, which computes nothing

    def parts(self) -> list[bytes]:
        """The content that the roster's hash covers."""
        texts = [self.name, self.role, self.control, self.links]
        keys = [to_der(self.certificate_pem), self.sealing_key]
        return [text.encode() for text in texts] + keys


@dataclass(frozen=True)
class Roster:
    """All members in the order of their names; made by `load`, `loads` or `of`, which check everything."""

    members: tuple[Member, ...]

    @classmethod
    def load(cls, path: Path) -> Roster:
        """Read a roster file.

        Raises    NotFoundError if there is none, ConfigError with file:line:column if anything is wrong
        """
        return cls.from_document(load(path, RosterDocument))

    @classmethod
    def loads(cls, text: str, *, source: str = "roster") -> Roster:
        """Read a roster from text.

        Raises    ConfigError
        """
        return cls.from_document(loads(text, RosterDocument, source=source))

    @classmethod
    def from_document(cls, document: RosterDocument) -> Roster:
        """The roster of a document that has been validated."""
        return cls(tuple(sorted((entry.member() for entry in document.members), key=lambda m: m.name)))

    @classmethod
    def of(cls, members: list[Member]) -> Roster:
        """The roster of these members, checked like a file.

        Raises    ConfigError
        """
        return cls.loads(render(members), source="roster")

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the content, 32 bytes."""
        return fingerprint("mpcd/roster/1", [pack(member.parts()) for member in self.members])

    @cached_property
    def _by_name(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members."""
        return tuple(self._by_name)

    @property
    def parties(self) -> tuple[Member, ...]:
        """The members that run a party daemon."""
        return tuple(member for member in self.members if member.role == "party")

    @property
    def coordinator(self) -> Member | None:
        """The coordinator, if there is one."""
        return next((member for member in self.members if member.role == "coordinator"), None)

    def find(self, name: str) -> Member | None:
        """The member of that name, or None."""
        return self._by_name.get(name)

    def member(self, name: str) -> Member:
        """The member of that name.

        Raises    NotFoundError, with the nearest name
        """
        found = self.find(name)
        if found is None:
            raise NotFoundError(f"{name!r} is not in the roster{did_you_mean(name, self.names)}")
        return found


def entry_of(identity: Identity, certificate_pem: bytes, role: Role, control: str, links: str = "") -> Member:
    """What an organisation gives to the others for their rosters."""
    payload = pack([identity.name.encode(), identity.sealing_key])
    signature = identity.sign(SEALING_TYPE, payload)
    keys = (identity.verify_key, identity.sealing_key, signature)
    return Member(identity.name, role, certificate_pem, *keys, control, links)


def render(members: list[Member] | tuple[Member, ...]) -> str:
    """The roster file of these members, as YAML text."""
    lines = ["apiVersion: mpcd/v1", "kind: Roster", "members:"]
    for member in members:
        lines += [f"  - name: {member.name}", f"    role: {member.role}", f"    control: '{member.control}'"]
        lines += [f"    links: '{member.links}'"] if member.links else []
        lines += ["    sealing:", f"      key: {_text(member.sealing_key)}"]
        lines += [f"      signature: {_text(member.sealing_signature)}", "    certificate: |"]
        lines += [f"      {line}" for line in member.certificate_pem.decode().strip().splitlines()]
    return "\n".join(lines) + "\n"


def address(text: str) -> str:
    """Check "host:port" or "[v6]:port" and return it."""
    match = _ADDRESS.fullmatch(text)
    if not match or not 0 < int(match[1]) < 65536:
        raise ValueError("should be host:port, with a port from 1 to 65535")
    return text


def split_address(text: str) -> tuple[str, int]:
    """Host and port of an address that `address` accepted; brackets of IPv6 are taken off."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("should be base64") from None
    return text


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


Address = Annotated[str, AfterValidator(address)]
Base64 = Annotated[str, AfterValidator(_base64)]


class SealingEntry(Strict):
    """A public X25519 key and the identity's signature over it."""

    key: Base64
    signature: Base64


class MemberEntry(Strict):
    """One member in a roster file."""

    name: Name
    role: Role = "party"
    certificate: str
    sealing: SealingEntry
    control: Address
    links: Address | None = None

    @model_validator(mode="after")
    def _consistent(self) -> MemberEntry:
        fault = identity_fault(self.certificate.encode(), self.name)
        if fault:
            raise ValueError(f"member {self.name}: {fault}")
        key = base64.b64decode(self.sealing.key)
        signature = base64.b64decode(self.sealing.signature)
        verify_key = verify_key_of(self.certificate.encode())
        payload = pack([self.name.encode(), key])
        if len(key) != KEY_BYTES or not verify_signature(verify_key, SEALING_TYPE, payload, signature):
            raise ValueError(f"member {self.name}: the sealing key is not signed by the identity")
        if (self.role == "party") != (self.links is not None):
            raise ValueError(f"member {self.name}: a party has a links address, a coordinator has none")
        return self

    def member(self) -> Member:
        """The entry, decoded."""
        certificate = self.certificate.encode()
        sealing = base64.b64decode(self.sealing.key), base64.b64decode(self.sealing.signature)
        verify_key = verify_key_of(certificate)
        return Member(self.name, self.role, certificate, verify_key, *sealing, self.control, self.links or "")


class RosterDocument(Strict):
    """A roster file."""

    api_version: Literal["mpcd/v1"] = Field(alias="apiVersion")
    kind: Literal["Roster"]
    members: list[MemberEntry] = Field(min_length=1, max_length=MAX_MEMBERS)

    @model_validator(mode="after")
    def _distinct(self) -> RosterDocument:
        _once([entry.name for entry in self.members], "the name")
        _once([entry.member().verify_key.hex() for entry in self.members], "the identity key")
        _once([entry.sealing.key for entry in self.members], "the sealing key")
        if sum(entry.role == "coordinator" for entry in self.members) > 1:
            raise ValueError("a roster has at most one coordinator")
        return self


def _once(values: list[str], what: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{what} {value[:32]} occurs twice in the roster")
