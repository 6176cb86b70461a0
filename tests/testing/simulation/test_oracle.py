"""The oracle notices what it is there for: in stories changed by hand, and when a check is removed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from mpcd.jobs.receipt import Receipt
from mpcd.jobs.states import State
from mpcd.protocols.agreement.findings import Absent, Go
from mpcd.protocols.agreement.judging import judge
from mpcd.protocols.agreement.standing import Over, advance
from mpcd.ring.streams import derive
from mpcd.runtime.tagging import Tagger
from mpcd.testing.simulation.acts import Act
from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.people import COMPUTING, identities
from mpcd.testing.simulation.running import Story
from tests.testing.simulation.stories import told

LIE = Act("shift", epoch=0, round=10, number=0)
"""A wrong message in the middle of the range checks."""


def _rules(story: Story) -> set[str]:
    return {text.partition(":")[0] for text in complaints(story)}


@pytest.fixture(scope="module")
def good() -> Story:
    story = told("dune", LIE)
    assert complaints(story) == []
    assert story.epochs == 2
    return story


def _another_output(story: Story) -> None:
    story.ends["crux"].results = {"total": (1,)}


def _still_running(story: Story) -> None:
    story.ends["fern"].state = State.COMPUTING


def _late(story: Story) -> None:
    story.ends["fern"].at_s = 301.0


def _without_output(story: Story) -> None:
    story.ends["fern"].results = {}
    story.ends["fern"].state = State.ABORTED


def _blamed(story: Story) -> None:
    record = story.ends["acme"].evidence[0]
    story.ends["acme"].evidence[0] = record.model_copy(update={"blamed": ("bolt",), "unreachable": ()})


def _silent(story: Story) -> None:
    record = story.ends["acme"].evidence[0]
    story.ends["acme"].evidence[0] = record.model_copy(update={"blamed": (), "unreachable": ("bolt",)})


def _unprovable(story: Story) -> None:
    record = story.ends["acme"].evidence[0]
    lie = record.model_copy(update={"blamed": ("bolt",), "unreachable": (), "step": "barrier"})
    story.ends["acme"].records = (lie.envelope(identities()["acme"]),)


def _proving_too_much(story: Story) -> None:
    record = story.ends["acme"].evidence[0]
    assert "dune" in record.blamed
    other = min(set(COMPUTING) - set(record.blamed))
    story.scenario = replace(story.scenario, faulty=other)


def _unchecked(story: Story) -> None:
    name, order = story.orders[0]
    story.orders[0] = name, replace(order, checked=False)


def _without_receipt(story: Story) -> None:
    story.ends["acme"].receipt = None


def _twice(story: Story) -> None:
    name, order = story.orders[0]
    story.ledger.seen.add((name, (order.session, order.epoch, order.attempt)))
    story.ledger.twice.append("a key served twice")


def _bug(story: Story) -> None:
    story.bugs.append("acme: ValueError: a message")


def _as_if_left_out(story: Story) -> None:
    """Receipts in which an owner's input is said not to have been used."""
    for end in story.ends.values():
        if end.receipt is not None:
            receipt = Receipt.from_bytes(end.receipt.payload)
            fewer = receipt.model_copy(update={"inputs": receipt.inputs[1:]})
            end.receipt = replace(end.receipt, payload=fewer.to_bytes())


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_another_output, "outputs_are_right"),
        (_another_output, "the_receipt_says_what_was_computed"),
        (_as_if_left_out, "the_receipt_says_what_was_computed"),
        (_still_running, "everybody_ends"),
        (_late, "output_is_guaranteed"),
        (_without_output, "output_is_guaranteed"),
        (_without_output, "opening_is_fair"),
        (_blamed, "blame_is_right"),
        (_silent, "blame_is_right"),
        (_unprovable, "strangers_find_the_same"),
        (_proving_too_much, "strangers_find_the_same"),
        (_unchecked, "checks_stay"),
        (_without_receipt, "receipts_agree"),
        (_twice, "nothing_is_used_twice"),
        (_bug, "nothing_breaks"),
    ],
)
def test_a_story_that_may_not_happen_is_noticed(
    good: Story, change: Callable[[Story], None], rule: str
) -> None:
    story = deepcopy(good)
    change(story)
    assert rule in _rules(story)


def test_tags_that_nobody_looks_at_are_noticed() -> None:
    with mock.patch.object(Tagger, "matches", return_value=True):
        found = {rule for number in (10, 11) for rule in _rules(told("bolt", replace(LIE, round=number)))}
    assert found & {"outputs_are_right", "output_is_guaranteed"}


def test_checks_that_are_dropped_for_no_reason_are_noticed() -> None:
    def careless(*given: Any) -> Any:
        found = advance(*given)
        return found if isinstance(found, Over) else replace(found, checked=False)

    with mock.patch("mpcd.party.course.advance", careless):
        story = told("acme", Act("lose", round=3, to=1))  # bolt is left out, acme goes on
    assert "checks_stay" in _rules(story)


def test_a_judge_that_names_the_wrong_one_is_noticed() -> None:
    def wrong(*given: Any) -> Any:
        found = judge(*given)
        return found if isinstance(found, Go) else Absent(1, "somebody has to be")

    with mock.patch("mpcd.party.barriers.judge", wrong):
        assert "blame_is_right" in _rules(told("dune", Act("fall-silent", round=5)))


def test_believing_one_note_is_noticed() -> None:
    with mock.patch("mpcd.party.opening.CORRUPTED", 0):
        acts = [(who, Act("note", number=number)) for who in COMPUTING for number in range(3)]
        found = {rule for who, act in acts for rule in _rules(told(who, act))}
    assert found & {"output_is_guaranteed", "opening_is_fair", "outputs_are_right"}


def test_keys_that_serve_two_epochs_are_noticed() -> None:
    def short(secret: bytes, *info: bytes, length: int = 16) -> bytes:
        return derive(secret, *info[:2], length=length)

    with mock.patch("mpcd.runtime.epochs.derive", short):
        assert "nothing_is_used_twice" in _rules(told("dune", LIE))
