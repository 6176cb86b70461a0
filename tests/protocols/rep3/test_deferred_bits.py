"""The attack on late checks on a secret bit, with a codec that verifies one round late and with ours.

Two dependent ANDs: z = x AND y, then z AND w, by triples (a, b, c). In the first the cheater C = i flips a
bit of the piece of x ^ a that it sends to V = i + 1. V goes on with z' = z ^ b in every piece (in piece 0
also ^ y ^ b). In the second, V vouches to C for piece i + 2 of z' ^ a', which party i + 2 sends rightly: the
two differ by b[i + 2], the one piece of b that C lacks. C holds the key under which V's tag is made, tests
both guesses, and knows b, and with the public y ^ b the secret y. All that C uses here is what C itself has.

Source  [2026/234] ePrint 2026/234, there for four parties
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mpcd.errors import PeerError
from mpcd.protocols.rep3.gates import Gates3
from mpcd.protocols.rep3.party import Party3
from mpcd.protocols.rep3.sharing import Bits3, held, slot
from mpcd.protocols.rep3.words import WordTriples, word_triples
from mpcd.protocols.rounds import Rounds, Words
from mpcd.runtime import lockstep as lockstep_module
from mpcd.runtime.faults import TagFault
from mpcd.runtime.lockstep import Run, lockstep
from mpcd.testing.wrappers import change, cheat
from tests.protocols.rep3.three import each, share_bits
from tests.protocols.rep4.test_deferred_bits import LateCodec

FLAGS = 64
FIRST, SECOND = 5, 6
"""The rounds of the two ANDs; those before make the triples."""


def two_ands(p: Party3, x: Bits3, y: Bits3, w: Bits3, notes: dict[int, Words]) -> Rounds[Bits3]:
    """Each party notes its share of b, as it may."""
    triples = yield from word_triples(p.at("triples"), 2)
    a, b, c = triples.take(2)
    notes[p.me] = b[:, 0]
    gates = Gates3(p, WordTriples(a, b, c))
    z = yield from gates.at("first").conj(x, y)
    return (yield from gates.at("second").conj(z, w))


def flip_bit(payload: Any) -> Words:
    """The lowest bit of the first word: of x ^ a."""
    changed: Words = np.array(payload)
    changed[0] ^= np.uint64(1)
    return changed


class Attack:
    """One run in which `cheater` lies in the first AND."""

    def __init__(self, cheater: int, bit: int, seed: int) -> None:
        self.cheater, self.victim, self.third = cheater, (cheater + 1) % 3, (cheater + 2) % 3
        self.notes: dict[int, Words] = {}
        self.frames: list[tuple[int, int, int]] = []
        self.masked_y: dict[int, int] = {}
        ones, y = np.ones(FLAGS, np.bool_), np.full(FLAGS, bool(bit))
        x, secret, w = share_bits(ones, seed), share_bits(y, seed + 1), share_bits(ones, seed + 2)
        steps = each(two_ands, x, secret, w, self.notes, seed=seed)
        lie = change(flip_bit, round=FIRST, to=self.victim)
        steps[cheater] = cheat(steps[cheater], lie)
        self.done: Run[Any] = lockstep(steps, tamper=self._note, on_round=self._look)

    def _note(self, frame: bytes, number: int, sender: int, receiver: int) -> bytes:
        self.frames.append((number, sender, receiver))
        return frame

    def _look(self, number: int, rounds: Any) -> None:
        """The lowest bit of y ^ b: public in the first AND."""
        if number == FIRST:
            pieces = [int(next(iter(r.send.values()))[1]) & 1 for r in rounds.values()]
            self.masked_y[0] = pieces[0] ^ pieces[1] ^ pieces[2]

    def guess(self, codec: LateCodec) -> int | None:
        """The cheater's conclusion from what it received, its own key and its own pieces of b."""
        for number, check, parts, claimed in codec.seen:
            if number == SECOND and (check.sender, check.backup) == (self.third, self.victim):
                (message,) = parts
                other = flip_bit(np.frombuffer(message, np.uint64)).tobytes()
                fits = [codec.fits(number, check, m, claimed) for m in (message, other)]
                return self._secret(fits.index(True)) if any(fits) else None
        return None

    def _secret(self, difference: int) -> int:
        """The message differs by b[third], and by y ^ b too if that is piece 0."""
        hidden = difference ^ (self.masked_y[0] if self.third == 0 else 0)
        mine = self.notes[self.cheater]
        known = [int(mine[slot(self.cheater, a)]) & 1 for a in held(self.cheater)]
        return hidden ^ known[0] ^ known[1] ^ self.masked_y[0]


@pytest.mark.parametrize("cheater", range(3))
def test_checks_one_round_late_give_the_bit_away_every_time(
    cheater: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in range(12):
        codecs: dict[int, LateCodec] = {}

        def make(me: int, *args: Any, codecs: dict[int, LateCodec] = codecs) -> LateCodec:
            codecs[me] = LateCodec(me, *args)
            return codecs[me]

        monkeypatch.setattr(lockstep_module, "FrameCodec", make)
        attack = Attack(cheater, trial % 2, 3 * trial)
        # The victim does notice: one round too late.
        assert isinstance(attack.done.outputs[attack.victim], PeerError)
        assert attack.guess(codecs[cheater]) == trial % 2


@pytest.mark.parametrize("cheater", range(3))
def test_with_our_codec_the_victim_sends_nothing_after_the_lie(cheater: int) -> None:
    attack = Attack(cheater, 1, 4)
    error = attack.done.outputs[attack.victim]
    assert isinstance(error, TagFault)
    assert error.round == FIRST
    assert error.blamed == {cheater, attack.third}
    assert (FIRST, attack.victim, cheater) in attack.frames
    assert not [number for number, sender, _ in attack.frames if sender == attack.victim and number > FIRST]
