"""The driver: the same steps over a channel, and that a bad round closes the step."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import GEN_CLOSED, getgeneratorstate

import numpy as np
import pytest

from mpcd.errors import ChannelError, InternalError
from mpcd.protocols.rounds import Payload, Rounds
from mpcd.runtime.driver import Counters, drive
from mpcd.runtime.frames import FrameCodec, TagFault
from mpcd.runtime.layout import HEADER_BYTES
from mpcd.runtime.lockstep import lockstep, tag_keys
from mpcd.testing.wrappers import cheat, shift
from mpcd.transport.channel import Buffer
from mpcd.transport.memory import MemoryNetwork
from tests.runtime.ring_of_parties import PARTIES, step, steps

TIMEOUT_S = 20.0


def codec(me: int) -> FrameCodec:
    return FrameCodec(me, range(PARTIES), bytes(32), 0, tag_keys(me, range(PARTIES)))


def drive_all(
    run: Sequence[Rounds[list[Payload]]], counters: Sequence[Counters], timeout_s: float = TIMEOUT_S
) -> list[list[Payload] | BaseException]:
    network = MemoryNetwork(PARTIES)

    def one(me: int) -> list[Payload]:
        channel = network.channel(me)
        try:
            return drive(run[me], codec(me), channel, round_timeout_s=timeout_s, counters=counters[me])
        finally:
            channel.close()

    with ThreadPoolExecutor(PARTIES) as pool:
        futures = [pool.submit(one, me) for me in range(PARTIES)]
    return [future.exception() or future.result() for future in futures]


def test_the_driver_gives_what_lockstep_gives() -> None:
    counters = [Counters() for _ in range(PARTIES)]
    driven = drive_all(steps(3), counters)
    expected = lockstep(steps(3)).results()
    for mine, theirs in zip(driven, expected, strict=True):
        assert isinstance(mine, list)
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    assert [c.rounds for c in counters] == [3] * PARTIES
    assert counters[0].sent_bytes == 3 * (3 * HEADER_BYTES + 24 + 4 + 1 + 16)
    assert sum(c.sent_bytes for c in counters) == sum(c.received_bytes for c in counters)


def test_a_tag_fault_closes_the_step_and_the_others_lose_the_party() -> None:
    run = steps(3)
    run[1] = cheat(run[1], shift(round=1, to=2))
    results = drive_all(run, [Counters() for _ in range(PARTIES)])
    assert isinstance(results[2], TagFault)
    assert all(isinstance(results[p], ChannelError) for p in (0, 1, 3))
    assert all(getgeneratorstate(r) == GEN_CLOSED for r in run)


class Alone:
    """A channel on which nobody ever answers."""

    me = 0
    peers = frozenset({1, 2, 3})
    waited = None

    def pending(self, number: int) -> frozenset[int]:
        return frozenset()

    def exchange(
        self,
        number: int,
        outgoing: Mapping[int, Sequence[Buffer]],
        lengths: Mapping[int, int],
        timeout_s: float,
        absent_ok: frozenset[int] = frozenset(),
    ) -> dict[int, memoryview]:
        raise ChannelError("nobody is there", unreachable=self.peers)

    def close(self) -> None: ...


def test_silence_closes_the_step() -> None:
    mine = step(0)
    with pytest.raises(ChannelError):
        drive(mine, codec(0), Alone(), round_timeout_s=1)
    assert getgeneratorstate(mine) == GEN_CLOSED


def test_steps_may_follow_each_other_over_one_codec_and_progress_is_told() -> None:
    network = MemoryNetwork(PARTIES)
    told: list[int] = []

    def one(me: int) -> int:
        mine, channel, counters = codec(me), network.channel(me), Counters()
        note = (lambda c: told.append(c.rounds)) if me == 0 else None
        for _ in range(2):
            drive(step(me, 2), mine, channel, round_timeout_s=TIMEOUT_S, counters=counters, on_round=note)
        return mine.next_number

    with ThreadPoolExecutor(PARTIES) as pool:
        assert list(pool.map(one, range(PARTIES))) == [4] * PARTIES
    assert told == [1, 2, 3, 4]


def test_on_round_may_stop_the_run() -> None:
    def stop(_: Counters) -> None:
        raise InternalError("stop")

    mine = step(0, 5)

    class Echo(Alone):
        def exchange(self, *_: object, **__: object) -> dict[int, memoryview]:
            run: dict[tuple[int, int], bytes] = {}

            def keep(frame: bytes, number: int, sender: int, receiver: int) -> bytes:
                run[sender, receiver] = frame
                return frame

            lockstep(steps(1), session=bytes(32), tamper=keep)
            return {p: memoryview(run[p, 0]) for p in (1, 2, 3)}

    keyed = FrameCodec(0, range(PARTIES), bytes(32), 0, tag_keys(0, range(PARTIES), bytes(32)))
    with pytest.raises(InternalError, match="stop"):
        drive(mine, keyed, Echo(), round_timeout_s=1, on_round=stop)
    assert getgeneratorstate(mine) == GEN_CLOSED


def test_the_driver_does_not_load_the_kernels() -> None:
    """Daemons import it too; compiling belongs into job processes."""
    code = "import sys, mpcd.runtime.driver; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
