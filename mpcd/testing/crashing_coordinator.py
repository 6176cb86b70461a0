"""A coordinator that is killed at an exact point of a job. Its states are `proposed` (the job is submitted),
`consented` (the last consent is there) and the later ones as parties report them.

before-write, after-fsync   around the transaction that makes the state so
after-send                  after the first message about the job to a party in that state
after-receive               after the first statement of a party in that state, which is on the disk then
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from mpcd._pb.v1.coordinator_pb2 import CoordinatorMessage
from mpcd.coordinator import assembly, attached, book
from mpcd.coordinator.attached import Attached, Stream
from mpcd.coordinator.entry import Entry
from mpcd.coordinator.service import Service
from mpcd.jobs.consent import Consent
from mpcd.jobs.notices import StatusReport
from mpcd.jobs.states import State
from mpcd.storage.notices import Notices
from mpcd.testing.crashes import Crash, crashing_jobs
from mpcd.transport.wire import from_wire

CONSENTED = State.CONSENTED.value


def install(crash: Crash) -> None:
    """Put parts that crash in the place of the ordinary ones, in this process."""
    parties: dict[bytes, int] = {}
    parts: list[tuple[Any, str, Any]] = [
        (book, "Jobs", crashing_jobs(crash)),
        (book, "Notices", _notices(crash, parties)),
        (attached, "Stream", _stream(crash)),
        (assembly, "Attached", _attached(crash, parties)),
        (assembly, "Service", _service(crash)),
    ]
    for module, name, part in parts:
        setattr(module, name, part)


def _attached(crash: Crash, parties: dict[bytes, int]) -> type[Attached]:
    class CountingAttached(Attached):
        def tell(self, entry: Entry, messages: Iterable[CoordinatorMessage]) -> None:
            parties[entry.job] = len(entry.specification.parties)
            super().tell(entry, messages)

    return CountingAttached


def _notices(crash: Crash, parties: dict[bytes, int]) -> type[Notices]:
    consents: defaultdict[bytes, set[str]] = defaultdict(set)

    class CrashingNotices(Notices):
        async def put(self, job: bytes, kind: str, party: str, number: int, envelope: bytes) -> bool:
            if kind == Consent.TYPE:
                consents[job].add(party)
            complete = kind == Consent.TYPE and len(consents[job]) == parties.get(job)
            if complete:
                await crash.at(job, "before-write", CONSENTED)
            kept = await super().put(job, kind, party, number, envelope)
            if complete:
                crash.reached(job, CONSENTED)
                await crash.at(job, "after-fsync")
            return kept

    return CrashingNotices


def _stream(crash: Crash) -> type[Stream]:
    class CrashingStream(Stream):
        async def messages(self, heartbeat_s: float) -> AsyncIterator[CoordinatorMessage]:
            async for message in super().messages(heartbeat_s):
                yield message  # we are resumed when it has been written
                for job in _jobs_of(message):
                    await crash.at(job, "after-send")

    return CrashingStream


def _jobs_of(message: CoordinatorMessage) -> list[bytes]:
    kind = message.WhichOneof("kind")
    if kind == "proposal":
        return [from_wire(message.proposal).digest]
    return [message.consents.job] if kind == "consents" else []


def _service(crash: Crash) -> type[Service]:
    class CrashingService(Service):
        async def _take(self, message: Any, name: str) -> None:
            await super()._take(message, name)
            said = from_wire(message.statement)
            model = Consent if said.type == Consent.TYPE else StatusReport
            await crash.at(bytes.fromhex(model.from_bytes(said.payload).job), "after-receive")

    return CrashingService
