"""The coordinator over real gRPC and TLS: what it takes, what it passes on, what survives a restart."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from mpcd._pb.v1 import coordinator_pb2 as pb
from mpcd.identity.envelope import Envelope, Signature
from mpcd.jobs.notices import Cancellation
from mpcd.jobs.states import State
from mpcd.transport.wire import from_wire, to_wire
from tests.coordinator.world import END, NAMES, Attachment, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


async def _code(call: Any) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


async def _attach(stack: AsyncExitStack, world: World, name: str) -> Attachment:
    stub = await stack.enter_async_context(world.stub(name))
    attachment = await Attachment.open(stub, world.roster.hash)
    stack.push_async_callback(attachment.close)
    return attachment


def _submission(envelope: Envelope) -> pb.SubmitJobRequest:
    return pb.SubmitJobRequest(job=to_wire(envelope))


def test_a_job_goes_to_everybody_involved_and_consents_come_back_as_a_set(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            parties = {name: await _attach(stack, world, name) for name in NAMES}
            ada = await stack.enter_async_context(world.stub("ada"))
            specification = world.specification()
            reply = await ada.Submit(_submission(world.signed(specification)))
            assert (reply.job, reply.existed) == (specification.job, False)
            for name, party in parties.items():
                proposal = await party.hear("proposal")
                assert from_wire(proposal.proposal).digest == specification.job
                await party.say(world.consent(specification, name))
            for party in parties.values():
                consents = (await party.hear("consents")).consents
                assert consents.job == specification.job
                assert len(consents.consents) == len(NAMES)
            view = await ada.Get(pb.GetJobRequest(job=specification.job))
            assert view.state == State.CONSENTED

    asyncio.run(run())


def test_a_refusal_ends_the_job_for_everybody(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            bob, fay = [await _attach(stack, world, name) for name in ("bob", "fay")]
            ada = await stack.enter_async_context(world.stub("ada"))
            specification = world.specification()
            await ada.Submit(_submission(world.signed(specification)))
            await fay.hear("proposal")
            await bob.hear("proposal")
            await bob.say(world.consent(specification, "bob", no="not on a Sunday"))
            await fay.hear("refusal")
            view = await ada.Get(pb.GetJobRequest(job=specification.job))
            assert (view.state, view.detail) == (State.REFUSED, "bob: not on a Sunday")

    asyncio.run(run())


def test_submitting_again_under_one_key_is_the_same_job(world: World) -> None:
    """Also after a restart; another key is another job."""

    async def run() -> None:
        first, again, other = (world.specification(key) for key in ("k1", "k1", "k2"))
        async with world.coordinator(), world.stub("ada") as ada:
            one = await ada.Submit(_submission(world.signed(first)))
            two = await ada.Submit(_submission(world.signed(again)))
            assert (two.job, two.existed) == (one.job, True)
        async with world.coordinator(), world.stub("ada") as ada:
            three = await ada.Submit(_submission(world.signed(again)))
            assert (three.job, three.existed) == (one.job, True)
            four = await ada.Submit(_submission(world.signed(other)))
            assert (four.job, four.existed) == (other.job, False)
            listed = await ada.List(pb.ListJobsRequest())
            assert {view.job for view in listed.jobs} == {one.job, four.job}

    asyncio.run(run())


def test_a_restart_keeps_jobs_consents_and_reports(world: World) -> None:
    async def run() -> None:
        specification = world.specification()
        async with world.coordinator(), AsyncExitStack() as stack:
            ada = await stack.enter_async_context(world.stub("ada"))
            await ada.Submit(_submission(world.signed(specification)))
            for name in NAMES[:5]:
                party = await _attach(stack, world, name)
                await party.hear("proposal")
                await party.say(world.consent(specification, name))
                await party.say(world.report(specification, name, State.PROPOSED))
            await _until(ada, specification.job, lambda view: all(p.state for p in view.parties[:5]))
        async with world.coordinator(), AsyncExitStack() as stack:
            fay = await _attach(stack, world, "fay")
            await fay.hear("proposal")
            await fay.say(world.consent(specification, "fay"))
            assert len((await fay.hear("consents")).consents.consents) == len(NAMES)
            late = await _attach(stack, world, "bob")
            await late.hear("proposal")
            await late.hear("consents")

    asyncio.run(run())


async def _until(stub: Any, job: bytes, holds: Any) -> pb.JobView:
    async with asyncio.timeout(5):
        async for view in stub.Watch(pb.GetJobRequest(job=job)):
            if holds(view):
                assert isinstance(view, pb.JobView)
                return view
    raise AssertionError("the job ended first")


def test_the_view_follows_signed_reports_and_watchers_hear_of_it(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            ada = await stack.enter_async_context(world.stub("ada"))
            specification = world.specification()
            await ada.Submit(_submission(world.signed(specification)))
            parties = {name: await _attach(stack, world, name) for name in NAMES}
            for name, party in parties.items():
                await party.say(world.consent(specification, name))
                await party.say(world.report(specification, name, State.SUCCEEDED, number=9))
                # An older report does not turn the view back.
                await party.say(world.report(specification, name, State.COMPUTING, number=3))
            view = await _until(ada, specification.job, lambda view: view.state == State.SUCCEEDED)
            assert [party.state for party in view.parties] == ["succeeded"] * len(NAMES)

    asyncio.run(run())


def test_nobody_reports_or_consents_for_another(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            ada = await stack.enter_async_context(world.stub("ada"))
            specification = world.specification()
            await ada.Submit(_submission(world.signed(specification)))
            bob = await _attach(stack, world, "bob")
            await bob.say(world.consent(specification, "cyd"))
            await bob.say(world.report(specification, "cyd", State.FAILED))
            await bob.say(world.report(specification, "bob", State.PROPOSED))
            view = await _until(ada, specification.job, lambda view: view.parties[1].state)
            assert [party.state for party in view.parties] == ["", "proposed", "", "", "", ""]

    asyncio.run(run())


def _unsigned(world: World) -> Envelope:
    return Envelope("mpcd.job", world.specification().to_bytes())


def _forged(world: World) -> Envelope:
    signature = world.signed(world.specification()).signatures[0].signature
    return Envelope("mpcd.job", world.specification().to_bytes(), (Signature("ada", signature),))


def _signed_by_another(world: World) -> Envelope:
    return world.signed(world.specification(), by="bob")


def _of_another_roster(world: World) -> Envelope:
    return world.signed(world.specification(roster_hash="77" * 32))


def _with_a_stranger(world: World) -> Envelope:
    return world.signed(world.specification(computing=("ada", "bob", "cyd", "nobody")))


def _from_last_year(world: World) -> Envelope:
    return world.signed(world.specification(created=1_700_000_000_000))


def _of_another_submitter(world: World) -> Envelope:
    return world.signed(world.specification(submitter="bob"), by="bob")


def _not_canonical(world: World) -> Envelope:
    payload = world.specification().to_bytes().replace(b'":', b'": ', 1)
    return Envelope("mpcd.job", payload).sign(world.identities["ada"])


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_unsigned, "PERMISSION_DENIED"),
        (_forged, "PERMISSION_DENIED"),
        (_signed_by_another, "PERMISSION_DENIED"),
        (_of_another_roster, "PERMISSION_DENIED"),
        (_with_a_stranger, "INVALID_ARGUMENT"),
        (_from_last_year, "PERMISSION_DENIED"),
        (_of_another_submitter, "PERMISSION_DENIED"),
        (_not_canonical, "INVALID_ARGUMENT"),
    ],
)
def test_bad_submissions_are_refused_and_leave_nothing(world: World, make: Any, code: str) -> None:
    async def run() -> None:
        async with world.coordinator(), world.stub("ada") as ada:
            assert await _code(ada.Submit(_submission(make(world)))) is grpc.StatusCode[code]
            assert not (await ada.List(pb.ListJobsRequest())).jobs
            good = await ada.Submit(_submission(world.signed(world.specification())))
            assert not good.existed

    asyncio.run(run())


def _cancellation(world: World, job: bytes, by: str) -> pb.CancelJobRequest:
    statement = Cancellation(job=job.hex(), submitter=by, reason="changed my mind")
    return pb.CancelJobRequest(cancellation=to_wire(statement.envelope(world.identities[by])))


def test_only_the_submitter_cancels_and_late_parties_hear_of_it(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            ada, bob = [await stack.enter_async_context(world.stub(name)) for name in ("ada", "bob")]
            specification = world.specification()
            await ada.Submit(_submission(world.signed(specification)))
            fay = await _attach(stack, world, "fay")
            await fay.hear("proposal")
            denied = grpc.StatusCode.PERMISSION_DENIED
            assert await _code(bob.Cancel(_cancellation(world, specification.job, "bob"))) is denied
            assert await _code(bob.Cancel(_cancellation(world, specification.job, "ada"))) is denied
            await ada.Cancel(_cancellation(world, specification.job, "ada"))
            await fay.hear("cancellation")
            late = await _attach(stack, world, "cyd")
            await late.hear("proposal")
            await late.hear("cancellation")

    asyncio.run(run())


def test_strangers_to_a_job_are_told_that_there_is_none(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), AsyncExitStack() as stack:
            ada, fay = [await stack.enter_async_context(world.stub(name)) for name in ("ada", "fay")]
            specification = world.specification(results=({"output": "winner", "to": ("ada",)},))
            await ada.Submit(_submission(world.signed(specification)))
            request = pb.GetJobRequest(job=specification.job)
            assert await _code(fay.Get(request)) is grpc.StatusCode.NOT_FOUND
            assert await _code(fay.Get(pb.GetJobRequest(job=bytes(32)))) is grpc.StatusCode.NOT_FOUND
            assert await _code(fay.Watch(request).read()) is grpc.StatusCode.NOT_FOUND
            assert not (await fay.List(pb.ListJobsRequest())).jobs

    asyncio.run(run())


def test_the_coordinator_may_call_nothing_of_its_own(world: World) -> None:
    """Every RPC is for parties; a row per RPC."""

    async def run() -> None:
        async with world.coordinator(), world.stub("hub") as hub:
            denied = grpc.StatusCode.PERMISSION_DENIED
            assert await _code(hub.Submit(pb.SubmitJobRequest())) is denied
            assert await _code(hub.Get(pb.GetJobRequest())) is denied
            assert await _code(hub.List(pb.ListJobsRequest())) is denied
            assert await _code(hub.Cancel(pb.CancelJobRequest())) is denied
            assert await _code(hub.Watch(pb.GetJobRequest()).read()) is denied
            assert await _code(hub.Attach().read()) is denied

    asyncio.run(run())


def test_a_party_with_another_roster_or_without_a_hello_is_not_attached(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), world.stub("bob") as bob:
            wrong = bob.Attach(timeout=5)
            await wrong.write(pb.PartyMessage(hello=pb.PartyHello(roster_hash=bytes(32))))
            assert await _code(wrong.read()) is grpc.StatusCode.PERMISSION_DENIED
            rude = bob.Attach(timeout=5)
            await rude.write(pb.PartyMessage(heartbeat=pb.Heartbeat()))
            assert await _code(rude.read()) is grpc.StatusCode.INVALID_ARGUMENT

    asyncio.run(run())


def test_a_silent_party_is_lost(world: World) -> None:
    async def run() -> None:
        async with world.coordinator(), world.stub("bob") as bob:
            call = bob.Attach(timeout=10)
            await call.write(pb.PartyMessage(hello=pb.PartyHello(roster_hash=world.roster.hash)))
            while (message := await call.read()) is not END:
                assert message.WhichOneof("kind") == "heartbeat"

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        asyncio.run(run())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
