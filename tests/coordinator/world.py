"""A coordinator in this process, and callers for it: four who compute, a bidder, a reader, a stranger."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from mpcd._pb.v1 import coordinator_pb2 as pb
from mpcd._pb.v1.coordinator_pb2_grpc import CoordinatorStub
from mpcd.clock import Clock, SystemClock
from mpcd.coordinator.assembly import running
from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.config import CoordinatorConfig
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster, entry_of, render
from mpcd.jobs.consent import Dataset, accept, refuse
from mpcd.jobs.notices import StatusReport
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.transport.grpc_channel import channel_to
from mpcd.transport.leaves import Leaves
from mpcd.transport.wire import to_wire

NAMES = ("ada", "bob", "cyd", "dan", "eve", "fay")
COMPUTING = NAMES[:4]
TIMEOUT_S = 5.0
END: Any = vars(grpc.aio)["EOF"]  # what a read of an ended stream gives; the stubs do not know it


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class World:
    """Identities, the roster with a real port for the coordinator, and its directory."""

    identities: dict[str, Identity]
    roster: Roster
    config: CoordinatorConfig

    @asynccontextmanager
    async def coordinator(self, clock: Clock | None = None) -> AsyncIterator[None]:
        async with running(self.config, clock or SystemClock()):
            yield

    @asynccontextmanager
    async def stub(self, name: str) -> AsyncIterator[Any]:
        """The coordinator's RPCs as `name` sees them."""
        hub = self.roster.coordinator
        assert hub is not None
        channel = channel_to(hub, Leaves(self.identities[name], SystemClock()).current())
        try:
            yield CoordinatorStub(channel)  # type: ignore[no-untyped-call]
        finally:
            await channel.close(None)

    def specification(self, key: str = "", **changes: Any) -> Specification:
        """Two bids, computed by four, read by ada and fay."""
        fields: dict[str, Any] = {
            "name": "auction",
            "computing": COMPUTING,
            "inputs": (
                {"party": "ada", "dataset": "bids", "argument": "bids", "rows": 1},
                {"party": "eve", "dataset": "bids", "argument": "bids", "rows": 1},
            ),
            "results": ({"output": "winner", "to": ("ada", "fay")},),
            "program": "text",
            "program_hash": "00" * 32,
            "roster_hash": self.roster.hash.hex(),
            "submitter": "ada",
            "created": int(datetime.now(UTC).timestamp() * 1000),
            "nonce": os.urandom(32).hex(),
            "idempotency_key": key,
            "deadline": 60.0,
        }
        return Specification(**{**fields, **changes})

    def signed(self, specification: Specification, by: str = "ada") -> Envelope:
        return specification.envelope(self.identities[by])

    def consent(self, specification: Specification, by: str, no: str = "") -> Envelope:
        if no:
            return refuse(specification, specification.job, by, no).envelope(self.identities[by])
        data = [
            Dataset(argument=owed.argument, dataset=owed.dataset, rows=1, digest="11" * 32)
            for owed in specification.inputs_of(by)
        ]
        return accept(specification, specification.job, by, data).envelope(self.identities[by])

    def report(self, specification: Specification, by: str, state: State, number: int = 1) -> Envelope:
        report = StatusReport(job=specification.job.hex(), party=by, number=number, state=state, at=1)
        return report.envelope(self.identities[by])


def make_world(directory: Path) -> World:
    """Keys, certificates, roster and configuration in a directory."""
    now = datetime.now(UTC)
    identities = {name: Identity.create(name) for name in (*NAMES, "hub")}
    members = []
    for number, name in enumerate(NAMES):
        control, links = f"127.0.0.1:{9001 + 2 * number}", f"127.0.0.1:{9002 + 2 * number}"
        certificate = self_signed_ca(identities[name], now=now)
        members.append(entry_of(identities[name], certificate, "party", control, links))
    address = f"127.0.0.1:{free_port()}"
    certificate = self_signed_ca(identities["hub"], now=now)
    members.append(entry_of(identities["hub"], certificate, "coordinator", address))
    (directory / "roster.yaml").write_text(render(members))
    identities["hub"].save(directory / "identity.key")
    (directory / "coordinator.yaml").write_text(
        f"apiVersion: mpcd/v1\nkind: Coordinator\nname: hub\nroster: roster.yaml\nlisten: {address}\n"
        "store: coordinator.db\ntiming: {heartbeat: 200ms, lost_after: 1s}\n"
    )
    config = CoordinatorConfig.load(directory / "coordinator.yaml")
    return World(identities, Roster.load(directory / "roster.yaml"), config)


class Attachment:
    """One party's attach stream in the hands of a test; heartbeats are answered and hidden."""

    def __init__(self, call: Any) -> None:
        self._call = call

    @classmethod
    async def open(cls, stub: Any, roster_hash: bytes) -> Attachment:
        call = stub.Attach(timeout=30)
        await call.write(pb.PartyMessage(hello=pb.PartyHello(version="1", roster_hash=roster_hash)))
        return cls(call)

    async def say(self, envelope: Envelope) -> None:
        await self._call.write(pb.PartyMessage(statement=to_wire(envelope)))

    async def hear(self, kind: str) -> pb.CoordinatorMessage:
        """The next message that is not a heartbeat; it must be of this kind."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                message = await self._call.read()
                if message is END:
                    raise AssertionError(f"the stream ended while a {kind} was awaited")
                if message.WhichOneof("kind") != "heartbeat":
                    assert message.WhichOneof("kind") == kind
                    assert isinstance(message, pb.CoordinatorMessage)
                    return message
                await self._call.write(pb.PartyMessage(heartbeat=pb.Heartbeat()))

    async def close(self) -> None:
        self._call.cancel()
