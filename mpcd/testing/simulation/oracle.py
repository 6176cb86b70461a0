"""Whether a story is one that may happen: what the security model promises, for this scenario.

Every rule is a function from a story to complaints in words; a story without complaints is good. What a rule
needs it takes from the ends of honest parties; of the party at fault it looks only at what that one learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from mpcd.client.evidence import EvidenceFile
from mpcd.client.evidence import verify as verify_evidence
from mpcd.errors import MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.receipt import Receipt, verify
from mpcd.jobs.states import TERMINAL, State
from mpcd.testing.simulation.jobs import Outputs
from mpcd.testing.simulation.people import identities, roster
from mpcd.testing.simulation.programs import OUTSIDE
from mpcd.testing.simulation.running import Story

Rule = Callable[[Story], Iterator[str]]


def complaints(story: Story) -> list[str]:
    """Everything that is wrong with a story; nothing should be."""
    return [f"{rule.__name__}: {text}" for rule in RULES for text in rule(story)]


def _recipients(story: Story) -> list[str]:
    readers = story.scenario.job.specification.result_parties
    return [name for name in readers if name in story.scenario.honest]


def _possible(story: Story) -> list[Outputs]:
    """What the outputs may be: the party at fault may take part with its bid, or without, or with its default
    in the place of its bid; when the network does not keep its promise, anybody's bid may be missing."""
    scenario = story.scenario
    owners = list(scenario.job.bids)
    sets = [owners, [owner for owner in owners if owner != scenario.faulty]]
    if scenario.storms and scenario.job.missing != "abort":
        sets = [[*some] for size in range(len(owners) + 1) for some in combinations(owners, size)]
    found = [scenario.job.expected(some) for some in sets]
    return [outputs for outputs in found if outputs is not None]


def outputs_are_right(story: Story) -> Iterator[str]:
    """No honest party ever takes a wrong output, whatever the network does, and all take the same."""
    told = {name: story.ends[name].results for name in story.scenario.honest if story.ends[name].results}
    for name, results in told.items():
        if results not in _possible(story):
            yield f"{name} has {results}, possible are {_possible(story)}"
    if len({tuple(sorted(results.items())) for results in told.values()}) > 1:
        yield f"honest parties have different outputs: {told}"


def honest_parties_count(story: Story) -> Iterator[str]:
    """Nobody can have an honest owner left out."""
    receipt, scenario = story.receipt, story.scenario
    if receipt is None or scenario.storms:
        return
    used = {line.owner for line in receipt.inputs if not line.default}
    for owner in scenario.job.bids:
        if owner not in used and owner != scenario.faulty:
            yield f"the input of {owner}, which is honest, was left out"


def the_receipt_says_what_was_computed(story: Story) -> Iterator[str]:
    """The outputs are those of the inputs that the receipt says were used, rows out of range apart."""
    receipt, scenario = story.receipt, story.scenario
    if receipt is None:
        return
    used = [line.owner for line in receipt.inputs if not line.default]
    expected = scenario.job.expected(used)
    for name in scenario.honest:
        results = story.ends[name].results
        if results and results != expected:
            yield f"{name} has {results}; of the inputs of {used} in the receipt come {expected}"
    named = {line.owner for line in receipt.excluded if line.default == (scenario.job.missing == "default")}
    for owner, bid in scenario.job.bids.items():
        if (owner not in used or bid == OUTSIDE) and owner not in named:
            yield f"the receipt does not say why the bid of {owner} was not used"


def everybody_ends(story: Story) -> Iterator[str]:
    """Every honest party is in a terminal state by the deadline and a grace, without an error."""
    limit = story.scenario.job.deadline_s + GRACE_S
    for name in story.scenario.honest:
        end = story.ends[name]
        if end.state not in TERMINAL:
            yield f"{name} is still {end.state}"
        elif end.at_s > limit:
            yield f"{name} ended at {end.at_s:.1f} s, the deadline is {story.scenario.job.deadline_s:g} s"
        if end.error:
            yield f"{name}: {end.error}"


def output_is_guaranteed(story: Story) -> Iterator[str]:
    """In profile guaranteed every honest recipient has its outputs by the deadline."""
    scenario = story.scenario
    if scenario.job.profile != "guaranteed" or scenario.storms or _may_end(story):
        return
    for name in _recipients(story):
        end = story.ends[name]
        if end.state is not State.SUCCEEDED or not end.results:
            yield f"{name}, a recipient, is {end.state} ({end.detail})"
        elif end.at_s > scenario.job.deadline_s:
            yield f"{name} succeeded only at {end.at_s:.1f} s"


def _may_end(story: Story) -> bool:
    """Whether the data, or the way in which the job treats it, lets any run end without outputs."""
    scenario = story.scenario
    bids = scenario.job.bids
    strict = scenario.job.missing == "abort" and (OUTSIDE in bids.values() or scenario.faulty in bids)
    others = [owner for owner in bids if owner != scenario.faulty]
    return strict or scenario.job.expected(others) is None


def opening_is_fair(story: Story) -> Iterator[str]:
    """If anybody learns an output, the party at fault included, all honest recipients do."""
    if story.scenario.storms:
        return
    knowing = [name for name, end in story.ends.items() if end.results]
    opened = [name for name in story.scenario.honest if story.ends[name].opened]
    if knowing or opened:
        for name in _recipients(story):
            if not story.ends[name].results:
                yield f"{', '.join(knowing or opened)} opened; {name} is {story.ends[name].state}"


