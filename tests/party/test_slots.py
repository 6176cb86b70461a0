"""The slot clock and the driver of slots: nobody is shut out by one cheater, nobody is split by time."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.errors import DeadlineError
from mpcd.party.slot_clock import mark_words
from mpcd.party.slot_early import EARLY_MESSAGES
from mpcd.party.slots import SILENT_DELTAS, SlotKey
from mpcd.protocols.agreement.chains import Chain, encode, statement
from mpcd.protocols.agreement.dolev_strong import LABEL, Agreed, Bottom, Equivocated, Outcome
from mpcd.protocols.agreement.outcomes import slot_name
from mpcd.testing.simulation.clock import run_virtually
from tests.party.network import DELTA, JOB, Network, sign_as

KEY = SlotKey("INPUTS", b"s" * 32)
SLOT_ID = slot_name("INPUTS", b"s" * 32, 0, 0)
STAGE_S = 20.0


async def after(seconds: float) -> None:
    await asyncio.sleep(seconds)


def body(party: int) -> bytes:
    return b"of %d" % party


async def decide(net: Network, me: int, work: Awaitable[None] | None = None, value: bytes = b"") -> Outcome:
    now = asyncio.get_running_loop().time()
    return await net.slots[me].decide(
        KEY, work=work, value=lambda: value or body(me), by=now + STAGE_S, max_body=64
    )


def all_of(net: Network, parties: range, work: Callable[[int], Awaitable[None] | None]) -> list[Any]:
    async def story() -> list[Any]:
        for p in parties:
            net.join(p)
        return await asyncio.gather(*(decide(net, p, work(p)) for p in parties), return_exceptions=True)

    return run_virtually(story())


def ends(net: Network, parties: range, work: Callable[[int], Awaitable[None] | None]) -> float:
    """Virtual seconds that a slot takes."""

    async def story() -> float:
        for p in parties:
            net.join(p)
        await asyncio.gather(*(decide(net, p, work(p)) for p in parties))
        return asyncio.get_running_loop().time()

    return run_virtually(story())


def test_with_all_ready_a_slot_ends_without_waiting_for_any_timer() -> None:
    net = Network()
    outcomes = all_of(net, range(4), lambda p: None)
    assert outcomes == [{p: Agreed(body(p)) for p in range(4)}] * 4
    assert ends(Network(), range(4), lambda p: None) < 0.01


def test_a_slot_waits_for_the_slowest_work() -> None:
    outcomes = all_of(Network(), range(4), lambda p: after(3.0 * p))
    assert outcomes == [{p: Agreed(body(p)) for p in range(4)}] * 4
    assert 9.0 <= ends(Network(), range(4), lambda p: after(3.0 * p)) < 9.1


def test_with_too_many_silent_the_slot_is_given_up_before_anything_is_signed() -> None:
    net = Network()
    first, second = all_of(net, range(2), lambda p: None)
    # Two timers of four parties are a certificate for t = 1: the slot itself then finds bottoms.
    assert first == second
    alone = Network()
    (lost,) = all_of(alone, range(1), lambda p: None)
    assert isinstance(lost, DeadlineError)
    assert lost.unreachable == {1, 2, 3}
    assert alone.fixed[0] == []


def test_the_value_is_taken_at_entry_and_fixed_before_it_is_signed() -> None:
    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        held: list[bytes] = []

        async def slow_work() -> None:
            await asyncio.sleep(5)
            held.append(b"arrived")

        def value() -> bytes:
            return b",".join(held) or b"nothing"

        slow = net.slots[0].decide(KEY, work=slow_work(), value=value, by=20.0, max_body=64)
        outcomes = await asyncio.gather(*[slow, *(decide(net, p) for p in range(1, 4))])
        assert outcomes[1][0] == Agreed(b"arrived")
        assert net.fixed[0] == [(SLOT_ID, b"arrived")]

    run_virtually(story())


def test_a_settled_value_is_made_durable_while_we_wait_for_the_others() -> None:
    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        seat, now = net.slots[0]._seat, asyncio.get_running_loop().time
        durable_at: list[float] = []

        async def slow_disk(slot: bytes, value: bytes) -> None:
            await asyncio.sleep(0.5)
            durable_at.append(now())

        object.__setattr__(seat, "fix", slow_disk)
        early = net.slots[0].decide(
            KEY, work=None, value=lambda: b"mine", by=STAGE_S, max_body=64, settled=True
        )
        outcome, *_ = await asyncio.gather(early, *(decide(net, p, after(5)) for p in range(1, 4)))
        assert outcome[0] == Agreed(b"mine")
        assert durable_at == [pytest.approx(0.5)]

    run_virtually(story())


@pytest.mark.parametrize("settled", [False, True])
def test_nothing_of_a_slot_is_sent_before_our_value_is_durable(settled: bool) -> None:
    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        seat = net.slots[0]._seat
        durable = asyncio.Event()

        async def slow_disk(slot: bytes, value: bytes) -> None:
            await asyncio.sleep(0.5)
            assert not [m for _, sender, _, m in net.log if sender == 0 and m.round > 0]
            durable.set()

        object.__setattr__(seat, "fix", slow_disk)
        await asyncio.gather(
            *(
                net.slots[p].decide(
                    KEY, work=None, value=functools.partial(body, p), by=STAGE_S, max_body=64, settled=settled
                )
                for p in range(4)
            )
        )
        assert durable.is_set()

    run_virtually(story())


def mark(kind: str, party: int) -> SlotPart:
    return SlotPart(label=kind, body=bytes([party]) + sign_as(party)(mark_words(kind, SLOT_ID, JOB)))


def clock_message(*parts: SlotPart) -> SlotMessage:
    return SlotMessage(job=JOB, session=KEY.session, slot=KEY.family, round=0, parts=parts)


def letter(number: int, *chains: Chain) -> SlotMessage:
    part = SlotPart(label=LABEL, body=encode(chains))
    return SlotMessage(job=JOB, session=KEY.session, slot=KEY.family, round=number, parts=[part])


def signed(value: bytes, *signers: int) -> Chain:
    words = statement(SLOT_ID, signers[0], hashlib.sha256(value).digest())
    return Chain(signers[0], value, tuple((s, sign_as(s)(words)) for s in signers))


@pytest.mark.parametrize("kind", ["timeout", "done", "enter"])
def test_one_cheater_cannot_begin_a_slot_before_the_honest_are_ready(kind: str) -> None:
    """It may claim its own timeout, and replay what others have signed; an unready owner is not shut out."""

    async def story() -> None:
        net = Network()
        for p in range(3):
            net.join(p)

        async def hurry() -> None:
            await asyncio.sleep(1.0)
            for p in range(3):
                own = mark(kind, 3)
                net.slots[p].deliver(3, clock_message(own, mark("done", 3), mark("timeout", 3), own))

        work = {0: after(10.0), 1: after(0.1), 2: after(0.1)}
        task = asyncio.create_task(hurry())
        outcomes = await asyncio.gather(*(decide(net, p, work[p]) for p in range(3)))
        await task
        assert all(o[0] == Agreed(body(0)) for o in outcomes)
        assert 10.0 <= asyncio.get_running_loop().time() < 15.0

    run_virtually(story())


def test_forged_marks_count_for_nothing() -> None:
    async def story() -> float:
        net = Network()
        for p in range(3):
            net.join(p)
        forged = [SlotPart(label="timeout", body=bytes([p]) + bytes(64)) for p in range(4)]
        short = [SlotPart(label="timeout", body=b""), SlotPart(label="timeout", body=bytes(66))]
        net.slots[0].deliver(3, clock_message(*forged, *short))
        net.slots[0].deliver(9, clock_message(mark("timeout", 1), mark("timeout", 2)))
        await asyncio.gather(*(decide(net, p, after(1.0)) for p in range(3)))
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) >= (SILENT_DELTAS + 4) * DELTA, "nobody gave up the fourth earlier"


@pytest.mark.parametrize(("slot", "job"), [(b"HAVE/other", JOB), (SLOT_ID, b"K" * 32)], ids=["slot", "job"])
def test_marks_of_another_slot_or_job_count_for_nothing(slot: bytes, job: bytes) -> None:
    """Otherwise a cheater could begin a slot with what honest parties said in an earlier one."""

    async def story() -> float:
        net = Network()
        for p in range(3):
            net.join(p)
        for kind in ("done", "timeout", "left"):
            replayed = [
                SlotPart(label=kind, body=bytes([p]) + sign_as(p)(mark_words(kind, slot, job)))
                for p in range(3)
            ]
            if kind != "left" or job != JOB:
                net.slots[0].deliver(3, clock_message(*replayed, mark("done", 3)))
        await asyncio.gather(*(decide(net, p, after(10.0)) for p in range(3)))
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) >= 10.0


def test_all_enter_within_one_delay_of_the_first() -> None:
    """A cheater shows its mark to one party only; that party's certificate brings the others in."""

    async def story() -> None:
        net = Network(delay=lambda s, to, m: 0.9)
        entered: dict[int, float] = {}
        for p in range(3):
            net.join(p)

        def note(p: int) -> Callable[[], bytes]:
            def value() -> bytes:
                entered[p] = asyncio.get_running_loop().time()
                return body(p)

            return value

        loop = asyncio.get_running_loop()
        loop.call_later(2.0, net.slots[0].deliver, 3, clock_message(mark("done", 3)))
        outcomes = await asyncio.gather(
            *(net.slots[p].decide(KEY, work=None, value=note(p), by=20.0, max_body=64) for p in range(3))
        )
        # Rounds of two delays: what the last to enter says still reaches the first in time.
        assert outcomes == [{**{p: Agreed(body(p)) for p in range(3)}, 3: Bottom()}] * 3
        assert max(entered.values()) - min(entered.values()) <= DELTA
        assert min(entered.values()) < 3.0

    run_virtually(story())


