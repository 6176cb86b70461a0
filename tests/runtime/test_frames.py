"""The frame codec: what is decoded is what was sent; anything else is refused before it is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import ChannelError, InternalError, PeerError
from mpcd.protocols.rounds import Blob, Round, Spec
from mpcd.runtime.frames import FrameCodec, TagFault
from mpcd.runtime.layout import HEADER_BYTES
from mpcd.runtime.lockstep import tag_keys
from tests.runtime.ring_of_parties import SESSION, codec, decode, frames_to, round_of, words_of


def test_every_message_arrives() -> None:
    inbox = decode(frames_to(0))
    np.testing.assert_array_equal(inbox[3, "words~2"], words_of(3))
    assert inbox[2, "blob"] == b"\2\2\2"
    assert set(inbox) == {(3, "words~2"), (2, "blob")}


def test_received_words_are_aligned_views_into_the_frame() -> None:
    frames = {p: bytearray(f) for p, f in frames_to(0).items()}
    r, mine = round_of(0), codec(0)
    mine.encode(0, r)
    words = mine.decode(0, r, frames)[3, "words~2"]
    assert not isinstance(words, bytes)
    assert words.flags.aligned
    frames[3][HEADER_BYTES] ^= 0xFF
    assert words[0] == words_of(3)[0] ^ np.uint64(0xFF)


def test_words_in_an_unaligned_buffer_arrive_aligned() -> None:
    frames = {p: memoryview(b"x" + f)[1:] for p, f in frames_to(0).items()}
    r, mine = round_of(0), codec(0)
    mine.encode(0, r)
    words = mine.decode(0, r, frames)[3, "words~2"]
    assert not isinstance(words, bytes)
    assert words.flags.aligned
    np.testing.assert_array_equal(words, words_of(3))


def test_large_arrays_are_sent_without_a_copy() -> None:
    big = np.zeros(100_000, np.uint64)
    parts = codec(0).encode(0, Round("top", send={(1, "big"): big}))[1]
    assert len(parts) == 2
    assert np.shares_memory(np.frombuffer(parts[1], np.uint64), big)


@pytest.mark.parametrize("shape", [(3, 4), (30, 400)])
def test_arrays_that_are_not_contiguous_arrive_in_c_order(shape: tuple[int, int]) -> None:
    square = np.arange(shape[0] * shape[1], dtype=np.uint64).reshape(shape).T
    r0 = Round("top", send={(1, "a"): square})
    r1 = Round("top", recv={(0, "a"): Spec(square.shape)})
    frames = {p: b"".join(codec(p).encode(0, r0 if p == 0 else Round("top"))[1]) for p in (0, 2, 3)}
    np.testing.assert_array_equal(decode(frames, r=r1, me=1)[0, "a"], square)


@given(
    shapes=st.dictionaries(
        st.text(max_size=3), st.lists(st.integers(0, 3), max_size=3).map(tuple), max_size=5
    ),
    blobs=st.dictionaries(st.text(min_size=4, max_size=5), st.binary(max_size=9), max_size=3),
)
def test_any_messages_arrive(shapes: dict[str, tuple[int, ...]], blobs: dict[str, bytes]) -> None:
    sent = {
        label: np.random.default_rng(k).integers(0, 2**64, shape, dtype=np.uint64)
        for k, (label, shape) in enumerate(shapes.items())
    }
    two = {me: FrameCodec(me, (0, 1), SESSION, 0, tag_keys(me, (0, 1))) for me in (0, 1)}
    outgoing = {(1, label): np.array(a) for label, a in sent.items()} | {(1, b): v for b, v in blobs.items()}
    expected = {(0, label): Spec(a.shape) for label, a in sent.items()} | {(0, b): Blob(9) for b in blobs}
    frame = b"".join(two[0].encode(0, Round("p", send=outgoing))[1])
    r = Round("p", recv=expected)
    two[1].encode(0, r)
    inbox = two[1].decode(0, r, {0: frame})
    assert set(inbox) == set(expected)
    for (_, label), payload in inbox.items():
        np.testing.assert_array_equal(payload, sent.get(label, blobs.get(label)))


def test_the_header_has_its_declared_length_and_keeps_words_aligned() -> None:
    assert len(b"".join(codec(0).encode(0, Round("top"))[1])) == HEADER_BYTES
    assert HEADER_BYTES % 8 == 0


def test_expected_bytes_bound_every_frame_and_are_exact_without_blobs() -> None:
    expected = codec(0).expected_bytes(0, round_of(0))
    lengths = {sender: len(frame) for sender, frame in frames_to(0).items()}
    assert lengths[1] == expected[1] == HEADER_BYTES
    assert lengths[3] == expected[3] == HEADER_BYTES + 24
    assert lengths[2] == HEADER_BYTES + 4 + 3 + 16
    assert expected[2] == HEADER_BYTES + 4 + 40 + 16


# -- absent ---------------------------------------------------------------------------------------


def test_silence_is_a_channel_error_and_accuses_nobody() -> None:
    frames = frames_to(0)
    del frames[3]
    with pytest.raises(ChannelError) as caught:
        decode(frames)
    assert caught.value.unreachable == {3}


def test_an_absent_sender_is_left_out_of_the_inbox() -> None:
    frames = frames_to(0)
    del frames[3]
    assert set(decode(frames, r=replace(round_of(0), absent=frozenset({3})))) == {(2, "blob")}


def test_an_absent_backup_is_never_excused() -> None:
    """Else a cheater could hand over unverified words by silencing the backup."""
    frames = frames_to(0)
    del frames[2]
    with pytest.raises(ChannelError) as caught:
        decode(frames, r=replace(round_of(0), absent=frozenset({2})))
    assert caught.value.unreachable == {2}


def test_a_lie_counts_more_than_silence() -> None:
    frames = frames_to(0)
    del frames[1]
    with pytest.raises(PeerError):
        decode(frames | {3: b""})


# -- misuse ---------------------------------------------------------------------------------------


def test_a_round_number_is_used_once() -> None:
    mine = codec(0)
    mine.encode(5, round_of(0))
    for number in (5, 4):
        with pytest.raises(InternalError, match="nonce"):
            mine.encode(number, round_of(0))
    assert mine.next_number == 6


def test_only_the_round_just_encoded_is_decoded_and_only_once() -> None:
    mine, r = codec(0), round_of(0)
    mine.encode(0, r)
    with pytest.raises(InternalError):
        mine.decode(0, round_of(0), frames_to(0))
    mine.decode(0, r, frames_to(0))
    with pytest.raises(InternalError):
        mine.decode(0, r, frames_to(0))


CONTRADICTIONS = {
    "to oneself": Round("p", send={(0, "a"): words_of(0)}),
    "to a stranger": Round("p", send={(4, "a"): words_of(0)}),
    "from a stranger": Round("p", recv={(4, "a"): Spec((1,))}),
    "vouched but not expected": Round("p", vouched={(1, "a~2"): 2}),
    "a vouched blob": Round("p", recv={(1, "a~2"): Blob(4)}, vouched={(1, "a~2"): 2}),
    "backed by its sender": Round("p", recv={(1, "a~1"): Spec((1,))}, vouched={(1, "a~1"): 1}),
    "vouched by oneself to the sender": Round("p", vouch={(1, 1, "a~0"): words_of(0)}),
    "vouched under a label that tells nobody": Round("p", vouch={(1, 2, "a"): words_of(0)}),
    "vouched under another's name": Round("p", vouch={(1, 2, "a~3"): words_of(0)}),
    "backed by another than told": Round("p", recv={(1, "a~2"): Spec((1,))}, vouched={(1, "a~2"): 3}),
    "wrong type": Round("p", send={(1, "a"): np.zeros(3, np.int64)}),
}


@pytest.mark.parametrize("what", sorted(CONTRADICTIONS))
def test_a_round_that_contradicts_itself_is_our_bug(what: str) -> None:
    with pytest.raises(InternalError):
        codec(0).encode(0, CONTRADICTIONS[what])


def test_nothing_secret_is_printed() -> None:
    assert "words" not in repr(codec(0))
    fault = TagFault("top", sender=1, backup=2, receiver=0, round=7)
    assert fault.blamed == {1, 2}
    assert "party 1" in str(fault)


# -- looking layouts up ---------------------------------------------------------------------------

BASE = Round(
    "p",
    send={(1, "a"): words_of(0)},
    vouch={(2, 3, "b~0"): words_of(2)},
    recv={(1, "c~2"): Spec((3,)), (2, "d"): Blob(9)},
    vouched={(1, "c~2"): 2},
)
NEAR = {
    "shape sent": replace(BASE, send={(1, "a"): words_of(0, 4)}),
    "words become a blob": replace(BASE, send={(1, "a"): bytes(24)}),
    "label sent": replace(BASE, send={(1, "z"): words_of(0)}),
    "receiver": replace(BASE, send={(2, "a"): words_of(0)}),
    "shape backed": replace(BASE, vouch={(2, 3, "b~0"): words_of(2, 4)}),
    "sender backed": replace(BASE, vouch={(1, 3, "b~0"): words_of(2)}),
    "nothing backed": replace(BASE, vouch={}),
    "shape expected": replace(BASE, recv={(1, "c~2"): Spec((4,)), (2, "d"): Blob(9)}),
    "limit expected": replace(BASE, recv={(1, "c~2"): Spec((3,)), (2, "d"): Blob(8)}),
    "other backup": replace(BASE, recv={(1, "c~3"): Spec((3,)), (2, "d"): Blob(9)}, vouched={(1, "c~3"): 3}),
    "no backup": replace(BASE, vouched={}),
}


@pytest.mark.parametrize("what", sorted(NEAR))
def test_a_layout_is_never_used_for_a_round_it_does_not_fit(what: str) -> None:
    """A codec that has seen the base round treats a near one as a fresh codec does."""
    near, fresh, warm = NEAR[what], codec(0), codec(0)
    warm.encode(0, BASE)
    base_limits = warm.expected_bytes(0, BASE)
    frames = {p: b"".join(parts) for p, parts in fresh.encode(1, near).items()}
    assert {p: b"".join(parts) for p, parts in warm.encode(1, near).items()} == frames
    assert warm.expected_bytes(1, near) == fresh.expected_bytes(1, near)
    other = codec(0)
    base_frames = {p: b"".join(parts) for p, parts in other.encode(1, BASE).items()}
    assert frames != base_frames or fresh.expected_bytes(1, near) != base_limits, "not a near round at all"
