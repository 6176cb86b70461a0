"""Outputs at their recipients: fetched from the holders (`serving`) once all have agreed to open.

A recipient, member or outsider, asks all computing parties for their notes of what is opened, believes t + 1
equal ones of the roster that the notes name, and takes each piece from any holder that opens it. One holder
may lie or be silent, and everything works again after a restart: what holders serve is on their disks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mpcd._pb.v1.peer_pb2 import FetchOutputRequest, OutputHeader
from mpcd.errors import ChannelError, DeadlineError, MpcdError, NotFoundError, RefusedError
from mpcd.identity.envelope import Envelope
from mpcd.jobs.states import TERMINAL, Event, State
from mpcd.party.case import Case, StageEnd
from mpcd.party.computing import Place as Output
from mpcd.party.computing import places
from mpcd.party.notes import OutputNote
from mpcd.party.pace import CORRUPTED
from mpcd.party.serving import OPENED, POLL_MS
from mpcd.protocols.agreement.findings import Go
from mpcd.protocols.agreement.standing import Standing
from mpcd.protocols.rep4.outputs import Opening, Place, opens
from mpcd.protocols.rounds import Words
from mpcd.protocols.scheme import SCHEMES
from mpcd.storage.shares import OutputShare
from mpcd.transport.wire import from_wire

_ENDED = TERMINAL - {State.SUCCEEDED}


def notes_of(case: Case, session: bytes, standing: Standing, decision: Go) -> dict[Output, OutputNote]:
    """What the last roster signs for each recipient, of what it agreed to open."""
    roster = tuple(case.computing[p] for p in standing.roster)
    return {
        place: OutputNote.model_validate(
            {
                "job": case.job.hex(),
                "session": session.hex(),
                "epoch": standing.epoch,
                "roster": roster,
                "scheme": standing.scheme,
                "output": place[0],
                "recipient": place[1],
                "commitments": tuple(com.hex() for com in row),
            }
        )
        for place, row in zip(places(case), decision.commitments, strict=True)
    }


class Fetch:
    """Fetching one output for ourselves."""

    def __init__(self, case: Case, output: str) -> None:
        self._case = case
        self._output = output
        self._notes: dict[int, OutputNote] = {}
        self._ended: dict[int, str] = {}
        self._news = asyncio.Event()
        self._own_shares: Mapping[int, OutputShare] | None = None

    async def certify(self, until: float) -> OutputNote:
        """Wait for equal notes of t + 1 of those who computed last.

        Raises  StageEnd if t + 1 parties say that their job ended without an output, or at the deadline
        """
        polls = [asyncio.create_task(self._poll(p, until)) for p, name in enumerate(self._case.computing)]
        try:
            while (note := self._certified()) is None:
                if len(self._ended) > CORRUPTED:
                    raise self._no_output()
                if self._case.now() >= until or all(poll.done() for poll in polls):
                    raise self._too_few()
                self._news.clear()
                waiting = asyncio.create_task(self._news.wait())
                try:
                    await asyncio.wait(
                        [waiting, *(p for p in polls if not p.done())],
                        timeout=until - self._case.now(),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    waiting.cancel()
            return note
        finally:
            for poll in polls:
                poll.cancel()

    async def value(self, note: OutputNote, until: float) -> Words:
        """The output, from any holders that open the commitments of a note: certified here, or agreed.

        Raises  StageEnd if no holder opens a piece
        """
        found = await asyncio.gather(*(self._piece(note, a, until) for a in range(len(note.commitments))))
        if len({len(x) for x in found}) != 1:
            raise self._too_few()
        total: Words = np.add.reduce(found)
        return total

    async def _piece(self, note: OutputNote, a: int, until: float) -> Words:
        while (words := await self._first_opening(note, a, until)) is None:
            if self._case.now() + self._case.tools.pace.delta_s >= until:
                raise self._too_few()
            await asyncio.sleep(self._case.tools.pace.delta_s / 10)
        return words

    async def _first_opening(self, note: OutputNote, a: int, until: float) -> Words | None:
        """Ask the holders in turn, ourselves first: the next one after delta, or as soon as an answer is
        wrong. One that is silent is not waited for."""
        me, computing = self._case.me, self._case.computing
        held_by = [computing.index(note.roster[k]) for k in SCHEMES[note.scheme].holders(a)]
        waiting = sorted(held_by, key=lambda p: (p != me, (p - a) % len(computing)))
        asked: set[asyncio.Task[Words | None]] = set()
        try:
            while waiting or asked:
                if waiting:
                    asked.add(asyncio.create_task(self._opened_by(waiting.pop(0), note, a, until)))
                patience = self._case.tools.pace.delta_s if waiting else None
                done, asked = await asyncio.wait(asked, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if (words := task.result()) is not None:
                        return words
            return None
        finally:
            for task in asked:
                task.cancel()

    async def _opened_by(self, p: int, note: OutputNote, a: int, until: float) -> Words | None:
        """What one holder answers, if it opens the commitment, which fixes its length too."""
        opened = await self._ask(p, a, until)
        place, com = Place(bytes.fromhex(note.session), note.output, note.recipient), note.commitments[a]
        if opened is None or not opens(bytes.fromhex(com), place, a, len(opened.summand) // 8, opened):
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
        while self._case.now() < until and p not in self._notes and p not in self._ended:
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
                if p not in self._notes and p not in self._ended:
                    await asyncio.sleep(0.01)

    async def _own(self, p: int) -> None:
        """As one of the last roster we have a note ourselves, if our job is past the agreement to open."""
        place = self._output, self._case.name
        raw = await self._case.tools.store.decisions.get(self._case.job, place) if self._case.opened else None
        if raw is not None:
            self._notes[p] = OutputNote.from_bytes(Envelope.from_bytes(raw).payload)
            self._news.set()

    async def _shares(self) -> Mapping[int, OutputShare]:
        """Our own shares of this output, read once."""
        if self._own_shares is None:
            case = self._case
            self._own_shares = await case.tools.store.outputs.get(case.job, self._output, case.name)
        return self._own_shares

    def _hear(self, p: int, header: OutputHeader) -> None:
        """Raises  RefusedError, MalformedError if the answer is not what an honest holder signs"""
        case, name = self._case, self._case.computing[p]
        if not header.ready:
            if header.state in _ENDED:
                self._ended[p] = header.state
                self._news.set()
            return
        note = OutputNote.read(from_wire(header.commitment), name, case.tools.roster)
        if (note.job, note.output, note.recipient) != (case.job.hex(), self._output, case.name):
            raise RefusedError("a note is about another output")
        if name not in note.roster or not _is_possible(note, case.computing):
            raise RefusedError("a note names a roster that this job cannot have")
        self._notes[p] = note
        self._news.set()

    def _certified(self) -> OutputNote | None:
        """The note that t + 1 have signed: one of them is honest, and signs what was agreed alone."""
        found = list(self._notes.values())
        return next((note for note in found if found.count(note) > CORRUPTED), None)

    def _no_output(self) -> StageEnd:
        said = ", ".join(f"{self._case.computing[p]}: {state}" for p, state in sorted(self._ended.items()))
        return _nothing(self._case, self._ended.values(), said)

    def _too_few(self) -> StageEnd:
        silent = frozenset(range(len(self._case.computing))) - set(self._notes) - set(self._ended)
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
    notes = await asyncio.gather(*(fetch.certify(until) for fetch in fetches.values()))
    await _take(case, fetches, dict(zip(fetches, notes, strict=True)), until)


async def fetch_agreed(case: Case, notes: Mapping[Output, OutputNote], until: float) -> None:
    """The same for one of the last roster, which knows from the barrier what is opened.

    Raises  StageEnd
    """
    fetches = _fetches(case)
    await _take(case, fetches, {output: notes[output, case.name] for output in fetches}, until)


async def _take(
    case: Case, fetches: Mapping[str, Fetch], notes: Mapping[str, OutputNote], until: float
) -> None:
    found = await asyncio.gather(*(fetch.value(notes[output], until) for output, fetch in fetches.items()))
    values = {o: words.astype("<u8").tobytes() for o, words in zip(fetches, found, strict=True)}
    await case.tools.store.results.put(case.job, values)


def _fetches(case: Case) -> dict[str, Fetch]:
    return {output: Fetch(case, output) for output, recipient in places(case) if recipient == case.name}


def _is_possible(note: OutputNote, computing: Sequence[str]) -> bool:
    """Some of the job's parties, in its order, as many as the scheme takes; a commitment for each piece."""
    parties = SCHEMES[note.scheme].parties
    in_order = [name for name in computing if name in note.roster]
    return list(note.roster) == in_order and len(note.roster) == len(note.commitments) == parties


async def certify_all(case: Case, until: float) -> None:
    """Wait until it is certain that our outputs are being opened, without fetching them yet.

    Raises  StageEnd
    """
    mine = [output for output, recipient in places(case) if recipient == case.name]
    await asyncio.gather(*(Fetch(case, output).certify(until) for output in mine))
