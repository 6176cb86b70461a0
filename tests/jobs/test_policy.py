"""Policies: each condition of a rule refuses by itself, and the control passes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mpcd.identity.config import Policy, Rule
from mpcd.jobs.policy import GIVES, decide
from mpcd.jobs.specification import Specification

COST = SimpleNamespace(rounds=100, bytes_sent=1000, memory_bytes=2000)
HASH = bytes(range(32)).hex()
PROGRAMS = {"second-price": HASH, "other": "ff" * 32}
ALLOWS: dict[str, Any] = {
    "submitters": ("alice",),
    "programs": ("second-price",),
    "computing": ("alice", "bob", "carol", "dave"),
    "recipients": ("alice", "frank"),
    "datasets": ("bids",),
    "approval": "automatic",
    "max_rows": 2,
    "max_rounds": 100,
    "max_bytes_sent": 1000,
    "max_memory": 2000,
    "max_deadline": 60.0,
}


def policy(*changes: dict[str, Any]) -> Policy:
    return Policy(rules=tuple(Rule(**(ALLOWS | change)) for change in changes))


def test_a_job_within_the_rule_is_accepted(specification: Specification) -> None:
    decision = decide(policy({}), "erin", specification, COST, PROGRAMS)
    assert (decision.kind, decision.reason) == ("accept", "allowed by rule 1")


def test_without_rules_everything_is_refused(specification: Specification) -> None:
    decision = decide(Policy(), "erin", specification, COST, PROGRAMS)
    assert decision.kind == "refuse"
    assert "no rule" in decision.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"submitters": ("bob",)}, "alice is not allowed as submitter"),
        ({"programs": ("other",)}, "is not among those allowed"),
        ({"programs": ("second-prize",)}, "is not among those allowed"),
        ({"programs": ("sha256:" + "ee" * 32,)}, "is not among those allowed"),
        ({"computing": ("alice", "bob", "carol")}, "dave is not allowed as computing party"),
        ({"recipients": ("alice",)}, "frank is not allowed as recipient"),
        ({"datasets": ()}, "bids is not allowed as dataset"),
        ({"minimum_profile": "guaranteed"}, "fair is weaker than guaranteed"),
        ({"minimum_profile": "identified-abort"}, "fair is weaker than identified-abort"),
        ({"max_rows": 1}, "asks for up to 2 rows, allowed are 1"),
        ({"max_rounds": 99}, "needs 100 rounds, allowed are 99"),
        ({"max_bytes_sent": 999}, "needs 1000 bytes to send, allowed are 999"),
        ({"max_memory": 1999}, "needs 2000 bytes of memory, allowed are 1999"),
        ({"max_deadline": 59.0}, "may take 60 s, allowed are 59 s"),
    ],
)
def test_each_condition_refuses_by_itself(
    change: dict[str, Any], reason: str, specification: Specification
) -> None:
    decision = decide(policy(change), "erin", specification, COST, PROGRAMS)
    assert decision.kind == "refuse"
    assert reason in decision.reason


@pytest.mark.parametrize("field", ["submitters", "programs", "computing", "recipients", "datasets"])
def test_a_star_allows_everything_of_its_kind(field: str, specification: Specification) -> None:
    assert decide(policy({field: ("*",)}), "erin", specification, COST, PROGRAMS).kind == "accept"


def test_a_program_may_be_named_by_its_hash(specification: Specification) -> None:
    by_hash = policy({"programs": ("sha256:" + HASH,)})
    assert decide(by_hash, "erin", specification, COST, {}).kind == "accept"


def test_the_name_in_a_submitted_program_proves_nothing(specification: Specification) -> None:
    """The name counts only through the party's own catalogue."""
    assert decide(policy({}), "erin", specification, COST, {}).kind == "refuse"


def test_only_the_own_data_matters(specification: Specification) -> None:
    assert decide(policy({"datasets": ()}), "bob", specification, COST, PROGRAMS).kind == "accept"


def test_the_first_rule_that_allows_decides(specification: Specification) -> None:
    manual = {"approval": "manual"}
    refusing = {"max_rows": 1}
    assert decide(policy(refusing, manual, {}), "erin", specification, COST, PROGRAMS).kind == "ask"
    assert decide(policy(refusing, {}, manual), "erin", specification, COST, PROGRAMS).kind == "accept"


def test_the_reason_is_that_of_the_nearest_rule(specification: Specification) -> None:
    rules = policy({"submitters": ("bob",)}, {"max_rows": 1}, {"programs": ("other",)})
    assert "rule 2: the job asks" in decide(rules, "erin", specification, COST, PROGRAMS).reason


def test_the_limits_of_the_job_count_too(specification: Specification) -> None:
    costly = SimpleNamespace(rounds=200_000, bytes_sent=1, memory_bytes=1)
    decision = decide(policy({"max_rounds": 10**6}), "erin", specification, costly, PROGRAMS)
    assert "its own limit is 100000" in decision.reason


def test_the_order_of_the_profiles() -> None:
    """fair and identified-abort are not comparable; everything contains abort."""
    assert all("abort" in gives and name in gives for name, gives in GIVES.items())
    assert "identified-abort" not in GIVES["fair"]
    assert "fair" not in GIVES["identified-abort"]
    assert {"fair", "abort"} < GIVES["guaranteed"]
