"""Tags: what is tagged, under which nonce, and what a failed one lets each party conclude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest

from mpcd.errors import InternalError
from mpcd.ring import tags
from mpcd.ring.tags import Buffer
from mpcd.runtime.faults import recorded_sets
from mpcd.runtime.frames import TagFault
from mpcd.runtime.lockstep import lockstep
from mpcd.runtime.tagging import Tagger
from mpcd.testing.wrappers import cheat, damage, edit_vouch, every_message, every_vouch, flip, shift
from tests.runtime.ring_of_parties import steps

KEY = bytes(range(16))
SESSION = bytes(32)


def tagger(parties: int = 4, *, session: bytes = SESSION, epoch: int = 0) -> Tagger:
    return Tagger(range(parties), session, epoch, dict.fromkeys(range(parties), KEY))


def test_a_tag_depends_on_every_fact_about_its_place() -> None:
    """Same key throughout: one tag for each place, and none of them twice."""
    seen = {
        tagger(session=session, epoch=epoch).make(number, s, b, r, r, parts, sum(map(len, parts)))
        for session in (SESSION, bytes(31) + b"\1")
        for epoch in (0, 1)
        for number in (0, 1)
        for s, b, r in ((0, 1, 2), (1, 0, 2), (0, 2, 1), (3, 1, 2))
        for parts in ([b"12345678"], [b"12345679"], [b"1234567812345678"], [])
    }
    assert len(seen) == 2 * 2 * 2 * 4 * 4


def test_every_byte_of_message_and_tag_counts() -> None:
    message, t = bytes(range(24)), tagger()
    made = t.make(3, 0, 1, 2, 2, [message], 24)
    assert t.matches(3, 0, 1, 2, [message], 24, made)
    for at in range(24):
        changed = bytearray(message)
        changed[at] ^= 1
        assert not t.matches(3, 0, 1, 2, [changed], 24, made)
    for at in range(16):
        changed = bytearray(made)
        changed[at] ^= 1
        assert not t.matches(3, 0, 1, 2, [message], 24, bytes(changed))


def test_keys_are_not_printed() -> None:
    assert KEY.hex() not in repr(tags.TagKey(KEY))
    assert str(KEY) not in repr(tagger()) + repr(tags.TagKey(KEY))


def test_parties_that_do_not_fit_the_nonce_are_refused() -> None:
    with pytest.raises(InternalError):
        tagger(7)


def test_no_nonce_is_used_twice_with_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record (key, nonce) of every tag made; each is made twice, once by the backup, once to verify."""
    used: list[tuple[bytes, bytes]] = []
    original = tags.TagKey.tag

    class Recording(tags.TagKey):
        def __init__(self, key: bytes) -> None:
            super().__init__(key)
            self.raw = key

        def tag(self, nonce: bytes, header: bytes, parts: Sequence[Buffer]) -> bytes:
            used.append((self.raw, nonce))
            return original(self, nonce, header, parts)

    monkeypatch.setattr("mpcd.runtime.tagging.TagKey", Recording)
    assert lockstep(steps(5)).tags == 20
    assert len(used) == 40
    assert set(Counter(used).values()) == {2}


def test_nonces_differ_for_all_roles_up_to_six_parties() -> None:
    t = tagger(6)
    places = [p for p in product(range(6), repeat=3) if len(set(p)) == 3]
    assert len({t.make(0, s, b, r, r, [], 0) for s, b, r in places}) == len(places)


# -- over the wire --------------------------------------------------------------------------------


def test_a_changed_message_is_caught_by_its_receiver_alone() -> None:
    attacked = [m for m in every_message(steps(2)) if m.shape is not None]
    assert len(attacked) == 8
    for m in attacked:
        for edit in (
            shift(round=m.round, to=m.receiver, label=m.label),
            flip(bit=191, round=m.round, to=m.receiver, label=m.label),
        ):
            run = steps(2)
            run[m.sender] = cheat(run[m.sender], edit)
            outputs = lockstep(run).outputs
            fault = outputs[m.receiver]
            assert isinstance(fault, TagFault)
            assert (fault.sender, fault.receiver, fault.number) == (m.sender, m.receiver, m.round)
            assert fault.blamed == {m.sender, fault.backup}
            assert not any(isinstance(outputs[p], TagFault) for p in range(4) if p != m.receiver)


def test_a_lying_backup_is_caught_and_the_sender_is_not_blamed_alone() -> None:
    vouches = every_vouch(steps(1))
    assert len(vouches) == 4
    for v in vouches:
        run = steps(1)
        run[v.backup] = cheat(run[v.backup], edit_vouch(lambda a: a[::-1], of=v.sender, to=v.receiver))
        fault = lockstep(run).outputs[v.receiver]
        assert isinstance(fault, TagFault)
        assert fault.blamed == {v.sender, v.backup}


def test_a_damaged_tag_on_the_wire_is_caught() -> None:
    for byte in range(-16, 0):
        fault = lockstep(steps(1), tamper=damage(byte, round=0, sender=2, receiver=0)).outputs[0]
        assert isinstance(fault, TagFault)
        assert (fault.sender, fault.backup) == (3, 2)


def test_what_each_party_records() -> None:
    fault = TagFault("top", sender=0, backup=1, receiver=2, number=0)
    assert recorded_sets(fault, 2) == {0, 1}
    assert recorded_sets(fault, 0) == {1, 2}
    assert recorded_sets(fault, 1) == {0, 2}
    assert recorded_sets(fault, 3) == {0, 1, 2}
