"""Small signed statements around a job: a cancellation, a party's report of its state."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mpcd.identity.names import Name
from mpcd.jobs.statements import Hex32, Reason, Statement
from mpcd.jobs.states import TERMINAL, State

Milliseconds = Annotated[int, Field(ge=0, lt=1 << 53)]


class Cancellation(Statement):
    """The submitter takes a job back; parties obey as far as their state table allows."""

    TYPE: ClassVar[str] = "mpcd.cancellation"

    job: Hex32
    submitter: Name
    reason: Reason = ""


class StatusReport(Statement):
    """Where a job stands at one party. The highest number of a party counts; `at` is in ms since 1970."""

    TYPE: ClassVar[str] = "mpcd.status"

    job: Hex32
    party: Name
    number: Annotated[int, Field(ge=0, lt=1 << 53)]
    state: Annotated[State, Field(strict=False)]
    detail: Reason = ""
    at: Milliseconds

    @property
    def is_last(self) -> bool:
        """Whether the job has ended at this party."""
        return self.state in TERMINAL
