"""The costs of the protocol with which so many parties compute."""

from __future__ import annotations

from mpcd.errors import UsageError
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep4.costs import Rep4Costs
from mpcd.protocols.scheme import REP3, REP4


def costs_of(parties: int) -> Rep3Costs | Rep4Costs:
    """Of a job with so many computing parties, from its first epoch to its end if nothing goes wrong.

    Raises  UsageError if there is no protocol for so many
    """
    if parties == REP4.parties:
        return Rep4Costs()
    if parties == REP3.parties:
        return Rep3Costs()
    raise UsageError(f"there is no protocol for {parties} computing parties")