def test_a_party_that_has_left_is_not_waited_for() -> None:
    async def story() -> tuple[float, list[Outcome]]:
        net = Network()
        for p in range(4):
            net.join(p)
        net.slots[3].leave()
        outcomes = await asyncio.gather(*(decide(net, p, after(1.0)) for p in range(3)))
        return asyncio.get_running_loop().time(), list(outcomes)

    took, outcomes = run_virtually(story())
    assert took < 2.0
    assert all(o[3] == Bottom() and o[0] == Agreed(body(0)) for o in outcomes)


def test_leaving_while_a_slot_runs_ends_the_waiting() -> None:
    async def story() -> float:
        net = Network()
        for p in range(4):
            net.join(p)
        asyncio.get_running_loop().call_later(2.0, net.slots[3].leave)
        await asyncio.gather(*(decide(net, p) for p in range(3)))
        return asyncio.get_running_loop().time()

    # One delay more: what the party said before it left may still be on its way.
    assert 2.0 + DELTA <= run_virtually(story()) < 2.1 + DELTA


def test_early_messages_are_kept_and_a_flood_is_not() -> None:
    async def story() -> None:
        net = Network()
        for p in range(4):
            net.join(p)
        early = [asyncio.create_task(decide(net, p)) for p in range(1, 4)]
        await asyncio.sleep(0.5)
        for number in range(3 * EARLY_MESSAGES):
            junk = SlotMessage(job=JOB, session=b"x" * 32, slot="HAVE", round=1, number=number)
            net.slots[0].deliver(3, junk)
        assert len(net.slots[0]._early[3]) == EARLY_MESSAGES
        outcome = await decide(net, 0)
        assert outcome == {p: Agreed(body(p)) for p in range(4)}
        await asyncio.gather(*early)

    run_virtually(story())


