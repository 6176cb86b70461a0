"""All parties of a protocol in one thread, round by round: for tests and for trying things out.

The parties' messages go through real frames and real tags, so what a test sees is what a network
would carry. Nothing depends on time, threads or chance.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from mpcd.errors import InternalError, MpcdError
from mpcd.protocols.rounds import Inbox, Payload, Round, Rounds
from mpcd.runtime.frames import FrameCodec

T = TypeVar("T")

Tamper = Callable[[bytes, int, int, int], bytes | None]
"""(frame, round, sender, receiver) -> the frame that arrives; None loses it."""

OnRound = Callable[[int, Mapping[int, Round]], None]
"""(round, party -> its round as stated): sees every round before it is sent."""

DEFAULT_SESSION = bytes(range(32))


@dataclass(frozen=True)
class Run(Generic[T]):
    """What came of a lockstep run.

    outputs        party -> its result, or the error that ended it
    rounds         number of network rounds in which at least one party took part
    payload_bytes  sender -> bytes of messages sent, without headers, lengths and tags
    sent           (sender, receiver) -> the same
    tags           number of tags sent
    frames         number of frames sent
    """

    outputs: dict[int, T | MpcdError] = field(default_factory=dict)
    rounds: int = 0
    payload_bytes: Counter[int] = field(default_factory=Counter)
    sent: Counter[tuple[int, int]] = field(default_factory=Counter)
    tags: int = 0
    frames: int = 0

    def results(self) -> list[T]:
        """Every party's result, in order; the first error is raised."""
        for party in sorted(self.outputs):
            output = self.outputs[party]
            if isinstance(output, MpcdError):
                raise output
        return [self.outputs[party] for party in sorted(self.outputs)]  # type: ignore[misc]


def tag_keys(me: int, parties: Sequence[int], session: bytes = DEFAULT_SESSION) -> dict[int, bytes]:
    """Pairwise keys that every test can know: never used outside lockstep runs."""
    return {
        p: hashlib.sha256(b"lockstep" + session + bytes(sorted((me, p)))).digest()[:16]
        for p in parties
        if p != me
    }


def lockstep(
    steps: Sequence[Rounds[T]],
    *,
    parties: Sequence[int] | None = None,
    session: bytes = DEFAULT_SESSION,
    epoch: int = 0,
    tamper: Tamper | None = None,
    on_round: OnRound | None = None,
) -> Run[T]:
    """Run one step per party until all have ended.

    `parties` gives the steps' indices (0, 1, ... if left out). A party that has returned or failed sends
    nothing more; the others see it absent.
    Raises  whatever a step raises that is not an `MpcdError`: such a thing is a bug, not an outcome
    """
    indices = tuple(range(len(steps)) if parties is None else parties)
    if len(indices) != len(steps):
        raise InternalError(f"{len(steps)} steps for {len(indices)} parties")
    table = _Table(dict(zip(indices, steps, strict=True)), session, epoch)
    try:
        return table.run(tamper, on_round)
    finally:
        for step in steps:
            step.close()


class _Table(Generic[T]):
    """The parties around one table."""

    def __init__(self, steps: dict[int, Rounds[T]], session: bytes, epoch: int) -> None:
        self.steps = steps
        parties = tuple(steps)
        self.codecs = {
            p: FrameCodec(p, parties, session, epoch, tag_keys(p, parties, session)) for p in parties
        }
        self.waiting: dict[int, Round] = {}
        self.outputs: dict[int, T | MpcdError] = {}
        self.sent: Counter[tuple[int, int]] = Counter()
        self.tags = 0
        self.frames = 0

    def run(self, tamper: Tamper | None, on_round: OnRound | None) -> Run[T]:
        for party in self.steps:
            self._resume(party, None)
        number = 0
        while self.waiting:
            if on_round is not None:
                on_round(number, dict(self.waiting))
            mail = self._send(number, tamper)
            for party, r in list(self.waiting.items()):
                self._receive(number, party, r, mail[party])
            number += 1
        totals: Counter[int] = Counter()
        for (sender, _), size in self.sent.items():
            totals[sender] += size
        return Run(self.outputs, number, totals, self.sent, self.tags, self.frames)

    def _resume(self, party: int, inbox: Inbox | None) -> None:
        self.waiting.pop(party, None)
        try:
            self.waiting[party] = self.steps[party].send(inbox)  # type: ignore[arg-type]
        except StopIteration as stop:
            self.outputs[party] = stop.value
        except MpcdError as error:
            self.outputs[party] = error

    def _fail(self, party: int, error: MpcdError) -> None:
        del self.waiting[party]
        self.steps[party].close()
        self.outputs[party] = error

    def _send(self, number: int, tamper: Tamper | None) -> dict[int, dict[int, bytes]]:
        """Encode every party's round; receiver -> sender -> frame as it arrives."""
        mail: dict[int, dict[int, bytes]] = {party: {} for party in self.steps}
        for sender, r in list(self.waiting.items()):
            try:
                frames = self.codecs[sender].encode(number, r)
            except MpcdError as error:
                self._fail(sender, error)
                continue
            self._count(sender, r, len(frames))
            for receiver, parts in frames.items():
                frame: bytes | None = b"".join(parts)
                if tamper is not None and frame is not None:
                    frame = tamper(frame, number, sender, receiver)
                if frame is not None:
                    mail[receiver][sender] = frame
        return mail

    def _receive(self, number: int, party: int, r: Round, frames: Mapping[int, bytes]) -> None:
        try:
            inbox = self.codecs[party].decode(number, r, frames)
        except MpcdError as error:
            self._fail(party, error)
            return
        self._resume(party, inbox)

    def _count(self, sender: int, r: Round, frames: int) -> None:
        for (to, _), payload in r.send.items():
            self.sent[sender, to] += payload_bytes(payload)
        self.tags += len({(of, to) for of, to, _ in r.vouch})
        self.frames += frames


def payload_bytes(payload: Payload) -> int:
    """Length of one message without framing."""
    return len(payload) if isinstance(payload, bytes) else payload.nbytes


def outcome(run: Run[Any], party: int) -> MpcdError:
    """The error that ended a party.

    Raises  InternalError if the party ended well: a test that expects a failure must not pass then
    """
    output = run.outputs[party]
    if not isinstance(output, MpcdError):
        raise InternalError(f"party {party} was expected to fail and did not")
    return output
