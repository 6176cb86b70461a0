"""The round of a product: mask every term that this party knows, send or vouch for it, add up the result.

What the terms are is the caller's business (`multiply`); which rows there are is in `schedule`. The pads of a
piece of the array are drawn into buffers that stay in cache, and used while they are there.

Notation  rows, spans and variants as in `schedule`; n: words of the result
Security  each row of a product has a slice of its own of the stream of its receiver's key
Source    Spec rep4 2.4, 4.2, 4.3
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.schedule import WHOLE, Few, Plan, Task
from mpcd.protocols.rounds import Message, Round, Rounds, Spec, Words
from mpcd.ring.streams import stream_name

PIECE = 8192
"""Words done at a time: pads, operands and results of a piece stay in the second-level cache."""

Cyclic = Callable[[Words, Words, Words, int, int, Words, Words, Words], None]
"""(pad0, pad1, pad2, start, stop, out, sent, backed): the four cyclic rows, for some words of the array."""
Single = Callable[[Task, Words, int, int, Words, Words, int], None]
"""(task, pad, start, stop, out, message, offset): one row as its sender or backup."""
Small = Callable[[Words, Words, Words, npt.NDArray[np.int64], Words, Words], None]
"""(x, y, pads, places, out, messages): all rows of a small product."""
Spans = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
AddTo = Callable[[Words, int, int, Words], None]
"""(out, slot, start, words): what has arrived is added to words of a slot."""
_Place = tuple[Message, int, int]
"""(message, slot and first word that it is added to)."""
PadOf = Callable[[Task, int, int], Words]
"""(task, start, stop) -> the pad of a row for some words of the array; in order, each once."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How to compute what the rows of a product carry, and how to add up."""

    cyclic: Cyclic
    single: Single
    add: np.ufunc
    add_to: AddTo


def exchange_few(
    p: Party4, doing: Plan, few: Few, kernel: Small, add_to: AddTo, x: Words, y: Words
) -> Rounds[Words]:
    """The same as `exchange` for an elementwise product of few words, in one call of a kernel: what a round
    of a small product costs is the number of calls. The work is done before the step is begun."""
    size = x.shape[1]
    pads = p.streams.draw_few(stream_name(p.path), few.wanted, size)
    out, messages = np.empty((3, size), np.uint64), np.empty((3, size), np.uint64)
    kernel(x, y, pads, _places(few, size), out, messages)
    send, vouch = {}, {}
    for message, k in few.send:
        send[message] = messages[k]
    for backed, k in few.vouch:
        vouch[backed] = messages[k]
    return _round(p, doing, add_to, out, send, vouch)


@lru_cache(maxsize=1024)
def _places(few: Few, size: int) -> npt.NDArray[np.int64]:
    """The numbers that a kernel of small products wants."""
    return np.array([*few.places, size + (size & 1)], np.int64)


def exchange(p: Party4, doing: Plan, terms: Terms, out: Words) -> Rounds[Words]:
    """Send every row's masked term, and complete the result in `out`, (3, n); if the cyclic rows are not
    fused, it holds the local products."""
    size = out.shape[1]
    spans = _spans(size)
    send: dict[Message, Words] = {}
    vouch: dict[tuple[int, int, str], Words] = {}
    for task, message in _compute(p, doing, terms, out, spans):
        row = task.row
        if row.sender == p.me:
            send[row.receiver, task.label] = message
        else:
            vouch[row.sender, row.receiver, task.label] = message
    return (yield from _round(p, doing, terms.add_to, out, send, vouch))


def _round(
    p: Party4,
    doing: Plan,
    add_to: AddTo,
    out: Words,
    send: dict[Message, Words],
    vouch: dict[tuple[int, int, str], Words],
) -> Rounds[Words]:
    """The network round; what arrives is added to the outsider's summand."""
    recv, vouched, places = _expected(doing, out.shape[1])
    inbox = yield Round(p.path, send, vouch, recv, vouched)
    for message, slot, start in places:
        add_to(out, slot, start, inbox[message])  # type: ignore[arg-type]
    return out


@lru_cache(maxsize=1024)
def _expected(doing: Plan, size: int) -> tuple[dict[Message, Spec], dict[Message, int], list[_Place]]:
    """What a party receives, who vouches for it, and where it is added."""
    spans = _spans(size)
    recv, vouched, places = {}, {}, []
    for task in doing.incoming:
        start, stop = spans[task.span]
        message = task.row.sender, task.label
        recv[message] = Spec((stop - start,))
        vouched[message] = task.row.backup
        places.append((message, task.outsider_slot, start))
    return recv, vouched, places


def _spans(size: int) -> Spans:
    """Whole array, first half, second half."""
    return (0, size), (0, size // 2), (size // 2, size)


def _compute(p: Party4, doing: Plan, terms: Terms, out: Words, spans: Spans) -> list[tuple[Task, Words]]:
    """All local work before the round: fills `out`, returns the messages that this party knows."""
    messages = [(task, _empty(spans[task.span])) for task in doing.known]
    pad_of = _pads(p, doing, spans)
    sent, backed = (_empty(spans[WHOLE]), _empty(spans[WHOLE])) if doing.fused else (out[0], out[0])
    for start, stop, half in _pieces(doing, spans):
        if doing.fused:
            pad0, pad1, pad2 = [pad_of(task, start, stop) for task in doing.fused]
            terms.cyclic(pad0, pad1, pad2, start, stop, out, sent, backed)
        for task, message in messages:
            if task.span in (WHOLE, half):
                pad = pad_of(task, start, stop)
                terms.single(task, pad, start, stop, out, message, spans[task.span][0])
        for task in doing.outside:
            if task.span in (WHOLE, half):
                mine = out[task.receiver_slot, start:stop]
                terms.add(mine, pad_of(task, start, stop), out=mine)
    if doing.fused:
        messages += [(doing.sends, sent), (doing.backs, backed)]
    return messages


def _empty(span: tuple[int, int]) -> Words:
    return np.empty(span[1] - span[0], np.uint64)


def _pieces(doing: Plan, spans: Spans) -> list[tuple[int, int, int]]:
    """(start, stop, span) of the pieces; if the halves differ none reaches over the middle."""
    pieces = []
    for half in doing.sections:
        begin, end = spans[half]
        pieces += [(start, min(start + PIECE, end), half) for start in range(begin, end, PIECE)]
    return pieces


def _pads(p: Party4, doing: Plan, spans: Spans) -> PadOf:
    """Reserve every row's slice of its key's stream, in the order of the schedule."""
    streams = zip(p.open_streams(doing.keys), doing.draws, strict=True)
    size = spans[WHOLE][1]
    if size <= PIECE:
        drawn: dict[int, Words] = {}
        for stream, tasks in streams:
            slices = stream.draw_slices([spans[task.span][1] - spans[task.span][0] for task in tasks])
            drawn.update(zip([task.number for task in tasks], slices, strict=True))
        if doing.sections == (WHOLE,):
            return lambda task, start, stop: drawn[task.number]

        def slice_of(task: Task, start: int, stop: int) -> Words:
            offset = spans[task.span][0]
            return drawn[task.number][start - offset : stop - offset]

        return slice_of

    readers = {
        task.number: stream.cut(spans[task.span][1] - spans[task.span][0])
        for stream, tasks in streams
        for task in tasks
    }
    buffers = {number: np.empty(PIECE, np.uint64) for number in readers}

    def read(task: Task, start: int, stop: int) -> Words:
        pad = buffers[task.number][: stop - start]
        readers[task.number].fill(pad)
        return pad

    return read
