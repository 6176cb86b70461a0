"""Signed statements that the parties of a job exchange while it runs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.names import Field as Label
from mpcd.identity.names import Name
from mpcd.identity.roster import Roster
from mpcd.jobs.limits import MAX_ROWS
from mpcd.jobs.statements import Hex32, Statement
from mpcd.storage.shares import InputKey


class SessionNotice(Statement):
    """A computing party tells an input party the session; the owner starts on t + 1 equal ones."""

    TYPE: ClassVar[str] = "mpcd.session"

    job: Hex32
    session: Hex32
    attempt: Annotated[int, Field(ge=0, lt=1 << 32)]
    party: Name


class InputNote(Statement):
    """The owner's commitments to one input: com_0..com_{n-1}, bound to job, session and row count."""

    TYPE: ClassVar[str] = "mpcd.input"

    job: Hex32
    session: Hex32
    owner: Name
    argument: Label
    rows: Annotated[int, Field(ge=1, le=MAX_ROWS)]
    commitments: Annotated[tuple[Hex32, ...], Field(min_length=2, max_length=64)]

    @property
    def key(self) -> InputKey:
        return self.owner, self.argument


class OutputNote(Statement):
    """What the last roster of a job has agreed to open: one output for one recipient.

    Every member signs the same bytes; a recipient believes t + 1 of them. roster: who computed in the last
    epoch, in the order of the job; scheme: how they held the output; commitments: of every piece of it.
    """

    TYPE: ClassVar[str] = "mpcd.output"

    job: Hex32
    session: Hex32
    epoch: Annotated[int, Field(ge=0, lt=1 << 32)]
    roster: Annotated[tuple[Name, ...], Field(min_length=2, max_length=64)]
    scheme: Literal["rep4", "rep3"]
    output: Label
    recipient: Name
    outcome: Literal["open"] = "open"
    commitments: Annotated[tuple[Hex32, ...], Field(min_length=2, max_length=64)]


def read_input_note(entry: bytes, roster: Roster) -> InputNote | None:
    """The note in an entry of slot INPUTS, or None if it is malformed or not signed by its owner.

    Exactly the owner's signature is allowed: otherwise anybody could make a second entry of an honest
    owner by adding a signature, and have the owner excluded for it.
    """
    try:
        envelope = Envelope.from_bytes(entry)
        note = InputNote.from_bytes(envelope.payload)
        envelope.expect(InputNote.TYPE, note.owner, roster)
    except (MalformedError, RefusedError):
        return None
    if len(envelope.signatures) != 1 or envelope.to_bytes() != entry:
        return None
    return note
