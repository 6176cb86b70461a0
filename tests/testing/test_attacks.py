"""The attack harness: it finds nothing in sound programs, and it does find what is wrong."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings

import mpcd as mpc
from mpcd.apps.auction import second_price
from mpcd.errors import UsageError
from mpcd.program.evaluate import Given
from mpcd.runtime.lockstep import lockstep
from mpcd.runtime.tagging import Tagger
from mpcd.testing.attacks import FRAME_KINDS, MESSAGE_KINDS, SILENT, attacks, sweep
from mpcd.testing.plugin import AttackProgram
from mpcd.testing.subject import PROTOCOLS, Subject
from tests.program.random_programs import Case, cases

BIDS: dict[str, Given] = {"bids": [5, 9, 7]}
RULES: dict[str, Given] = {"reserve": 0, "order": [0, 1, 2]}


@mpc.program
def tiny(x: mpc.Secret[mpc.Int16], y: mpc.Secret[mpc.Int16]) -> object:
    """Two dependent products."""
    return mpc.reveal(z=x * y * y)


TINY = Subject(tiny.checked, {"x": 3, "y": -4}, {})
each_protocol = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


@each_protocol
def test_a_subject_is_the_trusted_party_when_all_are_honest(protocol: str) -> None:
    subject = Subject(second_price.checked, BIDS, RULES, protocol)
    for outputs in lockstep(subject.steps()).results():
        assert {name: list(value) for name, value in outputs.items()} == {"winner": [1], "price": [7]}


@each_protocol
def test_every_lie_in_a_tiny_program_is_noticed(protocol: str) -> None:
    found = sweep(Subject(tiny.checked, {"x": 3, "y": -4}, {}, protocol))
    assert found.good, str(found)
    assert set(found.told) == {*MESSAGE_KINDS, "vouch", *FRAME_KINDS, SILENT}
    assert found.caught > 0
    assert (found.harmless > 0) == (protocol == "rep4"), "its opening outvotes one of three holders"


@each_protocol
def test_an_auction_is_attacked_with_the_plugin(attack_program: AttackProgram, protocol: str) -> None:
    found = attack_program(second_price, BIDS, RULES, protocol)
    assert sum(found.told.values()) >= 50


@settings(max_examples=3, deadline=None, suppress_health_check=[*HealthCheck])
@given(case=cases())
def test_random_programs_of_twenty_operations_are_attacked(case: Case) -> None:
    for protocol in PROTOCOLS:
        attack_some(Subject(case.checked, case.inputs, case.parameters, protocol))


def attack_some(subject: Subject) -> None:
    lies = sum(1 for _ in attacks(subject))
    found = sweep(subject, lies // 20 | 1)
    assert found.good, str(found)


def test_without_tags_the_harness_sees_wrong_outputs() -> None:
    """The harness can fail: an engine that verifies nothing is found out."""
    with mock.patch.object(Tagger, "matches", return_value=True):
        found = sweep(TINY)
    assert found.wrong


def test_a_harness_run_is_the_same_again() -> None:
    first, second = (str(sweep(TINY, 7)) for _ in range(2))
    assert first == second


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(UsageError, match="no protocol rep5"):
        Subject(tiny.checked, {}, {}, "rep5")
