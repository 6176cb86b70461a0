"""One party's step over a channel: the loop of a job process.

The driver alternates between the step, which states a round, and the channel, which carries it. A round in
which anything is wrong is never given to the step: the step is closed instead, so that nothing that
depends on an unverified message can leave this party.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from mpcd.errors import MpcdError
from mpcd.protocols.rounds import Inbox, Round, Rounds
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.kept import Record
from mpcd.transport.channel import Buffer, Channel, IncompleteRound

T = TypeVar("T")


@dataclass(slots=True)
class Counters:
    """What a party has done so far in an epoch; bytes are whole frames, headers and tags included."""

    rounds: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


def drive(
    step: Rounds[T],
    codec: FrameCodec,
    channel: Channel,
    *,
    round_timeout_s: float,
    first_round_s: float = 0.0,
    counters: Counters | None = None,
    record: Record | None = None,
    on_round: Callable[[Counters], None] | None = None,
    speaking: AbstractContextManager[object] | None = None,
) -> T:
    """Run a step to its end over a channel and return its result.

    Several steps may follow each other over one codec and channel: round numbers go on. `record` keeps the
    last rounds. `on_round` is called after every round (progress); it may raise to stop the run. `speaking`
    is held from the moment in which a round is recorded until all of it has come. `first_round_s` is what
    the first round of the step has at least: parties come to it further apart, after links or a barrier.
    Raises  PeerError (also `TagFault`) if a peer's frame is malformed or a tag fails; ChannelError if
            peers are silent for `round_timeout_s` or gone, after the others' frames have been exchanged; and
            whatever the step raises. The step is closed before any of these leaves, and the channel can
            only be parted from
    """
    counters = Counters() if counters is None else counters
    held: AbstractContextManager[object] = nullcontext() if speaking is None else speaking
    inbox: Inbox | None = None
    waits = max(round_timeout_s, first_round_s), round_timeout_s
    try:
        while True:
            try:
                r = step.send(inbox)  # type: ignore[arg-type]
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            inbox = _take_round(r, codec, channel, waits, counters, record, held)
            waits = round_timeout_s, round_timeout_s
            if on_round is not None:
                on_round(counters)
    finally:
        step.close()


def _take_round(
    r: Round,
    codec: FrameCodec,
    channel: Channel,
    waits: tuple[float, float],
    counters: Counters,
    record: Record | None,
    speaking: AbstractContextManager[object],
) -> Inbox:
    """Send and receive one round; the frames sent stay alive and unchanged until then."""
    number = codec.next_number
    outgoing = codec.encode(number, r)
    lengths = codec.expected_bytes(number, r)
    with speaking:
        frames = _exchange(number, r, outgoing, lengths, channel, waits, record)
    inbox = codec.decode(number, r, frames)
    counters.rounds += 1
    counters.sent_bytes += sum(map(len, chain.from_iterable(outgoing.values())))
    counters.received_bytes += sum(map(len, frames.values()))
    return inbox


def _exchange(
    number: int,
    r: Round,
    outgoing: Mapping[int, Sequence[Buffer]],
    lengths: Mapping[int, int],
    channel: Channel,
    waits: tuple[float, float],
    record: Record | None,
) -> dict[int, memoryview]:
    """One round over the channel, on record before anything of it is sent and as soon as all has come.

    waits  for this round, and for the one after. Who was late is measured by the latter: the others wait so
           long for us then
    """
    timeout_s, later_s = waits
    if record is not None:
        record.begin(number, r)
    try:
        frames = channel.exchange(number, outgoing, lengths, timeout_s, r.absent)
    except IncompleteRound as fault:
        if record is not None:
            record.arrived(fault.arrived)
        raise
    except MpcdError:  # a signal: the deadline, or the daemon wants us to end here
        if record is not None:
            pending = channel.pending(number)
            record.interrupted(pending, channel.peers - pending)
        raise
    if record is not None:
        record.arrived(frames)
        if channel.waited is not None:
            record.waited(*channel.waited, later_s)
    return frames
