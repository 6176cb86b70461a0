"""Dishonest and curious parties, made from honest ones.

A protocol step is a generator, so a cheater is a wrapper that edits what the honest step states: the
messages it sends, what it vouches for. Production code has no hook for this. What can only
be done on the wire (a lost or a damaged frame) goes through the `tamper` argument of `lockstep`.

Rounds are counted from 0 within the wrapped step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mpcd.errors import ChannelError, InternalError
from mpcd.protocols.rounds import Inbox, Payload, Round, Rounds, Words
from mpcd.runtime.lockstep import Run, Tamper, lockstep

T = TypeVar("T")

Edit = Callable[[int, Round], Round]
"""(round, what the honest step states) -> what the cheater does instead."""

Change = Callable[[Payload], Payload]


@dataclass(frozen=True, slots=True)
class Sent:
    """The place of one message: `shape` is None for a blob."""

    round: int
    sender: int
    receiver: int
    label: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Vouched:
    """The place of one vouched-for message: `backup` vouches to `receiver` for what `sender` sent."""

    round: int
    backup: int
    sender: int
    receiver: int
    label: str


# -- wrappers -------------------------------------------------------------------------------------


def cheat(step: Rounds[T], *edits: Edit) -> Rounds[T]:
    """Run a step, but pass every round it states through `edits`, in order."""
    inbox: Inbox | None = None
    number = 0
    try:
        while True:
            try:
                r = step.send(inbox)  # type: ignore[arg-type]
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            for edit in edits:
                r = edit(number, r)
            inbox = yield r
            number += 1
    finally:
        step.close()


def spy(step: Rounds[T], seen: list[Inbox]) -> Rounds[T]:
    """Run a step honestly and record every inbox it is given."""
    inbox: Inbox | None = None
    try:
        while True:
            try:
                r = step.send(inbox)  # type: ignore[arg-type]
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            inbox = yield r
            seen.append(inbox)
    finally:
        step.close()


def silence_from(step: Rounds[T], first: int) -> Rounds[T]:
    """Run a step honestly up to round `first`, then send nothing more.

    Raises  ChannelError at the silent party itself when it falls silent
    """

    def fall_silent(current: int, r: Round) -> Round:
        if current >= first:
            raise ChannelError("silent on purpose", where=r.path)
        return r

    return cheat(step, fall_silent)


# -- edits ----------------------------------------------------------------------------------------


def change(how: Change, *, round: int | None = None, to: int | None = None, label: str | None = None) -> Edit:
    """Change every sent message that matches; None matches all. `label` matches whole labels."""

    def edit(number: int, r: Round) -> Round:
        if round is not None and number != round:
            return r
        return replace(
            r,
            send={
                key: how(payload) if to in (None, key[0]) and label in (None, key[1]) else payload
                for key, payload in r.send.items()
            },
        )

    return edit


def shift(*, by: int = 1, round: int | None = None, to: int | None = None, label: str | None = None) -> Edit:
    """Add a constant to every word of matching messages."""
    return change(lambda payload: plus(payload, by), round=round, to=to, label=label)


def flip(*, bit: int = 0, round: int | None = None, to: int | None = None, label: str | None = None) -> Edit:
    """Flip one bit of every matching message: bit `bit` of its bytes, counted from the first."""
    return change(lambda payload: flipped(payload, bit), round=round, to=to, label=label)


def drop(*, round: int | None = None, to: int | None = None, label: str | None = None) -> Edit:
    """Leave matching messages out of the frame (the frame itself is sent)."""

    def edit(number: int, r: Round) -> Round:
        if round is not None and number != round:
            return r
        return replace(
            r,
            send={
                key: payload
                for key, payload in r.send.items()
                if not (to in (None, key[0]) and label in (None, key[1]))
            },
        )

    return edit


def equivocate(hows: Mapping[int, Change], *, round: int | None = None, label: str | None = None) -> Edit:
    """Change matching messages differently for every receiver named in `hows`."""
    edits = [change(how, round=round, to=to, label=label) for to, how in hows.items()]

    def edit(number: int, r: Round) -> Round:
        for one in edits:
            r = one(number, r)
        return r

    return edit


def edit_vouch(
    how: Change,
    *,
    round: int | None = None,
    of: int | None = None,
    to: int | None = None,
    label: str | None = None,
) -> Edit:
    """Vouch for something else than what was sent."""

    def edit(number: int, r: Round) -> Round:
        if round is not None and number != round:
            return r
        return replace(
            r,
            vouch={
                key: _words(how(words))
                if of in (None, key[0]) and to in (None, key[1]) and label in (None, key[2])
                else words
                for key, words in r.vouch.items()
            },
        )

    return edit


def spoil(batch: int, *, admit: bool) -> Edit:
    """Add 1 to every word of the products that are sent for a batch of rep3 (`batch`: its number, from 0).

    admit  change the very words that the step keeps: what it says in a dispute is then what it sent
    """
    begun = -1

    def edit(number: int, r: Round) -> Round:
        nonlocal begun
        found = {key for key in r.send if key[1].rpartition("/")[2] == "product"}
        begun += bool(found)
        if not found or begun != batch:
            return r
        if not admit:
            return replace(r, send={k: plus(p, 1) if k in found else p for k, p in r.send.items()})
        for key in found:
            words = _words(r.send[key])
            words += np.uint64(1)
        return r

    return edit


def plus(payload: Payload, by: int) -> Payload:
    """A changed copy: every word (of a blob: every byte) plus a constant."""
    if isinstance(payload, bytes):
        return bytes((byte + by) % 256 for byte in payload)
    return np.asarray(payload + np.uint64(by % 2**64))


def flipped(payload: Payload, bit: int) -> Payload:
    """A changed copy: one bit flipped; the bit number wraps around."""
    raw = bytearray(payload if isinstance(payload, bytes) else payload.tobytes())
    if raw:
        raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    if isinstance(payload, bytes):
        return bytes(raw)
    return np.frombuffer(bytes(raw), np.uint64).reshape(payload.shape)


def _words(payload: Payload) -> Words:
    if isinstance(payload, bytes):
        raise InternalError("only words can be vouched for")
    return payload


# -- on the wire ----------------------------------------------------------------------------------


def lose(*, round: int | None = None, sender: int | None = None, receiver: int | None = None) -> Tamper:
    """Lose matching frames; None matches all."""

    def tamper(frame: bytes, number: int, of: int, to: int) -> bytes | None:
        hit = round in (None, number) and sender in (None, of) and receiver in (None, to)
        return None if hit else frame

    return tamper


def damage(byte: int, *, round: int, sender: int, receiver: int, mask: int = 1) -> Tamper:
    """Change one byte of one frame."""

    def tamper(frame: bytes, number: int, of: int, to: int) -> bytes | None:
        if (number, of, to) != (round, sender, receiver):
            return frame
        changed = bytearray(frame)
        changed[byte] ^= mask
        return bytes(changed)

    return tamper


# -- enumerating ----------------------------------------------------------------------------------


def every_message(steps: Sequence[Rounds[Any]]) -> list[Sent]:
    """Run honest steps and list every message they send, so that a test can attack each of them."""
    return _survey(steps)[0]


def every_vouch(steps: Sequence[Rounds[Any]]) -> list[Vouched]:
    """Run honest steps and list every message that a party vouches for."""
    return _survey(steps)[1]


def _survey(steps: Sequence[Rounds[Any]]) -> tuple[list[Sent], list[Vouched]]:
    sent: list[Sent] = []
    vouched: list[Vouched] = []

    def look(number: int, rounds: Mapping[int, Round]) -> None:
        for me, r in rounds.items():
            for (to, label), payload in r.send.items():
                sent.append(Sent(number, me, to, label, getattr(payload, "shape", None)))
            for of, to, label in r.vouch:
                vouched.append(Vouched(number, me, of, to, label))

    run: Run[Any] = lockstep(steps, on_round=look)
    run.results()
    return sent, vouched
