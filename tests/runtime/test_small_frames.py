"""The shorter way of small rounds: the same frames, the same messages, the same faults as the general way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import MpcdError
from mpcd.protocols.rounds import Round, Spec, backed
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.small_frames import SmallRounds
from tests.runtime.ring_of_parties import EVERYBODY, PARTIES, codec, words_of

Sent = tuple[int, int, int | None, tuple[int, ...]]
"""(sender, receiver, backup, shape)."""

_TRIPLES = [(s, r, b) for s in EVERYBODY for r in EVERYBODY for b in EVERYBODY if len({s, r, b}) == 3]
_ROUTES = [*_TRIPLES, *((s, r, None) for s in EVERYBODY for r in EVERYBODY if s != r)]
_SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
MESSAGES = st.lists(
    st.tuples(st.sampled_from(_ROUTES), _SHAPES).map(lambda drawn: (*drawn[0], drawn[1])), max_size=12
)
PRODUCT: list[Sent] = [(0, 1, 3, (1,)), (1, 2, 0, (1,)), (2, 3, 1, (1,)), (3, 0, 2, (1,)), (3, 0, 1, (1,))]


def _general(me: int) -> FrameCodec:
    general = codec(me)
    general.few_bytes = 0
    return general


def _rounds(messages: list[Sent]) -> list[Round]:
    """What each party does in a round of these messages."""
    rounds = [Round("top", {}, {}, {}, {}) for _ in EVERYBODY]
    for k, (sender, receiver, backup, shape) in enumerate(messages):
        label = f"m{k}" if backup is None else backed(f"m{k}", backup)
        words: Any = words_of(k, int(np.prod(shape))).reshape(shape)
        rounds[sender].send[receiver, label] = words  # type: ignore[index]
        rounds[receiver].recv[sender, label] = Spec(shape)  # type: ignore[index]
        if backup is not None:
            rounds[backup].vouch[sender, receiver, label] = words  # type: ignore[index]
            rounds[receiver].vouched[sender, label] = backup  # type: ignore[index]
    return rounds


def _frames(make: Any, rounds: list[Round], number: int) -> dict[tuple[int, int], bytes]:
    return {
        (me, peer): b"".join(parts)
        for me in EVERYBODY
        for peer, parts in make(me).encode(number, rounds[me]).items()
    }


def _decoded(mine: FrameCodec, r: Round, number: int, frames: dict[int, bytes]) -> Any:
    """The messages, or the error."""
    mine.encode(number, r)
    try:
        inbox = mine.decode(number, r, frames)
    except MpcdError as error:
        return type(error), str(error)
    return {key: (np.shape(words), np.asarray(words).tobytes()) for key, words in inbox.items()}


@given(messages=MESSAGES, number=st.integers(0, 2**63))
@settings(deadline=None)
def test_frames_and_messages_are_those_of_the_general_way(messages: list[Sent], number: int) -> None:
    rounds = _rounds(messages)
    frames = _frames(codec, rounds, number)
    assert frames == _frames(_general, rounds, number)
    for me in EVERYBODY:
        mine = {p: frames[p, me] for p in EVERYBODY if p != me}
        got = _decoded(codec(me), rounds[me], number, mine)
        assert got == _decoded(_general(me), rounds[me], number, mine)
        assert len(got) == len(rounds[me].recv)


def test_every_change_of_a_byte_is_refused_as_the_general_way_refuses_it() -> None:
    rounds = _rounds(PRODUCT)
    frames = _frames(codec, rounds, 7)
    mine = {p: frames[p, 0] for p in (1, 2, 3)}
    for peer, frame in mine.items():
        for at in range(len(frame)):
            changed = bytearray(frame)
            changed[at] ^= 1 << at % 8
            result = _decoded(codec(0), rounds[0], 7, {**mine, peer: bytes(changed)})
            assert type(result) is tuple
            assert result == _decoded(_general(0), rounds[0], 7, {**mine, peer: bytes(changed)})


@pytest.mark.parametrize("cut", [None, 0, 95, 96, -1, "longer", "moved"])
def test_frames_that_miss_or_have_another_length_are_refused(cut: Any) -> None:
    rounds = _rounds(PRODUCT)
    frames = _frames(codec, rounds, 7)
    mine = {p: frames[p, 0] for p in (1, 2, 3)}
    if cut is None:
        del mine[2]
    elif cut == "longer":
        mine[2] += b"\0"
    elif cut == "moved":  # all bytes are there and in order, but not in the right frames
        mine[2], mine[3] = mine[2] + mine[3][:1], mine[3][1:]
    else:
        mine[2] = mine[2][:cut]
    result = _decoded(codec(0), rounds[0], 7, mine)
    assert type(result) is tuple
    assert result == _decoded(_general(0), rounds[0], 7, mine)


def test_small_rounds_go_the_shorter_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """And words in an unaligned buffer, which kernels do not take, go the general one."""
    answers = []
    decode = SmallRounds.decode

    def watched(*args: Any) -> Any:
        answers.append(decode(*args))
        return answers[-1]

    monkeypatch.setattr(SmallRounds, "decode", watched)
    rounds = _rounds(PRODUCT)
    frames = _frames(codec, rounds, 7)
    mine: dict[int, Any] = {p: frames[p, 0] for p in range(1, PARTIES)}
    expected = _decoded(codec(0), rounds[0], 7, mine)
    assert answers.pop() is not None
    mine[3] = memoryview(b"x" + mine[3])[1:]
    assert _decoded(codec(0), rounds[0], 7, mine) == expected
    assert answers == [None]