def blame_is_right(story: Story) -> Iterator[str]:
    """Whoever is blamed, the party at fault is among them; silence blames nobody, and does not name honest
    parties alone as long as the network keeps its promise.

    Of three, a party may lack what only the party at fault can give, and end; others then only see that it
    says no more. Its own record says whom it waited for.
    """
    faulty, storms = story.scenario.faulty, story.scenario.storms
    for name in story.scenario.honest:
        for record in story.ends[name].evidence:
            if record.blamed and faulty not in record.blamed:
                yield f"{name} blames {record.blamed}: {record.detail}"
            # Who does not compute hears nothing of anybody when a job has ended early: that names nobody.
            few = name in story.scenario.job.computing or len(record.unreachable) == 1
            gone = all(_ended_for(story, other) for other in record.unreachable)
            if record.unreachable and faulty not in record.unreachable and few and not (storms or gone):
                yield f"{name} says that {record.unreachable} was unreachable: {record.detail}"
            if set(record.blamed) & set(record.unreachable):
                yield f"{name} mixes blame and silence: {record.detail}"
    receipt = story.receipt
    for line in receipt.faults if receipt is not None else ():
        if line.blamed and faulty not in line.blamed:
            yield f"the receipt blames {line.blamed}: {line.reason}"
        if not storms and faulty not in (*line.blamed, *line.link, *line.unreachable):
            yield f"the receipt says of {(*line.link, *line.unreachable)}: {line.reason}"


def strangers_find_the_same(story: Story) -> Iterator[str]:
    """What anybody concludes from an honest party's records has the party at fault in it, whatever the
    network does; and it is all that was found at barriers."""
    specification = story.scenario.job.specification
    job = Envelope(specification.TYPE, specification.to_bytes()).sign(identities()[specification.submitter])
    for name in story.scenario.honest:
        try:
            _, findings = verify_evidence(EvidenceFile(job, story.ends[name].records), roster())
        except MpcdError as error:
            yield f"the records of {name} do not verify: {error}"
            continue
        for finding in findings:
            proven = [proof.parties for proof in finding.proven]
            if any(story.scenario.faulty not in parties for parties in proven):
                yield f"{name} can prove {proven}: {finding.record.detail}"
            if finding.record.step == "barrier" and finding.record.blamed not in ((), *proven):
                yield f"{name} cannot prove what it says of {finding.record.blamed}: {finding.record.detail}"


def _ended_for(story: Story, name: str) -> bool:
    """Whether a party in a job of three ended it because it did not get something of the party at fault."""
    if story.scenario.job.parties != 3 or name not in story.scenario.honest:
        return False
    return any(story.scenario.faulty in record.unreachable for record in story.ends[name].evidence)


def checks_stay(story: Story) -> Iterator[str]:
    """Nobody computes without checks as long as the party at fault computes with them."""
    faulty = story.scenario.faulty
    for name, order in story.orders:
        names = [order.specification.computing[p] for p in order.roster]
        if not order.checked and (faulty is None or faulty in names) and name != faulty:
            yield f"{name} computed epoch {order.epoch} without checks, with {', '.join(names)}"


def receipts_agree(story: Story) -> Iterator[str]:
    """Receipts of honest parties say the same, and whoever succeeded has one that verifies."""
    if story.scenario.storms:
        return
    found: dict[bytes, list[str]] = {}
    for name in story.scenario.honest:
        end = story.ends[name]
        if end.receipt is None:
            if end.state is State.SUCCEEDED:
                yield f"{name} succeeded without a receipt"
            continue
        found.setdefault(end.receipt.payload, []).append(name)
        yield from _checked(story, name, end.receipt)
    if len(found) > 1:
        yield f"receipts differ: {sorted(found.values())}"


def _checked(story: Story, name: str, envelope: Envelope) -> Iterator[str]:
    try:
        verdict = verify(envelope, roster())
    except MpcdError as error:
        yield f"the receipt of {name} does not verify: {error}"
        return
    if not verdict.valid:
        yield f"the receipt of {name}: {verdict.reason}"
    last = Receipt.from_bytes(envelope.payload).epochs[-1].computing
    if name in last and name not in verdict.signed:
        yield f"the receipt of {name} lacks its own signature"


def nothing_is_used_twice(story: Story) -> Iterator[str]:
    """No two runs draw masks or tags from one key."""
    yield from story.ledger.twice


def nothing_breaks(story: Story) -> Iterator[str]:
    """No message makes a handler raise anything but the errors of mpcd; no honest party fails by itself."""
    for bug in story.bugs:
        if bug.partition(":")[0] != story.scenario.faulty:
            yield bug
    if story.scenario.storms:
        return
    for name in story.scenario.honest:
        end = story.ends[name]
        if end.state is State.FAILED and name in story.scenario.job.computing:
            yield f"{name}: {end.detail}"


RULES: tuple[Rule, ...] = (
    outputs_are_right,
    honest_parties_count,
    the_receipt_says_what_was_computed,
    everybody_ends,
    output_is_guaranteed,
    opening_is_fair,
    blame_is_right,
    strangers_find_the_same,
    checks_stay,
    receipts_agree,
    nothing_is_used_twice,
    nothing_breaks,
)
