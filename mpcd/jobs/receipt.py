"""Receipts: what the computing parties sign at the end, and their offline check.

Everything in a receipt comes from agreed outcomes (consents and the slots of the agreement), so all honest
parties write identical bytes. It carries commitments to inputs and outputs, never digests of private values.
With at most t corrupted computing parties, t+1 signatures contain an honest one. A job that lost a party on
the way says so: who computed in each epoch, and why the one before ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope, Signature
from mpcd.identity.names import Field as Label
from mpcd.identity.names import Name
from mpcd.identity.roster import Roster
from mpcd.identity.units import Strict
from mpcd.jobs.limits import MAX_INPUTS, MAX_PARTIES, MAX_RECEIPT_BYTES, MAX_RESULTS, MAX_ROWS
from mpcd.jobs.statements import Adversary, Hex32, Profile, Reason, Statement, check_sorted

CORRUPTED: dict[str, int] = {"rep4": 1, "rep3": 1}  # t of each protocol
MAX_EPOCHS = 2
"""Restarts of a job."""

Names = Annotated[tuple[Name, ...], Field(max_length=MAX_PARTIES), AfterValidator(check_sorted)]
Commitments = Annotated[tuple[Hex32, ...], Field(max_length=MAX_PARTIES)]
WhetherDefault = Annotated[bool, Field(exclude_if=lambda used: not used)]
"""Not in the bytes where no default was used, so that receipts from before there were any still verify."""
Computing = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PARTIES)]
Protocol = Literal["rep4", "rep3"]
Outcome = Literal["succeeded", "aborted"]


class InputLine(Strict):
    """An input that was computed on: its owner's commitments to the summands; or none, if the public default
    row of the job stands in for all of its rows. A line of `excluded` then says why."""

    owner: Name
    argument: Label
    rows: Annotated[int, Field(ge=1, le=MAX_ROWS)]
    commitments: Commitments = ()
    default: WhetherDefault = False

    @model_validator(mode="after")
    def _one(self) -> InputLine:
        if self.default and self.commitments:
            raise ValueError("an input has commitments, or the default stands in for it")
        return self


class ExcludedLine(Strict):
    """An input that was not used, or rows of it that were not, and why. default: the default row of the job
    stands in for them."""

    owner: Name
    argument: Label
    reason: Reason
    default: WhetherDefault = False


class OutputLine(Strict):
    """An output that was opened: commitments to its summands and who could open them."""

    output: Label
    to: Names
    commitments: Commitments


class RevealLine(Strict):
    """A public value that the program revealed on the way: the digest of the values, which are public."""

    name: Label
    digest: Hex32


class EpochLine(Strict):
    """Who computed in one epoch, and how. checked: whether they checked each other's messages; they do not
    only if signed words had shown who cheats, so that the others are honest."""

    protocol: Protocol
    computing: Computing
    checked: bool = True


class FaultLine(Strict):
    """The agreed account of a fault; exactly one of the three sets is not empty.

    blamed       one of these cheats, on signed evidence
    link         nothing came from one of these two to the other: one of them, or the link between them
    unreachable  nothing was in the way but this party: no accusation
    """

    epoch: Annotated[int, Field(ge=0, le=MAX_EPOCHS)]
    stage: Label
    blamed: Names = ()
    link: Names = ()
    unreachable: Names = ()
    reason: Reason

    @model_validator(mode="after")
    def _one(self) -> FaultLine:
        if sum(map(bool, (self.blamed, self.link, self.unreachable))) != 1:
            raise ValueError("a fault is of one kind")
        return self


class Receipt(Statement):
    """One run of one job, as its computing parties agree it went; lines in the order of the specification."""

    TYPE: ClassVar[str] = "mpcd.receipt"
    MAX_BYTES: ClassVar[int] = MAX_RECEIPT_BYTES

    version: Literal[1] = 1
    job: Hex32
    session: Hex32
    attempt: Annotated[int, Field(ge=0, lt=1 << 32)]
    program_hash: Hex32
    roster_hash: Hex32
    protocol: Protocol
    profile: Profile
    adversary: Adversary
    computing: Computing
    epochs: Annotated[tuple[EpochLine, ...], Field(min_length=1, max_length=MAX_EPOCHS + 1)]
    outcome: Outcome
    inputs: Annotated[tuple[InputLine, ...], Field(max_length=MAX_INPUTS)] = ()
    excluded: Annotated[tuple[ExcludedLine, ...], Field(max_length=MAX_INPUTS)] = ()
    reveals: Annotated[tuple[RevealLine, ...], Field(max_length=MAX_RESULTS)] = ()
    outputs: Annotated[tuple[OutputLine, ...], Field(max_length=MAX_RESULTS)] = ()
    faults: Annotated[tuple[FaultLine, ...], Field(max_length=MAX_PARTIES)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Receipt:
        if len(set(self.computing)) != len(self.computing):
            raise ValueError("a computing party is listed twice")
        if self.outcome != "succeeded" and self.outputs:
            raise ValueError("a run that did not succeed opened no outputs")
        if any(
            [name for name in self.computing if name in line.computing] != [*line.computing]
            for line in self.epochs
        ):
            raise ValueError("in an epoch, some of the computing parties compute, in their order")
        inputs = {len(line.commitments) for line in self.inputs if not line.default}
        outputs = {len(line.commitments) for line in self.outputs}
        if inputs - {len(self.computing)} or outputs - {len(self.epochs[-1].computing)}:
            raise ValueError("there is one commitment per piece")
        return self

    @property
    def needed(self) -> int:
        """How many signatures of computing parties contain that of an honest one: t+1."""
        return CORRUPTED[self.protocol] + 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an offline check of a receipt found.

    valid     enough computing parties signed these bytes
    signed    computing parties with a good signature, silent: the others
    others    members with a good signature who did not compute; they count for nothing
    reason    one sentence
    """

    valid: bool
    receipt: Receipt
    signed: tuple[str, ...]
    silent: tuple[str, ...]
    others: tuple[str, ...]
    reason: str


