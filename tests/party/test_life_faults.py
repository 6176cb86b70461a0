"""Faults of a job's life: what must never happen is below; a job may always be aborted.

Never: a survivor without a terminal state by the deadline plus its grace; a wrong result; one honest
recipient with the output and another one without; a daemon that does not serve the next job.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, SlotMessage
from mpcd.errors import UsageError
from mpcd.jobs.limits import GRACE_S
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party.computing import in_time
from mpcd.party.past import sweep, was_opened
from mpcd.party.ports import Order, Product, Reveal, Worker
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.testing.simulation.clock import LoopClock, run_virtually
from tests.party.links import add_up
from tests.party.world import (
    COMPUTING,
    DEADLINE,
    EVERYBODY,
    OWNER,
    READER,
    TOTAL,
    Daemon,
    Pool,
    World,
    result_of,
    run_job,
    specification,
)

SESSION = b"s" * 32
KEYS = {a: bytes([a]) * 32 for a in range(4)}
SLOTS = ["SESSION", "KEYS", "KEY-COMPLAINT", "INPUTS", "HAVE", "START", "BARRIER"]
MOMENTS = [(family, number) for family in SLOTS for number in (0, 1, 2)]
OTHER_MOMENTS = [("keys", 0), ("input", 0), ("receipt", 0)]


class KillAt:
    """Kills one party when it sends its first message of one kind."""

    def __init__(self, world: World, victim: str, moment: tuple[str, int]) -> None:
        self.world, self.victim, self.moment = world, victim, moment
        self.done = False

    def __call__(self, what: str, sender: str, to: str, message: Any) -> bool:
        if sender == self.victim and not self.done and self._now(what, message):
            self.done = True
            asyncio.get_running_loop().call_soon(self.world.kill, self.victim)
        return False

    def _now(self, what: str, message: Any) -> bool:
        if what != "slot":
            return self.moment == (what, 0)
        return (message.slot, message.round) == self.moment


async def survivors_agree(world: World, ended: dict[str, State], victim: str) -> None:
    survivors = [name for name in EVERYBODY if name != victim]
    assert set(ended) >= set(survivors)
    assert all(ended[name] in TERMINAL for name in survivors)
    assert asyncio.get_running_loop().time() <= DEADLINE + GRACE_S
    computing = {ended[name] is State.SUCCEEDED for name in survivors if name in COMPUTING}
    assert len(computing) == 1, ended
    spec = next(iter(world.daemons["acme"].lives.values())).case.terms.specification
    learnt = {name: await result_of(world, name, spec) for name in ("acme", READER) if name != victim}
    assert set(learnt.values()) in ({TOTAL}, {None}), learnt
    assert (set(learnt.values()) == {TOTAL}) == computing.pop()


@pytest.mark.parametrize("moment", [*MOMENTS, *OTHER_MOMENTS], ids=str)
def test_a_party_killed_at_any_moment_leaves_the_others_with_an_end(moment: tuple[str, int]) -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.lost = KillAt(world, "bolt", moment)
        ended = await run_job(world, spec)
        assert world.lost.done
        await survivors_agree(world, ended, "bolt")
        await the_next_job_works(world)

    run_virtually(story())


@pytest.mark.parametrize("when", [0.001, 0.01, 0.03, 0.05, 0.08, 0.12, 0.15, 0.2])
@pytest.mark.parametrize("victim", [OWNER, READER, "acme"])
def test_killing_by_the_clock_in_every_role(victim: str, when: float) -> None:
    async def story() -> None:
        world, spec = World(), specification()

        async def strike() -> None:
            await asyncio.sleep(when)
            world.kill(victim)

        task = asyncio.create_task(strike())
        ended = await run_job(world, spec)
        await task
        survivors = [name for name in EVERYBODY if name != victim]
        assert all(ended[name] in TERMINAL for name in survivors)
        assert asyncio.get_running_loop().time() <= DEADLINE + GRACE_S
        learnt = {await result_of(world, name, spec) for name in ("acme", READER) if name != victim}
        assert learnt in ({TOTAL}, {None})
        await the_next_job_works(world)

    run_virtually(story())


async def the_next_job_works(world: World) -> None:
    """The dead come back with their disks; everybody serves another job."""
    for name in list(world.dead):
        await revive(world, name)
    world.lost = lambda what, sender, to, message: False
    spec = specification("the-next")
    ended = await run_job(world, spec)
    assert set(ended.values()) == {State.SUCCEEDED}, ended
    assert await result_of(world, READER, spec) == TOTAL


async def revive(world: World, name: str) -> Daemon:
    """Start the daemon again over the same database."""
    old = world.daemons[name]
    world.dead.discard(name)
    world.daemons[name] = daemon = Daemon(world, name)
    daemon.database = old.database
    daemon.tools = daemon.make_tools()
    await sweep(daemon.store, LoopClock())
    return daemon


def test_a_restart_ends_running_jobs_and_keeps_the_others() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.lost = KillAt(world, "bolt", ("START", 1))
        await run_job(world, spec)
        daemon = await revive(world, "bolt")
        row = await daemon.store.jobs.get(spec.job)
        assert row.state == State.FAILED
        assert "restarted" in row.detail
        assert await sweep(daemon.store, LoopClock()) == []

    run_virtually(story())


@pytest.mark.parametrize("moment", [("BARRIER", 1), ("BARRIER", 2), ("receipt", 0)], ids=str)
def test_a_party_restarted_after_ready_still_learns_how_it_ended(moment: tuple[str, int]) -> None:
    """It is not in the agreement any more; as a recipient it asks the holders."""

    async def story() -> None:
        world, spec = World(), specification()
        world.lost = KillAt(world, "acme", moment)
        ended = await run_job(world, spec)
        opened = ended["bolt"] is State.SUCCEEDED
        daemon = await revive(world, "acme")
        (row,) = await daemon.store.jobs.in_states(frozenset({"verifying", "opening"}))
        life = await daemon.know(spec)
        life.case.state, life.case.session = State(row.state), row.session
        life.case.opened = await was_opened(daemon.store, spec.job)
        state = await life.resume()
        assert state is (State.SUCCEEDED if opened else State.FAILED)
        assert await result_of(world, "acme", spec) == (TOTAL if opened else None)

    run_virtually(story())


def contrary(pool: Pool, late: bytes) -> Callable[[bytes, float], Coroutine[Any, Any, Worker | None]]:
    """Reserve for one of two jobs a little later than for the other."""
    ordinary = pool.reserve

    async def reserve(job: bytes, wait_s: float) -> Worker | None:
        await asyncio.sleep(0.05 if job == late else 0.0)
        return await ordinary(job, wait_s)

    return reserve


def test_two_jobs_that_need_each_others_processes_both_succeed() -> None:
    """One process per party; the jobs reserve in opposite orders, so that each holds what the other needs."""

    async def story() -> None:
        world = World()
        one, two = specification("one"), specification("two")
        for name in EVERYBODY:
            daemon = world.daemon(name)
            await daemon.know(one)
            await daemon.know(two)
            late = (one, two)[EVERYBODY.index(name) % 2].job
            setattr(daemon.pool, "reserve", contrary(daemon.pool, late))  # noqa: B010 - a method is replaced
            daemon.begin(one)
            daemon.begin(two)
        ended = [await asyncio.gather(*world.daemons[name].tasks) for name in EVERYBODY]
        assert {state for pair in ended for state in pair} == {State.SUCCEEDED}
        assert [await result_of(world, READER, spec) for spec in (one, two)] == [TOTAL, TOTAL]
        assert all(world.daemons[name].pool.taken == 0 for name in EVERYBODY)
        busy = [m for what, _, _, m in world.log if what == "slot" and m.slot == "START" and m.number > 0]
        assert busy, "the jobs never got into each other's way: this test tests nothing"

    run_virtually(story())


def test_a_job_without_a_free_process_expires_and_releases_everything() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.daemon("crux").pool.slots = 0
        ended = await run_job(world, spec)
        assert all(ended[name] is State.EXPIRED for name in COMPUTING), ended
        assert all(state in TERMINAL for state in ended.values())
        assert all(world.daemons[name].pool.taken == 0 for name in COMPUTING)

    run_virtually(story())


def test_ready_and_the_output_shares_are_on_the_disk_before_ready_is_sent() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        checked: set[str] = set()

        def look(what: str, sender: str, to: str, message: Any) -> bool:
            if what == "slot" and message.slot == "BARRIER" and message.round > 0:
                connection = world.daemons[sender].database.connection
                slot = slot_name("BARRIER", message.session, 0)
                fixed = connection.execute("SELECT value FROM slot_values WHERE slot = ?", (slot,)).fetchone()
                assert fixed is not None
                assert fixed[0][:1] == b"\x01"  # ready
                (shares,) = connection.execute("SELECT count(*) FROM output_shares").fetchone()
                assert shares == 3 * 2
                (state,) = connection.execute("SELECT state FROM jobs").fetchone()
                assert state in ("verifying", "opening", "succeeded")
                checked.add(sender)
            return False

        world.lost = look
        ended = await run_job(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}
        assert checked == set(COMPUTING)

    run_virtually(story())


def test_no_share_leaves_a_holder_before_the_opening_is_on_its_disk() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        served: list[str] = []
        early: list[str] = []

        async def take_long(order: Order, reveal: Reveal) -> None:
            await asyncio.sleep(7.0)  # longer than a recipient's call waits

        for name in COMPUTING:
            daemon = world.daemon(name)
            daemon.pool.run = take_long
            life = await daemon.know(spec)
            honest = life.output

            async def watched(
                caller: str, request: Any, daemon: Daemon = daemon, honest: Any = honest
            ) -> Any:
                header, body = await honest(caller, request)
                if header.ready:
                    row = await daemon.store.jobs.get(spec.job)
                    served.append(daemon.name)
                    if row.state not in ("opening", "succeeded"):
                        early.append(daemon.name)
                return header, body

            life.output = watched  # type: ignore[method-assign]
        for name in (OWNER, READER):
            await world.daemon(name).know(spec)
        await asyncio.gather(*(world.daemons[name].begin(spec) for name in EVERYBODY))
        assert set(served) == set(COMPUTING)
        assert early == []

    run_virtually(story())


def test_whoever_asks_all_the_time_gets_no_share_before_all_have_agreed_to_open() -> None:
    """Output shares are on the disk before the last barrier: until its end they are for nobody."""

    async def story() -> None:
        world, spec = World(), specification()
        early: list[tuple[str, str]] = []
        served: set[str] = set()

        async def pester(name: str) -> None:
            life = world.daemons[name].lives[spec.job]
            while not life.case.ended:
                for a in life.case.scheme.held(COMPUTING.index(name)):
                    request = FetchOutputRequest(job=spec.job, output="total", summand=a, body=True)
                    header, body = await life.output(READER, request)
                    row = await world.daemons[name].store.jobs.get(spec.job)
                    if header.ready or body or header.HasField("commitment"):
                        served.add(name)
                        if row.state not in ("opening", "succeeded"):
                            early.append((name, row.state))
                await asyncio.sleep(0.0005)

        for name in EVERYBODY:
            await world.daemon(name).know(spec)
        lives = [world.daemons[name].begin(spec) for name in EVERYBODY]
        await asyncio.gather(*lives, *(pester(name) for name in COMPUTING))
        assert served == set(COMPUTING)
        assert early == []

    run_virtually(story())


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_terminal_state_is_never_left(name: str) -> None:
    async def story() -> None:
        world, spec = World(), specification()
        await run_job(world, spec)
        life = world.daemons[name].lives[spec.job]
        for event in Event:
            with pytest.raises(UsageError):
                await life.move(event)
        life.slot("bolt" if name != "bolt" else "acme", SlotMessage(job=spec.job, slot="BARRIER", round=1))
        assert life.state is State.SUCCEEDED
        assert (await world.daemons[name].store.jobs.get(spec.job)).state == "succeeded"

    run_virtually(story())


def test_messages_that_are_lost_once_cost_little_time() -> None:
    """A stream that breaks loses what was on it; everything of a slot is said again."""

    async def story() -> None:
        seen: set[tuple[Any, ...]] = set()

        def lose_first(what: str, sender: str, to: str, message: Any) -> bool:
            if what != "slot":
                return False
            key = (sender, to, message.slot, message.number, message.round)
            new = key not in seen
            seen.add(key)
            return new

        world, spec = World(lost=lose_first), specification()
        ended = await run_job(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}
        assert asyncio.get_running_loop().time() < 25.0

    run_virtually(story())


def test_inputs_of_all_are_in_although_one_party_hears_no_owner() -> None:
    """The union of INPUTS and the forwarding make up for a link that is down."""

    async def story() -> None:
        def deaf(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "input" and to == "dune"

        world, spec = World(lost=deaf), specification()
        ended = await run_job(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}, ended
        assert await result_of(world, READER, spec) == TOTAL
        assert [m for what, _, to, m in world.log if what == "share" and to == "dune"]
        assert not [m for what, _, to, m in world.log if what == "share" and to != "dune"]

    run_virtually(story())


def test_nothing_is_signed_in_a_slot_that_nobody_can_enter() -> None:

    async def story() -> None:
        world, spec = World(), specification()

        def hold(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "slot" and message.slot == "BARRIER" and message.round == 0

        world.lost = hold
        ended = await run_job(world, spec)
        assert State.SUCCEEDED not in ended.values()
        for name in COMPUTING:
            values = (
                world.daemons[name]
                .database.connection.execute("SELECT value FROM slot_values WHERE slot LIKE 'BARRIER%'")
                .fetchall()
            )
            assert values == []

    run_virtually(story())


@pytest.mark.parametrize(("left_s", "ready"), [(9.5, True), (8.5, False)])
def test_whether_ready_is_signed_depends_on_the_time_left(left_s: float, ready: bool) -> None:
    """The slot and the opening need 2 (2 t + 3) Delta, less one Delta that the others may be ahead."""

    async def story() -> None:
        world, spec = World(), specification()

        def hurry(order: Order) -> Product:
            for name in COMPUTING:
                case = world.daemons[name].lives[spec.job].case
                now = asyncio.get_running_loop().time()
                case.terms = dataclasses.replace(case.terms, deadline=now + left_s)
                assert in_time(case) == ready
            return add_up(order)

        for name in COMPUTING:
            world.daemon(name).pool.compute = hurry
        ended = await run_job(world, spec)
        ended = {name: ended[name] for name in COMPUTING}
        assert set(ended.values()) == ({State.SUCCEEDED} if ready else {State.EXPIRED}), ended

    run_virtually(story())


def test_a_holder_whose_own_fetching_failed_goes_on_serving() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.lost = lambda what, sender, to, message: what == "output" and sender == "acme"
        ended = await run_job(world, spec)
        assert ended["acme"] is State.FAILED
        assert await result_of(world, READER, spec) == TOTAL
        assert await was_opened(world.daemons["acme"].store, spec.job)
        life = world.daemons["acme"].lives[spec.job]
        request = FetchOutputRequest(job=spec.job, output="total", summand=1, body=True)
        header, body = await life.output(READER, request)
        assert header.ready
        assert len(body) == 8

    run_virtually(story())
