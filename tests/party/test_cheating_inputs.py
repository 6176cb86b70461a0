"""A cheater among those who give keys and inputs: nobody is left out, and records name the right ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import InputHeader, KeyContributions
from mpcd.identity.encoding import pack
from mpcd.identity.sealing import seal
from mpcd.jobs.states import State
from mpcd.party.contributing import box_context
from mpcd.party.notes import InputNote, SessionNotice
from mpcd.testing.simulation.clock import run_virtually
from mpcd.transport.wire import from_wire, to_wire
from tests.party.cheats import CHEATER, Twist, job_with, records
from tests.party.world import (
    COMPUTING,
    OWNER,
    READER,
    TOTAL,
    VALUES,
    World,
    identities,
    result_of,
    roster,
    run_job,
    specification,
)


def test_who_is_said_to_send_wrong_keys_shows_them_and_the_job_goes_on() -> None:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "keys" and (sender, to) == (CHEATER, "acme"):
            changed = KeyContributions()
            changed.CopyFrom(message)
            changed.contributions[0].secret = bytes(32)
            return changed
        return message

    world, ended, learnt = job_with(twist)
    assert set(ended.values()) == {State.SUCCEEDED}
    assert set(learnt.values()) == {TOTAL}
    assert any(what == "slot" and m.slot == "KEY-ANSWER" for what, _, _, m in world.log)
    assert not records(world, "acme")


def garbled(*victims: str) -> Twist:
    """The owner sends boxes to some holders that do not open."""

    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "input" and sender == OWNER and to in victims:
            header, data = message
            return header, bytes(len(data))
        return message

    return twist


def test_one_holder_without_good_shares_gets_them_from_the_others() -> None:
    world, ended, learnt = job_with(garbled("bolt"))
    assert set(ended.values()) == {State.SUCCEEDED}
    assert set(learnt.values()) == {TOTAL}
    assert {to for what, _, to, _ in world.log if what == "share"} == {"bolt"}


def test_an_input_that_two_holders_cannot_open_is_left_out_for_all() -> None:
    _, ended, learnt = job_with(garbled("bolt", "crux"), missing="exclude")
    assert all(ended[name] is State.SUCCEEDED for name in COMPUTING)
    assert set(learnt.values()) == {TOTAL - VALUES[OWNER]}


def test_a_lying_forwarder_does_not_spoil_the_forwarding() -> None:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "share" and sender == CHEATER:
            header, data = message
            return header, bytes(len(data))
        return garbled("bolt")(what, sender, to, message)

    _, ended, learnt = job_with(twist)
    assert set(ended.values()) == {State.SUCCEEDED}
    assert set(learnt.values()) == {TOTAL}


def second_entry(message: Any, to: str) -> Any:
    """A different, well-signed input of the same owner for one holder."""
    header, _ = message
    note = InputNote.from_bytes(from_wire(header.entry).payload)
    other = note.model_copy(update={"commitments": tuple(reversed(note.commitments))})
    session = bytes.fromhex(note.session)
    key = roster().member(to).sealing_key
    box = seal(key, box_context(session, other, 0, to), pack([bytes(32), bytes(32)]))
    changed = InputHeader()
    changed.CopyFrom(header)
    changed.entry.CopyFrom(to_wire(other.envelope(identities()[OWNER])))
    del changed.boxes[1:]
    changed.boxes[0].size_bytes = len(box)
    return changed, box


@pytest.mark.parametrize("missing", ["exclude", "abort"])
def test_an_owner_that_signs_two_inputs_is_excluded_with_a_proof(missing: str) -> None:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "input" and sender == OWNER and to == "crux":
            return second_entry(message, to)
        return message

    world, ended, learnt = job_with(twist, missing=missing)
    if missing == "exclude":
        assert all(ended[name] is State.SUCCEEDED for name in COMPUTING)
        assert set(learnt.values()) == {TOTAL - VALUES[OWNER]}
    else:
        assert all(ended[name] is State.ABORTED for name in COMPUTING)
        for name in COMPUTING:
            (record,) = records(world, name)
            assert record.blamed == (OWNER,)
            assert record.kind == "equivocation"
            first, second = record.envelopes()
            assert first.payload != second.payload


def test_nobody_can_add_a_signature_to_an_honest_owners_entry() -> None:
    """Otherwise a cheater could make a second entry of an honest owner, and have the owner excluded."""

    world = World()

    async def story() -> None:
        spec = specification()

        def meddle(what: str, sender: str, to: str, message: Any) -> bool:
            if what == "input" and sender == OWNER and to == CHEATER:
                tray = world.daemons[CHEATER].lives[spec.job].case.desk.tray(message.session)
                assert tray is not None
                entry = from_wire(message.entry).sign(identities()[CHEATER]).to_bytes()
                tray.entries[entry] = (OWNER, "bids")
            return False

        world.lost = meddle
        ended = await run_job(world, spec)
        assert set(ended.values()) == {State.SUCCEEDED}
        assert await result_of(world, READER, spec) == TOTAL

    run_virtually(story())


def test_an_owner_does_not_follow_one_party_into_a_false_session() -> None:
    false = b"f" * 32

    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "session" and sender == CHEATER:
            notice = SessionNotice.from_bytes(message.payload)
            lie = notice.model_copy(update={"session": false.hex()})
            return lie.envelope(identities()[CHEATER])
        return message

    async def story() -> tuple[World, dict[str, State]]:
        def late(what: str, sender: str, to: str, message: Any) -> bool:
            return what == "session" and sender != CHEATER and asyncio.get_running_loop().time() < 1.0

        world = World(twist=twist, lost=late)
        return world, await run_job(world, specification())

    world, ended = run_virtually(story())
    assert set(ended.values()) == {State.SUCCEEDED}
    given = {m.session for what, sender, _, m in world.log if what == "input" and sender == OWNER}
    assert len(given) == 1
    assert false not in given
