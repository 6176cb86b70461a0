"""The specification: one job, complete and frozen. Its signed bytes are the job.

It holds the program itself and the hash of the roster, so that nothing that matters lies outside of what is
signed. The identity of the job is the digest of the envelope's type and payload (`job_hash`).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints

from mpcd.errors import RefusedError, UsageError
from mpcd.identity.complaints import did_you_mean
from mpcd.identity.keys import signed_digest
from mpcd.identity.names import Name
from mpcd.identity.roster import Roster
from mpcd.jobs.defaults import check_row
from mpcd.jobs.document import InputEntry, JobDocument, Terms
from mpcd.jobs.limits import MAX_PROGRAM_BYTES, MAX_SPECIFICATION_BYTES
from mpcd.jobs.statements import Hex32, Statement

if TYPE_CHECKING:
    from mpcd.program.check import Checked
    from mpcd.program.types import Type

NONCE_BYTES = 32


class Specification(Terms, Statement):
    """A job as it is signed. `program` is canonical program text; `created` is in milliseconds since 1970."""

    model_config = ConfigDict(strict=True)

    TYPE: ClassVar[str] = "mpcd.job"
    MAX_BYTES: ClassVar[int] = MAX_SPECIFICATION_BYTES

    version: Literal[1] = 1
    program: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROGRAM_BYTES)]
    program_hash: Hex32
    roster_hash: Hex32
    submitter: Name
    created: Annotated[int, Field(ge=0, lt=1 << 53)]
    nonce: Hex32

    @classmethod
    def of(
        cls,
        document: JobDocument,
        *,
        program: bytes,
        program_hash: bytes,
        roster: Roster,
        submitter: str,
        now: datetime,
        nonce: bytes,
    ) -> Self:
        """The specification of a job file whose program has been resolved to canonical bytes.

        Raises    UsageError if the program is too long or a party is not in the roster
        """
        if len(program) > MAX_PROGRAM_BYTES:
            raise UsageError(f"the program has {len(program)} bytes, allowed are {MAX_PROGRAM_BYTES}")
        terms = {name: getattr(document, name) for name in Terms.model_fields}
        specification = cls(
            **terms,
            program=program.decode(),
            program_hash=program_hash.hex(),
            roster_hash=roster.hash.hex(),
            submitter=submitter,
            created=int(now.timestamp() * 1000),
            nonce=nonce.hex(),
        )
        check_roster(specification, roster)
        return specification

    @property
    def job(self) -> bytes:
        """The 32-byte identity of the job: the digest that the submitter signs."""
        return job_hash(self.to_bytes())

    def index_of(self, party: str) -> int | None:
        """The index of a computing party, or None for everybody else."""
        return self.computing.index(party) if party in self.computing else None


def job_hash(payload: bytes) -> bytes:
    """The identity of the job with these specification bytes, as received."""
    return signed_digest(Specification.TYPE, payload)


def check_roster(specification: Specification, roster: Roster) -> None:
    """Everybody named is a party of this very roster.

    Raises    RefusedError if the job was made for another roster, UsageError for an unknown party
    """
    if specification.roster_hash != roster.hash.hex():
        raise RefusedError(
            f"the job was made for roster {specification.roster_hash[:12]}, "
            f"this party has {roster.hash.hex()[:12]}",
            fix="let all parties install the same roster",
        )
    known = [member.name for member in roster.parties]
    for name in (specification.submitter, *specification.parties):
        if name not in known:
            raise UsageError(f"{name!r} is no party of the roster{did_you_mean(name, known)}")


def check_program(specification: Specification, checked: Checked) -> None:
    """Arguments, parameters and outputs of the job are those of its program.

    Raises    UsageError that names what is missing, unknown, too long or out of range
    """
    _check_arguments(specification, checked)
    for entry in specification.inputs:
        check_default(entry, checked)
    _check_parameters(specification, checked)
    listed = {entry.output for entry in specification.results}
    _same("output", listed, set(checked.outputs), "list it under results")


def _check_arguments(specification: Specification, checked: Checked) -> None:
    given = {entry.argument for entry in specification.inputs}
    _same("argument", given, {argument_of(name) for name in checked.inputs}, "list it under inputs")
    rows: Counter[str] = Counter()
    for entry in specification.inputs:
        rows[entry.argument] += entry.rows
    for name, declared in checked.inputs.items():
        if not declared.shape:
            raise UsageError(f"the argument {name} of the program has no rows")
        first = declared.shape[0]
        most = first if isinstance(first, int) else checked.maxima[first]
        if rows[argument_of(name)] > most:
            raise UsageError(
                f"the job allows {rows[argument_of(name)]} rows for {name}, the program at most {most}"
            )


def check_default(entry: InputEntry, checked: Checked) -> None:
    """The default row of an input, if it has one, fits the program.

    Raises    DefaultError
    """
    if entry.default is not None:
        check_row(entry.argument, entry.default, program_inputs(checked, entry.argument))


def program_inputs(checked: Checked, argument: str) -> dict[str, Type]:
    """The program inputs that belong to an argument, in the program's order: `bids`, or `bids.price` ..."""
    return {name: t for name, t in checked.inputs.items() if argument_of(name) == argument}


def argument_of(input_name: str) -> str:
    """The table that a program input belongs to: `bids` for `bids` and for `bids.price`."""
    return input_name.partition(".")[0]


def _check_parameters(specification: Specification, checked: Checked) -> None:
    orders = {name for name, declared in checked.parameters.items() if declared.kind == "order"}
    if not orders and specification.order is not None:
        raise UsageError("the program breaks no ties: leave out order")
    _same("parameter", set(specification.parameters), set(checked.parameters) - orders, "give it a value")
    for name, value in specification.parameters.items():
        for item in value if isinstance(value, tuple) else (value,):
            _check_parameter(name, item, checked.parameters[name])


def _check_parameter(name: str, item: int | bool, declared: Type) -> None:
    if isinstance(item, bool) != (declared.kind == "bool"):
        raise UsageError(f"the parameter {name} must be of type {declared.kind}")
    if not declared.low <= int(item) <= declared.high:
        raise UsageError(f"the parameter {name} must lie in [{declared.low}, {declared.high}]")


def _same(what: str, given: set[str], known: set[str], fix: str) -> None:
    for name in sorted(given - known):
        raise UsageError(f"the program has no {what} {name!r}{did_you_mean(name, sorted(known))}")
    for name in sorted(known - given):
        raise UsageError(f"the {what} {name!r} of the program is missing in the job", fix=fix)
