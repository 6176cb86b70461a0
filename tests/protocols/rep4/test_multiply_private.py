"""What a product shows a party is uniform, whatever is hidden from that party.

Correctness tests all pass with a pad deleted. These do not, and a control shows it: with pads of zero the
same measure finds the hidden summand.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mpcd.protocols.rep4 import multiply
from mpcd.protocols.rep4.engine import make_engine
from mpcd.protocols.rep4.jump import FROM_01, FROM_23, Jump, jump
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.schedule import ROWS
from mpcd.protocols.rep4.sharing import Bits4, Rep4, held
from mpcd.protocols.rounds import Inbox, Rounds, Words
from mpcd.ring.streams import Stream
from mpcd.runtime.lockstep import lockstep
from mpcd.testing.wrappers import spy
from tests.protocols.rep4.four import parties
from tests.protocols.rep4.pads import OpenedStreams
from tests.protocols.rep4.sharings import dealt

N = 4096
HIDDEN = (0, 1, 2**63)
Step = Callable[[Party4, Rep4], Rounds[Any]]


def square(p: Party4, x: Rep4) -> Rounds[Any]:
    return multiply.mul(p, x, x)


def square_bits(p: Party4, x: Rep4) -> Rounds[Any]:
    bits = Bits4(x.data.reshape(3, 1, -1), (64 * N,))
    return multiply.conj(p, bits, bits)


def square_rows(p: Party4, x: Rep4) -> Rounds[Any]:
    return multiply.inner(p, Rep4(x.data.reshape(3, N, 1)), Rep4(x.data.reshape(3, N, 1)))


def hand_over(p: Party4, x: Rep4) -> Rounds[Any]:
    """Every row as a joint message of its term's factors."""
    jumps = []
    for row in ROWS:
        knows = p.me in (row.sender, row.backup)
        value = x.data[held(p.me).index(row.receiver)] if knows else None
        jumps.append(Jump(row, (N,), value))
    return jump(p, jumps)


def received(step: Step, party: int, hidden: int, who: list[Party4]) -> list[Words]:
    """What a party receives in a product of constants of which it lacks `hidden`."""
    summands = [np.full(N, 7, np.uint64) for _ in range(4)]
    summands[party][:] = hidden
    seen: list[Inbox] = []
    steps = [step(p, x) for p, x in zip(who, dealt(summands), strict=True)]
    steps[party] = spy(steps[party], seen)
    lockstep(steps).results()
    (inbox,) = seen
    return [np.asarray(inbox[key]) for key in sorted(inbox)]


def looks_uniform(message: Words) -> bool:
    """Every byte of the words, as a histogram of its low three bits and of its top one."""
    for octet in message.view(np.uint8).reshape(-1, 8).T:
        counts = np.bincount(octet & 7, minlength=8)
        if abs(counts - message.size / 8).max() > 6 * np.sqrt(message.size / 8):
            return False
        if abs((octet >> 7).sum() - message.size / 2) > 6 * np.sqrt(message.size / 4):
            return False
    return True


@pytest.mark.parametrize("step", [square, square_bits, square_rows, hand_over])
@pytest.mark.parametrize("party", range(4))
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_a_party_receives_is_uniform_whatever_is_hidden(step: Step, party: int, hidden: int) -> None:
    messages = received(step, party, hidden, parties(hidden % 97))
    assert messages
    for message in messages:
        assert looks_uniform(message)
    # Nor does one message show anything about another.
    for first, second in pairwise([m for m in messages if m.size == messages[0].size]):
        assert looks_uniform(first - second)
        assert looks_uniform(first ^ second)


class NoPads(OpenedStreams):
    """Streams of zeros: the mutation that the measure above must find."""

    def open_named(self, key_id: int, iv: bytes) -> Any:
        return ZeroStream()


class ZeroStream:
    def draw_slices(self, sizes: list[int]) -> list[Words]:
        return [np.zeros(size, np.uint64) for size in sizes]

    def fill(self, out: Words) -> None:
        out[:] = 0


@pytest.mark.parametrize("step", [square, square_bits, square_rows, hand_over])
def test_without_pads_the_measure_finds_what_is_hidden(step: Step) -> None:
    who = [Party4(me, NoPads({a: bytes(16) for a in held(me)})) for me in range(4)]
    for message in received(step, 2, 1, who):
        assert not looks_uniform(message)


# -- every component of a stream's name counts -------------------------------------------------------

SECRETS = [bytes([a]) * 32 for a in range(4)]


def pad_of(
    session: bytes = bytes(32), epoch: int = 0, path: tuple[str | int, ...] = ("a",), key: int = 1
) -> int:
    engine = make_engine(0, {a: SECRETS[a] for a in held(0)}, session, epoch).at(*path)
    stream: Stream = engine.party.open_streams((key,))[0]
    return int(stream.draw(1)[0])


def test_every_component_of_a_streams_name_changes_its_words() -> None:
    pads = [
        pad_of(),
        pad_of(session=b"\1" + bytes(31)),
        pad_of(epoch=1),
        pad_of(path=("b",)),
        pad_of(path=("a", "b")),
        pad_of(path=("a", 0)),
        pad_of(path=("a", 1)),
        pad_of(path=("a", 10)),
        pad_of(key=2),
        pad_of(key=3),
    ]
    assert len(set(pads)) == len(pads)
    assert pad_of() == pads[0]


@pytest.mark.parametrize("row", [FROM_01, FROM_23])
def test_the_outsider_of_a_joint_message_receives_nothing(row: Any) -> None:
    def step(p: Party4) -> Rounds[Any]:
        value = np.arange(5, dtype=np.uint64) if p.me in (row.sender, row.backup) else None
        return jump(p, [Jump(row, (5,), value)])

    done = lockstep([step(p) for p in parties()])
    assert dict(done.sent) == {(row.sender, row.receiver): 40}


def test_reprs_show_no_share() -> None:
    shared = dealt([np.full(3, 123456789, np.uint64)] * 4)[0]
    assert repr(shared) == "Rep4(shape=(3,), live=[0, 1, 2, 3])"
    assert "123456789" not in repr(Bits4(shared.data.reshape(3, 1, 3), (192,)))
    assert "123456789" not in repr(Jump(FROM_01, (3,), shared.data[0]))
    engine = make_engine(0, {a: SECRETS[a] for a in held(0)}, bytes(32), 0)
    assert repr(engine.at("x", 1)) == "Rep4Engine(Party4(0, '/x/1'))"
