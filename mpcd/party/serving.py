"""Outputs at their holders: served for ever, once all have agreed to open, from what is on the disk."""

from __future__ import annotations

import asyncio

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, OutputHeader
from mpcd.errors import RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.states import State
from mpcd.party.case import Case
from mpcd.party.computing import places
from mpcd.transport.wire import to_wire

POLL_MS = 2000
"""The longest that a holder keeps a recipient waiting for its answer."""
OPENED = frozenset({State.OPENING, State.SUCCEEDED})


async def serve(case: Case, requester: str, request: FetchOutputRequest) -> tuple[OutputHeader, bytes]:
    """Answer one recipient: our note of what is opened and, if asked, one piece with its salt.

    Before all have agreed to open there is nothing to get: the answer says where the job stands. That is
    also the answer to any party of the job that names no output. A holder that learnt of the opening from
    others has no note of its own; its pieces are good if they open what the others' notes say.
    Raises  RefusedError if the output is not for `requester`
    """
    allowed = requester in case.terms.specification.parties
    if not allowed or (request.output and (request.output, requester) not in places(case)):
        raise RefusedError(f"output {request.output} is not for {requester}")
    await _wait_for_outcome(case, request.wait_ms / 1000)
    state = State.OPENING if case.opened and case.state not in OPENED else case.state
    if not request.output or not case.opened or case.me is None:
        return OutputHeader(state=state.value, ready=False), b""
    header = OutputHeader(state=state.value, ready=True)
    note = await case.tools.store.decisions.get(case.job, (request.output, requester))
    if note is not None:
        header.commitment.CopyFrom(to_wire(Envelope.from_bytes(note)))
    shares = await case.tools.store.outputs.get(case.job, request.output, requester)
    share = shares.get(request.summand)
    if not request.body or share is None:
        header.ready = note is not None
        return header, b""
    header.salt = share.salt
    header.size_bytes = len(share.payload)
    return header, share.payload


async def _wait_for_outcome(case: Case, seconds: float) -> None:
    end = case.now() + min(seconds, POLL_MS / 1000)
    while not (case.ended or case.opened) and case.now() < end:
        case.changed.clear()
        try:
            async with asyncio.timeout(end - case.now()):
                await case.changed.wait()
        except TimeoutError:
            return
