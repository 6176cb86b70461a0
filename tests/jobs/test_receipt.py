"""Receipts and evidence: offline, by signatures alone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.cli.receipt import verdict_text
from mpcd.errors import NotFoundError, RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope, Signature
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster
from mpcd.jobs import evidence as evidence_of
from mpcd.jobs.evidence import Evidence, as_statements, as_texts
from mpcd.jobs.receipt import Receipt, Verdict, combine, verify

FOUR = tuple(f"{k}{k}" * 32 for k in range(4))
Identities = dict[str, Identity]


def receipt(roster: Roster, **changes: Any) -> Receipt:
    fields: dict[str, Any] = {
        "job": "aa" * 32,
        "session": "bb" * 32,
        "attempt": 1,
        "program_hash": "cc" * 32,
        "roster_hash": roster.hash,
        "protocol": "rep4",
        "profile": "fair",
        "adversary": "malicious",
        "computing": ("alice", "bob", "carol", "dave"),
        "epochs": ({"protocol": "rep4", "computing": ("alice", "bob", "carol", "dave")},),
        "outcome": "succeeded",
        "inputs": ({"owner": "erin", "argument": "bids", "rows": 2, "commitments": FOUR},),
        "excluded": ({"owner": "alice", "argument": "bids", "reason": "missing"},),
        "reveals": ({"name": "range_check", "digest": "dd" * 32},),
        "outputs": ({"output": "price", "to": ("alice", "frank"), "commitments": FOUR},),
    }
    return Receipt.model_validate(fields | changes, strict=False)


def signed(roster: Roster, identities: Identities, *names: str) -> Envelope:
    one = receipt(roster)
    return combine([one.envelope(identities[name]) for name in names])


@pytest.mark.parametrize(
    ("signers", "valid"),
    [
        (["alice", "bob", "carol", "dave"], True),
        (["bob", "dave"], True),
        (["carol"], False),
        (["carol", "erin", "frank"], False),
    ],
)
def test_enough_signatures_of_computing_parties(
    signers: list[str], valid: bool, roster: Roster, identities: Identities
) -> None:
    verdict = verify(signed(roster, identities, *signers), roster)
    assert verdict.valid is valid
    assert set(verdict.signed) | set(verdict.silent) == {"alice", "bob", "carol", "dave"}
    assert verdict.signed == tuple(name for name in verdict.receipt.computing if name in signers)
    assert verdict.others == tuple(name for name in signers if name in ("erin", "frank"))
    assert "2 are needed" in verdict.reason


def test_a_receipt_file_comes_back(roster: Roster, identities: Identities) -> None:
    envelope = signed(roster, identities, "alice", "bob")
    assert verify(Envelope.from_text(envelope.to_text()), roster).valid


def test_a_changed_receipt_is_refused(roster: Roster, identities: Identities) -> None:
    text = signed(roster, identities, "alice", "bob").to_text()
    for old, new in (('rows\\":2', 'rows\\":3'), ("frank", "erin"), ("fair", "abort")):
        assert old in text
        with pytest.raises((RefusedError, MalformedError)):
            verify(Envelope.from_text(text.replace(old, new)), roster)


def test_one_bad_signature_spoils_the_file(roster: Roster, identities: Identities) -> None:
    good = signed(roster, identities, "alice", "bob")
    with pytest.raises(RefusedError, match="carol"):
        verify(good.with_signatures([Signature("carol", bytes(64))]), roster)


def test_another_roster_type_or_member(roster: Roster, identities: Identities) -> None:
    good = signed(roster, identities, "alice", "bob")
    with pytest.raises(RefusedError, match="not for"):
        verify(good, Roster(roster.members[:-1]))
    with pytest.raises(RefusedError, match="not a receipt"):
        verify(Envelope("mpcd.consent", good.payload), roster)
    four = ("alice", "bob", "carol", "zoe")
    strangers = receipt(roster, computing=four, epochs=({"protocol": "rep4", "computing": four},))
    with pytest.raises(NotFoundError, match="zoe"):
        verify(strangers.envelope(identities["alice"]), roster)


def test_different_receipts_are_not_combined(roster: Roster, identities: Identities) -> None:
    one = receipt(roster).envelope(identities["alice"])
    other = receipt(roster, attempt=2).envelope(identities["bob"])
    with pytest.raises(MalformedError, match="differ"):
        combine([one, other])
    with pytest.raises(MalformedError, match="no receipt"):
        combine([])


@pytest.mark.parametrize(
    "changes",
    [
        {"computing": ("alice", "alice", "bob", "carol")},
        {"outcome": "aborted"},
        {"inputs": ({"owner": "erin", "argument": "bids", "rows": 2, "commitments": FOUR[:3]},)},
        {"inputs": ({"owner": "erin", "argument": "bids", "rows": 2},)},
        {"inputs": ({"owner": "e", "argument": "b", "rows": 2, "commitments": FOUR, "default": True},)},
        {"outputs": ({"output": "price", "to": ("frank", "alice"), "commitments": FOUR},)},
        {"epochs": ()},
        {"epochs": ({"protocol": "rep3", "computing": ("bob", "alice", "carol")},)},
        {"epochs": ({"protocol": "rep3", "computing": ("alice", "bob", "carol")},)},
        {"faults": ({"epoch": 0, "blamed": ("bob",), "unreachable": ("dave",), "stage": "x", "reason": ""},)},
        {"faults": ({"epoch": 0, "stage": "barrier", "reason": "x"},)},
        {"job": "AA" * 32},
        {"attempt": -1},
        {"extra": 1},
    ],
)
def test_impossible_receipts(changes: dict[str, Any], roster: Roster) -> None:
    with pytest.raises(ValueError, match="validation error"):
        receipt(roster, **changes)


def test_a_receipt_says_where_defaults_were_used_and_only_there(roster: Roster) -> None:
    assert b'"default"' not in receipt(roster).to_bytes()
    lines = [{"owner": "erin", "argument": "bids", "rows": 2, "default": True}]
    why = [{"owner": "erin", "argument": "bids", "reason": "no input came in time", "default": True}]
    one = receipt(roster, inputs=lines, excluded=why)
    assert one.to_bytes().count(b'"default":true') == 2
    assert Receipt.from_bytes(one.to_bytes()) == one
    text = verdict_text(Verdict(True, one, (), (), (), "enough"))
    assert "  input      erin: 2 rows for bids, all of them the default row of the job\n" in text
    assert "  excluded   erin: bids, no input came in time; the default row of the job was used\n" in text


def test_an_aborted_run_has_a_receipt_without_outputs(roster: Roster) -> None:
    faults = (
        {"epoch": 0, "blamed": ("alice", "bob"), "stage": "barrier", "reason": "a tag"},
        {"epoch": 1, "link": ("alice", "bob"), "stage": "barrier", "reason": "nothing came"},
        {"epoch": 1, "unreachable": ("dave",), "stage": "session", "reason": "silent"},
    )
    one = receipt(roster, outcome="aborted", outputs=(), faults=faults)
    assert Receipt.from_bytes(one.to_bytes()) == one


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise(data: bytes) -> None:
    for kind in (Receipt, Evidence):
        with pytest.raises(MalformedError):
            kind.from_bytes(data)


# ---------------------------------------------------------------- evidence


def record(**changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "job": "aa" * 32,
        "reporter": "alice",
        "kind": "contradiction",
        "step": "computing/multiply",
        "round": 17,
        "blamed": ("bob", "carol"),
    }
    return Evidence.model_validate(fields | changes)


def test_evidence_verifies_with_its_statements(roster: Roster, identities: Identities) -> None:
    statements = as_statements([Envelope("mpcd.slot", b"x").sign(identities["bob"])])
    one = record(kind="equivocation", blamed=("bob",), statements=statements)
    assert evidence_of.verify(one.envelope(identities["alice"]), roster) == one
    assert one.envelopes()[0].signers == {"bob"}


def test_evidence_with_bad_signatures_is_refused(roster: Roster, identities: Identities) -> None:
    one = record()
    with pytest.raises(RefusedError, match="lacks the signature of alice"):
        evidence_of.verify(one.envelope(identities["bob"]), roster)
    forged = Envelope("mpcd.slot", b"x", (Signature("bob", bytes(64)),))
    for envelope, message in ((forged, "forged"), (Envelope("mpcd.slot", b"x"), "not signed")):
        bad = record(statements=as_statements([envelope])).envelope(identities["alice"])
        with pytest.raises(RefusedError, match=message):
            evidence_of.verify(bad, roster)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "silence"},
        {"kind": "silence", "blamed": ("bob",), "unreachable": ("carol",)},
        {"blamed": ()},
        {"unreachable": ("bob",)},
        {"blamed": ("alice",)},
        {"blamed": ("carol", "bob")},
        {"statements": ("*",)},
        {"statements": ("AAAA",)},
        {"kind": "rumour"},
    ],
)
def test_impossible_evidence(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        record(**changes)


def test_silence_is_no_accusation() -> None:
    one = record(kind="silence", blamed=(), unreachable=("bob",))
    assert one.blamed == ()
    assert Evidence.from_bytes(one.to_bytes()) == one


def test_what_nobody_signed_is_no_evidence(roster: Roster, identities: Identities) -> None:
    """A statement of a slot signs the digest of what was said; the body travels beside it."""
    said = Envelope("mpcd.slot", b"slot" + hashlib.sha256(b"ready").digest()).sign(identities["bob"])
    good = record(statements=as_statements([said]), bodies=as_texts([b"ready"]))
    assert evidence_of.verify(good.envelope(identities["alice"]), roster) == good
    bad = record(statements=as_statements([said]), bodies=as_texts([b"not ready"]))
    with pytest.raises(RefusedError, match="signed by nobody"):
        evidence_of.verify(bad.envelope(identities["alice"]), roster)
