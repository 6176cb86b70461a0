"""The in-memory channel: frames arrive, silence and death are told apart, lengths are checked."""

from __future__ import annotations

import threading

import pytest

from mpcd.errors import ChannelError
from mpcd.transport.channel import IncompleteRound
from mpcd.transport.memory import MemoryNetwork


def test_frames_arrive_in_order_and_whole() -> None:
    network = MemoryNetwork(2)
    got: list[bytes] = []

    def other() -> None:
        channel = network.channel(1)
        got.extend(bytes(channel.exchange(k, {0: [b"r%d" % k]}, {0: 10}, 5)[0]) for k in range(3))

    thread = threading.Thread(target=other)
    thread.start()
    mine = network.channel(0)
    answers = [bytes(mine.exchange(k, {1: [b"a", memoryview(b"%d" % k)]}, {1: 10}, 5)[1]) for k in range(3)]
    thread.join(5)
    assert got == [b"a0", b"a1", b"a2"]
    assert answers == [b"r0", b"r1", b"r2"]


def test_silence_names_the_silent() -> None:
    network = MemoryNetwork(3)
    network.channel(1).exchange(0, {0: [b"x"]}, {}, 0)
    with pytest.raises(IncompleteRound) as caught:
        network.channel(0).exchange(0, {}, {1: 9, 2: 9}, 0.01)
    assert caught.value.unreachable == {2}


def test_silence_may_be_allowed() -> None:
    network = MemoryNetwork(3)
    network.channel(1).exchange(0, {0: [b"x"]}, {}, 0)
    frames = network.channel(0).exchange(0, {}, {1: 9, 2: 9}, 0.01, frozenset({2}))
    assert {peer: bytes(frame) for peer, frame in frames.items()} == {1: b"x"}


def test_the_dead_are_named_at_once() -> None:
    network = MemoryNetwork(2)
    network.channel(1).close()
    with pytest.raises(ChannelError) as caught:
        network.channel(0).exchange(0, {}, {1: 9}, 3600)
    assert caught.value.unreachable == {1}


def test_a_last_frame_of_the_dead_still_counts() -> None:
    network = MemoryNetwork(2)
    network.channel(1).exchange(0, {0: [b"x"]}, {}, 0)
    network.channel(1).close()
    assert bytes(network.channel(0).exchange(0, {}, {1: 9}, 1)[1]) == b"x"


def test_a_frame_that_is_too_long_is_refused() -> None:
    network = MemoryNetwork(2)
    network.channel(1).exchange(0, {0: [b"12345"]}, {}, 0)
    with pytest.raises(IncompleteRound) as caught:
        network.channel(0).exchange(0, {}, {1: 4}, 1)
    assert caught.value.unreachable == {1}
