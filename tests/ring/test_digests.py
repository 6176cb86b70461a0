"""Digests have one reading: other parts, other domains and other borders give other digests."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from mpcd.errors import InternalError
from mpcd.ring.digests import commit, digest


def test_a_digest_is_sha256_of_length_prefixed_parts() -> None:
    encoded = (2).to_bytes(8, "little") + b"in" + (3).to_bytes(8, "little") + b"abc" + bytes(8)
    assert digest("in", b"abc", b"") == hashlib.sha256(encoded).digest()


def test_borders_and_domains_count() -> None:
    variants = [
        digest("d", b"ab", b"c"),
        digest("d", b"a", b"bc"),
        digest("d", b"abc"),
        digest("d", b"abc", b""),
        digest("da", b"bc"),
        digest("e", b"ab", b"c"),
    ]
    assert len(set(variants)) == len(variants)


def test_a_buffer_counts_as_its_bytes() -> None:
    words = np.arange(5, dtype=np.uint64)
    assert digest("d", words.data) == digest("d", words.tobytes()) == digest("d", bytearray(words.tobytes()))


def test_a_commitment_depends_on_salt_and_parts() -> None:
    assert (
        len({commit("c", bytes(32), b"x"), commit("c", b"1" * 32, b"x"), commit("c", bytes(32), b"y")}) == 3
    )


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_has_one_length(length: int) -> None:
    with pytest.raises(InternalError, match="salt"):
        commit("c", bytes(length), b"x")
