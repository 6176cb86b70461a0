"""Consents: each involved party's signed yes or no to one specification, and the check of the whole set.

A consent names what it is about by hashes, so that it cannot be moved to another job, program or roster, and
fixes how many rows the party brings. The dataset's digest is keyed with a secret of the party: it binds the
party to its data without letting anybody test guesses of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from mpcd.errors import RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.names import Field as Label
from mpcd.identity.names import Name
from mpcd.identity.roster import Roster
from mpcd.identity.units import Strict
from mpcd.jobs.limits import MAX_INPUTS, MAX_ROWS
from mpcd.jobs.specification import Specification
from mpcd.jobs.statements import Hex32, Reason, Statement


class Dataset(Strict):
    """What a party brings for one argument; `digest` is keyed and says nothing to others."""

    argument: Label
    dataset: Label
    rows: Annotated[int, Field(ge=1, le=MAX_ROWS)]
    digest: Hex32


class Consent(Statement):
    """One party's answer. A refusal has a reason and no datasets."""

    TYPE: ClassVar[str] = "mpcd.consent"

    job: Hex32
    party: Name
    roster_hash: Hex32
    program_hash: Hex32
    accept: bool
    reason: Reason = ""
    datasets: Annotated[tuple[Dataset, ...], Field(max_length=MAX_INPUTS)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Consent:
        if self.accept == bool(self.reason):
            raise ValueError("a refusal has a reason, a consent has none")
        if not self.accept and self.datasets:
            raise ValueError("a refusal brings no data")
        return self


def accept(specification: Specification, job: bytes, party: str, datasets: Iterable[Dataset] = ()) -> Consent:
    """The consent of `party`, which brings these datasets."""
    hashes = (specification.roster_hash, specification.program_hash)
    return _answer(job, party, hashes, "", tuple(datasets))


def refuse(specification: Specification, job: bytes, party: str, reason: str) -> Consent:
    """The refusal of `party`; others read the reason."""
    hashes = (specification.roster_hash, specification.program_hash)
    return _answer(job, party, hashes, reason or "no reason given", ())


def _answer(
    job: bytes, party: str, hashes: tuple[str, str], reason: str, datasets: tuple[Dataset, ...]
) -> Consent:
    return Consent(
        job=job.hex(),
        party=party,
        roster_hash=hashes[0],
        program_hash=hashes[1],
        accept=not reason,
        reason=reason,
        datasets=datasets,
    )


def read_consent(
    envelope: Envelope, party: str, specification: Specification, job: bytes, roster: Roster
) -> Consent:
    """The answer of `party` to this job, verified.

    Raises    RefusedError if it is not signed by the party, about another job, or brings other data than owed
    """
    consent = Consent.read(envelope, party, roster)
    about = (consent.job, consent.party, consent.roster_hash, consent.program_hash)
    if about != (job.hex(), party, specification.roster_hash, specification.program_hash):
        raise RefusedError(f"the consent of {party} is about another job, program or roster")
    if consent.accept:
        _check_datasets(consent, specification)
    return consent


def verify_consents(
    envelopes: Mapping[str, Envelope], specification: Specification, job: bytes, roster: Roster
) -> dict[str, Consent]:
    """The consents of exactly all involved parties, all of them positive.

    Raises    RefusedError naming the party that refused, is missing, is not involved, or whose consent is bad
    """
    involved = set(specification.parties)
    for name in sorted(involved - set(envelopes)):
        raise RefusedError(f"the consent of {name} is missing")
    for name in sorted(set(envelopes) - involved):
        raise RefusedError(f"{name} consented but is not involved in the job")
    consents = {
        name: read_consent(envelopes[name], name, specification, job, roster) for name in sorted(involved)
    }
    for name, consent in consents.items():
        if not consent.accept:
            raise RefusedError(f"{name} refused: {consent.reason}")
    return consents


def _check_datasets(consent: Consent, specification: Specification) -> None:
    owed = {entry.argument: entry for entry in specification.inputs_of(consent.party)}
    brought = [dataset.argument for dataset in consent.datasets]
    if sorted(brought) != sorted(owed):
        raise RefusedError(f"the consent of {consent.party} does not bring the inputs it owes")
    for dataset in consent.datasets:
        entry = owed[dataset.argument]
        if dataset.dataset != entry.dataset or dataset.rows > entry.rows:
            raise RefusedError(
                f"the consent of {consent.party} brings {dataset.rows} rows of {dataset.dataset} "
                f"for {dataset.argument}, the job asks for at most {entry.rows} of {entry.dataset}"
            )
