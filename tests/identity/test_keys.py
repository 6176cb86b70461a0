"""Key files: created once, private, and never printed. Sealed boxes: for one holder and one purpose."""

from __future__ import annotations

import copy
import os
import pickle
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PublicKey, SealedBox

from mpcd.errors import ConfigError, InternalError, NotFoundError, RefusedError, UsageError
from mpcd.identity.encoding import MalformedError, pack
from mpcd.identity.keys import (
    Identity,
    create_storage_key,
    load_storage_key,
    verify_signature,
)
from mpcd.identity.names import is_name
from mpcd.identity.sealing import seal, unseal

from .conftest import Org


def test_an_identity_comes_back_from_its_file(tmp_path: Path, alice: Org) -> None:
    path = tmp_path / "identity.key"
    alice.identity.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Identity.load(path)
    assert again.name == "alice"
    assert again.verify_key == alice.identity.verify_key
    assert again.sealing_key == alice.identity.sealing_key
    assert again.sign("t", b"x") == alice.identity.sign("t", b"x")


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_storage_key(tmp_path / "storage.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "storage.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o610])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "identity.key"
    Identity.create("alice").save(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}.*chmod 600"):
        Identity.load(path)


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k"
    key = create_storage_key(path)
    with pytest.raises(UsageError, match="never overwritten"):
        create_storage_key(path)
    with pytest.raises(UsageError, match="never overwritten"):
        Identity.create("alice").save(path)
    assert load_storage_key(path) == key


def test_missing_wrong_and_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "k"
    with pytest.raises(NotFoundError):
        Identity.load(path)
    with pytest.raises(UsageError, match="cannot write"):
        create_storage_key(tmp_path / "no" / "such" / "folder")
    with pytest.raises(ConfigError):
        Identity.load(tmp_path)
    create_storage_key(path)
    with pytest.raises(ConfigError, match="MPCD IDENTITY"):
        Identity.load(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(ConfigError, match="cannot read"):
        load_storage_key(link)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="ordinary file"):
        load_storage_key(tmp_path / "pipe")


@pytest.mark.parametrize("body", ["", "AAAA", "A", "*", "A" * 2000])
@pytest.mark.parametrize("label", ["MPCD IDENTITY", "MPCD STORAGE KEY"])
def test_damaged_bodies(tmp_path: Path, label: str, body: str) -> None:
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_text(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    with pytest.raises(ConfigError):
        Identity.load(path) if "IDENTITY" in label else load_storage_key(path)


def test_secrets_are_not_printed_pickled_or_copied(alice: Org) -> None:
    identity = alice.identity
    assert repr(identity) == str(identity) == "Identity('alice')"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(InternalError):
            attempt(identity)


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "1a", "a.b", "a" * 33, "a\n", "ä", "../a"])
def test_names_that_are_refused(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(UsageError):
        Identity.create(name)


def test_seeds_of_a_wrong_length() -> None:
    with pytest.raises(MalformedError):
        Identity("alice", bytes(31), bytes(32))


def test_signatures(alice: Org, bob: Org) -> None:
    signature = alice.identity.sign("t", b"x")
    key = alice.identity.verify_key
    assert verify_signature(key, "t", b"x", signature)
    assert not verify_signature(key, "t", b"y", signature)
    assert not verify_signature(key, "u", b"x", signature)
    assert not verify_signature(bob.identity.verify_key, "t", b"x", signature)


@given(st.binary(max_size=40), st.binary(max_size=70))
def test_any_key_and_signature_are_judged(key: bytes, signature: bytes) -> None:
    assert not verify_signature(key, "t", b"x", signature)
    assert not verify_signature(key.ljust(32, b"\1")[:32], "t", b"x", signature.ljust(64, b"\1")[:64])


# ---------------------------------------------------------------- sealed boxes

CONTEXT = [b"session", b"alice", b"bids", b"2", b"bob"]


def test_a_box_opens_for_its_holder_in_its_context(bob: Org) -> None:
    box = seal(bob.identity.sealing_key, CONTEXT, b"share")
    assert unseal(bob.identity, CONTEXT, box) == b"share"
    assert b"share" not in box
    assert seal(bob.identity.sealing_key, CONTEXT, b"share") != box


def test_a_box_for_somebody_else_or_damaged_stays_shut(alice: Org, bob: Org) -> None:
    box = seal(bob.identity.sealing_key, CONTEXT, b"share")
    for holder, data in ((alice, box), (bob, box[:-1]), (bob, bytes([box[0] ^ 1]) + box[1:]), (bob, b"")):
        with pytest.raises(RefusedError, match="cannot be opened"):
            unseal(holder.identity, CONTEXT, data)


@pytest.mark.parametrize("at", range(len(CONTEXT)))
def test_every_part_of_the_context_counts(bob: Org, at: int) -> None:
    box = seal(bob.identity.sealing_key, CONTEXT, b"share")
    other = [part + b"x" if number == at else part for number, part in enumerate(CONTEXT)]
    with pytest.raises(RefusedError, match="another purpose"):
        unseal(bob.identity, other, box)


def test_parts_cannot_slide_into_each_other(bob: Org) -> None:
    box = seal(bob.identity.sealing_key, [b"ab", b"c"], b"x")
    with pytest.raises(RefusedError, match="another purpose"):
        unseal(bob.identity, [b"a", b"bc"], box)


def test_a_box_of_another_kind_is_refused(bob: Org) -> None:
    body = pack([b"something else", pack(CONTEXT), b"share"])
    box = SealedBox(PublicKey(bob.identity.sealing_key)).encrypt(body)
    with pytest.raises(RefusedError, match="another purpose"):
        unseal(bob.identity, CONTEXT, box)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), bytes(32)])
def test_unusable_sealing_keys(key: bytes) -> None:
    with pytest.raises(UsageError):
        seal(key, CONTEXT, b"")


@given(st.binary(max_size=200))
def test_any_bytes_open_or_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        unseal(Identity("bob", b"1" * 32, b"2" * 32), CONTEXT, data)
