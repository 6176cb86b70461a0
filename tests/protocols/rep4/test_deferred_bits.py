"""The attack on deferred checks on a secret bit, with a codec that verifies one round late and with ours.

Two dependent ANDs: z = x AND y, then z AND w. In the first, the cheater C flips one bit of its message to the
victim V (row C, B -> V; O): V's z[O] is wrong. In the second, V's message to C (row V, B -> C; O) then
differs from what B vouches for by that bit of w[C], the one summand that C lacks. C holds the key
under which B's tag is made, so it can test both guesses against the tag: it learns the bit of w.
Everything that C uses here is what C itself receives.

Source  [2026/234] ePrint 2026/234: four-party protocols with deferred consistency checks are not private
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from mpcd.errors import PeerError
from mpcd.protocols.rep4 import multiply
from mpcd.protocols.rep4.party import Party4
from mpcd.protocols.rep4.schedule import CYCLIC, ROWS, VARIANT_A, VARIANT_B
from mpcd.protocols.rep4.sharing import Bits4, slot
from mpcd.protocols.rounds import Payload, Round, Rounds, Words, backed
from mpcd.ring.tags import Buffer
from mpcd.runtime import lockstep as lockstep_module
from mpcd.runtime.faults import TagFault
from mpcd.runtime.frames import FrameCodec
from mpcd.runtime.layout import Check
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import change, cheat
from tests.protocols.rep4.four import each, share_bits

WORDS = 128
"""Enough for both variants of a product: variant A then covers the first half, variant B the second."""
FLAGS = 64 * WORDS

ATTACKS = [
    (lie, leak)
    for lie, leak in product(range(len(ROWS)), repeat=2)
    if (ROWS[lie].sender, ROWS[lie].receiver) == (ROWS[leak].receiver, ROWS[leak].sender)
    and ROWS[lie].backup == ROWS[leak].backup
    and not ({lie, leak} & set(VARIANT_A) and {lie, leak} & set(VARIANT_B))
]
"""Pairs of rows by which one lie in the first product shows in the second to the liar itself."""


def word(lie: int, leak: int) -> int:
    """Index of the word whose bit 0 is attacked: one that both rows cover."""
    return 0 if {lie, leak} & set(VARIANT_A) else WORDS - 1


class LateCodec(FrameCodec):
    """A weakened copy of ours: a tag is looked at only when the next round has been sent."""

    few_bytes = 0  # every tag goes through `_verify`

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[tuple[int, Check, list[bytes], bytes]] = []
        self._late: TagFault | None = None

    def decode(self, number: int, r: Round, frames: Mapping[int, Buffer]) -> Any:
        overdue, self._late = self._late, None
        inbox = super().decode(number, r, frames)
        if overdue is not None:
            raise overdue
        return inbox

    def _verify(self, current: Any, check: Check, bodies: Mapping[int, memoryview]) -> None:
        self._record(current, check, bodies)
        try:
            super()._verify(current, check, bodies)
        except TagFault as fault:
            self._late = fault

    def _record(self, current: Any, check: Check, bodies: Mapping[int, memoryview]) -> None:
        tags = bodies[check.backup]
        first = len(tags) - check.from_end
        parts = [bytes(bodies[check.sender][start:stop]) for start, stop in check.ranges]
        self.seen.append((current.number, check, parts, bytes(tags[first : first + 16])))

    def fits(self, number: int, check: Check, message: bytes, claimed: bytes) -> bool:
        """What the cheater computes with its own key: would this message fit the backup's tag?"""
        return self._tagger.matches(
            number, check.sender, check.backup, self.me, [message], len(message), claimed
        )


def two_ands(p: Party4, x: Bits4, y: Bits4, w: Bits4) -> Rounds[Bits4]:
    z = yield from multiply.conj(p.at("first"), x, y)
    return (yield from multiply.conj(p.at("second"), z, w))


def flip_bit(payload: Payload, at: int) -> Words:
    """Bit 0 of the first word, or of the last one: a message covers the array's start or its end."""
    changed: Words = np.array(payload)
    changed[0 if at == 0 else -1] ^= np.uint64(1)
    return changed


