"""Tags: GMAC, in one call and streamed."""

from __future__ import annotations

import hashlib

import pytest

from mpcd.ring import tags
from mpcd.ring.tags import Buffer

KEY = bytes(range(16))


@pytest.mark.parametrize("size", [0, 8, 32_000, 33_000, 200_000])
def test_one_shot_and_streamed_tags_are_the_same_function(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = hashlib.shake_128(b"any").digest(size)
    parts: list[Buffer] = [data[: size // 3], memoryview(data)[size // 3 :]]
    made = tags.tag(KEY, bytes(12), b"header", parts)
    monkeypatch.setattr(tags, "_ONE_SHOT_BYTES", -1 if size < 32_768 else 2**30)
    assert tags.tag(KEY, bytes(12), b"header", parts) == made


def test_gmac_known_answer() -> None:
    """The GCM specification of McGrew and Viega, test case 1: zero key and nonce, no data at all."""
    assert tags.tag(bytes(16), bytes(12), b"", []).hex() == "58e2fccefa7e3061367f1d57a4e7455a"


def test_the_split_into_parts_does_not_count_but_every_argument_does() -> None:
    made = tags.tag(KEY, bytes(12), b"h", [b"abc", b"def"])
    assert made == tags.tag(KEY, bytes(12), b"ha", [b"bcdef"])
    others = {
        tags.tag(bytes(16), bytes(12), b"h", [b"abcdef"]),
        tags.tag(KEY, b"1" + bytes(11), b"h", [b"abcdef"]),
        tags.tag(KEY, bytes(12), b"H", [b"abcdef"]),
        tags.tag(KEY, bytes(12), b"h", [b"abcdeF"]),
    }
    assert len(others | {made}) == 5


def test_the_key_is_not_printed() -> None:
    assert KEY.hex() not in repr(tags.TagKey(KEY))
