"""`job plan`: what a job would cost, who would learn what, and what forbids it, without asking anybody."""

from __future__ import annotations

import math

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.errors import DataError, MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.document import COMPUTING_PARTIES, InputEntry
from mpcd.jobs.specification import Specification
from mpcd.party.datasets import Datasets
from mpcd.party.matter import House
from mpcd.party.proposals import Proposal, consent_to, inspect, judge
from mpcd.program.reading import who_learns_what


def plan(house: House, specification: Specification) -> pb.PlanReply:
    """The plan of a job as this party sees it; the others decide for themselves."""
    try:
        proposal = inspect(Envelope(Specification.TYPE, specification.to_bytes()), specification)
    except MpcdError as error:
        return pb.PlanReply(acceptable=False, facts=[pb.PlanFact(topic="problem", text=str(error))])
    recipients = {entry.output: entry.to for entry in specification.results}
    facts = [pb.PlanFact(topic="learns", text=text) for text in who_learns_what(proposal.checked, recipients)]
    facts += [pb.PlanFact(topic="guarantee", text=text) for text in _guarantees(specification)]
    facts += [pb.PlanFact(topic="time", text=text) for text in _time(house, proposal)]
    facts += [pb.PlanFact(topic="missing", text=text) for text in _missing(specification)]
    problems = _problems(house, proposal)
    facts += [pb.PlanFact(topic="problem", party=house.config.name, text=text) for text in problems]
    return pb.PlanReply(
        acceptable=not problems,
        facts=facts,
        rounds=proposal.cost.rounds,
        bytes_per_party=proposal.cost.bytes_sent,
        memory_bytes=proposal.cost.memory_bytes,
    )


def _guarantees(specification: Specification) -> list[str]:
    computing = ", ".join(specification.computing)
    if len(specification.computing) == COMPUTING_PARTIES["rep3"]:
        spare = (
            "Three parties have no spare: one that cheats or crashes ends the job without outputs, for all."
        )
    else:
        spare = ""
    texts = [
        f"{computing} compute; any one of them may be malicious and neither learns more nor makes an honest "
        "party accept a wrong output; any two together can read everything.",
    ]
    if specification.profile in ("fair", "guaranteed"):
        texts.append("If anyone learns an output, every honest recipient does.")
    if specification.profile == "guaranteed":
        texts.append(
            "A computing party that cheats, crashes or is cut off is left out, and the other three finish "
            "the job: every honest recipient gets its outputs. A second one ends the job without outputs."
        )
    return [*texts, spare] if spare else texts


def _time(house: House, proposal: Proposal) -> list[str]:
    """Whether the deadline is long enough for guaranteed output whatever one party does."""
    if proposal.specification.profile != "guaranteed":
        return []
    safe_s, rounds = house.tools.pace.safe_s(proposal.all_rounds), proposal.all_rounds
    if proposal.specification.deadline >= safe_s:
        return [f"Nor can one party make the job expire by being late in each of up to {rounds} rounds."]
    return [
        "A party that answers always, and always as late as is borne, is found by nobody: in up to "
        f"{rounds} rounds it could make the job expire. With a deadline of {math.ceil(safe_s)} s or more it "
        "could not; a smaller timing.delta needs less."
    ]


def _missing(specification: Specification) -> list[str]:
    """What happens without an input, and with one that lies."""
    bad = "An input that does not come in time, comes in two versions or does not fit its commitments"
    match specification.missing:
        case "abort":
            return [f"{bad}, or has a row out of its declared range, ends the job without outputs."]
        case "exclude":
            return [
                f"{bad} is left out, and so is a row out of its declared range. If nothing is left of an "
                "argument, the job ends without outputs. The receipt names whose rows are left out, and why."
            ]
    return [
        f"{bad} is replaced, each of its rows by the public default row, and so is a row out of its declared "
        "range. The receipt names whose rows are replaced, and why.",
        *(f"{e.party}'s default row for {e.argument}: {_row(e)}" for e in specification.inputs),
    ]


def _row(entry: InputEntry) -> str:
    if isinstance(entry.default, dict):
        return ", ".join(f"{column} {number}" for column, number in entry.default.items())
    return str(entry.default)


def _problems(house: House, proposal: Proposal) -> list[str]:
    problems: list[str] = []
    decision = judge(proposal, house.config, house.catalogue)
    if decision.kind != "accept":
        problems.append(decision.reason)
    try:
        datasets = Datasets(house.config.data, house.dataset_key, proposal.job, proposal.checked, {})
        consent_to(proposal, house.config.name, datasets)
    except DataError as error:
        problems.append(str(error))
    return problems
