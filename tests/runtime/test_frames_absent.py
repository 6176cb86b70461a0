"""Where a party may be silent, a malformed frame is silence: it cannot end the round for one party alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mpcd.errors import ChannelError
from mpcd.protocols.agreement.dolev_strong import Agreed, slots
from mpcd.protocols.rep4.opening import open_to
from mpcd.runtime.layout import HEADER_BYTES
from mpcd.runtime.lockstep import lockstep
from tests.protocols.agreement.arena import sign_as, verify
from tests.protocols.rep4.four import each, share
from tests.runtime.ring_of_parties import decode, frames_to, round_of

Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "nothing": lambda frame: b"",
    "cut short": lambda frame: frame[:-1],
    "too long": lambda frame: frame + bytes(8),
    "header only": lambda frame: frame[:HEADER_BYTES],
    "another round": lambda frame: frame[:40] + b"\7" + frame[41:],
    "another path": lambda frame: frame[:56] + bytes(16) + frame[72:],
    "another length": lambda frame: frame[: HEADER_BYTES - 8] + b"\xff" * 8 + frame[HEADER_BYTES:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_malformed_frame_of_a_party_that_may_be_silent_is_no_frame(damage: Damage) -> None:
    frames = frames_to(0)
    excused = replace(round_of(0), absent=frozenset({3}))
    assert set(decode(frames | {3: damage(frames[3])}, r=excused)) == {(2, "blob")}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_malformed_frame_of_a_backup_is_never_excused(damage: Damage) -> None:
    """Else a cheater could hand over unverified words if the backup's frame is damaged."""
    frames = frames_to(0)
    excused = replace(round_of(0), absent=frozenset({2}))
    with pytest.raises(ChannelError) as caught:
        decode(frames | {2: damage(frames[2])}, r=excused)
    assert caught.value.unreachable == {2}


@pytest.mark.parametrize("length", [0, 1, 4, 40, 41, 2**32 - 1])
def test_a_blob_of_another_length_than_it_says_is_left_out(length: int) -> None:
    """The frame of party 2 is a blob of three bytes and a tag: its header fits whatever the blob says."""
    frames = frames_to(0)
    lie = frames[2][:HEADER_BYTES] + length.to_bytes(4, "little") + frames[2][HEADER_BYTES + 4 :]
    excused = replace(round_of(0), absent=frozenset({2}))
    assert set(decode(frames | {2: lie}, r=excused)) == {(3, "words~2")}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("cheater", range(4))
def test_an_opening_survives_malformed_frames_to_one_party(cheater: int, damage: Damage) -> None:
    x = np.array([1, -2, 2**62])
    victim = (cheater + 1) % 4

    def tamper(frame: bytes, _number: int, sender: int, receiver: int) -> bytes:
        return damage(frame) if (sender, receiver) == (cheater, victim) else frame

    for opened in lockstep(each(open_to, share(x, 1)), tamper=tamper).results():
        np.testing.assert_array_equal(opened, x)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_slot_survives_malformed_frames_to_one_party(damage: Damage) -> None:
    """Else the victim leaves the slot, and the others open what it does not."""
    steps = [slots(me, range(4), 1, b"slot", bytes([me]), sign_as(me), verify, 8) for me in range(4)]

    def tamper(frame: bytes, number: int, sender: int, receiver: int) -> bytes:
        return damage(frame) if (number, sender, receiver) == (1, 3, 0) else frame

    for outcome in lockstep(steps, tamper=tamper).results():
        assert outcome == {me: Agreed(bytes([me])) for me in range(4)}
