"""Evidence: one party's record of a fault, with the signed statements that support it.

`blamed` is the smallest set known to contain a cheater; `unreachable` are parties that were silent, which is
no accusation. The two are kept apart. A pair or a triple in `blamed` accuses none of its members by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.names import Name
from mpcd.identity.roster import Roster
from mpcd.jobs.limits import MAX_EVIDENCE_BYTES, MAX_PARTIES
from mpcd.jobs.statements import Hex32, Reason, Statement, check_sorted

MAX_STATEMENTS = 64
MAX_BATCH_BYTES = 4096

Kind = Literal[
    "bad-opening",  # a commitment was not opened, or the holders' copies differ
    "equivocation",  # two different statements of one signer for one slot
    "contradiction",  # signed words that contradict each other, or those of all the others
    "silence",  # nothing came within the time allowed
]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_PARTIES), AfterValidator(check_sorted)]


def _envelope_text(text: str) -> str:
    _decode(text)
    return text


def _base64_text(text: str) -> str:
    _bytes(text)
    return text


class Evidence(Statement):
    """A fault as `reporter` saw it. `statements` are envelopes in base64; they must verify by themselves.

    attempt, nonces  of which the session was made: they show that it belongs to the job
    bodies  of statements that sign only a digest: what was said, in base64; each belongs to a statement
    batch   in hexadecimal, what batch of random numbers was in dispute, if one was shown; the statements
            about its keys sign a digest of it
    """

    TYPE: ClassVar[str] = "mpcd.evidence"
    MAX_BYTES: ClassVar[int] = MAX_EVIDENCE_BYTES

    version: Literal[1] = 1
    job: Hex32
    session: Hex32 | None = None
    attempt: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    nonces: Annotated[tuple[Hex32, ...], Field(max_length=MAX_PARTIES)] = ()
    epoch: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    reporter: Name
    kind: Kind
    step: Annotated[str, StringConstraints(max_length=200)]
    round: Annotated[int, Field(ge=0, lt=1 << 62)] | None = None
    blamed: Names = ()
    unreachable: Names = ()
    detail: Reason = ""
    statements: Annotated[
        tuple[Annotated[str, AfterValidator(_envelope_text)], ...], Field(max_length=MAX_STATEMENTS)
    ] = ()
    bodies: Annotated[
        tuple[Annotated[str, AfterValidator(_base64_text)], ...], Field(max_length=MAX_STATEMENTS)
    ] = ()

    batch: Annotated[str, StringConstraints(max_length=2 * MAX_BATCH_BYTES, pattern=r"^([0-9a-f]{2})*$")] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Evidence:
        if set(self.blamed) & set(self.unreachable):
            raise ValueError("a party is blamed or unreachable, not both")
        if self.kind == "silence" and (self.blamed or not self.unreachable):
            raise ValueError("silence names who was unreachable and blames nobody")
        if self.kind != "silence" and not self.blamed:
            raise ValueError("a fault other than silence blames somebody")
        if self.reporter in self.blamed and len(self.blamed) == 1:
            raise ValueError("nobody reports himself alone")
        return self

    def envelopes(self) -> tuple[Envelope, ...]:
        """The supporting statements."""
        return tuple(_decode(text) for text in self.statements)

    def said(self) -> tuple[bytes, ...]:
        """The bodies."""
        return tuple(_bytes(text) for text in self.bodies)


def as_statements(envelopes: list[Envelope]) -> tuple[str, ...]:
    """Envelopes in the form in which evidence carries them."""
    return tuple(base64.b64encode(envelope.to_bytes()).decode() for envelope in envelopes)


def as_texts(bodies: list[bytes]) -> tuple[str, ...]:
    """Bodies in the form in which evidence carries them."""
    return tuple(base64.b64encode(body).decode() for body in bodies)


def verify(evidence: Envelope, roster: Roster) -> Evidence:
    """The record, once its reporter's signature and all supporting signatures have been checked.

    Raises    RefusedError for a bad signature or a body that nobody signed, MalformedError for the content
    """
    record = Evidence.from_bytes(evidence.payload)
    evidence.expect(Evidence.TYPE, record.reporter, roster)
    for envelope in record.envelopes():
        if not envelope.verify(roster):
            raise RefusedError("a supporting statement is not signed")
    signed = [envelope.payload for envelope in record.envelopes()]
    for text in record.bodies:
        digest = hashlib.sha256(_bytes(text)).digest()
        if not any(payload.endswith(digest) for payload in signed):
            raise RefusedError("what somebody is said to have said is signed by nobody")
    return record


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a supporting statement is not base64") from None


def _decode(text: str) -> Envelope:
    try:
        return Envelope.from_bytes(_bytes(text))
    except MalformedError:
        raise ValueError("a supporting statement is not an envelope") from None
