"""Frames that no honest party sends: refused before anything of the round is seen, and who is blamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import PeerError
from mpcd.protocols.rounds import Blob, Round, Spec
from mpcd.runtime.layout import HEADER_BYTES
from tests.runtime.ring_of_parties import (
    codec,
    decode,
    decoded_or_refused,
    frames_to,
    round_of,
    words_of,
)


@pytest.mark.parametrize("sender", [1, 2, 3])
def test_a_change_of_any_byte_is_refused_and_blamed(sender: int) -> None:
    frames = frames_to(0)
    for at in range(len(frames[sender])):
        for mask in (0x01, 0x80):
            changed = bytearray(frames[sender])
            changed[at] ^= mask
            result = decoded_or_refused(frames | {sender: bytes(changed)})
            if isinstance(result, PeerError):
                assert sender in result.blamed
            else:
                # Only the contents of a blob, for which nobody vouches, may differ.
                assert sender == 2
                assert result[2, "blob"] != b"\2\2\2"
                assert HEADER_BYTES + 4 <= at < HEADER_BYTES + 7


@given(frame=st.binary(max_size=200))
def test_any_bytes_either_decode_or_raise_PeerError(frame: bytes) -> None:
    with pytest.raises(PeerError):
        decode(frames_to(0) | {2: frame})


@given(sender=st.integers(1, 3), body=st.binary(max_size=80))
def test_any_body_under_a_good_header_decodes_or_raises_PeerError(sender: int, body: bytes) -> None:
    frames = frames_to(0)
    start = frames[sender][: HEADER_BYTES - 8] + len(body).to_bytes(8, "little")
    result = decoded_or_refused(frames | {sender: start + body})
    if isinstance(result, PeerError):
        assert sender in result.blamed
    else:
        assert sender == 2 or body == frames[sender][HEADER_BYTES:]
        blob = result[2, "blob"]
        assert isinstance(blob, bytes)
        assert len(blob) <= 40


@pytest.mark.parametrize("sender", [1, 2, 3])
def test_truncated_and_lengthened_frames_are_refused(sender: int) -> None:
    frames = frames_to(0)
    honest = frames[sender]
    for wrong in [honest[:n] for n in range(len(honest))] + [honest + bytes(n) for n in (1, 8, 16)]:
        with pytest.raises(PeerError) as caught:
            decode(frames | {sender: wrong})
        assert caught.value.blamed == {sender}


def test_a_blob_above_its_limit_is_refused() -> None:
    frames = frames_to(0)
    r = round_of(2)
    r = replace(r, send={**r.send, (0, "blob"): bytes(41)})
    frames[2] = b"".join(codec(2).encode(0, r)[0])
    with pytest.raises(PeerError) as caught:
        decode(frames)
    assert caught.value.blamed == {2}


@pytest.mark.parametrize(
    ("sizes", "good"), [((9, 0), True), ((0, 9), True), ((10, 0), False), ((0, 10), False)]
)
def test_every_blob_has_a_limit_of_its_own(sizes: tuple[int, int], good: bool) -> None:
    send = {(1, "ab"[k]): bytes(size) for k, size in enumerate(sizes)}
    frames = {p: b"".join(codec(p).encode(0, Round("p", send=send if p == 0 else {}))[1]) for p in (0, 2, 3)}
    r = Round("p", recv={(0, "a"): Blob(9), (0, "b"): Blob(9)})
    if good:
        assert decode(frames, r=r, me=1) == {(0, label): value for (_, label), value in send.items()}
    else:
        with pytest.raises(PeerError):
            decode(frames, r=r, me=1)


def test_a_tag_for_another_sender_than_expected_is_refused() -> None:
    """Same label, same shape, same length: only the sender vouched for differs."""
    words = words_of(0)
    rounds = {
        1: Round("p", send={(0, "x~3"): words}),
        2: Round("p", send={(0, "x~3"): words}),
        3: Round("p", vouch={(2, 0, "x~3"): words}),
    }
    frames = {p: b"".join(codec(p).encode(0, r)[0]) for p, r in rounds.items()}
    expecting = Round("p", recv={(1, "x~3"): Spec((3,)), (2, "x~3"): Spec((3,))}, vouched={(1, "x~3"): 3})
    with pytest.raises(PeerError, match="list of messages") as caught:
        decode(frames, r=expecting)
    assert caught.value.blamed == {3}


def test_bytes_left_over_behind_a_blob_are_refused() -> None:
    frames = frames_to(0)
    body = frames[2][HEADER_BYTES:]
    longer = body[:7] + b"\0" + body[7:]
    frames[2] = frames[2][: HEADER_BYTES - 8] + len(longer).to_bytes(8, "little") + longer
    with pytest.raises(PeerError, match="do not fill"):
        decode(frames)


def _as_other_session(r: Round) -> bytes:
    return b"".join(codec(3, session=bytes(32)).encode(0, r)[0])


WRONG: dict[str, Callable[[Round], bytes]] = {
    "session": _as_other_session,
    "epoch": lambda r: b"".join(codec(3, epoch=1).encode(0, r)[0]),
    "round": lambda r: b"".join(codec(3).encode(1, r)[0]),
    "path": lambda r: b"".join(codec(3).encode(0, replace(r, path="top/other"))[0]),
    "sender": lambda r: b"".join(codec(1).encode(0, round_of(1))[0]),
    "receiver": lambda r: b"".join(codec(3).encode(0, r)[1]),
    "list of messages": lambda r: b"".join(codec(3).encode(0, round_of(3, size=4))[0]),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_frame_of_another_place_is_refused(what: str) -> None:
    with pytest.raises(PeerError, match=what) as caught:
        decode(frames_to(0) | {3: WRONG[what](round_of(3))})
    assert caught.value.blamed == {3}


def test_the_shape_counts_and_not_only_the_length() -> None:
    r = round_of(3)
    flat = replace(r, send={**r.send, (0, "words~2"): words_of(3).reshape(3, 1)})
    with pytest.raises(PeerError, match="list of messages"):
        decode(frames_to(0) | {3: b"".join(codec(3).encode(0, flat)[0])})


def test_a_missing_tag_is_refused() -> None:
    silent = replace(round_of(2), vouch={})
    with pytest.raises(PeerError, match="list of messages") as caught:
        decode(frames_to(0) | {2: b"".join(codec(2).encode(0, silent)[0])})
    assert caught.value.blamed == {2}


def test_a_replayed_frame_is_refused() -> None:
    """The same path and contents twice: only the round number differs."""
    with pytest.raises(PeerError, match="round"):
        decode(frames_to(0, 1) | {3: frames_to(0, 0)[3]}, number=1)
