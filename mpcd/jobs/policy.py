"""What a party is willing to take part in: its policy, applied to one job.

A policy is a list of rules. A job is allowed if one rule allows everything about it; the first such rule
decides whether it starts by itself or would need a person. Without a rule that fits, the job is refused with
what the nearest rule objects to. Profiles have a minimum, so that a submitter cannot downgrade a party.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from mpcd.identity.config import Policy, Rule
from mpcd.jobs.specification import Specification

EVERYTHING = "*"

# What each profile gives; a rule's minimum is met by a profile that gives all of it.
GIVES: dict[str, frozenset[str]] = {
    "abort": frozenset({"abort"}),
    "identified-abort": frozenset({"abort", "identified-abort"}),
    "fair": frozenset({"abort", "fair"}),
    "guaranteed": frozenset({"abort", "fair", "guaranteed"}),
}


class Cost(Protocol):
    """What a job is estimated to cost one party; `mpcd.program.cost.Estimate` is one."""

    @property
    def rounds(self) -> int: ...
    @property
    def bytes_sent(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """accept: start without asking; ask: hold for a person; refuse. `reason` is one sentence."""

    kind: Literal["accept", "ask", "refuse"]
    reason: str


def decide(
    policy: Policy, me: str, specification: Specification, cost: Cost, programs: Mapping[str, str]
) -> Decision:
    """What the policy of party `me` says to a job.

    `programs` maps the names of the programs this party knows to their hashes (hexadecimal). A rule that
    names a program means that hash: the name inside a submitted program proves nothing.
    """
    nearest, reached = "the policy has no rule", -1
    for number, rule in enumerate(policy.rules, start=1):
        passed, objection = _first_objection(rule, me, specification, cost, programs)
        if not objection:
            if rule.approval == "automatic":
                return Decision("accept", f"allowed by rule {number}")
            return Decision("ask", f"rule {number} wants a person to approve")
        if passed > reached:
            nearest, reached = f"rule {number}: {objection}", passed
    return Decision("refuse", f"no rule of the policy allows it; {nearest}")


def _first_objection(
    rule: Rule, me: str, specification: Specification, cost: Cost, programs: Mapping[str, str]
) -> tuple[int, str]:
    """How many checks passed and what the first failed one says ("" if none failed)."""
    checks: list[Callable[[], str]] = [
        lambda: _submitter(rule, specification),
        lambda: _program(rule, specification, programs),
        lambda: _names("computing party", rule.computing, specification.computing),
        lambda: _profile(rule, specification),
        lambda: _recipients(rule, specification),
        lambda: _data(rule, me, specification),
        lambda: _cost(rule, specification, cost),
    ]
    for passed, check in enumerate(checks):
        objection = check()
        if objection:
            return passed, objection
    return len(checks), ""


def _submitter(rule: Rule, specification: Specification) -> str:
    return _names("submitter", rule.submitters, [specification.submitter])


def _program(rule: Rule, specification: Specification, programs: Mapping[str, str]) -> str:
    if EVERYTHING in rule.programs:
        return ""
    allowed = {programs.get(entry, entry.removeprefix("sha256:")) for entry in rule.programs}
    if specification.program_hash in allowed:
        return ""
    return f"the program {specification.program_hash[:16]} is not among those allowed"


def _profile(rule: Rule, specification: Specification) -> str:
    if rule.minimum_profile in GIVES[specification.profile]:
        return ""
    return f"the profile {specification.profile} is weaker than {rule.minimum_profile}"


def _recipients(rule: Rule, specification: Specification) -> str:
    return _names("recipient", rule.recipients, specification.result_parties)


def _data(rule: Rule, me: str, specification: Specification) -> str:
    for entry in specification.inputs_of(me):
        objection = _names("dataset", rule.datasets, [entry.dataset])
        if objection:
            return objection
        if entry.rows > rule.max_rows:
            return f"the job asks for up to {entry.rows} rows, allowed are {rule.max_rows}"
    return ""


def _cost(rule: Rule, specification: Specification, cost: Cost) -> str:
    limits = specification.limits
    for what, needed, asked, allowed in (
        ("rounds", cost.rounds, limits.rounds, rule.max_rounds),
        ("bytes to send", cost.bytes_sent, limits.bytes_sent, rule.max_bytes_sent),
        ("bytes of memory", cost.memory_bytes, limits.memory, rule.max_memory),
    ):
        if needed > asked:
            return f"the job needs {needed} {what}, its own limit is {asked}"
        if needed > allowed:
            return f"the job needs {needed} {what}, allowed are {allowed}"
    if specification.deadline > rule.max_deadline:
        return f"the job may take {specification.deadline:g} s, allowed are {rule.max_deadline:g} s"
    return ""


def _names(what: str, allowed: Iterable[str], asked: Iterable[str]) -> str:
    permitted = set(allowed)
    if EVERYTHING in permitted:
        return ""
    for name in asked:
        if name not in permitted:
            return f"{name} is not allowed as {what}"
    return ""
