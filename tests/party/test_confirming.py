"""Comparing notes before a job begins: all were shown the same consents, and nobody begins much later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import ConsentNote, SlotMessage
from mpcd.errors import ChannelError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.consent import Consent, accept
from mpcd.jobs.states import State
from mpcd.transport.wire import from_wire
from tests.party.offices import PACE, Town, job, signed
from tests.party.test_consents import play
from tests.party.world import COMPUTING, OWNER, identities


def test_two_different_sets_of_consents_stop_the_job(tmp_path: Path) -> None:
    """The owner signs two consents, with different data, and the coordinator shows each to a half."""

    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        honest = Consent.from_bytes(answers[OWNER].payload)
        lie = honest.datasets[0].model_copy(update={"digest": "77" * 32})
        other = accept(specification, specification.job, OWNER, [lie]).envelope(identities()[OWNER])
        sets = {name: list(answers.values()) for name in COMPUTING}
        for name in ("crux", "dune"):
            sets[name] = [other if name_ == OWNER else e for name_, e in answers.items()]
        await asyncio.gather(
            *(town.offices[name].consent_set(specification.job, sets[name]) for name in COMPUTING)
        )
        for name in COMPUTING:
            detail = await town.settle(name, specification.job, State.ABORTED)
            assert "other consents" in detail
        assert town.begun.isdisjoint(COMPUTING)

    play(tmp_path, scene)


def test_a_computing_party_that_confirms_nothing_is_named_as_silent(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job(profile="fair")
        await town.propose(signed(specification))
        answers = await town.answers()
        await town.offices.pop("dune").close()
        await town.offices["acme"].consent_set(specification.job, list(answers.values()))
        began = time.monotonic()
        detail = await town.settle("acme", specification.job, State.ABORTED)
        assert "dune" in detail
        assert time.monotonic() - began < PACE.stage_s, "it gives no sign of life"

    play(tmp_path, scene)


def test_if_the_deadline_passes_while_consents_are_confirmed_the_job_expires(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification = job(deadline=1.5, profile="fair")
        await town.propose(signed(specification))
        answers = await town.answers()
        await town.offices.pop("dune").close()

        async def alive() -> None:
            while True:
                town.offices["acme"].slot("dune", SlotMessage(job=specification.job))
                await asyncio.sleep(PACE.delta_s / 2)

        breath = asyncio.create_task(alive())
        await town.offices["acme"].consent_set(specification.job, list(answers.values()))
        assert "dune" in await town.settle("acme", specification.job, State.EXPIRED)
        breath.cancel()

    play(tmp_path, scene)


def test_a_second_set_that_comes_while_the_first_is_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is made by the set that is shown to the others, or two honest parties could differ in it."""

    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        honest = Consent.from_bytes(answers[OWNER].payload)
        lie = honest.datasets[0].model_copy(update={"digest": "77" * 32})
        other = accept(specification, specification.job, OWNER, [lie]).envelope(identities()[OWNER])
        office = town.offices["acme"]
        store, writes = office.house.tools.store, Writes()
        shown: list[set[bytes]] = []
        monkeypatch.setattr(store.consents, "add", writes.after(store.consents.add))
        monkeypatch.setattr(store.jobs, "advance", writes.after(store.jobs.advance))

        async def show(_to: str, note: ConsentNote) -> None:
            shown.append({from_wire(consent).digest for consent in note.consents})

        monkeypatch.setattr(office.house.peers, "show_consents", show)
        second = [other if name == OWNER else envelope for name, envelope in answers.items()]
        await asyncio.gather(
            office.consent_set(specification.job, list(answers.values())),
            office.consent_set(specification.job, second),
        )
        await town.settle("acme", specification.job, State.CONSENTED)
        async with asyncio.timeout(10):
            while not shown:
                await asyncio.sleep(0.01)
        kept = {
            Envelope.from_bytes(raw).digest for raw in (await store.consents.of(specification.job)).values()
        }
        assert shown[0] == kept == {envelope.digest for envelope in answers.values()}

    play(tmp_path, scene)


class Writes:
    """Writes one after the other, each taking a moment, as in the thread of a real database."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    def after(self, write: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def slow(*given: Any) -> None:
            async with self._turn:
                await asyncio.sleep(0.02)
                await write(*given)

        return slow


@pytest.mark.parametrize("profile", ["guaranteed", "fair"])
@pytest.mark.parametrize("hostile", [False, True])
def test_an_owner_who_does_not_compute_begins_when_the_others_do(
    tmp_path: Path, hostile: bool, profile: str
) -> None:
    """One computing party is gone, or confirms to everybody but the owner: its input would come too late."""

    async def scene(town: Town) -> None:
        begun: dict[str, float] = {}
        changed = town._changed

        def note(name: str, job_hash: bytes, state: State, detail: str) -> None:
            if state is State.GATHERING:
                begun[name] = time.monotonic()
            changed(name, job_hash, state, detail)

        town._changed = note  # type: ignore[method-assign]
        specification = job(profile=profile)
        await town.propose(signed(specification))
        answers = await town.answers()
        if hostile:
            peers = town.offices["dune"].house.peers
            show = peers.show_consents

            async def not_to_the_owner(to: str, note: ConsentNote) -> None:
                if to == OWNER:
                    raise ChannelError("no")
                await show(to, note)

            peers.show_consents = not_to_the_owner  # type: ignore[method-assign,assignment]
        else:
            await town.offices.pop("dune").close()
        others = {"acme", "bolt", "crux"} if hostile or profile == "guaranteed" else set()
        await town.offices["acme"].consent_set(specification.job, list(answers.values()))
        await town.until(lambda: {*others, OWNER} <= begun.keys())
        assert all(begun[OWNER] - begun[name] < PACE.stage_s / 2 for name in others)

    play(tmp_path, scene)


def test_no_signs_of_life_come_from_an_office_that_was_closed(tmp_path: Path) -> None:
    async def scene(town: Town) -> None:
        specification, office = job(), town.offices["acme"]
        sent: list[str] = []
        office.house.peers.send_slot = lambda to, _message: sent.append(to)  # type: ignore[method-assign,assignment]
        office.house.peers.show_consents = _never  # type: ignore[method-assign,assignment]
        await town.propose(signed(specification))
        answers = await town.answers()
        await office.consent_set(specification.job, list(answers.values()))
        await asyncio.sleep(PACE.delta_s)
        await office.close()
        assert sent
        sent.clear()
        await asyncio.sleep(2 * PACE.delta_s)
        assert sent == []

    play(tmp_path, scene)


async def _never(*_: Any) -> None:
    await asyncio.sleep(99)
