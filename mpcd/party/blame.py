"""What a finding of the agreement means for a job: its end in words, a line of the receipt, evidence.

`absent` is never an accusation: it becomes `unreachable`. Whoever is named, and both of a pair of which one
must have lied, become `blamed`. A pair between whom nothing arrived may be two honest parties and a bad link.
"""

from __future__ import annotations

from mpcd.jobs.evidence import Kind
from mpcd.jobs.receipt import FaultLine
from mpcd.jobs.states import Event
from mpcd.party.case import Case, Said, StageEnd
from mpcd.protocols.agreement import findings
from mpcd.protocols.agreement.findings import Absent, Fault, Named, Pair
from mpcd.protocols.agreement.standing import Standing


def in_words(case: Case, why: str) -> str:
    """A sentence of the agreement with the parties' names."""
    return findings.in_words(why, case.computing)


def concerned(finding: Fault) -> frozenset[int]:
    """The parties that a finding is about."""
    return finding.parties if not isinstance(finding, Named | Absent) else frozenset({finding.party})


def end_of(case: Case, finding: Fault, step: str, epoch: int = 0, said: tuple[Said, ...] = ()) -> StageEnd:
    """The end of a job, or of an epoch of it, by what was found.

    said  the signed words from which it follows
    """
    names = case.names(concerned(finding))
    text = in_words(case, finding.why)
    proofs = tuple(s for name in sorted(names) for s in case.proofs.get(name, ()))
    lied = isinstance(finding, Named) or (isinstance(finding, Pair) and finding.evidence)
    if lied:
        proven = isinstance(finding, Named) and finding.proof is not None
        kind: Kind = "equivocation" if proven else "contradiction"
        end = StageEnd(Event.FAULT, text, kind=kind, blamed=names, step=step, epoch=epoch)
        end.statements, end.said = (proofs, ()) if proven else ((), said)
        return end
    others = names - {case.name}
    quiet: Kind | None = "silence" if others else None
    return StageEnd(Event.FAULT, text, kind=quiet, unreachable=others, step=step, epoch=epoch)


def line_of(case: Case, standing: Standing, finding: Fault, step: str) -> FaultLine:
    """The finding as the receipt tells it: the same at every honest party."""
    names = tuple(sorted(case.names(concerned(finding))))
    reason = in_words(case, finding.why)[:400]
    match finding:
        case Named():
            return FaultLine(epoch=standing.epoch, stage=step, blamed=names, reason=reason)
        case Pair(evidence=True):
            return FaultLine(epoch=standing.epoch, stage=step, blamed=names, reason=reason)
        case Pair():
            return FaultLine(epoch=standing.epoch, stage=step, link=names, reason=reason)
    return FaultLine(epoch=standing.epoch, stage=step, unreachable=names, reason=reason)
