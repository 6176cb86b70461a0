"""What the simulation has found, as the shortest story that shows it."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from mpcd.testing.simulation.acts import LATE_SHARES, Act
from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.running import tell
from mpcd.testing.simulation.scenario import PACE
from tests.testing.simulation.stories import PLAIN, told


def test_whoever_leaves_a_slot_late_finds_the_others_at_the_next_meeting() -> None:
    """Crux signs two values at a barrier, by which it is out, and keeps its last letter from dune, which has
    to wait to the end of the slot while the others go on."""
    equivocation = Act("equivocate", slot="BARRIER/0.0", to=1)
    story = told("crux", equivocation, Act("mute", slot="BARRIER/0.0", at=2, to=3))
    assert story.injected.keys() == {"equivocate", "mute"}
    assert complaints(story) == []
    assert story.receipt is not None
    assert story.receipt.epochs[-1].computing == ("acme", "bolt", "dune")


def test_whoever_is_given_no_link_says_so_before_others_tire_of_it() -> None:
    """However short a silence is said to be borne."""
    with mock.patch("mpcd.testing.simulation.running.PACE", replace(PACE, round_s=3.0)):
        story = told("dune", Act("no-link", to=0), Act("give-up"))
    assert "no-link" in story.injected
    assert complaints(story) == []
    assert story.receipt is not None
    assert "dune" not in story.receipt.epochs[-1].computing


def test_a_pair_without_evidence_ends_a_fair_job_for_all_at_once() -> None:
    """The two who are not in the pair took it that they had been cut off, asked how it went, and waited for
    each other until the deadline, as the party at fault answers nothing."""
    story = told("dune", Act("accuse-missing", round=8, number=1), Act("silent-holder"), profile="fair")
    assert story.injected.keys() == {"accuse-missing", "silent-holder"}
    assert complaints(story) == []
    assert {story.ends[name].state.value for name in ("acme", "bolt", "crux")} == {"aborted"}
    assert story.took_s < 30


def test_a_party_that_is_late_in_every_round_makes_no_job_expire() -> None:
    """It answers always, and is found by nobody. The deadline is one of which plans say that it suffices."""
    pace = replace(PACE, round_s=1000.0)
    job = replace(PLAIN.job, program="second-price", deadline_s=100_000.0)
    rounds = job.terms(0.0).rounds
    job = replace(job, deadline_s=pace.safe_s(rounds))
    always = [Act("late", round=r, number=_latest()) for r in range(LATE_ROUNDS)]
    with mock.patch("mpcd.testing.simulation.running.PACE", pace):
        story = tell(replace(PLAIN, job=job, faulty="dune", acts=tuple(always)))
    assert complaints(story) == []
    assert LATE_ROUNDS * pace.delta_s < story.took_s < job.deadline_s
    assert {story.ends[name].state.value for name in ("acme", "bolt", "crux", "fern")} == {"succeeded"}


LATE_ROUNDS = 46
"""In the round after, its frame comes before a late one, and is none."""


def _latest() -> int:
    """Where the dice of an act fall on the longest delay that is still borne."""
    borne = max(share for share in LATE_SHARES if share < 1)
    return next(n for n in range(1000) if Act("late", number=n).dice.choice(LATE_SHARES) == borne)


def test_whoever_leaves_a_barrier_late_finds_the_others_in_the_round_after_it() -> None:
    """As above, at the barrier before the outcome of the range checks is shown: nobody is out by it, and the
    round that follows is not the first."""
    story = told("crux", Act("mute", slot="BARRIER/0.0", at=2, to=3))
    assert "mute" in story.injected
    assert complaints(story) == []
    assert story.epochs == 1
