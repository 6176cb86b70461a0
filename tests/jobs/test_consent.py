"""Consents: about this job only, by everybody involved, with the data that is owed."""

from __future__ import annotations

import pytest

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.jobs.consent import Consent, Dataset, accept, read_consent, refuse, verify_consents
from mpcd.jobs.specification import Specification

BROUGHT = {
    "alice": [Dataset(argument="bids", dataset="bids", rows=1, digest="11" * 32)],
    "erin": [Dataset(argument="bids", dataset="bids", rows=2, digest="22" * 32)],
}


@pytest.fixture
def consents(specification: Specification, identities: dict[str, Identity]) -> dict[str, Envelope]:
    return {
        name: accept(specification, specification.job, name, BROUGHT.get(name, [])).envelope(identities[name])
        for name in specification.parties
    }


def test_a_full_set_is_accepted(
    consents: dict[str, Envelope], specification: Specification, roster: Roster
) -> None:
    found = verify_consents(consents, specification, specification.job, roster)
    assert set(found) == set(specification.parties)
    assert Consent.from_bytes(consents["erin"].payload) == found["erin"]


def test_missing_superfluous_and_negative_answers(
    consents: dict[str, Envelope],
    specification: Specification,
    roster: Roster,
    identities: dict[str, Identity],
) -> None:
    job = specification.job
    with pytest.raises(RefusedError, match="consent of frank is missing"):
        verify_consents({n: c for n, c in consents.items() if n != "frank"}, specification, job, roster)
    with pytest.raises(RefusedError, match="hub consented but is not involved"):
        verify_consents({**consents, "hub": consents["alice"]}, specification, job, roster)
    no = refuse(specification, job, "bob", "not on Sundays").envelope(identities["bob"])
    with pytest.raises(RefusedError, match="bob refused: not on Sundays"):
        verify_consents({**consents, "bob": no}, specification, job, roster)


def test_a_consent_of_somebody_else_is_refused(
    consents: dict[str, Envelope], specification: Specification, roster: Roster
) -> None:
    with pytest.raises(RefusedError, match="lacks the signature of bob"):
        verify_consents({**consents, "bob": consents["carol"]}, specification, specification.job, roster)


@pytest.mark.parametrize("what", ["job", "roster_hash", "program_hash", "party"])
def test_a_consent_cannot_be_moved(
    what: str, specification: Specification, roster: Roster, identities: dict[str, Identity]
) -> None:
    """A changed specification after consent has another hash: the old consent does not fit it."""
    other = "carol" if what == "party" else "ff" * 32
    good = accept(specification, specification.job, "bob")
    moved = Consent.model_validate({**good.model_dump(), what: other})
    with pytest.raises(RefusedError, match="another job, program or roster"):
        read_consent(moved.envelope(identities["bob"]), "bob", specification, specification.job, roster)


def test_a_forged_consent_is_refused(
    specification: Specification, roster: Roster, identities: dict[str, Identity]
) -> None:
    good = accept(specification, specification.job, "bob").envelope(identities["bob"])
    changed = Envelope(good.type, good.payload.replace(b"true", b"true "), good.signatures)
    with pytest.raises(RefusedError, match="forged"):
        read_consent(changed, "bob", specification, specification.job, roster)
    unsigned = Envelope(good.type, good.payload)
    with pytest.raises(RefusedError, match="lacks the signature"):
        read_consent(unsigned, "bob", specification, specification.job, roster)


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ([], "does not bring the inputs it owes"),
        ([*BROUGHT["erin"], *BROUGHT["erin"]], "does not bring the inputs it owes"),
        ([BROUGHT["erin"][0].model_copy(update={"argument": "x"})], "does not bring"),
        ([BROUGHT["erin"][0].model_copy(update={"dataset": "x"})], "brings 2 rows of x"),
        ([BROUGHT["erin"][0].model_copy(update={"rows": 3})], "brings 3 rows .* at most 2"),
    ],
)
def test_consents_bring_what_is_owed(
    datasets: list[Dataset],
    message: str,
    specification: Specification,
    roster: Roster,
    identities: dict[str, Identity],
) -> None:
    envelope = accept(specification, specification.job, "erin", datasets).envelope(identities["erin"])
    with pytest.raises(RefusedError, match=message):
        read_consent(envelope, "erin", specification, specification.job, roster)


def test_a_computing_party_brings_nothing_it_does_not_owe(
    specification: Specification, roster: Roster, identities: dict[str, Identity]
) -> None:
    envelope = accept(specification, specification.job, "bob", BROUGHT["alice"]).envelope(identities["bob"])
    with pytest.raises(RefusedError, match="does not bring"):
        read_consent(envelope, "bob", specification, specification.job, roster)


def test_contradictory_answers_are_malformed(specification: Specification) -> None:
    good = accept(specification, specification.job, "bob").to_bytes()
    for old, new in ((b'"reason":""', b'"reason":"x"'), (b"true", b"false")):
        with pytest.raises(MalformedError):
            Consent.from_bytes(good.replace(old, new))
