"""The wrappers themselves: an attack that silently changes nothing would make its tests worthless."""

from __future__ import annotations

import numpy as np
import pytest

from mpcd.errors import ChannelError, InternalError, PeerError
from mpcd.protocols.rounds import Round
from mpcd.runtime.lockstep import lockstep, outcome
from mpcd.testing.wrappers import (
    change,
    cheat,
    damage,
    drop,
    edit_vouch,
    equivocate,
    every_message,
    every_vouch,
    flip,
    flipped,
    lose,
    plus,
    shift,
    silence_from,
)
from tests.runtime.ring_of_parties import round_of, steps


def same(a: Round, b: Round) -> bool:
    return all(np.array_equal(a.send[k], b.send[k]) for k in a.send) and all(
        np.array_equal(a.vouch[k], b.vouch[k]) for k in a.vouch
    )


def test_an_edit_hits_what_it_names_and_nothing_else() -> None:
    r = round_of(0)
    hit = shift(round=2, to=1, label="words~3")
    assert same(hit(1, r), r)
    np.testing.assert_array_equal(hit(2, r).send[1, "words~3"], r.send[1, "words~3"] + np.uint64(1))  # type: ignore[operator]
    assert hit(2, r).send[2, "blob"] == r.send[2, "blob"]
    assert same(shift(to=3)(0, r), r)
    assert same(shift(label="other")(0, r), r)


def test_flipping_a_bit_changes_exactly_that_bit() -> None:
    words = np.zeros((2, 2), np.uint64)
    changed = flipped(words, 64 + 7)
    assert not isinstance(changed, bytes)
    np.testing.assert_array_equal(changed, [[0, 128], [0, 0]])
    assert flipped(b"\0\0", 9) == b"\0\2"
    assert flipped(b"", 3) == b""
    assert not words.any()


def test_plus_wraps_around() -> None:
    np.testing.assert_array_equal(plus(np.array([2**64 - 1], np.uint64), 1), [0])
    np.testing.assert_array_equal(plus(np.array([0], np.uint64), -1), [2**64 - 1])
    assert plus(b"\xff", 1) == b"\0"


def test_equivocation_tells_each_receiver_something_else() -> None:
    r = Round("a", send={(1, "x"): b"\0", (2, "x"): b"\0", (3, "x"): b"\0"})
    edited = equivocate({1: lambda p: plus(p, 1), 2: lambda p: plus(p, 2)})(0, r)
    assert dict(edited.send) == {(1, "x"): b"\1", (2, "x"): b"\2", (3, "x"): b"\0"}


def test_a_dropped_message_is_noticed_by_its_receiver() -> None:
    run = steps(1)
    run[0] = cheat(run[0], drop(to=1, label="words~3"))
    error = outcome(lockstep(run), 1)
    assert isinstance(error, PeerError)
    assert error.blamed == {0}


def test_a_blob_that_nobody_backs_can_be_changed_unnoticed() -> None:
    """The control: the harness does not see more than the protocol does."""
    run = steps(1)
    run[0] = cheat(run[0], flip(label="blob"))
    outputs = lockstep(run).results()
    assert b"\1" in outputs[2]


@pytest.mark.parametrize(
    "edit",
    [
        shift(label="words~3"),
        flip(label="words~3"),
        change(lambda a: a[::-1], label="words~3"),
        edit_vouch(lambda a: plus(a, 1)),
    ],
)
def test_every_kind_of_lie_about_vouched_words_is_noticed(edit: object) -> None:
    run = steps(1)
    run[0] = cheat(run[0], edit)  # type: ignore[arg-type]
    assert any(isinstance(x, PeerError) for x in lockstep(run).outputs.values())


def test_only_words_can_be_vouched_for() -> None:
    with pytest.raises(InternalError):
        edit_vouch(lambda _: b"x")(0, round_of(0))


def test_silence_starts_where_it_is_told_to() -> None:
    for first in range(3):
        run = steps(3)
        run[2] = silence_from(run[2], first)
        finished = lockstep(run)
        assert isinstance(outcome(finished, 2), ChannelError)
        assert finished.rounds == first + 1


def test_frames_are_lost_and_damaged_where_told() -> None:
    assert lose(round=1, sender=2)(b"x", 1, 2, 3) is None
    assert lose(round=1, sender=2)(b"x", 0, 2, 3) == b"x"
    hit = damage(0, round=0, sender=1, receiver=2, mask=0xF0)
    assert hit(b"\0", 0, 1, 2) == b"\xf0"
    assert hit(b"\0", 0, 2, 1) == b"\0"


def test_the_enumeration_is_complete() -> None:
    messages = every_message(steps(2))
    assert len(messages) == len(set(messages)) == 2 * 4 * 2
    assert {m.shape for m in messages} == {(3,), None}
    vouches = every_vouch(steps(2))
    assert len(vouches) == len(set(vouches)) == 2 * 4


def test_wrapped_steps_are_closed_with_their_wrapper() -> None:
    closed: list[int] = []

    def waits() -> object:
        try:
            yield Round("a")
        finally:
            closed.append(1)

    step = cheat(waits())  # type: ignore[arg-type, var-annotated]
    step.send(None)  # type: ignore[arg-type]
    step.close()
    assert closed == [1]
