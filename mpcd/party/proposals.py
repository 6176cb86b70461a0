"""Whether this party takes part in a job: everything that is checked before a consent is signed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mpcd.errors import RefusedError, UsageError
from mpcd.identity.config import PartyConfig
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.consent import Consent, accept, refuse
from mpcd.jobs.policy import Decision, decide
from mpcd.jobs.specification import Specification, argument_of, check_program, check_roster
from mpcd.party.datasets import Datasets
from mpcd.party.pace import EPOCHS, Pace
from mpcd.program.check import Checked
from mpcd.program.cost import CostModel, Estimate, check_limits, estimate
from mpcd.program.limits import Limits
from mpcd.program.text import parse, program_hash
from mpcd.program.types import lengths
from mpcd.protocols.costs import costs_of
from mpcd.protocols.scheme import REP3

WORD_BYTES = 8
"""A summand has one 64-bit word for every number or truth value."""
KNOWN_REASON = "this party cannot use its own data for this job; its operator sees why"
"""What others are told of a fault in private data: the text names files and rows."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A job whose signature, roster and program are in order; whether we want it is another question.

    cost, all_rounds  if nothing goes wrong; of all epochs that it may have
    """

    job: bytes
    envelope: Envelope
    specification: Specification
    checked: Checked
    cost: Estimate
    all_rounds: int


def read_proposal(envelope: Envelope, roster: Roster) -> Proposal:
    """The job in an envelope.

    Raises  RefusedError or UsageError, in words that may be shown to everybody involved
    """
    submitter = Specification.from_bytes(envelope.payload).submitter
    specification = Specification.read(envelope, submitter, roster)
    check_roster(specification, roster)
    return inspect(envelope, specification)


def inspect(envelope: Envelope, specification: Specification) -> Proposal:
    """The program of a job, checked against everything else in it.

    Raises  RefusedError or UsageError
    """
    text = specification.program.encode()
    if program_hash(text).hex() != specification.program_hash:
        raise RefusedError("the hash in the job is not that of its program")
    checked = parse(text)
    check_program(specification, checked)
    dims = bounds(specification, checked)
    _check_parameter_shapes(checked, specification.parameters)
    cost, all_rounds = cost_of(specification, checked, dims)
    check_limits(cost, Limits())
    return Proposal(envelope.digest, envelope, specification, checked, cost, all_rounds)


def cost_of(specification: Specification, checked: Checked, dims: dict[str, int]) -> tuple[Estimate, int]:
    """The cost of a job in which nothing goes wrong, with memory for whatever does; the rounds of all epochs.

    Where the output is guaranteed, later epochs may be of three parties, which need more memory and rounds.
    """
    models: list[CostModel] = [costs_of(len(specification.computing))]
    if specification.profile == "guaranteed":
        models.append(costs_of(REP3.parties))
    costs = [_with_range_checks(estimate(checked, dims, m), checked, dims, m) for m in models]
    later = sum((EPOCHS - 1) * cost.rounds for cost in costs[1:])
    memory = max(cost.memory_bytes for cost in costs)
    return replace(costs[0], memory_bytes=memory), costs[0].rounds + later


def _with_range_checks(cost: Estimate, checked: Checked, dims: dict[str, int], model: CostModel) -> Estimate:
    """What comes before the program: every input is checked against its range, all of them side by side."""
    cells = [math.prod(lengths(declared.shape, dims)) for declared in checked.inputs.values()]
    # A range that is all of int64 needs no check; its bits are opened like the others.
    narrow = [
        n for n, t in zip(cells, checked.inputs.values(), strict=True) if t.high - t.low < (1 << 64) - 1
    ]
    checks = {"range_check": sum(narrow), "open_bits": sum(cells)}
    sent = sum(model.bytes_sent("range_check", n) for n in narrow)
    sent += sum(model.bytes_sent("open_bits", n) for n in cells)
    working = sum(model.working_bytes("range_check", n) for n in narrow)
    disputed = max((model.dispute_bytes("range_check", n) for n in narrow), default=0)
    return replace(
        cost,
        rounds=cost.rounds + sum(model.rounds(operation) for operation, n in checks.items() if n),
        bytes_sent=cost.bytes_sent + sent,
        memory_bytes=max(cost.memory_bytes, model.element_bytes * sum(cells) + working, disputed),
        operations=Counter(cost.operations) + Counter(checks),
    )


def bounds(specification: Specification, checked: Checked) -> dict[str, int]:
    """The greatest length of every dimension of the program that the job allows.

    Raises  UsageError if two arguments of one dimension allow different numbers of rows
    """
    rows: Counter[str] = Counter()
    for entry in specification.inputs:
        rows[entry.argument] += entry.rows
    dims: dict[str, int] = {}
    for name, declared in checked.inputs.items():
        first = declared.shape[0]
        length = rows[argument_of(name)]
        if isinstance(first, int):
            if length < first:
                raise UsageError(f"the program takes {first} rows for {name}, the job allows {length}")
        elif dims.setdefault(first, length) != length:
            raise UsageError(f"the job allows {length} rows for {name}, another argument has {dims[first]}")
    for name, declared in checked.parameters.items():
        for dim in declared.shape:
            if isinstance(dim, str) and dim not in dims:
                dims[dim] = _length_of(specification, name)
    return dims


def longest_outputs(proposal: Proposal, rows: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Output -> the most bytes that a summand of it can have.

    rows  (owner, argument) -> rows that were consented to; inputs that are left out only make it shorter
    """
    checked = proposal.checked
    dims = bounds(proposal.specification, checked)
    brought: Counter[str] = Counter()
    for (_, argument), count in rows.items():
        brought[argument] += count
    for name, declared in checked.inputs.items():
        first, argument = declared.shape[0], argument_of(name)
        if isinstance(first, str) and argument in brought:
            dims[first] = min(dims[first], brought[argument])
    return {name: WORD_BYTES * math.prod(lengths(t.shape, dims)) for name, t in checked.outputs.items()}


