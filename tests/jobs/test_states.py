"""The state table, exhaustively."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from mpcd.errors import UsageError
from mpcd.jobs.states import TERMINAL, TRANSITIONS, Event, State, advance, is_possible, mermaid

BEFORE_READY = [State.PROPOSED, State.CONSENTED, State.GATHERING, State.COMPUTING]
BEFORE_READY += [State.RECOVERING]


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_moves_as_the_table_says_or_changes_nothing(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert is_possible(state, event)
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        assert not is_possible(state, event)
        with pytest.raises(UsageError, match=f"{state} cannot take the event {event}"):
            advance(state, event)


def _reachable(start: State) -> set[State]:
    found, new = {start}, {start}
    while new:
        new = {after for (before, _), after in TRANSITIONS.items() if before in new} - found
        found |= new
    return found


def test_every_state_is_reachable_from_the_first() -> None:
    assert _reachable(State.PROPOSED) == set(State)


def test_every_event_is_used() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_the_only_cycle_is_that_of_the_epochs() -> None:
    """Two restarts at most are made by those who take the transitions; without them every path ends."""
    epochs = {State.COMPUTING, State.VERIFYING, State.RECOVERING}
    for (before, _), after in TRANSITIONS.items():
        assert before not in _reachable(after) or {before, after} <= epochs
    assert {event for (_, event), after in TRANSITIONS.items() if after is State.COMPUTING} == {
        Event.INPUTS_AGREED,
        Event.RESTART,
    }


def test_the_terminal_states_are_the_ones_documented() -> None:
    assert {str(state) for state in TERMINAL} == {
        "succeeded", "refused", "cancelled", "expired", "aborted", "failed",
    }  # fmt: skip


def test_success_passes_through_every_stage() -> None:
    path = [Event.ALL_CONSENTED, Event.BEGIN, Event.INPUTS_AGREED, Event.OUTPUTS_SHARED]
    state = State.PROPOSED
    for event in [*path, Event.READY_TO_OPEN, Event.OPENED]:
        state = advance(state, event)
    assert state is State.SUCCEEDED
    assert [before for (before, _), after in TRANSITIONS.items() if after is State.SUCCEEDED] == [
        State.OPENING
    ]
    assert [before for (before, _), after in TRANSITIONS.items() if after is State.OPENING] == [
        State.VERIFYING,
        State.RECOVERING,
    ]


def test_after_the_point_of_no_return_a_job_succeeds_or_fails() -> None:
    assert _reachable(State.OPENING) == {State.OPENING, State.SUCCEEDED, State.FAILED}


@pytest.mark.parametrize("event", [Event.CANCEL, Event.DEADLINE])
def test_timers_and_cancellation_move_a_job_only_before_ready(event: Event) -> None:
    """A party that signed READY and left by its own timer would split the honest parties."""
    for state in State:
        assert is_possible(state, event) == (state in BEFORE_READY)


def test_a_fault_of_ours_ends_every_state() -> None:
    for state in State:
        assert is_possible(state, Event.FAILURE) == (state not in TERMINAL)


def test_only_a_proposed_job_can_be_refused() -> None:
    assert [before for (before, _), after in TRANSITIONS.items() if after is State.REFUSED] == [
        State.PROPOSED
    ]


def test_the_diagram_shows_every_row() -> None:
    diagram = mermaid()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> proposed\n")
    for (before, event), after in TRANSITIONS.items():
        assert f"    {before} --> {after}: {event}\n" in diagram
    for state in TERMINAL:
        assert f"    {state} --> [*]\n" in diagram
    assert len(diagram.splitlines()) == 2 + len(TRANSITIONS) + len(TERMINAL)


def test_the_page_shows_the_diagram_and_every_event() -> None:
    page = (Path(__file__).parents[2] / "docs/job-states.md").read_text()
    assert f"```mermaid\n{mermaid()}```\n" in page
    assert all(f"\n| `{event}` | " in page for event in Event)
