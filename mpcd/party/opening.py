"""Outputs at their recipients: fetched from the holders (`serving`) once all have agreed to open.

A recipient, member or outsider, asks all holders for their signed commitments, needs two equal ones per
summand, and takes the summand from any holder that opens it. One holder may lie or be silent, and everything
works again after a restart: what holders serve is on their disks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, OutputHeader
from mpcd.errors import ChannelError, DeadlineError, MpcdError, NotFoundError, RefusedError
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party.case import CORRUPTED, Case, StageEnd
from mpcd.party.computing import places
from mpcd.party.notes import OutputNote
from mpcd.party.serving import OPENED, POLL_MS
from mpcd.protocols.agreement.ready import Decision
from mpcd.protocols.rep4.keys import holders
from mpcd.protocols.rep4.outputs import Claims, Opening, Place, assemble, majority, opens
from mpcd.protocols.rounds import Words
from mpcd.storage.shares import OutputShare
from mpcd.transport.wire import from_wire

_ENDED = TERMINAL - {State.SUCCEEDED}


@dataclass(slots=True)
class Word:
    """What one holder has said about one output: its claims, or the state in which its job ended."""

    session: bytes
    claims: Mapping[int, bytes]


class Fetch:
    """Fetching one output for ourselves."""

    def __init__(self, case: Case, output: str) -> None:
        self._case = case
        self._output = output
        self._words: dict[int, Word] = {}
        self._ended: dict[int, str] = {}
        self._news = asyncio.Event()
        self._own_shares: Mapping[int, OutputShare] | None = None

    async def certify(self, until: float) -> bytes:
        """Wait until every summand has two equal commitments; the session under which they were made.

        Raises  StageEnd if t + 1 holders say that their job ended without an output, or at the deadline
        """
        polls = [asyncio.create_task(self._poll(p, until)) for p, name in enumerate(self._case.computing)]
        try:
            while (session := self._certified()) is None:
                if len(self._ended) > CORRUPTED:
                    raise self._no_output()
                if self._case.now() >= until or all(poll.done() for poll in polls):
                    raise self._too_few()
                self._news.clear()
                waiting = asyncio.create_task(self._news.wait())
                await asyncio.wait(
                    [waiting, *(p for p in polls if not p.done())],
                    timeout=until - self._case.now(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()
            return session
        finally:
            for poll in polls:
                poll.cancel()

    def certified(self, session: bytes) -> tuple[bytes | None, ...]:
        """com[a] of every summand that enough holders have signed under this session."""
        claims = self._claims(session)
        return tuple(majority(claims, a) for a in range(len(self._case.computing)))

    async def value(self, session: bytes, commitments: Sequence[bytes | None], until: float) -> Words:
        """The output, from any holders that open the commitments: certified here, or agreed in READY-OPEN.

        Raises  StageEnd if no holder opens a summand
        """
        place = Place(session, self._output, self._case.name)
        found = await asyncio.gather(
            *(self._summand(place, a, com, until) for a, com in enumerate(commitments))
        )
        if len({len(x) for x in found}) != 1:
            raise self._too_few()
        return assemble(dict(enumerate(found)))

    async def _summand(self, place: Place, a: int, com: bytes | None, until: float) -> Words:
        while com is not None:
            words = await self._first_opening(place, a, com, until)
            if words is not None:
                return words
            if self._case.now() + self._case.tools.pace.delta_s >= until:
                break
            await asyncio.sleep(self._case.tools.pace.delta_s / 10)
        raise self._too_few()

    async def _first_opening(self, place: Place, a: int, com: bytes, until: float) -> Words | None:
        """Ask the holders in turn, ourselves first: the next one after delta, or as soon as an answer is
        wrong. One that is silent is not waited for."""
        me, parties = self._case.me, len(self._case.computing)
        waiting = sorted(holders(a), key=lambda p: (p != me, (p - a) % parties))
        asked: set[asyncio.Task[Words | None]] = set()
        try:
            while waiting or asked:
                if waiting:
                    asked.add(asyncio.create_task(self._opened_by(waiting.pop(0), place, a, com, until)))
                patience = self._case.tools.pace.delta_s if waiting else None
                done, asked = await asyncio.wait(asked, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if (words := task.result()) is not None:
                        return words
            return None
        finally:
            for task in asked:
                task.cancel()

    async def _opened_by(self, p: int, place: Place, a: int, com: bytes, until: float) -> Words | None:
        """What one holder answers, if it opens the commitment, which fixes its length too."""
        opened = await self._ask(p, a, until)
        if opened is None or not opens(com, place, a, len(opened.summand) // 8, opened):
            return None
        return np.frombuffer(opened.summand, "<u8").astype(np.uint64)

    async def _ask(self, p: int, a: int, until: float) -> Opening | None:
        name = self._case.computing[p]
        if name == self._case.name:
            shares = await self._shares()
            return Opening(shares[a].payload, shares[a].salt) if a in shares else None
        # The holder may learn a moment after us that all have agreed to open.
        request = FetchOutputRequest(
            job=self._case.job, output=self._output, summand=a, body=True, wait_ms=POLL_MS
        )
        try:
            async with asyncio.timeout(max(0.0, until - self._case.now())):
                header, body = await self._case.tools.peers.fetch_output(name, request, await self._most())
        except (MpcdError, TimeoutError):
            return None
        return Opening(body, header.salt) if header.ready else None

    async def _most(self) -> int:
        """How long a summand can be: ours, if we hold some, are as long as the others."""
        ours = await self._shares() if self._case.me is not None else {}
        lengths = [len(share.payload) for share in ours.values()]
        return max(lengths, default=self._case.terms.outputs[self._output])

    async def _poll(self, p: int, until: float) -> None:
        """Ask one holder until it has an answer that is final."""
        name = self._case.computing[p]
        while self._case.now() < until and p not in self._words and p not in self._ended:
            try:
                if name == self._case.name:
                    await self._own(p)
                    return
                request = FetchOutputRequest(job=self._case.job, output=self._output, wait_ms=POLL_MS)
                header, _ = await self._case.tools.peers.fetch_output(name, request)
                self._hear(p, header)
            except (ChannelError, NotFoundError):
                await asyncio.sleep(self._case.tools.pace.delta_s / 4)
            except (MpcdError, ValueError):
                return
            else:
                if p not in self._words and p not in self._ended:
                    await asyncio.sleep(0.01)

    async def _own(self, p: int) -> None:
        """As a holder we know our own commitments, if our job is past the agreement to open."""
        if not self._case.opened:
            return
        row = await self._case.tools.store.jobs.get(self._case.job)
        shares = await self._shares()
        if row.session is not None and shares:
            self._words[p] = Word(row.session, {a: share.commitment for a, share in shares.items()})
            self._news.set()

    async def _shares(self) -> Mapping[int, OutputShare]:
        """Our own shares of this output, read once."""
        if self._own_shares is None:
            case = self._case
            self._own_shares = await case.tools.store.outputs.get(case.job, self._output, case.name)
        return self._own_shares

    def _hear(self, p: int, header: OutputHeader) -> None:
        """Raises  RefusedError, MalformedError if the answer is not what an honest holder signs"""
        case = self._case
        if not header.ready:
            if header.state in _ENDED:
                self._ended[p] = header.state
                self._news.set()
            return
        envelope = from_wire(header.commitment)
        note = OutputNote.read(envelope, case.computing[p], case.tools.roster)
        about = (note.job, note.output, note.recipient, note.holder)
        if about != (case.job.hex(), self._output, case.name, case.computing[p]):
            raise RefusedError("a commitment is about another output")
        claims = {int(a): bytes.fromhex(com) for a, com in note.commitments.items()}
        if set(claims) != holders(p):
            raise RefusedError("a holder committed to other summands than it holds")
        self._words[p] = Word(bytes.fromhex(note.session), claims)
        self._news.set()

    def _claims(self, session: bytes) -> Claims:
        return {p: word.claims for p, word in self._words.items() if word.session == session}

    def _certified(self) -> bytes | None:
        for session in {word.session for word in self._words.values()}:
            claims = self._claims(session)
            if all(majority(claims, a) is not None for a in range(len(self._case.computing))):
                return session
        return None

    def _no_output(self) -> StageEnd:
        said = ", ".join(f"{self._case.computing[p]}: {state}" for p, state in sorted(self._ended.items()))
        return _nothing(self._case, self._ended.values(), said)

    def _too_few(self) -> StageEnd:
        silent = frozenset(range(len(self._case.computing))) - set(self._words) - set(self._ended)
        names = self._case.names(silent) - {self._case.name}
        text = f"too few holders of {self._output} answered in time; it stays fetchable if it was opened"
        event = Event.DEADLINE if self._case.now() >= self._case.terms.deadline else Event.FAULT
        return StageEnd(event, text, kind="silence", unreachable=names, step="opening")


async def await_outcome(case: Case, until: float) -> None:
    """For a party without outputs: wait until t + 1 computing parties say that the job is being opened.

    Raises  StageEnd if t + 1 say that it ended otherwise, or at the deadline
    """
    said: dict[str, str] = {}

    async def poll(name: str) -> None:
        request = FetchOutputRequest(job=case.job, wait_ms=POLL_MS)
        while case.now() < until and len(_opened(said)) <= CORRUPTED and len(_ended(said)) <= CORRUPTED:
            try:
                header, _ = await case.tools.peers.fetch_output(name, request)
            except (ChannelError, NotFoundError):
                await asyncio.sleep(case.tools.pace.delta_s / 4)
                continue
            except MpcdError:
                return
            said[name] = header.state
            await asyncio.sleep(0.01)

    polls = [asyncio.create_task(poll(name)) for name in case.others]
    try:
        while len(_opened(said)) <= CORRUPTED:
            if len(_ended(said)) > CORRUPTED:
                states = ", ".join(f"{name}: {said[name]}" for name in sorted(_ended(said)))
                raise _nothing(case, (said[name] for name in _ended(said)), states)
            running = [p for p in polls if not p.done()]
            if case.now() >= until or not running:
                raise DeadlineError("too few computing parties said how the job ended")
            await asyncio.wait(running, timeout=until - case.now(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in polls:
            task.cancel()


def _nothing(case: Case, states: Iterable[str], said: str) -> StageEnd:
    """The end of a job of which more than t computing parties say that they have ended it."""
    late = case.now() >= case.terms.deadline or set(states) == {State.EXPIRED.value}
    event = Event.DEADLINE if late else Event.FAULT
    return StageEnd(event, f"the computing parties opened nothing ({said})", step="opening")


def _opened(said: Mapping[str, str]) -> set[str]:
    return {name for name, state in said.items() if state in OPENED}


def _ended(said: Mapping[str, str]) -> set[str]:
    return {name for name, state in said.items() if state in _ENDED}


async def fetch_all(case: Case, until: float) -> None:
    """Fetch and keep everything that this party is to learn.

    Raises  StageEnd
    """
    fetches = _fetches(case)
    sessions = await asyncio.gather(*(fetch.certify(until) for fetch in fetches.values()))
    await _keep(
        case,
        {
            output: await fetch.value(session, fetch.certified(session), until)
            for (output, fetch), session in zip(fetches.items(), sessions, strict=True)
        },
    )


async def fetch_agreed(case: Case, session: bytes, decision: Decision, until: float) -> None:
    """The same for a computing party, which knows all commitments from READY-OPEN: nobody has to be asked.

    Raises  StageEnd
    """
    agreed = dict(zip(places(case), decision.commitments, strict=True))
    fetches = _fetches(case)
    found = await asyncio.gather(
        *(fetch.value(session, agreed[output, case.name], until) for output, fetch in fetches.items())
    )
    await _keep(case, dict(zip(fetches, found, strict=True)))


def _fetches(case: Case) -> dict[str, Fetch]:
    return {output: Fetch(case, output) for output, recipient in places(case) if recipient == case.name}


async def _keep(case: Case, found: Mapping[str, Words]) -> None:
    values = {output: words.astype("<u8").tobytes() for output, words in found.items()}
    await case.tools.store.results.put(case.job, values)


async def certify_all(case: Case, until: float) -> None:
    """Wait until it is certain that our outputs are being opened, without fetching them yet.

    Raises  StageEnd
    """
    mine = [output for output, recipient in places(case) if recipient == case.name]
    await asyncio.gather(*(Fetch(case, output).certify(until) for output in mine))
