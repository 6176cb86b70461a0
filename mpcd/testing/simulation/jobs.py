"""The jobs of a simulation: small programs on one row per owner, and what they must give."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mpcd.jobs.document import InputEntry, Parameter, ResultEntry
from mpcd.jobs.specification import Specification
from mpcd.party.case import Terms
from mpcd.party.proposals import cost_of
from mpcd.program.check import Checked
from mpcd.program.evaluate import evaluate
from mpcd.program.text import program_hash
from mpcd.program.types import lengths
from mpcd.testing.simulation.people import COMPUTING, roster
from mpcd.testing.simulation.programs import TABLE, checked_of, rows_of, text_of

Outputs = dict[str, tuple[int, ...]]
"""Output -> its values, whatever its shape."""
WORD_BYTES = 8
DEFAULT = 6
"""With `missing: default`, the bid that stands for the row of whoever gives none; no owner bids that."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    program   its name in `programs`; bids: owner -> bid, in the order of the specification
    readers   who learns all outputs
    parties   how many compute: four, or three of them
    """

    number: int
    program: str
    bids: Mapping[str, int]
    readers: tuple[str, ...]
    reserve: int
    profile: str
    missing: str
    deadline_s: float
    parties: int = 4

    @property
    def checked(self) -> Checked:
        return checked_of(self.program)

    @property
    def computing(self) -> tuple[str, ...]:
        return COMPUTING[: self.parties]

    @property
    def specification(self) -> Specification:
        """What all have consented to."""
        checked = self.checked
        text = text_of(self.program)
        kinds = {name: declared.kind for name, declared in checked.parameters.items()}
        parameters: dict[str, Parameter] = {"reserve": self.reserve} if "reserve" in kinds else {}
        return Specification.model_validate(
            {
                "name": f"job-{self.number}",
                "computing": self.computing,
                "protocol": "rep4" if self.parties == 4 else "rep3",
                "inputs": tuple(
                    InputEntry(party=o, dataset=TABLE, argument=TABLE, rows=1, default=self._default())
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
        specification, checked = self.specification, self.checked
        rows = {(owner, TABLE): 1 for owner in self.bids}
        dims = dict.fromkeys(checked.maxima, len(self.bids))
        outputs = {
            name: WORD_BYTES * math.prod(lengths(t.shape, dims)) for name, t in checked.outputs.items()
        }
        columns = {TABLE: len(checked.inputs)}
        _, rounds = cost_of(specification, checked, dims)
        return Terms(specification.job, specification, rows, columns, outputs, deadline, rounds)

    def row(self, owner: str) -> tuple[int, ...] | None:
        """What an owner puts in, by column; None if it owns nothing here."""
        return rows_of(self.program, self.bids[owner]) if owner in self.bids else None

    def _default(self) -> int | dict[str, int] | None:
        """What stands in for a row, as a job file has it."""
        if self.missing != "default":
            return None
        columns = [name.partition(".")[2] for name in self.checked.inputs]
        row = rows_of(self.program, DEFAULT)
        return row[0] if columns == [""] else dict(zip(columns, row, strict=True))

    def _in_range(self, row: tuple[int, ...]) -> bool:
        types = self.checked.inputs.values()
        return all(t.low <= cell <= t.high for t, cell in zip(types, row, strict=True))

    def expected(self, owners: Sequence[str]) -> Outputs | None:
        """The outputs if the rows of these owners count that are in range, and defaults in the places of all
        others if the job has them; None if there are no rows."""
        checked = self.checked
        rows = {owner: rows_of(self.program, bid) for owner, bid in self.bids.items()}
        used = {owner: row for owner, row in rows.items() if owner in owners and self._in_range(row)}
        if self.missing == "default":
            used = {owner: used.get(owner, rows_of(self.program, DEFAULT)) for owner in rows}
        good = list(used.values())
        if not good:
            return None
        parameters: dict[str, object] = {"reserve": self.reserve, "order": list(range(len(good)))}
        public = {name: parameters[name] for name in checked.parameters}
        cells = zip(*good, strict=True)
        columns = {
            name: np.array(column, np.bool_ if t.kind == "bool" else np.int64)
            for (name, t), column in zip(checked.inputs.items(), cells, strict=True)
        }
        found = evaluate(checked, columns, public)  # type: ignore[arg-type]
        return {
            name: tuple(np.asarray(value, np.int64).reshape(-1).tolist()) for name, value in found.items()
        }
