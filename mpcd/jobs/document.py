"""The job file: what a submitter writes, before programs are resolved and names are checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from mpcd.identity.names import Field as Label
from mpcd.identity.names import Name
from mpcd.identity.units import Integer, Seconds, Size, Strict
from mpcd.jobs.defaults import DefaultRow
from mpcd.jobs.limits import (
    MAX_DEADLINE_S,
    MAX_INPUTS,
    MAX_PARAMETER_VALUES,
    MAX_PARAMETERS,
    MAX_PARTIES,
    MAX_RESULTS,
    MAX_ROWS,
    MIN_DEADLINE_S,
)
from mpcd.jobs.statements import Adversary, Missing, Profile

Key = TypeVar("Key")
Protocol = Literal["rep4", "rep3"]
COMPUTING_PARTIES: dict[str, int] = {"rep4": 4, "rep3": 3}
STRONGEST: dict[str, Profile] = {"rep4": "guaranteed", "rep3": "fair"}
"""What a job gets that names no profile."""


class AppProgram(Strict):
    """A program that comes with mpcd, by its name."""

    kind: Literal["app"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


class FileProgram(Strict):
    """A function in a Python file; only the submitter's own machine runs it, to trace the program."""

    kind: Literal["file"]
    path: str
    function: Label


class IrProgram(Strict):
    """A file with the canonical text of a program."""

    kind: Literal["ir"]
    path: str


ProgramEntry = Annotated[AppProgram | FileProgram | IrProgram, Field(discriminator="kind")]


class InputEntry(Strict):
    """One party's rows for one argument. `rows` is a bound: the input has between 1 and so many.

    default  with `missing: default`, the public row that stands in for rows that are missing or out of range
    """

    party: Name
    dataset: Label
    argument: Label
    rows: Annotated[Integer, Field(ge=1, le=MAX_ROWS)]
    # Left out of the signed bytes where there is none: jobs without defaults are what they always were.
    default: Annotated[DefaultRow | None, Field(exclude_if=lambda row: row is None)] = None


class ResultEntry(Strict):
    """Who learns one output."""

    output: Label
    to: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PARTIES)]

    @model_validator(mode="after")
    def _distinct(self) -> ResultEntry:
        if len(set(self.to)) != len(self.to):
            raise ValueError(f"output {self.output}: a recipient is listed twice")
        return self


class CostLimits(Strict):
    """What the submitter is ready to spend; the parties' policies have limits of their own."""

    rounds: Annotated[Integer, Field(ge=1)] = 100_000
    bytes_sent: Annotated[Size, Field(ge=1)] = 16 << 30
    memory: Annotated[Size, Field(ge=1)] = 4 << 30


def _values(value: object) -> object:
    """Numbers of a parameter, which YAML gives as text."""
    if isinstance(value, list | tuple):
        return tuple(_value(item) for item in value)
    return _value(value)


def _value(value: object) -> object:
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str):
        if not value.lstrip("-").isdecimal() or not value.isascii() or len(value) > 21:
            raise ValueError("a parameter is a whole number, true, false, or a list of these")
        return int(value)
    return value


Scalar = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63, strict=True)] | Annotated[bool, Field(strict=True)]
Parameter = Annotated[
    Scalar | Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=MAX_PARAMETER_VALUES)],
    BeforeValidator(_values),
]


