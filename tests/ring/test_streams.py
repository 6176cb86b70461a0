"""Streams: the bytes are AES-CTR's, slices never overlap, and nothing is drawn twice."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import InternalError
from mpcd.ring.streams import MAX_BLOCKS, Stream, Streams, derive, expand_seed, stream_name

KEY = bytes(range(16))


def reference(key: bytes, path: str, words: int) -> npt.NDArray[np.uint64]:
    """The definition, word by word: CTR from the first 96 bits of SHA-256(path) and a zero counter."""
    iv = hashlib.sha256(path.encode()).digest()[:12] + bytes(4)
    cipher = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return np.frombuffer(cipher.update(bytes(8 * words)), "<u8")


def stream(path: str = "job/3/mul") -> Stream:
    return Streams({1: KEY}).open(1, path)


@pytest.mark.parametrize("words", [1, 2, 3, 255, 256, 257, 1000, 40_000])
def test_a_stream_is_ctr_mode_whatever_its_length(words: int) -> None:
    """Small draws take another way (single blocks); they must give the same bytes."""
    expected = reference(KEY, "job/3/mul", words)
    np.testing.assert_array_equal(stream().draw(words), expected)
    out = np.empty(words, np.uint64)
    stream().fill(out)
    np.testing.assert_array_equal(out, expected)
    stream().cut(words).fill(out)
    np.testing.assert_array_equal(out, expected)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 120), max_size=8))
def test_slices_are_consecutive_and_begin_at_blocks(sizes: list[int]) -> None:
    whole = reference(KEY, "p", 2 * sum((size + 1) // 2 for size in sizes))
    opened, start = Streams({0: KEY}).open(0, "p"), 0
    readers = [opened.cut(size) for size in sizes]
    for size, reader in zip(sizes, readers, strict=True):
        out = np.empty(size, np.uint64)
        reader.fill(out[: size // 3])
        reader.fill(out[size // 3 :])
        np.testing.assert_array_equal(out, whole[start : start + size])
        start += 2 * ((size + 1) // 2)


def test_the_first_words_of_a_stream_are_known() -> None:
    """A known answer, from `openssl enc`: parties of different versions must draw the same."""
    assert stream().draw(2).tolist() == [1616302812697918808, 14874110097426299461]


@pytest.mark.parametrize("other", ["job/3/mul/1", "job/3/mu", "", "job/3/mul "])
def test_paths_that_differ_give_other_words(other: str) -> None:
    assert not np.isin(stream(other).draw(64), stream().draw(64)).any()


def test_keys_that_differ_give_other_words() -> None:
    streams = Streams({0: KEY, 1: bytes(16)})
    assert not np.isin(streams.open(0, "p").draw(64), streams.open(1, "p").draw(64)).any()


def test_a_stream_is_opened_once() -> None:
    streams = Streams({0: KEY, 1: KEY})
    streams.open(0, "p")
    streams.open(1, "p")
    with pytest.raises(InternalError, match="twice"):
        streams.open(0, "p")


def test_a_key_that_is_not_held_cannot_be_used() -> None:
    with pytest.raises(InternalError, match="does not hold key 2"):
        Streams({0: KEY}).open(2, "p")


def test_a_reader_cannot_run_into_the_next_slice() -> None:
    reader = stream().cut(100)
    reader.fill(np.empty(60, np.uint64))
    with pytest.raises(InternalError, match="than reserved"):
        reader.fill(np.empty(41, np.uint64))
    small = stream().cut(4)
    small.fill(np.empty(3, np.uint64))
    with pytest.raises(InternalError, match="than reserved"):
        small.fill(np.empty(2, np.uint64))


def test_a_stream_ends_before_its_counter_wraps() -> None:
    opened = stream()
    opened.cut(2 * MAX_BLOCKS - 2)
    opened.draw(2)
    with pytest.raises(InternalError, match="exhausted"):
        opened.draw(1)


def test_derive_separates_its_parts() -> None:
    outputs = {
        derive(KEY, b"ab", b"c"),
        derive(KEY, b"a", b"bc"),
        derive(KEY, b"abc"),
        derive(KEY, b"ab", b"c", b""),
    }
    assert len(outputs) == 4
    assert derive(KEY, b"ab", b"c") in outputs
    assert len(derive(KEY, b"x", length=32)) == 32


def test_a_seed_is_expanded_for_its_purpose_only() -> None:
    a = expand_seed(bytes(32), (b"session", b"owner"), 100)
    np.testing.assert_array_equal(a[:10], expand_seed(bytes(32), (b"session", b"owner"), 10))
    assert not np.isin(a, expand_seed(bytes(32), (b"session", b"other"), 100)).any()


def test_reprs_show_no_words() -> None:
    opened = Streams({0: KEY})
    assert repr(opened) == "Streams(keys of ['0'])"
    assert repr(opened.open(0, "p")) == "Stream()"
    assert repr(opened.open(0, "q").cut(4)) == "Reader()"


@pytest.mark.parametrize("sizes", [[1, 1], [3, 0, 4], [255, 1], [255, 2, 5], [300, 7, 300]])
def test_slices_drawn_at_once_are_the_slices_drawn_in_turn(sizes: list[int]) -> None:
    one_by_one = stream()
    for slice_, size in zip(stream().draw_slices(sizes), sizes, strict=True):
        np.testing.assert_array_equal(slice_, one_by_one.draw(size))


@pytest.mark.parametrize("size", [1, 2, 5, 63])
def test_few_words_of_several_streams_are_those_of_each_stream(size: int) -> None:
    keys = {a: bytes([a]) * 16 for a in range(3)}
    together = Streams(keys).draw_few(stream_name("p"), ((0, 2), (2, 1)), size)
    apart, step = Streams(keys), size + size % 2
    slices = [*apart.open(0, "p").draw_slices([size, size]), *apart.open(2, "p").draw_slices([size])]
    for k, expected in enumerate(slices):
        np.testing.assert_array_equal(together[k * step : k * step + size], expected)


def test_few_words_are_drawn_once_and_are_few() -> None:
    streams = Streams({0: KEY})
    streams.draw_few(stream_name("p"), ((0, 1),), 4)
    for path, key in (("p", 0), ("q", 1)):
        with pytest.raises(InternalError):
            streams.draw_few(stream_name(path), ((key, 1),), 4)
    with pytest.raises(InternalError, match="twice"):
        streams.open(0, "p")
    with pytest.raises(InternalError, match="few"):
        streams.draw_few(stream_name("r"), ((0, 2),), 200)
