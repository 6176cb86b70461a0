"""Who still takes part while a job gathers what it needs, and why somebody does not.

In a job with guaranteed output one party may fall silent in any slot: the others go on without it, and the
computation begins as that of three. Every honest party sees the same outcome, so all drop the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mpcd.party.blame import end_of
from mpcd.party.case import Case, DroppedError, Said
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.findings import Absent, Fault, Named
from mpcd.protocols.agreement.judging import attendance


@dataclass(frozen=True, slots=True)
class Present:
    """among: who takes part; fault: why one does not, and the step in which it was found; said: the signed
    words from which it follows, if it is evidence."""

    among: frozenset[int]
    fault: Fault | None = None
    step: str = ""
    said: tuple[Said, ...] = ()

    @staticmethod
    def all_of(case: Case) -> Present:
        return Present(frozenset(range(len(case.computing))))

    @property
    def dropped(self) -> int | None:
        """The one party that is left out."""
        match self.fault:
            case Named(party=p) | Absent(party=p):
                return p
        return None

    def after(
        self,
        case: Case,
        outcome: Outcome,
        step: str,
        what: str,
        well_formed: Callable[[int, bytes], bool] = lambda _party, _body: True,
        *,
        vital: bool = True,
    ) -> Present:
        """Who is left after a slot in which everybody had to give `what`.

        vital  whether a job that must not lose anybody ends for want of it
        Raises  StageEnd if the job cannot go on
        """
        fault = attendance(outcome, what, well_formed)
        if not vital and not case.guaranteed:
            return self
        return self if fault is None else self.without(case, fault, step)

    def without(self, case: Case, fault: Fault, step: str, said: tuple[Said, ...] = ()) -> Present:
        """Who is left after a fault.

        Raises  StageEnd if the profile does not let the job go on, or this is a second fault; DroppedError if
                it is we who are left out
        """
        if not case.guaranteed or not isinstance(fault, Named | Absent) or self.fault is not None:
            raise end_of(case, fault, step, said=said)
        found = Present(self.among, fault, step, said)
        if found.dropped == case.me:
            raise DroppedError
        return replace(found, among=self.among - {found.dropped})

    def merged(self, case: Case, other: Present) -> Present:
        """Two chains of slots ran side by side; each may have lost one party.

        Raises  StageEnd if they lost different ones
        """
        if self.fault is None or other.fault is None:
            return self if self.fault is not None else other
        if self.dropped != other.dropped:
            return self.without(case, other.fault, other.step, other.said)
        return self
