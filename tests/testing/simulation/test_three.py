"""Jobs of three computing parties in the simulation: fair, without a second epoch, judged like the others."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from unittest import mock

import pytest

from mpcd.jobs.states import State
from mpcd.protocols.agreement.findings import Absent, Go
from mpcd.protocols.agreement.judging import judge
from mpcd.runtime.tagging import Tagger
from mpcd.testing.simulation.acts import Act
from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.running import Story, tell
from mpcd.testing.simulation.scenario import scenario
from tests.testing.simulation.stories import told

THREE = ("acme", "bolt", "crux")


def _three(faulty: str | None = None, *acts: Act) -> Story:
    return told(faulty, *acts, profile="fair", parties=3)


def _rules(story: Story) -> set[str]:
    return {text.partition(":")[0] for text in complaints(story)}


@pytest.fixture(scope="module")
def good() -> Story:
    story = _three()
    assert complaints(story) == []
    assert story.outcome == "succeeded"
    return story


def test_three_are_a_share_of_the_seeds() -> None:
    found = [scenario(seed) for seed in range(1000)]
    three = [which for which in found if which.job.parties == 3]
    assert 110 < len(three) < 190
    assert {which.job.profile for which in three} == {"fair", "abort"}
    for which in three:
        assert which.job.computing == THREE
        assert which.faulty in (None, *THREE, "echo")


def test_nothing_goes_wrong_in_seeds_of_three() -> None:
    seeds = [seed for seed in range(120) if scenario(seed).job.parties == 3][:10]
    for seed in seeds:
        story = tell(scenario(seed))
        assert not complaints(story), f"seed {seed}: {story.scenario}"
        assert {order.scheme for _, order in story.orders} <= {"rep3"}
        assert story.epochs <= 1


@pytest.mark.parametrize("cheater", THREE)
def test_a_lie_ends_the_job_for_all_and_whoever_told_it_is_in_what_is_blamed(cheater: str) -> None:
    story = _three(cheater, Act("shift", round=10))
    assert complaints(story) == []
    assert story.outcome == "aborted"
    records = [e for name in story.scenario.honest for e in story.ends[name].evidence]
    assert records
    assert all(cheater in record.blamed for record in records)


def test_an_output_for_some_only_is_noticed(good: Story) -> None:
    story = deepcopy(good)
    story.ends["crux"].results, story.ends["crux"].state = {}, State.ABORTED
    assert _rules(story) >= {"opening_is_fair"}
    assert "output_is_guaranteed" not in _rules(story)


def test_another_output_is_noticed(good: Story) -> None:
    story = deepcopy(good)
    story.ends["acme"].results = {"total": (1,)}
    assert "outputs_are_right" in _rules(story)


def test_blaming_the_honest_is_noticed() -> None:
    story = deepcopy(_three("bolt", Act("shift", round=10)))
    record = story.ends["acme"].evidence[0]
    story.ends["acme"].evidence[0] = record.model_copy(update={"blamed": ("crux",)})
    assert "blame_is_right" in _rules(story)


def test_tags_that_nobody_looks_at_are_noticed() -> None:
    """Without tags a wrong message goes through, and all would open what comes of it."""
    with mock.patch.object(Tagger, "matches", return_value=True):
        found = {
            rule for number in range(16, 21) for rule in _rules(_three("bolt", Act("shift", round=number)))
        }
    assert found & {"outputs_are_right", "blame_is_right", "opening_is_fair"}


def test_a_silent_party_ends_a_job_of_three() -> None:
    story = _three("crux", Act("fall-silent", round=5))
    assert complaints(story) == []
    assert story.outcome == "aborted"


def test_a_judge_that_names_the_wrong_one_is_noticed() -> None:
    def wrong(*given: object) -> object:
        found = judge(*given)  # type: ignore[arg-type]
        return found if isinstance(found, Go) else Absent(1, "somebody has to be")

    with mock.patch("mpcd.party.barriers.judge", wrong):
        assert "blame_is_right" in _rules(_three("crux", Act("fall-silent", round=5)))


def test_the_rows_of_a_random_program_come_to_what_the_definition_gives() -> None:
    plain = scenario(0)
    for parties, profile in ((3, "fair"), (4, "guaranteed")):
        job = replace(
            plain.job, program="random-4", bids={"acme": 3, "echo": 50}, readers=("fern",), parties=parties,
            profile=profile, missing="exclude",
        )  # fmt: skip
        story = tell(replace(plain, job=job, faulty=None, acts=(), crash=None, cuts=()))
        assert complaints(story) == []
        assert story.ends["fern"].results == job.expected(("acme", "echo"))
        assert any(len(values) == 2 for values in story.ends["fern"].results.values())


def test_only_a_party_that_was_not_given_something_may_be_said_to_be_silent() -> None:
    """Bolt keeps a share of its own input from acme, which nobody else can pass on: acme ends, and crux sees
    no more than that acme has ended."""
    story = _three("bolt", Act("box-withheld", to=0), Act("share", to=0, number=1))
    (record,) = story.ends["acme"].evidence
    assert record.unreachable == ("bolt",)
    assert any(record.unreachable == ("acme",) for record in story.ends["crux"].evidence)
    assert complaints(story) == []
    story.ends["acme"].evidence = []
    assert "blame_is_right" in _rules(story)
