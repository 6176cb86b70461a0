"""How a job ends at a party when its end meets something else: a bug after READY, a cancellation, a stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import InputHeader, KeyContributions, OutputHeader, ShareHeader
from mpcd.errors import InternalError, MpcdError
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party import life as life_module
from mpcd.party import recording, roles, slot_run
from mpcd.party.case import StageEnd
from mpcd.party.slots import SILENT_DELTAS
from mpcd.party.supervising import Supervisor
from mpcd.testing.simulation.clock import run_virtually
from tests.party.world import DELTA, READER, TOTAL, Daemon, World, result_of, specification

BROKEN, LIAR = "acme", "dune"


async def supervised(daemon: Daemon, spec: Specification) -> State:
    """A life as the office runs it."""
    life, done = daemon.lives[spec.job], asyncio.Event()
    Supervisor(lambda _job: done.set()).start(spec.job, life.run, life.give_up)  # type: ignore[arg-type]
    await done.wait()
    return life.state


async def run_supervised(world: World, spec: Specification) -> dict[str, State]:
    for name in spec.parties:
        await world.daemon(name).know(spec)
    ended = await asyncio.gather(*(supervised(world.daemons[name], spec) for name in spec.parties))
    return dict(zip(spec.parties, ended, strict=True))


@pytest.mark.parametrize("error", [KeyError("a bug"), InternalError("a bug")], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("lie", [False, True])
@pytest.mark.parametrize("profile", ["guaranteed", "fair"])
def test_a_bug_after_ready_takes_the_output_from_nobody(
    monkeypatch: pytest.MonkeyPatch, profile: str, lie: bool, error: Exception
) -> None:
    """Its word is out and the others open: it must not say that it has ended, as one liar does, too."""
    collect = slot_run.Run._collect

    async def broken(self: slot_run.Run, number: int, stated: Any) -> Any:
        found = await collect(self, number, stated)
        if (self.key.family, self.seat.me, number) == ("BARRIER", 0, 1):
            raise error
        return found

    monkeypatch.setattr(slot_run.Run, "_collect", broken)

    async def story() -> None:
        def twist(what: str, sender: str, to: str, message: Any) -> Any:
            if lie and what == "output" and sender == LIAR:
                return OutputHeader(state="aborted", ready=False), b""
            return message

        world, spec = World(twist=twist), specification(profile=profile)
        ended = await run_supervised(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}, ended
        assert [await result_of(world, name, spec) for name in (BROKEN, READER)] == [TOTAL, TOTAL]

    run_virtually(story())


@pytest.mark.parametrize("disk_s", [0.05, 0.0])
def test_a_cancellation_that_meets_an_end_does_not_cut_it_off(
    monkeypatch: pytest.MonkeyPatch, disk_s: float
) -> None:
    async def ends(*_: Any) -> None:
        await asyncio.sleep(1.0)
        raise StageEnd(Event.FAULT, "silence", kind="silence", unreachable=frozenset({"dune"}))

    monkeypatch.setattr(roles, "computing_party", ends)

    async def story() -> None:
        world, spec = World(), specification()
        life = await world.daemon("acme").know(spec)

        async def slow(*words: Any) -> Any:
            await asyncio.sleep(disk_s)
            return await recording.record(*words)

        monkeypatch.setattr(life_module, "record", slow)
        running = asyncio.create_task(supervised(world.daemons["acme"], spec))
        await asyncio.sleep(1.0 + disk_s / 2)
        await life.cancel("the submitter does not want it any more")
        assert await asyncio.wait_for(running, 60) in TERMINAL
        assert State((await world.daemons["acme"].store.jobs.get(spec.job)).state) in TERMINAL

    run_virtually(story())


def test_a_restarted_daemon_gives_no_signs_of_life_in_a_job_that_goes_on_without_it() -> None:
    async def story() -> None:
        world, spec = World(), job_that_recovers()
        life = await world.daemon("acme").know(spec)
        life.case.state = State.RECOVERING
        resumed = asyncio.create_task(life.resume())
        await asyncio.sleep(3 * DELTA)
        resumed.cancel()
        said = [message for what, sender, _, message in world.log if (what, sender) == ("slot", "acme")]
        assert said, "it says that it has left"
        assert all(message.parts for message in said)

    run_virtually(story())


def test_whatever_a_computing_party_sends_is_a_sign_of_its_life() -> None:
    async def story() -> None:
        world, spec = World(), job_that_recovers()
        life = await world.daemon("acme").know(spec)
        sending: list[Callable[[], Awaitable[None]]] = [
            lambda: life.keys("bolt", KeyContributions(job=spec.job, session=bytes(32))),
            lambda: life.input("bolt", InputHeader(job=spec.job), b""),
            lambda: life.share("bolt", ShareHeader(job=spec.job), b""),
        ]
        for send in sending:
            await asyncio.sleep(DELTA)
            with contextlib.suppress(MpcdError):  # what it is worth is another matter
                await send()
            now = asyncio.get_running_loop().time()
            assert life.silent_from(["bolt"]) == pytest.approx(now + SILENT_DELTAS * DELTA)
            assert life.silent_from(["crux"]) < now + SILENT_DELTAS * DELTA

    run_virtually(story())


def job_that_recovers() -> Specification:
    return specification(profile="guaranteed")
