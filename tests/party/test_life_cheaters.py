"""One cheater in a job: no wrong output, no output for some only, and records that name the right ones."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from mpcd._pb.v1 import worker_pb2
from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, InputHeader, KeyContributions, OutputHeader
from mpcd.errors import InternalError, RefusedError
from mpcd.identity.encoding import pack
from mpcd.identity.envelope import Envelope
from mpcd.identity.sealing import seal
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.evidence import verify as verify_evidence
from mpcd.jobs.states import State
from mpcd.party import processes
from mpcd.party.contributing import box_context
from mpcd.party.notes import InputNote, OutputNote, SessionNotice
from mpcd.party.ports import Delivery, Order, Product, Reveal, SharedOutput
from mpcd.transport.wire import from_wire, to_wire
from tests.party.virtual_time import run_virtually
from tests.party.world import (
    COMPUTING,
    EVERYBODY,
    OWNER,
    READER,
    TOTAL,
    VALUES,
    World,
    add_up,
    identities,
    result_of,
    roster,
    run_job,
    specification,
)

CHEATER = "dune"
HONEST = tuple(name for name in EVERYBODY if name != CHEATER)
Twist = Callable[[str, str, str, Any], Any]


async def evidence_of(world: World, name: str) -> list[Evidence]:
    """All records of a party, verified as a stranger would."""
    (job,) = world.daemons[name].lives
    raw = await world.daemons[name].store.evidence.of(job)
    return [verify_evidence(Envelope.from_bytes(body), roster()) for _, body in raw]


def job_with(twist: Twist, **changes: Any) -> tuple[World, dict[str, State], dict[str, int | None]]:
    async def story() -> tuple[World, dict[str, State], dict[str, int | None]]:
        world, spec = World(twist=twist), specification(**changes)
        ended = await run_job(world, spec)
        return world, ended, {name: await result_of(world, name, spec) for name in ("acme", READER)}

    return run_virtually(story())


def records(world: World, name: str) -> list[Evidence]:
    return asyncio.run(evidence_of(world, name))


# -- keys ------------------------------------------------------------------------------------------------


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


# -- inputs ----------------------------------------------------------------------------------------------


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


# -- outputs ---------------------------------------------------------------------------------------------


def test_other_commitments_of_one_party_are_outvoted_and_recorded() -> None:
    async def story() -> None:
        world, spec = World(), specification()

        def wrong(order: Order) -> Product:
            product = add_up(order)
            (output,) = product.outputs
            deliveries = tuple(
                Delivery(d.recipient, d.salts, {a: bytes(32) for a in d.commitments})
                for d in output.deliveries
            )
            return Product(
                (SharedOutput(output.name, output.shape, output.summands, deliveries),), b"\0" * 32
            )

        world.daemon(CHEATER).pool.compute = wrong
        ended = await run_job(world, spec)
        assert all(ended[name] is State.SUCCEEDED for name in (*COMPUTING, READER))
        assert await result_of(world, "acme", spec) == TOTAL
        assert await result_of(world, READER, spec) == TOTAL
        for name in ("acme", "bolt", "crux"):
            (record,) = await evidence_of(world, name)
            assert (record.kind, record.blamed) == ("contradiction", (CHEATER,))
            assert len(record.statements) == len(record.bodies) == 4

    run_virtually(story())


def test_a_job_process_that_fails_at_one_party_keeps_everything_closed() -> None:
    async def story() -> None:
        world, spec = World(), specification()

        async def die(order: Order, reveal: Reveal) -> None:
            raise InternalError("the job process ended")

        world.daemon(CHEATER).pool.run = die
        ended = await run_job(world, spec)
        assert ended[CHEATER] is State.FAILED
        assert all(ended[name] is State.ABORTED for name in (*COMPUTING, READER) if name != CHEATER)
        # It says that it leaves, so the others do not wait for the deadline.
        assert asyncio.get_running_loop().time() < 10.0
        for name in ("acme", "bolt", "crux"):
            (record,) = await evidence_of(world, name)
            assert not record.blamed
            assert record.unreachable == (CHEATER,)

    run_virtually(story())


def test_what_was_outvoted_is_recorded_as_a_pair_and_the_job_succeeds() -> None:
    """Two lies of one party on two paths: one record of the reporter and the liar, and a line in the log."""

    async def story() -> None:
        world, spec = World(), specification()
        liar, seen = frozenset({0, 3}), ("range open/0/open", "range open/1/open")
        notices = tuple((path, liar) for path in seen)
        acme = world.daemon("acme")
        acme.pool.compute = lambda order: dataclasses.replace(add_up(order), outvoted=notices)
        with capture_logs() as lines:
            ended = await run_job(world, spec)
        assert all(state is State.SUCCEEDED for state in ended.values()), ended
        (record,) = await evidence_of(world, "acme")
        assert (record.kind, record.blamed, record.step) == ("bad-opening", ("acme", "dune"), seen[0])
        assert [line["parties"] for line in lines if line["event"] == "openings outvoted"] == [
            ["acme", "dune"]
        ]
        assert not await evidence_of(world, "bolt")

    run_virtually(story())


def test_a_job_process_that_names_one_party_alone_is_our_bug() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        alone = (("path", frozenset({3})),)
        world.daemon("acme").pool.compute = lambda order: dataclasses.replace(add_up(order), outvoted=alone)
        assert (await run_job(world, spec))["acme"] is State.FAILED
        assert not [r for r in await evidence_of(world, "acme") if r.blamed]

    run_virtually(story())


def test_the_result_of_a_job_process_carries_what_was_outvoted() -> None:
    result = worker_pb2.Result(notices=[worker_pb2.Pair(path="x/open", parties=[1, 2])])
    assert processes._product(result, (0, 1, 2, 3)).outvoted == (("x/open", frozenset({1, 2})),)


def lie_about_outputs(lie: Callable[[OutputHeader, bytes], tuple[OutputHeader, bytes]]) -> Twist:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "output" and sender == CHEATER and message[0].ready:
            header = OutputHeader()
            header.CopyFrom(message[0])
            return lie(header, message[1])
        return message

    return twist


def wrong_body(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    return header, bytes(len(body))


def wrong_salt(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    header.salt = bytes(32)
    return header, body


def longer_body(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    return header, body + bytes(8)


def other_commitments(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    note = OutputNote.from_bytes(from_wire(header.commitment).payload)
    lie = note.model_copy(update={"commitments": ("0" * 64,) * len(note.commitments)})
    header.commitment.CopyFrom(to_wire(lie.envelope(identities()[CHEATER])))
    return header, body


def other_session(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    note = OutputNote.from_bytes(from_wire(header.commitment).payload)
    lie = note.model_copy(update={"session": "0" * 64})
    header.commitment.CopyFrom(to_wire(lie.envelope(identities()[CHEATER])))
    return header, body


def unsigned(header: OutputHeader, body: bytes) -> tuple[OutputHeader, bytes]:
    del header.commitment.signatures[:]
    return header, body


def claims_abort(header: OutputHeader, _body: bytes) -> tuple[OutputHeader, bytes]:
    return OutputHeader(state="aborted", ready=False), b""


LIES = [wrong_body, wrong_salt, longer_body, other_commitments, other_session, unsigned, claims_abort]


@pytest.mark.parametrize("lie", LIES)
def test_one_lying_holder_neither_changes_nor_withholds_an_output(lie: Any) -> None:
    _, ended, learnt = job_with(lie_about_outputs(lie))
    assert set(ended.values()) == {State.SUCCEEDED}
    assert set(learnt.values()) == {TOTAL}


def test_one_holder_that_says_aborted_from_the_beginning_ends_nobodys_waiting() -> None:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        return claims_abort(*message) if what == "output" and sender == CHEATER else message

    _, ended, learnt = job_with(twist)
    assert set(ended.values()) == {State.SUCCEEDED}
    assert set(learnt.values()) == {TOTAL}


@pytest.mark.parametrize("cheater", COMPUTING)
def test_one_silent_holder_does_not_withhold_an_output(cheater: str) -> None:
    async def story() -> None:
        world, spec = World(), specification()
        world.lost = lambda what, sender, to, message: what == "output" and to == cheater
        ended = await run_job(world, spec)
        assert all(ended[name] is State.SUCCEEDED for name in (*COMPUTING, READER))
        assert await result_of(world, READER, spec) == TOTAL

    run_virtually(story())


def test_two_lying_holders_are_too_many_and_still_no_wrong_output_comes_out() -> None:
    def twist(what: str, sender: str, to: str, message: Any) -> Any:
        if what == "output" and sender in ("crux", CHEATER):
            return wrong_body(*message)
        return message

    _, _, learnt = job_with(twist)
    assert set(learnt.values()) <= {TOTAL, None}


def test_an_outsider_gets_nothing() -> None:
    async def story() -> None:
        world, spec = World(), specification()
        refused: list[str] = []

        async def ask() -> None:
            request = FetchOutputRequest(job=spec.job, output="total", summand=0, body=True)
            for name in ("bolt", OWNER, "stranger"):
                try:
                    await world.daemons["crux"].lives[spec.job].output(name, request)
                except RefusedError:
                    refused.append(name)

        await run_job(world, spec)
        await ask()
        assert refused == ["bolt", OWNER, "stranger"]

    run_virtually(story())
