"""The jobs of a simulation: small programs on one bid per owner, and what they must give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import mpcd as mpc
from mpcd.apps.auction import first_price, second_price
from mpcd.jobs.document import InputEntry, Parameter, ResultEntry
from mpcd.jobs.specification import Specification
from mpcd.lang.tracing import Definition
from mpcd.party.case import Terms
from mpcd.program.check import Checked
from mpcd.program.evaluate import evaluate
from mpcd.program.text import parse, program_hash
from mpcd.testing.simulation.people import COMPUTING, roster

TABLE = "bids"
OUTSIDE = 2**40
"""A bid that is in no program's range."""
DEFAULT = 6
"""With `missing: default`, what stands in for a bid; no owner bids that."""


@mpc.program
def squares(bids: mpc.Vector[mpc.UInt16]) -> object:
    """The sum of the squares: one round of products."""
    return mpc.reveal(total=mpc.dot(bids, bids))


@mpc.program
def above(bids: mpc.Vector[mpc.UInt32], reserve: mpc.Public[mpc.UInt32]) -> object:
    """How many bids reach the reserve."""
    return mpc.reveal(count=mpc.count(bids >= reserve))


PROGRAMS: Mapping[str, Definition] = {
    "squares": squares,
    "above": above,
    "first-price": first_price,
    "second-price": second_price,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    program   its name here; bids: owner -> bid, in the order of the specification
    readers   who learns all outputs
    """

    number: int
    program: str
    bids: Mapping[str, int]
    readers: tuple[str, ...]
    reserve: int
    profile: str
    missing: str
    deadline_s: float

    @property
    def checked(self) -> Checked:
        return _checked(self.program)

    @property
    def specification(self) -> Specification:
        """What all have consented to."""
        checked = self.checked
        default = DEFAULT if self.missing == "default" else None
        text = _text(self.program)
        kinds = {name: declared.kind for name, declared in checked.parameters.items()}
        parameters: dict[str, Parameter] = {"reserve": self.reserve} if "reserve" in kinds else {}
        return Specification.model_validate(
            {
                "name": f"job-{self.number}",
                "computing": COMPUTING,
                "inputs": tuple(
                    InputEntry(party=o, dataset=TABLE, argument=TABLE, rows=1, default=default)
                    for o in self.bids
                ),
                "results": tuple(ResultEntry(output=name, to=self.readers) for name in checked.outputs),
                "parameters": parameters,
                "order": tuple(self.bids) if "order" in kinds.values() else None,
                "program": text.decode(),
                "program_hash": program_hash(text).hex(),
                "roster_hash": roster().hash.hex(),
                "submitter": "acme",
                "created": 0,
                "nonce": hashlib.sha256(str(self.number).encode()).hexdigest(),
                "profile": self.profile,
                "missing": self.missing,
                "deadline": self.deadline_s,
            }
        )

    def terms(self, deadline: float) -> Terms:
        """What a party knows before the job begins; `deadline` is on its clock."""
        specification = self.specification
        rows = {(owner, TABLE): 1 for owner in self.bids}
        outputs = dict.fromkeys(self.checked.outputs, 8)
        return Terms(specification.job, specification, rows, {TABLE: 1}, outputs, deadline)

    def expected(self, owners: Sequence[str]) -> dict[str, int] | None:
        """The outputs if the bids of these owners count that are in range, and defaults in the places of all
        others if the job has them; None if there are no bids."""
        highest = self.checked.inputs[TABLE].high
        good = {owner: bid for owner, bid in self.bids.items() if owner in owners and bid <= highest}
        if self.missing == "default":
            good = {owner: good.get(owner, DEFAULT) for owner in self.bids}
        bids = list(good.values())
        if not bids:
            return None
        checked = self.checked
        parameters: dict[str, object] = {"reserve": self.reserve, "order": list(range(len(bids)))}
        used = {name: parameters[name] for name in checked.parameters}
        found = evaluate(checked, {TABLE: bids}, used)  # type: ignore[arg-type]
        return {name: int(value) for name, value in found.items()}


@cache
def _text(program: str) -> bytes:
    return PROGRAMS[program].canonical


@cache
def _checked(program: str) -> Checked:
    return parse(_text(program))
