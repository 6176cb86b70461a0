"""Comparing notes before a job begins: has everybody been shown the same consents?

The coordinator carries the consents, and could show different ones to different parties. So the parties show
theirs to each other directly. Whoever gives no sign of life for some Delta is not waited for, and where one
may be missing nobody is waited for much longer than an honest party needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from mpcd._pb.v1.peer_pb2 import ConsentNote
from mpcd.clock import Clock
from mpcd.errors import ChannelError, MpcdError, RefusedError
from mpcd.identity.encoding import fingerprint
from mpcd.identity.envelope import Envelope
from mpcd.jobs.specification import Specification
from mpcd.party.slots import SILENT_DELTAS
from mpcd.transport.wire import to_wire

SHOW_AGAIN_S = 0.2
Wait = Callable[[Callable[[], bool], float], Awaitable[bool]]
"""(ready, until): wait for news until it is ready."""


class Peers(Protocol):
    """The way to the other parties' daemons."""

    async def show_consents(self, party: str, note: ConsentNote) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long others are waited for, on the monotonic clock.

    dispensable  how many computing parties may be silent when the job begins
    silent_from  from when on none of some computing parties is waited for, if nothing is heard of any of them
    """

    until: float
    delta_s: float
    dispensable: int
    silent_from: Callable[[Collection[str]], float]


class Confirming:
    """What each party was shown, as it says, about one job."""

    def __init__(
        self,
        me: str,
        job: bytes,
        specification: Specification,
        peers: Peers,
        clock: Clock,
        news: asyncio.Event,
    ) -> None:
        """news: set whenever there is something new"""
        self._me = me
        self._job = job
        self._specification = specification
        self._peers = peers
        self._clock = clock
        self._news = news
        self._shown: dict[str, bytes] = {}
        self._showing: dict[str, asyncio.Task[None]] = {}

    def note(self, sender: str, consents: Mapping[str, Envelope]) -> None:
        """The set that another party was shown; the first one counts."""
        self._shown.setdefault(sender, consents_digest(consents))

    async def compare(
        self, consents: Mapping[str, Envelope], patience: Patience, ended: Callable[[], bool], wait: Wait
    ) -> tuple[set[str], set[str]]:
        """Show our set to everybody, wait for the computing parties': who has another one, who is silent."""
        began, mine = self._clock.monotonic(), consents_digest(consents)
        needed = set(self._specification.computing) - {self._me}
        self._show_all(consents, needed, patience.until)
        # An honest party has our set after Delta, and we have its own after another one. Nobody, above all no
        # owner who does not compute, may begin much later than the others because one is silent to it alone.
        enough = began + SILENT_DELTAS * patience.delta_s

        def pending() -> set[str]:
            # They must have ours too, or what we send next would find nobody.
            return {name for name in needed if name not in self._shown or not self._showing[name].done()}

        def settled() -> bool:
            return ended() or any(self._shown.get(name, mine) != mine for name in needed)

        try:
            while (waiting := pending()) and not settled():
                by = min(patience.until, patience.silent_from(waiting))
                if len(waiting) <= patience.dispensable:
                    by = min(by, enough)
                if self._clock.monotonic() >= by:
                    break
                await wait(lambda before=waiting: settled() or pending() != before, by)  # type: ignore[misc]
            different = {name for name, digest in self._shown.items() if digest != mine}
            return different, needed - self._shown.keys()
        finally:
            if ended():
                for task in self._showing.values():  # else outsiders hear of it while we go on
                    task.cancel()

    def _show_all(self, consents: Mapping[str, Envelope], needed: set[str], until: float) -> None:
        note = ConsentNote(
            job=self._job,
            consents=[to_wire(envelope) for _, envelope in sorted(consents.items())],
        )
        for name in self._specification.parties:
            if name != self._me:
                self._showing[name] = asyncio.create_task(self._show(name, note, until))
        for name in needed:
            self._showing[name].add_done_callback(lambda _: self._news.set())

    async def _show(self, name: str, note: ConsentNote, until: float) -> None:
        """Show a party our set until it has taken it, refuses it, or the time is up."""
        while self._clock.monotonic() < until:
            try:
                await self._peers.show_consents(name, note)
                return
            except ChannelError:
                await asyncio.sleep(SHOW_AGAIN_S)
            except RefusedError:
                return
            except MpcdError:
                await asyncio.sleep(SHOW_AGAIN_S)


def consents_digest(consents: Mapping[str, Envelope]) -> bytes:
    """One hash of what everybody consented to, without the signatures: one key can sign in several ways."""
    parts = [part for name in sorted(consents) for part in (name.encode(), consents[name].digest)]
    return fingerprint("mpcd/consents/1", parts)