def _length_of(specification: Specification, name: str) -> int:
    value = specification.parameters.get(name)
    if not isinstance(value, tuple):
        raise UsageError(f"the parameter {name} must be a list")
    return len(value)


def _check_parameter_shapes(checked: Checked, given: Mapping[str, object]) -> None:
    for name, declared in checked.parameters.items():
        if (
            declared.kind != "order"
            and name in given
            and bool(declared.shape) != isinstance(given[name], tuple)
        ):
            raise UsageError(f"the parameter {name} must be a {'list' if declared.shape else 'single value'}")


def judge(proposal: Proposal, config: PartyConfig, catalogue: Mapping[str, str]) -> Decision:
    """What the party's policy says; `catalogue` maps names of programs to their hashes.

    A job that could only expire, or run out of memory, is refused whatever the policy says.
    """
    hopeless = too_short(proposal.specification, config.timing.delta) or too_large(proposal, config)
    if hopeless:
        return Decision("refuse", hopeless)
    return decide(config.policy, config.name, proposal.specification, proposal.cost, catalogue)


def too_short(specification: Specification, delta_s: float) -> str:
    """Why a job with this deadline can never open anything, or "" if it can."""
    pace = Pace(delta_s=delta_s)
    if specification.deadline >= pace.least_s:
        return ""
    return (
        f"the deadline of {specification.deadline:g} s is too short: with timing.delta of {delta_s:g} s "
        f"no job can end in less than {pace.least_s:g} s, of which {2 * pace.slot_s:g} s are for agreeing to "
        "open"
    )


def too_large(proposal: Proposal, config: PartyConfig) -> str:
    """Why no job process here has the memory for this job, or "" if it has, or if we do not compute."""
    needed, limits = proposal.cost.memory_bytes, config.limits
    if config.name not in proposal.specification.computing or needed <= limits.per_process:
        return ""
    return (
        f"the job needs {needed} bytes of memory, a job process of this party may have {limits.per_process} "
        f"(limits.memory is for all {limits.running} of limits.running)"
    )


def consent_to(proposal: Proposal, name: str, datasets: Datasets) -> Consent:
    """The consent of this party, with what it brings.

    Raises  DataError if its data cannot be used
    """
    brought = [datasets.offer(entry) for entry in proposal.specification.inputs_of(name)]
    return accept(proposal.specification, proposal.job, name, brought)


def refusal_of(proposal: Proposal, name: str, reason: str) -> Consent:
    """The refusal of this party."""
    return refuse(proposal.specification, proposal.job, name, reason[:500])
