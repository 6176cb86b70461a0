"""The parties that are attached: one stream each, and what waits to be sent on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from mpcd._pb.v1.coordinator_pb2 import ConsentSet, CoordinatorMessage, Heartbeat
from mpcd.coordinator.entry import Entry
from mpcd.jobs.consent import Consent
from mpcd.jobs.notices import Cancellation
from mpcd.jobs.states import TERMINAL
from mpcd.transport.wire import to_wire

MAX_WAITING = 4096


class Stream:
    """One attached party. After `close` the stream ends; the party attaches again and is told everything."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[CoordinatorMessage | None] = asyncio.Queue()

    def push(self, message: CoordinatorMessage) -> None:
        """Send when the party is ready for it."""
        if self._waiting.qsize() >= MAX_WAITING:
            self.close()
        else:
            self._waiting.put_nowait(message)

    def close(self) -> None:
        """Whatever is still waiting is not sent."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def messages(self, heartbeat_s: float) -> AsyncIterator[CoordinatorMessage]:
        """What to send, with a heartbeat first and whenever nothing else was to be said."""
        number = 0
        yield CoordinatorMessage(heartbeat=Heartbeat(number=number))
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):
                    message = await self._waiting.get()
            except TimeoutError:
                number += 1
                yield CoordinatorMessage(heartbeat=Heartbeat(number=number))
                continue
            if message is None:
                return
            yield message


class Attached:
    """Who is attached at the moment."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}

    def __contains__(self, party: str) -> bool:
        return party in self._streams

    def enter(self, party: str, entries: Iterable[Entry]) -> Stream:
        """A stream for a party that has just attached; an older one of the same party is closed."""
        older = self._streams.get(party)
        if older is not None:
            older.close()
        stream = Stream()
        self._streams[party] = stream
        for entry in entries:
            if expects_news(entry, party):
                for message in everything_about(entry):
                    stream.push(message)
        return stream

    def leave(self, party: str, stream: Stream) -> None:
        """The party's stream has ended."""
        if self._streams.get(party) is stream:
            del self._streams[party]

    def tell(self, entry: Entry, messages: Iterable[CoordinatorMessage]) -> None:
        """Push to all involved parties that are attached; the others are told when they attach."""
        for message in messages:
            for party in entry.specification.parties:
                if party in self._streams:
                    self._streams[party].push(message)

    def close(self) -> None:
        """End all streams."""
        for stream in self._streams.values():
            stream.close()


def expects_news(entry: Entry, party: str) -> bool:
    """Whether a party takes part in the job and has not ended it."""
    report = entry.reports.get(party)
    return party in entry.specification.parties and (report is None or report.state not in TERMINAL)


def everything_about(entry: Entry) -> list[CoordinatorMessage]:
    """What a party has to hear that knows nothing of the job; it ignores what it has heard before."""
    return [CoordinatorMessage(proposal=to_wire(entry.envelope)), *about_consents(entry), *about_end(entry)]


def about_consents(entry: Entry) -> list[CoordinatorMessage]:
    """All consents once they are complete, or the refusals."""
    refusals = [entry.signed[Consent.TYPE, name] for name in entry.refusals]
    if refusals:
        return [CoordinatorMessage(refusal=to_wire(envelope)) for envelope in refusals]
    if not entry.all_consented:
        return []
    consents = [to_wire(envelope) for envelope in entry.signed_consents()]
    return [CoordinatorMessage(consents=ConsentSet(job=entry.job, consents=consents))]


def about_end(entry: Entry) -> list[CoordinatorMessage]:
    """The cancellation, if there is one."""
    signed = entry.signed.get((Cancellation.TYPE, entry.specification.submitter))
    return [] if signed is None else [CoordinatorMessage(cancellation=to_wire(signed))]
