"""The life of a job at one party, as a table.

Rule 1: every legal move is a row below; no other module assigns a state.
Rule 2: this file knows nothing of storage, clocks or the network. Callers persist the new state before they
        act on it.
Rule 3: randomness is used at most once: a party that crashed while it computed never resumes that run.
Rule 4: `verifying` is left by the outcome of a slot BARRIER alone: once a party has signed its word, no
        timer of its own and no cancellation moves it. `opening` is the point of no return.
Rule 5: the only cycle is that of epochs, through `recovering`; a job has three epochs at most.
"""

from __future__ import annotations

from enum import StrEnum

from mpcd.errors import UsageError


class State(StrEnum):
    """Where a job is. The last five, and `succeeded`, are terminal and say why the job ended."""

    PROPOSED = "proposed"
    CONSENTED = "consented"
    GATHERING = "gathering"
    COMPUTING = "computing"
    VERIFYING = "verifying"
    RECOVERING = "recovering"
    OPENING = "opening"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ABORTED = "aborted"
    FAILED = "failed"


class Event(StrEnum):
    """What moves a job.

    ALL_CONSENTED   the consents of all involved parties are verified
    REFUSAL         an involved party signed that it will not take part
    BEGIN           the parties begin: session, keys, inputs
    INPUTS_AGREED   inputs are agreed and a job process is reserved everywhere
    OUTPUTS_SHARED  the program has run; output shares are persisted; READY may be signed
    STOPPED         the job process cannot go on in this epoch; the next barrier will say why
    READY_TO_OPEN   the outcome of the last barrier is: open
    NOT_READY       the outcome of a barrier is: do not open, and do not go on
    RECOVER         the outcome of a barrier is: go on without whoever is at fault
    RESTART         the next epoch begins, and we compute in it
    STAND_BY        we compute no more (dropped, cut off, restarted); the others may go on
    OPENED          this party has done its part of the opening
    CANCEL          the submitter signed a cancellation
    DEADLINE        the deadline passed
    FAULT           a fault of another party, with evidence or by silence, that the profile cannot repair
    FAILURE         a fault of our own, or more faults than the profile allows
    """

    ALL_CONSENTED = "all-consented"
    REFUSAL = "refusal"
    BEGIN = "begin"
    INPUTS_AGREED = "inputs-agreed"
    OUTPUTS_SHARED = "outputs-shared"
    READY_TO_OPEN = "ready-to-open"
    STOPPED = "stopped"
    NOT_READY = "not-ready"
    RECOVER = "recover"
    RESTART = "restart"
    STAND_BY = "stand-by"
    OPENED = "opened"
    CANCEL = "cancel"
    DEADLINE = "deadline"
    FAULT = "fault"
    FAILURE = "failure"


S, E = State, Event

TRANSITIONS: dict[tuple[State, Event], State] = {
    (S.PROPOSED,   E.ALL_CONSENTED):  S.CONSENTED,
    (S.PROPOSED,   E.REFUSAL):        S.REFUSED,
    (S.PROPOSED,   E.STAND_BY):       S.RECOVERING,
    (S.PROPOSED,   E.CANCEL):         S.CANCELLED,
    (S.PROPOSED,   E.DEADLINE):       S.EXPIRED,
    (S.PROPOSED,   E.FAILURE):        S.FAILED,
    (S.CONSENTED,  E.BEGIN):          S.GATHERING,
    (S.CONSENTED,  E.STAND_BY):       S.RECOVERING,
    (S.CONSENTED,  E.CANCEL):         S.CANCELLED,
    (S.CONSENTED,  E.DEADLINE):       S.EXPIRED,
    (S.CONSENTED,  E.FAULT):          S.ABORTED,
    (S.CONSENTED,  E.FAILURE):        S.FAILED,
    (S.GATHERING,  E.INPUTS_AGREED):  S.COMPUTING,
    (S.GATHERING,  E.STAND_BY):       S.RECOVERING,
    (S.GATHERING,  E.CANCEL):         S.CANCELLED,
    (S.GATHERING,  E.DEADLINE):       S.EXPIRED,
    (S.GATHERING,  E.FAULT):          S.ABORTED,
    (S.GATHERING,  E.FAILURE):        S.FAILED,
    (S.COMPUTING,  E.OUTPUTS_SHARED): S.VERIFYING,
    (S.COMPUTING,  E.STOPPED):        S.VERIFYING,
    (S.COMPUTING,  E.STAND_BY):       S.RECOVERING,
    (S.COMPUTING,  E.CANCEL):         S.CANCELLED,
    (S.COMPUTING,  E.DEADLINE):       S.EXPIRED,
    (S.COMPUTING,  E.FAULT):          S.ABORTED,
    (S.COMPUTING,  E.FAILURE):        S.FAILED,
    (S.VERIFYING,  E.READY_TO_OPEN):  S.OPENING,    # the point of no return
    (S.VERIFYING,  E.NOT_READY):      S.ABORTED,
    (S.VERIFYING,  E.RECOVER):        S.RECOVERING,
    (S.VERIFYING,  E.FAILURE):        S.FAILED,     # the outcome cannot be learnt any more
    (S.RECOVERING, E.RESTART):        S.COMPUTING,
    (S.RECOVERING, E.READY_TO_OPEN):  S.OPENING,    # the others have opened without us
    (S.RECOVERING, E.CANCEL):         S.CANCELLED,
    (S.RECOVERING, E.DEADLINE):       S.EXPIRED,
    (S.RECOVERING, E.FAULT):          S.ABORTED,
    (S.RECOVERING, E.FAILURE):        S.FAILED,
    (S.OPENING,    E.OPENED):         S.SUCCEEDED,
    (S.OPENING,    E.FAILURE):        S.FAILED,     # too few holders answered; the output stays fetchable
}  # fmt: skip

TERMINAL = frozenset(State) - {state for state, _ in TRANSITIONS}


def advance(state: State, event: Event) -> State:
    """Return the next state, or raise UsageError and change nothing."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise UsageError(f"a job that is {state} cannot take the event {event}") from None


def is_possible(state: State, event: Event) -> bool:
    """True if the event moves a job that is in this state."""
    return (state, event) in TRANSITIONS


def mermaid() -> str:
    """The diagram of the documentation, in Mermaid's language."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PROPOSED}"]
    lines += [f"    {old} --> {new}: {event}" for (old, event), new in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in State if state in TERMINAL]
    return "\n".join(lines) + "\n"
