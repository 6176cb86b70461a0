"""Evidence: one party's record of a fault, with the signed statements that support it.

`blamed` is the smallest set known to contain a cheater; `unreachable` are parties that were silent, which is
no accusation. The two are kept apart. A pair or a triple in `blamed` accuses none of its members by itself.
"""

from __future__ import annotations

import base64
import binascii
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

Kind = Literal[
    "bad-tag",  # an in-round tag did not verify
    "bad-frame",  # a frame that no honest party sends: wrong job, round, step, shape or length
    "bad-opening",  # a commitment was not opened, or the holders' copies differ
    "bad-input",  # an input that does not open its commitment or lies outside its declared range
    "bad-key",  # a key contribution that does not open its commitment
    "equivocation",  # two different statements of one signer for one slot
    "bad-message",  # a control message that is malformed, unsigned or about another job
    "silence",  # nothing came within the time allowed
]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_PARTIES), AfterValidator(check_sorted)]


def _envelope_text(text: str) -> str:
    _decode(text)
    return text


class Evidence(Statement):
    """A fault as `reporter` saw it. `statements` are envelopes in base64; they must verify by themselves."""

    TYPE: ClassVar[str] = "mpcd.evidence"
    MAX_BYTES: ClassVar[int] = MAX_EVIDENCE_BYTES

    version: Literal[1] = 1
    job: Hex32
    session: Hex32 | None = None
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


def as_statements(envelopes: list[Envelope]) -> tuple[str, ...]:
    """Envelopes in the form in which evidence carries them."""
    return tuple(base64.b64encode(envelope.to_bytes()).decode() for envelope in envelopes)


def verify(evidence: Envelope, roster: Roster) -> Evidence:
    """The record, once its reporter's signature and all supporting signatures have been checked.

    Raises    RefusedError for a bad signature, MalformedError for the content
    """
    record = Evidence.from_bytes(evidence.payload)
    evidence.expect(Evidence.TYPE, record.reporter, roster)
    for envelope in record.envelopes():
        if not envelope.verify(roster):
            raise RefusedError("a supporting statement is not signed")
    return record


def _decode(text: str) -> Envelope:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a supporting statement is not base64") from None
    try:
        return Envelope.from_bytes(raw)
    except MalformedError:
        raise ValueError("a supporting statement is not an envelope") from None
