"""The simulated network: frames in order, ends of streams behind them, cuts, and time that only jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mpcd.errors import ChannelError
from mpcd.testing.network.weather import Sky, Weather
from mpcd.testing.simulation.clock import DeadlockError, VirtualLoop, run_virtually
from mpcd.testing.simulation.network import CALL_S, Ends, Ground, Wires

NAMES = ("acme", "bolt", "crux")
NONE: frozenset[int] = frozenset()


def _ground() -> Ground:
    return Ground(Sky(3, 1, Weather(delay_s=0.1)), {name: k for k, name in enumerate(NAMES)})


async def _met(ground: Ground) -> list[Ends]:
    wires = Wires(ground)
    ends = [wires.ends((b"session", 0, 0), name, NAMES) for name in NAMES]
    await asyncio.gather(*(end.meet(5.0) for end in ends))
    return ends


def _run(main: Coroutine[Any, Any, None]) -> None:
    run_virtually(main)


def test_a_frame_arrives_before_the_end_of_its_stream() -> None:
    async def main() -> None:
        acme, bolt, _ = await _met(_ground())
        bolt.send(0, b"frame")
        bolt.close()
        frames, missed = await acme.collect(0, {1: 5}, 5.0, NONE)
        assert (frames, missed) == ({1: b"frame"}, {})
        frames, missed = await acme.collect(1, {1: 5}, 5.0, NONE)
        assert (frames, missed) == ({}, {1: "party 1 has parted"})

    _run(main())


def test_who_is_silent_is_missed_and_the_others_are_heard() -> None:
    async def main() -> None:
        acme, bolt, _ = await _met(_ground())
        bolt.send(0, b"frame")
        begun = asyncio.get_running_loop().time()
        frames, missed = await acme.collect(0, {1: 5, 2: 5}, 5.0, NONE)
        assert frames == {1: b"frame"}
        assert set(missed) == acme.pending == {2}
        assert asyncio.get_running_loop().time() == pytest.approx(begun + 5.0)
        assert acme.waited is not None
        assert acme.waited[0] == 2
        assert 4.5 < acme.waited[1] < 5.0

    _run(main())


def test_too_long_a_frame_is_as_good_as_none() -> None:
    async def main() -> None:
        acme, bolt, _ = await _met(_ground())
        bolt.send(0, b"frame!")
        frames, missed = await acme.collect(0, {1: 5}, 5.0, NONE)
        assert frames == {}
        assert set(missed) == {1}
        assert (await acme.collect(1, {1: 5}, 5.0, frozenset({1})))[1] == {}

    _run(main())


def test_who_does_not_come_is_named() -> None:
    async def main() -> None:
        wires = Wires(_ground())
        acme, bolt = (wires.ends((b"session", 0, 0), name, NAMES) for name in NAMES[:2])
        met = await asyncio.gather(acme.meet(2.0), bolt.meet(2.0), return_exceptions=True)
        assert [error.unreachable for error in met if isinstance(error, ChannelError)] == [{2}, {2}]

    _run(main())


def test_who_has_another_roster_in_mind_does_not_disturb() -> None:
    async def main() -> None:
        wires = Wires(_ground())
        acme, bolt = (wires.ends((b"session", 1, 0), name, ("acme", "bolt")) for name in ("acme", "bolt"))
        crux = wires.ends((b"session", 1, 0), "crux", ("bolt", "crux"))
        met = await asyncio.gather(acme.meet(2.0), bolt.meet(2.0), crux.meet(1.0), return_exceptions=True)
        assert [isinstance(end, ChannelError) for end in met] == [False, False, True]
        bolt.send(0, b"frame")
        assert await acme.collect(0, {1: 5}, 5.0, NONE) == ({1: b"frame"}, {})
        assert bolt.eof == set()

    _run(main())


def test_a_cut_keeps_frames_loses_slot_messages_and_ends_calls() -> None:
    async def main() -> None:
        ground = _ground()
        acme, bolt, _ = await _met(ground)
        ground.sky.cut([0], [1])
        bolt.send(0, b"frame")
        heard: list[str] = []
        ground.post("bolt", "acme", 10, lambda: heard.append("slot"))
        begun = asyncio.get_running_loop().time()

        async def handle() -> None:
            heard.append("call")

        with pytest.raises(ChannelError):
            await ground.call("input", "bolt", "acme", handle)
        assert asyncio.get_running_loop().time() == pytest.approx(begun + CALL_S)
        ground.sky.heal()
        frames, _ = await acme.collect(0, {1: 5}, 5.0, NONE)
        assert frames == {1: b"frame"}
        assert heard == []

    _run(main())


def test_nothing_to_wait_for_is_found_out() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
