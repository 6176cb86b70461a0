"""Joint message passing: two parties hand a value that both know to the other two, as a sharing.

JMP(sender, backup -> receiver; outsider) of a value v: all but the receiver draw r = PRF(K[receiver]),
the sender sends m = v - r to the receiver, and the backup vouches for m in the same round. The sharing is
v[receiver] = r, v[outsider] = m, the other two summands are zero.

Notation  Row (S, B -> R; O): the four roles, all different
Security  R sees v - r and does not know r; O knows r and never sees m. S cannot change m: B's tag over it is
          under a key that S does not know, and R verifies it before it sends anything that depends on m
          (a check that comes later leaks secrets: ePrint 2026/234)
Sources   Spec rep4 3, 12.3;
          [FF] Dalskov, Escudero, Keller: Fantastic Four, USENIX Security 2021, joint message passing.
          Departure: tags in the same round instead of hashes at the end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.sharing import Bits4, Rep4, slot
from mpcd.protocols.rounds import Round, Rounds, Spec, Words, backed
from mpcd.ring.bits import words_for


class Row(NamedTuple):
    """Who plays which role in one message: (sender, backup -> receiver; outsider)."""

    sender: int
    backup: int
    receiver: int
    outsider: int

    def __str__(self) -> str:
        return f"({self.sender},{self.backup}->{self.receiver};{self.outsider})"


FROM_01 = Row(0, 1, 3, 2)
"""For values known to parties 0 and 1, such as u = x[2] + x[3]; live summands {2, 3}."""
FROM_23 = Row(2, 3, 1, 0)
"""For values known to parties 2 and 3, such as v = x[0] + x[1]; live summands {0, 1}."""


@dataclass(frozen=True, slots=True)
class Jump:
    """One value to hand over: who to whom, its shape, and the value at its sender and backup only.

    `shape` is the shape of the array of words. For bits it is (planes, words).
    """

    row: Row
    shape: tuple[int, ...]
    value: Words | None = None

    def __repr__(self) -> str:
        return f"Jump({self.row}, shape={self.shape})"


def jump(p: Party4, jumps: Sequence[Jump]) -> Rounds[list[Rep4]]:
    """Share values of Z_2^64 that two parties know.

    Shapes     as the jumps say; the result of a jump has live = {receiver, outsider}
    Cost       1 round; 8 bytes per element from sender to receiver; one tag per (sender, backup, receiver)
    Malicious  a wrong m or tag is detected by the receiver in this round: one of sender and backup lied
    Raises     UsageError if a value is missing at its sender or backup, or has another shape
    Source     [FF] joint message passing
    """
    shared = yield from _jump_words(p, jumps, boolean=False)
    return [Rep4(data, _live(j.row)) for data, j in zip(shared, jumps, strict=True)]


def jump_bits(p: Party4, jumps: Sequence[Jump], shape: tuple[int, ...]) -> Rounds[list[Bits4]]:
    """Share packed bits that two parties know; `shape` is the shape of the planes of all of them.

    Shapes     every jump has shape (planes, ceil(size(shape) / 64))
    Cost       1 round; 1 bit per flag and plane from sender to receiver; tags as `jump`
    Malicious  as `jump`
    Raises     UsageError as `jump`
    Source     [FF] joint message passing
    """
    words = words_for(int(np.prod(shape, dtype=np.int64)))
    if any(len(j.shape) != 2 or j.shape[1] != words for j in jumps):
        raise UsageError(f"jump of bits: planes of {words} words are needed, got {[j.shape for j in jumps]}")
    shared = yield from _jump_words(p, jumps, boolean=True)
    return [Bits4(data, shape, _live(j.row)) for data, j in zip(shared, jumps, strict=True)]


def _live(row: Row) -> frozenset[int]:
    return frozenset({row.receiver, row.outsider})


def _jump_words(p: Party4, jumps: Sequence[Jump], *, boolean: bool) -> Rounds[list[Words]]:
    keys = sorted({j.row.receiver for j in jumps} - {p.me})
    streams = dict(zip(keys, p.open_streams(tuple(keys)), strict=True))
    shared: list[Words] = []
    send: dict[tuple[int, str], Words] = {}
    vouch: dict[tuple[int, int, str], Words] = {}
    recv: dict[tuple[int, str], Spec] = {}
    vouched: dict[tuple[int, str], int] = {}
    for number, j in enumerate(jumps):
        row = j.row
        label = backed(str(number), row.backup)
        data = np.zeros((3, *j.shape), np.uint64)
        shared.append(data)
        if p.me == row.receiver:
            recv[row.sender, label] = Spec(j.shape)
            vouched[row.sender, label] = row.backup
            continue
        pad = data[slot(p.me, row.receiver)]
        streams[row.receiver].fill(pad)
        if p.me == row.outsider:
            continue
        # The message is the outsider's summand itself: it is sent from where it will stay.
        message = data[slot(p.me, row.outsider)]
        _mask(j, pad, message, boolean=boolean)
        if p.me == row.sender:
            send[row.receiver, label] = message
        else:
            vouch[row.sender, row.receiver, label] = message
    inbox = yield Round(p.path, send, vouch, recv, vouched)
    for number, j in enumerate(jumps):
        if p.me == j.row.receiver:
            label = backed(str(number), j.row.backup)
            shared[number][slot(p.me, j.row.outsider)] = inbox[j.row.sender, label]
    return shared


def _mask(j: Jump, pad: Words, message: Words, *, boolean: bool) -> None:
    if j.value is None or j.value.shape != j.shape:
        raise UsageError(f"jump {j.row}: its sender and backup must know a value of shape {j.shape}")
    if boolean:
        np.bitwise_xor(j.value, pad, out=message)
    else:
        np.subtract(j.value, pad, out=message)