@pytest.mark.parametrize("early", [True, False])
def test_doubled_and_changed_letters_of_one_round_count_once(early: bool) -> None:
    async def story() -> None:
        net = Network()
        for p in range(3):
            net.join(p)
        running = [asyncio.create_task(decide(net, p, after(0.05))) for p in range(3)]
        if not early:
            await asyncio.sleep(0.01)
        for p in range(3):
            net.slots[p].deliver(3, clock_message(mark("done", 3)))
            net.slots[p].deliver(3, letter(1, signed(b"first", 3)))
            net.slots[p].deliver(3, letter(1, signed(b"second", 3)))
            net.slots[p].deliver(3, letter(9, signed(b"late", 3)))
            net.slots[p].deliver(3, letter(2))
        outcomes = await asyncio.gather(*running)
        assert all(o[3] == Agreed(b"first") for o in outcomes)
        assert asyncio.get_running_loop().time() < 0.1

    run_virtually(story())


def test_what_was_lost_at_first_is_repeated_before_any_timer() -> None:
    """Each party misses what one other one says in the first moment, and all of them repeat themselves."""
    sent: set[tuple[int, int]] = set()

    def first_is_lost(sender: int, to: int, message: SlotMessage) -> float | None:
        if to != (sender + 1) % 4 or message.round > 1 or (message.round, sender) in sent:
            return 0.001
        sent.add((message.round, sender))
        return None

    net = Network(delay=first_is_lost)

    async def story() -> float:
        for p in range(4):
            net.join(p)

        async def decided(me: int) -> Outcome:
            await asyncio.sleep(0.1 * me)  # who came first repeats itself first, and is heard by the others
            return await net.slots[me].decide(
                KEY, work=None, value=lambda: body(me), by=STAGE_S, max_body=64, settled=True
            )

        await asyncio.gather(*(decided(p) for p in range(4)))
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) < 3 * DELTA


