"""Envelopes: what is signed stays signed, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError, pack, unpack
from mpcd.identity.envelope import MAX_PAYLOAD_BYTES, Envelope, Signature
from mpcd.identity.keys import Identity, verify_signature
from mpcd.identity.roster import Roster

from .conftest import Org


def test_a_signed_envelope_names_its_signers(alice: Org, bob: Org, roster: Roster) -> None:
    envelope = Envelope("mpcd/note/1", b"hello").sign(bob.identity).sign(alice.identity)
    again = Envelope.from_bytes(envelope.to_bytes())
    assert again == envelope
    assert again.verify(roster) == {"alice", "bob"}
    assert again.expect("mpcd/note/1", "bob", roster) == b"hello"


def test_a_changed_payload_type_or_signer_is_refused(alice: Org, bob: Org, roster: Roster) -> None:
    good = Envelope("mpcd/note/1", b"hello").sign(alice.identity)
    signature = good.signatures[0].signature
    for bad in (
        replace(good, payload=b"hellp"),
        replace(good, type="mpcd/note/2"),
        replace(good, signatures=(Signature("bob", signature),)),
        replace(good, signatures=(Signature("alice", bytes(64)),)),
    ):
        with pytest.raises(RefusedError, match="forged or damaged"):
            bad.verify(roster)


def test_a_good_signature_does_not_cover_for_a_bad_one(alice: Org, roster: Roster) -> None:
    mixed = Envelope("a", b"").sign(alice.identity).with_signatures([Signature("bob", bytes(64))])
    with pytest.raises(RefusedError, match="bob"):
        mixed.verify(roster)


def test_a_stranger_is_refused(mallory: Org, roster: Roster) -> None:
    with pytest.raises(RefusedError, match="not in the roster"):
        Envelope("a", b"").sign(mallory.identity).verify(roster)


def test_a_namesake_with_another_key_is_refused(roster: Roster) -> None:
    with pytest.raises(RefusedError, match="forged"):
        Envelope("a", b"").sign(Identity.create("alice")).verify(roster)


def test_expect_wants_the_type_and_the_signer(alice: Org, roster: Roster) -> None:
    envelope = Envelope("a", b"").sign(alice.identity)
    with pytest.raises(RefusedError, match="expected a message of type b"):
        envelope.expect("b", "alice", roster)
    with pytest.raises(RefusedError, match="lacks the signature of bob"):
        envelope.expect("a", "bob", roster)


def test_type_and_payload_cannot_slide_into_each_other() -> None:
    assert Envelope("ab", b"c").digest != Envelope("a", b"bc").digest


def test_limits() -> None:
    with pytest.raises(MalformedError):
        Envelope("a", bytes(MAX_PAYLOAD_BYTES + 1))
    with pytest.raises(MalformedError):
        Envelope("A b", b"")
    with pytest.raises(MalformedError):
        Envelope("a", b"", (Signature("alice", bytes(64)), Signature("alice", bytes(64))))
    with pytest.raises(MalformedError):
        Envelope("a", b"", (Signature("alice", bytes(63)),))


def test_the_text_form_comes_back(alice: Org, bob: Org, roster: Roster) -> None:
    envelope = Envelope("mpcd.note", '{"ä":"\\n\u2028"}'.encode()).sign(bob.identity).sign(alice.identity)
    text = envelope.to_text()
    assert Envelope.from_text(text) == envelope
    assert Envelope.from_text(text.replace(": ", " :   ")).verify(roster) == {"alice", "bob"}
    with pytest.raises(RefusedError, match="forged"):
        Envelope.from_text(text.replace("ä", "a")).verify(roster)
    with pytest.raises(MalformedError, match="no text form"):
        Envelope("mpcd.note", b"\xff").to_text()


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "[]", "{}", "[" * 100_000, '{"type": "a", "payload": "", "signatures": []}',
        '{"type": "a", "payload": "", "signatures": {"alice": "x"}}',
        '{"type": "a", "payload": "", "signatures": {"alice": 1}}',
        '{"type": "a", "payload": "", "signatures": {"alice": "AAAA"}}',
        '{"type": 1, "payload": "\\ud800", "signatures": {}}',
        '{"type": "A", "payload": "", "signatures": {}}',
    ],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        Envelope.from_text(text)


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_raise(data: bytes) -> None:
    try:
        envelope = Envelope.from_bytes(data)
    except MalformedError:
        return
    assert envelope.to_bytes() == data


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_envelope_never_verifies(at: int, value: int) -> None:
    identity = Identity("alice", b"1" * 32, b"2" * 32)
    data = bytearray(Envelope("mpcd/note/1", b"payload" * 20).sign(identity).to_bytes())
    at %= len(data)
    if data[at] == value:
        return
    data[at] = value
    try:
        envelope = Envelope.from_bytes(bytes(data))
    except MalformedError:
        return
    original = identity.verify_key
    genuine = [
        entry
        for entry in envelope.signatures
        if entry.signer == "alice"
        and verify_signature(original, envelope.type, envelope.payload, entry.signature)
    ]
    assert not genuine


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_pack_and_unpack_are_inverse(parts: list[bytes]) -> None:
    assert unpack(pack(parts), max_parts=6, what="list") == parts


@pytest.mark.parametrize("data", [b"\x01", b"\x05" + bytes(7) + b"abcd", b"\xff" * 8])
def test_truncated_lists_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        unpack(data, max_parts=9, what="list")


def test_signatures_are_not_printed(alice: Org) -> None:
    text = repr(Envelope("a", b"very private").sign(alice.identity))
    assert "private" not in text
    assert "signature=" not in text
