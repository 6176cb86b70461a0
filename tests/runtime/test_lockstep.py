"""The lockstep runner itself: counting, failing parties, silence, what reaches a step."""

from __future__ import annotations

import numpy as np
import pytest

from mpcd.errors import ChannelError, InternalError, PeerError, UsageError
from mpcd.protocols.rounds import Round, Rounds, Spec, idle
from mpcd.runtime.frames import TagFault
from mpcd.runtime.layout import HEADER_BYTES
from mpcd.runtime.lockstep import lockstep, outcome
from mpcd.testing.wrappers import cheat, lose, shift, silence_from, spy
from tests.runtime.ring_of_parties import steps


def test_everything_is_counted() -> None:
    run = lockstep(steps(3))
    assert run.rounds == 3
    assert run.frames == 3 * 4 * 3
    assert run.tags == 3 * 4
    assert run.payload_bytes == {me: 3 * (24 + me + 1) for me in range(4)}
    assert run.sent[0, 1] == 72
    assert run.sent[3, 1] == 12
    assert (1, 0) not in run.sent


def test_frame_bytes_are_header_body_and_tags() -> None:
    lengths: dict[tuple[int, int], int] = {}

    def look(frame: bytes, number: int, sender: int, receiver: int) -> bytes:
        lengths[sender, receiver] = len(frame)
        return frame

    lockstep(steps(1), tamper=look)
    assert lengths[0, 1] == HEADER_BYTES + 24
    assert lengths[0, 3] == HEADER_BYTES
    assert lengths[0, 2] == HEADER_BYTES + 4 + 1 + 16
    assert sum(lengths.values()) == 12 * HEADER_BYTES + 4 * (24 + 4 + 16) + 1 + 2 + 3 + 4


def test_two_runs_are_the_same_to_the_byte() -> None:
    def frames() -> list[bytes]:
        seen: list[bytes] = []
        lockstep(steps(2), tamper=lambda frame, *_: seen.append(frame) or frame)  # type: ignore[func-returns-value]
        return seen

    assert frames() == frames()


def test_a_failed_party_falls_silent_and_the_others_see_it() -> None:
    run = steps(3)
    run[1] = cheat(run[1], shift(round=1, to=2))
    outputs = lockstep(run).outputs
    assert isinstance(outputs[2], TagFault)
    for party in (0, 1, 3):
        error = outputs[party]
        assert isinstance(error, ChannelError)
        assert error.unreachable == {2}


def test_nothing_of_a_bad_round_reaches_the_step() -> None:
    """The rule behind in-round tags: the receiver must not act on what it could not verify."""
    for tampered in (0, 1):
        run = steps(2)
        seen: list[object] = []
        run[1] = cheat(run[1], shift(round=tampered, to=2))
        run[2] = spy(run[2], seen)  # type: ignore[arg-type]
        lockstep(run)
        assert len(seen) == tampered


def test_a_lost_frame_is_silence_of_its_sender() -> None:
    run = lockstep(steps(1), tamper=lose(sender=1, receiver=0))
    error = outcome(run, 0)
    assert isinstance(error, ChannelError)
    assert error.unreachable == {1}
    assert not any(isinstance(run.outputs[p], Exception) for p in (1, 2, 3))


def test_silence_from_the_first_round_on() -> None:
    run = steps(2)
    run[3] = silence_from(run[3], 0)
    finished = lockstep(run)
    assert finished.rounds == 1
    assert all(isinstance(outcome(finished, p), ChannelError) for p in range(4))


def test_parties_that_disagree_on_the_path_stop() -> None:
    outputs = lockstep([idle("a"), idle("a"), idle("a"), idle("b")]).outputs
    for party in range(3):
        error = outputs[party]
        assert isinstance(error, PeerError)
        assert error.blamed == {3}
    assert isinstance(outputs[3], PeerError)


def test_a_party_that_ends_early_is_missed() -> None:
    def nothing() -> Rounds[None]:
        return
        yield

    outputs = lockstep([idle("a"), nothing()]).outputs
    assert isinstance(outputs[0], ChannelError)
    assert outputs[1] is None


def test_other_indices_than_0_1_2() -> None:
    def swap(me: int, peer: int) -> Rounds[int]:
        inbox = yield Round("a", {(peer, "x"): np.array([me], np.uint64)}, recv={(peer, "x"): Spec((1,))})
        return int(inbox[peer, "x"][0])

    assert lockstep([swap(1, 3), swap(3, 1)], parties=(1, 3)).outputs == {1: 3, 3: 1}
    with pytest.raises(InternalError):
        lockstep([idle("a")], parties=(1, 3))


def test_results_raise_the_error_of_the_first_party_that_failed() -> None:
    def fails() -> Rounds[None]:
        yield Round("a")
        raise UsageError("on purpose")

    run = lockstep([idle("a"), fails()])
    with pytest.raises(UsageError):
        run.results()
    with pytest.raises(InternalError):
        outcome(run, 0)


def test_a_bug_in_a_step_is_not_an_outcome() -> None:
    def buggy() -> Rounds[None]:
        yield Round("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lockstep([idle("a"), buggy()])


def test_a_session_and_epoch_of_its_own_changes_every_frame() -> None:
    def frames(**where: object) -> list[bytes]:
        seen: list[bytes] = []

        def look(frame: bytes, *_: int) -> bytes:
            seen.append(frame)
            return frame

        lockstep(steps(1), tamper=look, **where)  # type: ignore[arg-type]
        return seen

    default = frames()
    for other in (frames(session=bytes(32)), frames(epoch=1)):
        assert all(a != b for a, b in zip(default, other, strict=True))