def secret(bit: int, at: int, seed: int) -> list[Bits4]:
    flags = np.zeros(FLAGS, np.bool_)
    flags[64 * at] = bit
    return share_bits(flags, seed)


def attack(lie: int, at: int, w: list[Bits4], seed: int, frames: list[tuple[int, int, int]]) -> Run[Any]:
    """Run the two products with the lie; `frames` gets (round, sender, receiver) of all that is sent."""
    ones = np.ones(FLAGS, np.bool_)
    steps = each(two_ands, share_bits(ones, seed), share_bits(ones, seed + 1), w, seed=seed)
    row = ROWS[lie]
    steps[row.sender] = cheat(
        steps[row.sender],
        change(lambda m: flip_bit(m, at), round=0, to=row.receiver, label=backed(str(lie), row.backup)),
    )

    def note(frame: bytes, number: int, sender: int, receiver: int) -> bytes:
        frames.append((number, sender, receiver))
        return frame

    return lockstep(steps, tamper=note)


def guess(codec: LateCodec, leak: int, at: int, w: Bits4) -> int | None:
    """The cheater's conclusion from what it received, its own key and its own three summands of w."""
    row = ROWS[leak]
    for number, check, parts, claimed in codec.seen:
        if number == 1 and (check.sender, check.backup) == (row.sender, row.backup):
            (message,) = parts
            other = flip_bit(np.frombuffer(message, np.uint64), at).tobytes()
            fits = [codec.fits(number, check, m, claimed) for m in (message, other)]
            return _secret_of(fits.index(True), leak, at, w) if any(fits) else None
    return None


def _secret_of(difference: int, leak: int, at: int, w: Bits4) -> int:
    """The message differs by w[C], in cyclic rows by w[C] ^ w[O]: with C's own summands this is w."""
    row = ROWS[leak]
    known = [int(w.data[slot(row.receiver, a), 0, at]) & 1 for a in range(4) if a != row.receiver]
    outsiders = int(w.data[slot(row.receiver, row.outsider), 0, at]) & 1 if leak in CYCLIC else 0
    return difference ^ outsiders ^ known[0] ^ known[1] ^ known[2]


def test_there_is_an_attack_by_every_party() -> None:
    assert {ROWS[lie].sender for lie, _ in ATTACKS} == {0, 1, 2, 3}


@pytest.mark.parametrize(("lie", "leak"), ATTACKS)
def test_checks_one_round_late_give_the_bit_away_every_time(
    lie: int, leak: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in range(12):
        codecs: dict[int, LateCodec] = {}

        def make(me: int, *args: Any, codecs: dict[int, LateCodec] = codecs) -> LateCodec:
            codecs[me] = LateCodec(me, *args)
            return codecs[me]

        monkeypatch.setattr(lockstep_module, "FrameCodec", make)
        at = word(lie, leak)
        w = secret(trial % 2, at, 100 + trial)
        done = attack(lie, at, w, trial, [])
        cheater, victim = ROWS[lie].sender, ROWS[lie].receiver
        # The victim does notice: one round too late.
        assert isinstance(done.outputs[victim], PeerError)
        assert guess(codecs[cheater], leak, at, w[cheater]) == trial % 2


@pytest.mark.parametrize(("lie", "leak"), ATTACKS)
def test_with_our_codec_the_victim_sends_nothing_after_the_lie(lie: int, leak: int) -> None:
    frames: list[tuple[int, int, int]] = []
    at = word(lie, leak)
    done = attack(lie, at, secret(1, at, 7), 3, frames)
    cheater, victim = ROWS[lie].sender, ROWS[lie].receiver
    error = done.outputs[victim]
    assert isinstance(error, TagFault)
    assert error.round == 0
    assert error.blamed == {cheater, ROWS[lie].backup}
    assert not [number for number, sender, _ in frames if sender == victim and number > 0]
    # The leak would have been a message of round 1 from the victim to the cheater.
    assert (0, victim, cheater) in frames
    assert (ROWS[leak].sender, ROWS[leak].receiver) == (victim, cheater)
