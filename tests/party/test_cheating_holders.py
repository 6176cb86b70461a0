"""A holder that lies about outputs or is silent: no wrong output, and none for some recipients only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, OutputHeader
from mpcd.errors import RefusedError
from mpcd.jobs.states import State
from mpcd.party.notes import OutputNote
from mpcd.testing.simulation.clock import run_virtually
from mpcd.transport.wire import from_wire, to_wire
from tests.party.cheats import CHEATER, Twist, job_with
from tests.party.world import (
    COMPUTING,
    OWNER,
    READER,
    TOTAL,
    World,
    identities,
    result_of,
    run_job,
    specification,
)


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
    """It says so at once, long before the others have anything to say."""

    async def aborted(_caller: str, _request: FetchOutputRequest) -> tuple[OutputHeader, bytes]:
        return claims_abort(OutputHeader(), b"")

    async def story() -> None:
        world, spec = World(), specification()
        for name in spec.parties:
            await world.daemon(name).know(spec)
        world.daemons[CHEATER].lives[spec.job].output = aborted  # type: ignore[method-assign,assignment]
        ended = await asyncio.gather(*(world.daemons[name].begin(spec) for name in spec.parties))
        assert set(ended) == {State.SUCCEEDED}
        assert [await result_of(world, name, spec) for name in ("acme", READER)] == [TOTAL, TOTAL]

    run_virtually(story())


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
