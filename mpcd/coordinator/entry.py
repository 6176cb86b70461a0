"""One job as the coordinator sees it: signed statements of others, and a view computed from them.

The view is a pure function of what the parties have signed and of the time. Nobody relies on it: each party
follows its own state table, and a job that has begun finishes without the coordinator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.consent import Consent, read_consent
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.notices import Cancellation, StatusReport
from mpcd.jobs.receipt import CORRUPTED
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import TERMINAL, State

# The least advanced party tells how far the job is.
_ORDER = (
    State.PROPOSED,
    State.CONSENTED,
    State.GATHERING,
    State.COMPUTING,
    State.RECOVERING,
    State.VERIFYING,
    State.OPENING,
)
# If the parties ended differently, the first of these is what the job is said to be.
_GRAVEST = (
    State.FAILED,
    State.ABORTED,
    State.EXPIRED,
    State.CANCELLED,
    State.REFUSED,
    State.SUCCEEDED,
)


@dataclass(frozen=True)
class Entry:
    """A job and the verified statements about it, each with its envelope."""

    envelope: Envelope
    specification: Specification
    consents: Mapping[str, Consent] = field(default_factory=dict)
    reports: Mapping[str, StatusReport] = field(default_factory=dict)
    cancellation: Cancellation | None = None
    signed: Mapping[tuple[str, str], Envelope] = field(default_factory=dict)

    @cached_property
    def job(self) -> bytes:
        """The job's hash."""
        return self.envelope.digest

    @property
    def deadline_ms(self) -> int:
        return self.specification.created + int(self.specification.deadline * 1000)

    @property
    def all_consented(self) -> bool:
        return all(
            name in self.consents and self.consents[name].accept for name in self.specification.parties
        )

    @property
    def refusals(self) -> tuple[str, ...]:
        return tuple(name for name, consent in sorted(self.consents.items()) if not consent.accept)

    def signed_consents(self) -> list[Envelope]:
        """The consents as they were signed, in order of the names."""
        return [self.signed[Consent.TYPE, name] for name in sorted(self.consents)]

    def is_over(self, now_ms: int) -> bool:
        """Nothing more is expected: all parties have ended the job, or its time and the grace are over."""
        ended = all(
            name in self.reports and self.reports[name].state in TERMINAL
            for name in self.specification.parties
        )
        return ended or now_ms > self.deadline_ms + int(GRACE_S * 1000)

    def concerns(self, name: str) -> bool:
        """Whether somebody may see the job: whoever takes part in it, or submitted it."""
        return name == self.specification.submitter or name in self.specification.parties


def read_job(envelope: Envelope, roster: Roster) -> Entry:
    """The entry of a newly submitted job.

    Raises    RefusedError if the submitter's signature is missing or forged, MalformedError for the content
    """
    claimed = Specification.from_bytes(envelope.payload).submitter
    return Entry(envelope, Specification.read(envelope, claimed, roster))


def with_consent(entry: Entry, envelope: Envelope, party: str, roster: Roster) -> Entry:
    """The entry with a party's consent or refusal; the first one of a party stays.

    Raises    RefusedError if it is not by this party or not about this job
    """
    consent = read_consent(envelope, party, entry.specification, entry.job, roster)
    if party in entry.consents:
        return entry
    return replace(
        entry,
        consents={**entry.consents, party: consent},
        signed={**entry.signed, (Consent.TYPE, party): envelope},
    )


def with_report(entry: Entry, envelope: Envelope, party: str, roster: Roster) -> Entry:
    """The entry with a party's report, unless a newer one is there.

    Raises    RefusedError if it is not by this party
    """
    report = StatusReport.read(envelope, party, roster)
    known = entry.reports.get(party)
    if report.party != party or report.job != entry.job.hex() or (known and known.number >= report.number):
        return entry
    return replace(
        entry,
        reports={**entry.reports, party: report},
        signed={**entry.signed, (StatusReport.TYPE, party): envelope},
    )


def with_cancellation(entry: Entry, envelope: Envelope, roster: Roster) -> Entry:
    """The entry, cancelled.

    Raises    RefusedError unless the submitter signed it
    """
    submitter = entry.specification.submitter
    cancellation = Cancellation.read(envelope, submitter, roster)
    if entry.cancellation is not None or cancellation.job != entry.job.hex():
        return entry
    return replace(
        entry,
        cancellation=cancellation,
        signed={**entry.signed, (Cancellation.TYPE, submitter): envelope},
    )


def view(entry: Entry, now_ms: int) -> tuple[State, str]:
    """State and detail of the job as a whole, as far as the parties have told."""
    if entry.refusals:
        first = entry.refusals[0]
        return State.REFUSED, f"{first}: {entry.consents[first].reason}"
    states = {name: report.state for name, report in entry.reports.items()}
    ended = {name: state for name, state in states.items() if state in TERMINAL}
    if ended and entry.is_over(now_ms):
        return _end(entry, ended)
    if entry.is_over(now_ms):
        return State.EXPIRED, "the deadline passed and no party has told how the job ended"
    if entry.cancellation is not None and not states:
        return State.CANCELLED, entry.cancellation.reason
    going = [state for state in states.values() if state not in TERMINAL]
    silent = [name for name in entry.specification.parties if name not in states]
    if going and not silent:
        return min(going, key=_ORDER.index), ""
    waiting = [name for name in entry.specification.parties if name not in entry.consents]
    if waiting:
        return State.PROPOSED, "waiting for " + ", ".join(waiting)
    return min([*going, State.CONSENTED], key=_ORDER.index), ""


def _end(entry: Entry, ended: Mapping[str, State]) -> tuple[State, str]:
    computing = entry.specification.computing
    succeeded = [name for name in computing if ended.get(name) is State.SUCCEEDED]
    if len(succeeded) > CORRUPTED[entry.specification.protocol]:
        # One of them is honest, so the outputs were opened: whoever missed them can still fetch them.
        others = [f"{name}: {state}" for name, state in sorted(ended.items()) if state is not State.SUCCEEDED]
        others += [f"{name}: not heard of" for name in entry.specification.parties if name not in ended]
        return State.SUCCEEDED, "; ".join(others)[:500]
    worst = next(state for state in _GRAVEST if state in ended.values())
    who = [name for name, state in sorted(ended.items()) if state is worst]
    silent = [name for name in entry.specification.parties if name not in ended]
    detail = "" if worst is State.SUCCEEDED else f"{who[0]}: {entry.reports[who[0]].detail}"
    if silent:
        detail = "; ".join(part for part in (detail, "not heard of: " + ", ".join(silent)) if part)
    return worst, detail[:500]
