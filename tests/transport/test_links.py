"""The rules of links, each tried over real TLS on real sockets."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from mpcd.errors import ChannelError
from mpcd.transport import stream
from mpcd.transport.channel import Buffer, IncompleteRound
from mpcd.transport.links import Links
from mpcd.transport.stream import HEADER_BYTES, SLICE_BYTES, Link
from tests.transport.sockets import linked_pair, stream_pair, together

BIG = 8_000_000


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(HEADER_BYTES, "little") + data


def test_small_frames_and_early_ones_arrive_in_order() -> None:
    """A fast peer's frames for the next rounds come in one read and are kept."""
    with linked_pair() as (zero, one):
        for number in range(3):
            one.exchange(number, {0: [b"frame", b"%d" % number]}, {}, 5)
        frames = [bytes(zero.exchange(n, {}, {1: 100}, 5)[1]) for n in range(3)]
    assert frames == [b"frame0", b"frame1", b"frame2"]


@pytest.mark.parametrize("size", [0, 1, 16_375, 16_376, 16_377, 16_384, 16_385, 40_000, BIG])
def test_frames_of_every_size_cross_each_other(size: int) -> None:
    """Two frames of 8 MB at once do not block each other, as two `sendall` would."""
    data = [os.urandom(size), os.urandom(size)]
    with linked_pair() as pair:
        got = together(
            lambda: bytes(pair[0].exchange(0, {1: [data[0]]}, {1: size}, 30)[1]),
            lambda: bytes(pair[1].exchange(0, {0: [data[1]]}, {0: size}, 30)[0]),
        )
    assert got == [data[1], data[0]]


def test_parts_of_mixed_sizes_are_one_frame() -> None:
    parts: list[Buffer] = [
        b"head",
        os.urandom(300_000),
        b"",
        b"tag" * 5,
        memoryview(os.urandom(20_000)),
        b"end",
    ]
    whole = b"".join(bytes(part) for part in parts)
    with linked_pair() as pair:
        got = together(
            lambda: bytes(pair[0].exchange(0, {}, {1: len(whole)}, 30)[1]),
            lambda: pair[1].exchange(0, {0: parts}, {}, 30),
        )
    assert got[0] == whole


def test_received_frames_are_memory_of_their_own() -> None:
    """A view that is kept does not change with the frames that follow."""
    with linked_pair() as (zero, one):
        one.exchange(0, {0: [b"first"]}, {}, 5)
        one.exchange(1, {0: [b"other"]}, {}, 5)
        first = zero.exchange(0, {}, {1: 5}, 5)[1]
        zero.exchange(1, {}, {1: 5}, 5)
        assert bytes(first) == b"first"
        first[:1] = b"F"  # writable: kernels work in place


def test_a_refused_slice_is_offered_again_unchanged() -> None:
    """After WANT_WRITE OpenSSL has encrypted the slice: another buffer would send old bytes or fail."""
    data = os.urandom(BIG)
    with stream_pair() as (zero, one):
        link = Link(1, zero)
        link.offer([data])
        while not link.full:
            assert not link.push()
        refused = link._slices[0]
        assert not link.push()
        assert link._slices[0] is refused
        assert len(refused) <= SLICE_BYTES
        got = together(lambda: _drain(one, BIG + HEADER_BYTES), lambda: _push_all(link))
    assert got[0] == _frame(data)


def _push_all(link: Link) -> bytes:
    while not link.push():
        time.sleep(0)
    return b""