def verify(envelope: Envelope, roster: Roster) -> Verdict:
    """Check a receipt with nothing but the roster.

    Raises    RefusedError if a signature is bad, or it is for another roster; MalformedError for its content
    """
    if envelope.type != Receipt.TYPE:
        raise RefusedError(f"this is a {envelope.type}, not a receipt")
    receipt = Receipt.from_bytes(envelope.payload)
    if receipt.roster_hash != roster.hash.hex():
        raise RefusedError(
            f"the receipt is for roster {receipt.roster_hash[:12]}, not for {roster.hash.hex()[:12]}",
            fix="use the roster that was in force when the job ran",
        )
    for name in receipt.computing:
        roster.member(name)
    signers = envelope.verify(roster)
    signed = tuple(name for name in receipt.computing if name in signers)
    silent = tuple(name for name in receipt.computing if name not in signers)
    others = tuple(sorted(signers - set(receipt.computing)))
    valid = len(signed) >= receipt.needed
    reason = (
        f"{len(signed)} of {len(receipt.computing)} computing parties signed, {receipt.needed} are needed"
    )
    return Verdict(valid, receipt, signed, silent, others, reason)


def combine(envelopes: Iterable[Envelope]) -> Envelope:
    """One receipt with the signatures of all; they are not verified here.

    Raises    MalformedError if there is none, or two are about different bytes
    """
    first: Envelope | None = None
    signatures: list[Signature] = []
    for envelope in envelopes:
        first = first or envelope
        if (envelope.type, envelope.payload) != (first.type, first.payload):
            raise MalformedError("two receipts of one run differ")
        signatures += envelope.signatures
    if first is None:
        raise MalformedError("there is no receipt to combine")
    return first.with_signatures(signatures)