class Terms(Strict):
    """What the job file and the specification share: who, what, and under which guarantees."""

    name: Name
    protocol: Protocol = "rep4"
    computing: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PARTIES)]
    inputs: Annotated[tuple[InputEntry, ...], Field(min_length=1, max_length=MAX_INPUTS)]
    results: Annotated[tuple[ResultEntry, ...], Field(min_length=1, max_length=MAX_RESULTS)]
    parameters: dict[Label, Parameter] = Field(default_factory=dict, max_length=MAX_PARAMETERS)
    order: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PARTIES)] | None = None
    profile: Profile = "guaranteed"
    adversary: Adversary = "malicious"
    missing: Missing = "abort"
    deadline: Annotated[Seconds, Field(ge=MIN_DEADLINE_S, le=MAX_DEADLINE_S)] = 600.0
    limits: CostLimits = CostLimits()
    idempotency_key: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,128}$")] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Terms:
        _check_computing(self.protocol, self.computing)
        _check_guarantee(self)
        owners = [(entry.party, entry.argument) for entry in self.inputs]
        for party, argument in _repeated(owners):
            raise ValueError(f"inputs: {party} gives the argument {argument} twice; use one dataset")
        for output in _repeated([entry.output for entry in self.results]):
            raise ValueError(f"results: the output {output} is listed twice")
        _check_defaults(self)
        deliveries = sum(len(entry.to) for entry in self.results)
        if deliveries > MAX_RESULTS:
            raise ValueError(
                f"results: {deliveries} deliveries of outputs, at most {MAX_RESULTS} are possible"
            )
        if self.order is not None and sorted(self.order) != sorted({entry.party for entry in self.inputs}):
            raise ValueError("order: list every input party exactly once")
        return self

    @property
    def parties(self) -> tuple[str, ...]:
        """Everybody who takes part in any role, in order of the names."""
        owners = {entry.party for entry in self.inputs}
        readers = {name for entry in self.results for name in entry.to}
        return tuple(sorted({*self.computing, *owners, *readers}))

    @property
    def result_parties(self) -> tuple[str, ...]:
        """Everybody who learns an output, in order of the names."""
        return tuple(sorted({name for entry in self.results for name in entry.to}))

    def inputs_of(self, party: str) -> tuple[InputEntry, ...]:
        """The inputs that a party owes."""
        return tuple(entry for entry in self.inputs if entry.party == party)


class JobDocument(Terms):
    """A job file."""

    api_version: Literal["mpcd/v1"] = Field(alias="apiVersion")
    kind: Literal["Job"]
    program: ProgramEntry

    @model_validator(mode="before")
    @classmethod
    def _strongest(cls, fields: object) -> object:
        """The strongest profile, if the file names none."""
        if isinstance(fields, dict) and "profile" not in fields:
            protocol = fields.get("protocol", "rep4")
            if protocol in STRONGEST:
                return {**fields, "profile": STRONGEST[protocol]}
        return fields


def _check_computing(protocol: str, computing: tuple[str, ...]) -> None:
    wanted = COMPUTING_PARTIES[protocol]
    if len(computing) != wanted:
        raise ValueError(
            f"computing: {protocol} is computed by exactly {wanted} parties, {len(computing)} are listed; "
            "any number of further parties may give inputs or get results"
        )
    if len(set(computing)) != wanted:
        raise ValueError("computing: a party is listed twice; the parties must be distinct")


def _check_guarantee(terms: Terms) -> None:
    if terms.adversary == "semi-honest":
        raise ValueError(
            f"adversary: {terms.protocol} always withstands a malicious party; semi-honest is not offered"
        )
    if terms.profile == "guaranteed" and STRONGEST[terms.protocol] != "guaranteed":
        raise ValueError(
            "profile: without one of three, the two others hold everything between them, so guaranteed "
            f"output needs four computing parties; the most that {terms.protocol} gives is fair"
        )
    if terms.profile == "identified-abort":
        raise ValueError(
            f"profile: {terms.protocol} finds a set that contains the cheater, not always the cheater; "
            f"the most it gives is {STRONGEST[terms.protocol]}"
        )


def _check_defaults(terms: Terms) -> None:
    """Every input has a default row if the job uses them, and none if it does not."""
    for entry in terms.inputs:
        if terms.missing == "default" and entry.default is None:
            raise ValueError(
                f"missing: {entry.party}'s input for {entry.argument} has no default; with missing: default "
                "every input has one, such as default: 0"
            )
        if terms.missing != "default" and entry.default is not None:
            raise ValueError(
                f"missing: {entry.party}'s input for {entry.argument} has a default, which is used with "
                f"missing: default only; this is missing: {terms.missing}"
            )


def _repeated(keys: Sequence[Key]) -> list[Key]:
    return [key for at, key in enumerate(keys) if key in keys[:at]]