def test_a_failure_of_the_work_ends_the_slot_before_anything_is_signed() -> None:
    async def broken() -> None:
        raise DeadlineError("no")

    async def story() -> None:
        net = Network()
        net.join(0)
        with pytest.raises(DeadlineError, match="no"):
            await decide(net, 0, broken())
        assert net.fixed[0] == []

    run_virtually(story())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_timing_of_a_cheater_splits_the_honest(data: st.DataObject) -> None:
    """Honest messages take any time below Delta; the cheater's arrive whenever it likes, as it likes."""

    async def story() -> None:
        def delay(_s: int, _to: int, _m: SlotMessage) -> float:
            return data.draw(st.floats(0.0, 0.99 * DELTA))

        net = Network(delay=delay)
        for p in range(3):
            net.join(p)
        loop = asyncio.get_running_loop()
        times = st.floats(0.0, STAGE_S + 8 * DELTA)
        for p in range(3):
            for kind in ("done", "timeout"):
                if data.draw(st.booleans()):
                    loop.call_later(data.draw(times), net.slots[p].deliver, 3, clock_message(mark(kind, 3)))
            for number in (1, 2):
                shown = data.draw(st.lists(st.sampled_from([b"A", b"B"]), max_size=2, unique=True))
                message = letter(number, *(signed(v, 3) for v in shown))
                loop.call_later(data.draw(times), net.slots[p].deliver, 3, message)
        first, *others = await asyncio.gather(*(decide(net, p) for p in range(3)))
        for other in others:
            assert {p: kind_of(v) for p, v in other.items()} == {p: kind_of(v) for p, v in first.items()}
        assert all(first[p] == Agreed(body(p)) for p in range(3))

    run_virtually(story())


def kind_of(verdict: object) -> object:
    return "equivocated" if isinstance(verdict, Equivocated) else verdict