def _drain(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += sock.recv(1 << 16)
    return bytes(data)


def test_exchange_returns_only_when_the_buffers_are_free() -> None:
    """The caller may change a buffer after the exchange: the receiver, slow as it is, gets the old bytes."""
    buffer = bytearray(os.urandom(BIG))
    before = bytes(buffer)
    with linked_pair() as pair:

        def send() -> bytes:
            pair[0].exchange(0, {1: [memoryview(buffer)]}, {}, 30)
            buffer[:] = bytes(BIG)
            return b""

        got = together(send, lambda: bytes(pair[1].exchange(0, {}, {0: BIG}, 30)[0]))
    assert got[1] == before


def test_decrypted_bytes_that_no_descriptor_shows_are_read() -> None:
    """A record that is larger than the room left: its end stays decrypted in OpenSSL, where poll is blind."""
    with stream_pair() as (zero, one):
        links = Links(0, [Link(1, zero)])
        frames = [os.urandom(50), os.urandom(16_000), os.urandom(600)]
        wire = b"".join(map(_frame, frames))
        cut = HEADER_BYTES + len(frames[0]) + 1000
        one.sendall(wire[:cut])
        assert bytes(links.exchange(0, {}, {1: 50}, 5)[1]) == frames[0]
        assert len(wire) - cut > stream.SMALL_BYTES + 1 - 1000
        one.sendall(wire[cut:])
        assert bytes(links.exchange(1, {}, {1: 16_000}, 5)[1]) == frames[1]
        assert zero.pending() > 0
        assert bytes(links.exchange(2, {}, {1: 600}, 5)[1]) == frames[2]


def test_two_frames_that_look_like_one_are_two() -> None:
    """Together they are as long as the frame may be that is expected."""
    with stream_pair() as (zero, one):
        links = Links(0, [Link(1, zero)])
        one.sendall(_frame(b"short") + _frame(b"another"))
        assert bytes(links.exchange(0, {}, {1: 20}, 5)[1]) == b"short"
        assert bytes(links.exchange(1, {}, {1: 20}, 5)[1]) == b"another"


def _until(link: Link, wanted: bytes) -> None:
    deadline = time.monotonic() + 5
    while (frame := link.pull()) is None:
        assert time.monotonic() < deadline
    assert bytes(frame) == wanted


def test_a_clean_end_and_a_truncated_one_are_both_death() -> None:
    with linked_pair() as (zero, one):
        one.close()
        with pytest.raises(ChannelError, match="has parted") as caught:
            zero.exchange(3, {}, {1: 9}, 3600)
        assert caught.value.unreachable == {1}
        assert caught.value.where == "round 3"


def test_an_end_without_goodbye_is_seen_as_such() -> None:
    """The end of TCP without TLS's close is what an attacker on the wire can make."""
    with stream_pair() as (zero, one):
        link = Link(1, zero)
        link.expect(100, 0)
        one.sendall(_frame(b"half of a frame")[:12])
        socket.socket(fileno=os.dup(one.fileno())).shutdown(socket.SHUT_RDWR)
        with pytest.raises(ChannelError, match="without a goodbye"):
            _until(link, b"never")


def test_a_peer_that_is_silent_is_named_at_the_deadline() -> None:
    with linked_pair() as (zero, _one):
        start = time.monotonic()
        with pytest.raises(IncompleteRound) as caught:
            zero.exchange(7, {1: [b"x"]}, {1: 9}, 0.1)
        assert caught.value.unreachable == {1}
        assert 0.1 <= time.monotonic() - start < 2


def test_a_peer_that_does_not_read_is_silent_too() -> None:
    with linked_pair() as (zero, _one):
        with pytest.raises(IncompleteRound) as caught:
            zero.exchange(0, {1: [bytes(9_000_000)]}, {}, 0.2)
        assert caught.value.unreachable == {1}


def test_whoever_misses_one_peer_still_hears_and_serves_the_others() -> None:
    """One is gone, one sends too much, one is late: all of them are named, and the late one has its frame."""
    with stream_pair() as (gone, theirs), stream_pair() as (loud, shouts), stream_pair() as (late, slow):
        mine = Links(0, [Link(1, gone), Link(2, loud), Link(3, late)])
        Links(1, [Link(0, theirs)]).close()
        shouts.sendall((1 << 30).to_bytes(HEADER_BYTES, "little"))
        other = Links(3, [Link(0, slow)])

        def answer() -> bytes:
            time.sleep(0.2)
            return bytes(other.exchange(0, {0: [b"late"]}, {0: 9}, 5)[0])

        def ask() -> IncompleteRound:
            with pytest.raises(IncompleteRound) as caught:
                mine.exchange(0, {peer: [b"x"] for peer in (1, 2, 3)}, dict.fromkeys((1, 2, 3), 9), 5)
            return caught.value

        fault, got = together(ask, answer)
        assert isinstance(fault, IncompleteRound)
        assert fault.unreachable == {1, 2}
        assert fault.arrived == {3}
        assert got == b"x"


def test_a_byte_now_and_then_does_not_hold_up_a_round() -> None:
    with stream_pair() as (zero, one):
        stop = threading.Event()

        def drip() -> float:
            one.sendall((40).to_bytes(HEADER_BYTES, "little"))
            for _ in range(39):
                if stop.wait(0.05):
                    break
                one.sendall(b"x")
            return 0.0

        def wait() -> float:
            start = time.monotonic()
            try:
                with pytest.raises(IncompleteRound):
                    Links(0, [Link(1, zero)]).exchange(0, {}, {1: 40}, 0.3)
            finally:
                stop.set()
            return time.monotonic() - start

        assert together(wait, drip)[0] < 1.5


def test_the_last_peer_that_is_waited_for_is_told() -> None:
    with stream_pair() as (quick, theirs), stream_pair() as (late, slow):
        mine = Links(0, [Link(1, quick), Link(2, late)])
        one, two = Links(1, [Link(0, theirs)]), Links(2, [Link(0, slow)])
        one.exchange(0, {0: [b"x"]}, {}, 5)

        def answer() -> object:
            time.sleep(0.3)
            return two.exchange(0, {0: [b"x"]}, {}, 5)

        together(lambda: mine.exchange(0, {}, {1: 9, 2: 9}, 5), answer)
        assert mine.waited is not None
        assert mine.waited[0] == 2
        assert 0.1 < mine.waited[1] < 3
        for other in (one, two):
            other.exchange(1, {0: [b"x"]}, {}, 5)
        time.sleep(0.1)
        mine.exchange(1, {}, {1: 9, 2: 9}, 5)
        assert mine.waited is None or mine.waited[1] < 0.1


def test_many_bytes_may_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mpcd.transport.links.SLOWEST_BYTES_S", 10_000)
    with linked_pair() as (zero, one):

        def answer() -> None:
            time.sleep(0.5)
            one.exchange(0, {0: [bytes(20_000)]}, {}, 5)

        got = together(lambda: zero.exchange(0, {}, {1: 20_000}, 0.1), answer)[0]
        assert got is not None
        assert len(got[1]) == 20_000


def test_half_a_frame_is_silence() -> None:
    with stream_pair() as (zero, one):
        one.sendall(_frame(b"0123456789")[:14])
        with pytest.raises(IncompleteRound):
            Links(0, [Link(1, zero)]).exchange(0, {}, {1: 10}, 0.1)


@pytest.mark.parametrize("dead", [True, False])
def test_silence_or_death_may_be_allowed_and_is_for_good(dead: bool) -> None:
    with linked_pair() as (zero, one):
        if dead:
            one.close()
        assert zero.exchange(0, {1: [b"x"]}, {1: 9}, 0.05, frozenset({1})) == {}
        assert zero.exchange(1, {1: [b"x"]}, {1: 9}, 0.05, frozenset({1})) == {}
        with pytest.raises(ChannelError) as caught:
            zero.exchange(2, {}, {1: 9}, 3600)
        assert caught.value.unreachable == {1}


@pytest.mark.parametrize("length", [11, 1 << 40, (1 << 64) - 1])
def test_a_length_beyond_what_the_round_expects_is_refused_unallocated(length: int) -> None:
    with stream_pair() as (zero, one):
        links = Links(0, [Link(1, zero)])
        one.sendall(length.to_bytes(HEADER_BYTES, "little"))
        with pytest.raises(IncompleteRound, match="at most 10") as caught:
            links.exchange(4, {}, {1: 10}, 5)
        assert caught.value.unreachable == {1}
        assert caught.value.where == "round 4"


@pytest.mark.parametrize("early", [False, True])
def test_too_long_a_frame_of_a_peer_that_may_be_silent_is_silence(early: bool) -> None:
    """Otherwise a cheater could end a robust opening for one honest party."""
    with linked_pair() as (zero, one):
        one.exchange(0, {0: [b"ab"]}, {}, 5)
        if early:
            one.exchange(1, {0: [b"too long"]}, {}, 5)
        assert bytes(zero.exchange(0, {}, {1: 2}, 5)[1]) == b"ab"
        if not early:
            one.exchange(1, {0: [b"too long"]}, {}, 5)
        assert zero.exchange(1, {}, {1: 2}, 5, frozenset({1})) == {}
        with pytest.raises(ChannelError) as caught:
            zero.exchange(2, {}, {1: 2}, 3600)
        assert caught.value.unreachable == {1}


def test_an_early_frame_is_checked_against_its_own_round() -> None:
    with linked_pair() as (zero, one):
        one.exchange(0, {0: [b"ab"]}, {}, 5)
        one.exchange(1, {0: [b"too long"]}, {}, 5)
        assert bytes(zero.exchange(0, {}, {1: 2}, 5)[1]) == b"ab"
        with pytest.raises(IncompleteRound):
            zero.exchange(1, {}, {1: 2}, 5)


def test_a_link_carries_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LIMIT_BYTES", 100)
    with linked_pair() as (zero, _one):
        zero.exchange(0, {1: [bytes(92)]}, {}, 5)
        with pytest.raises(ChannelError, match="carried"):
            zero.exchange(1, {1: [b""]}, {}, 5)


def test_bytes_are_counted() -> None:
    with linked_pair() as (zero, one):
        one.exchange(0, {0: [bytes(100)]}, {}, 5)
        zero.exchange(0, {}, {1: 100}, 5)
        assert (one.sent_bytes, zero.received_bytes) == (108, 108)


def test_of_a_round_that_was_not_begun_nothing_has_come() -> None:
    """A signal may be handled before an exchange begins: what is pending then is not that of the last one."""
    with linked_pair() as (zero, one):
        one.exchange(0, {0: [b"frame"]}, {}, 5)
        assert zero.pending(0) == {1}
        zero.exchange(0, {}, {1: 5}, 5)
        assert zero.pending(0) == frozenset()
        assert zero.pending(1) == {1}
