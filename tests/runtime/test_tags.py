"""Tags: what is tagged, under which nonce, and what a failed one lets each party conclude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import InternalError
from mpcd.protocols.rounds import Inbox, Round, Rounds, Spec, backed
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


class RecordingKey(tags.TagKey):
    """Remembers every (key, nonce) it is used with."""

    used: ClassVar[list[tuple[bytes, bytes]]] = []

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.raw = key

    def tag(self, nonce: bytes, header: bytes, parts: Sequence[Buffer]) -> bytes:
        self.used.append((self.raw, nonce))
        return super().tag(nonce, header, parts)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    monkeypatch.setattr("mpcd.runtime.tagging.TagKey", RecordingKey)
    RecordingKey.used.clear()
    return RecordingKey.used


def test_no_nonce_is_used_twice_with_one_key(used: list[tuple[bytes, bytes]]) -> None:
    """Each tag is computed twice, once by the backup, once to verify; else no (key, nonce) recurs."""
    assert lockstep(steps(5)).tags == 20
    assert len(used) == 40
    assert set(Counter(used).values()) == {2}


def test_nonces_differ_for_all_roles_and_rounds(used: list[tuple[bytes, bytes]]) -> None:
    t = tagger(6)
    places = [p for p in product(range(6), repeat=3) if len(set(p)) == 3]
    for number in (0, 1, 2**63):
        for s, b, r in places:
            t.make(number, s, b, r, r, [], 0)
    assert len({nonce for _, nonce in used}) == 3 * len(places)


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
            assert (fault.sender, fault.receiver, fault.round) == (m.sender, m.receiver, m.round)
            assert fault.blamed == {m.sender, fault.backup}
            assert not any(isinstance(outputs[p], TagFault) for p in range(4) if p != m.receiver)


Row = tuple[int, int, int | None, int]
"""(sender, receiver, backup or None, size): who backs a message is chosen freely."""
ROWS = st.lists(
    st.tuples(st.permutations(range(4)), st.booleans(), st.integers(0, 3)).map(
        lambda t: (t[0][0], t[0][1], t[0][2] if t[1] else None, t[2])
    ),
    max_size=12,
)


def _label(k: int, row: Row) -> str:
    return f"{k:02}" if row[2] is None else backed(f"{k:02}", row[2])


def scheduled(rows: list[Row]) -> list[Rounds[Inbox]]:
    """One round in which row k is the message labelled k."""
    words = [np.arange(size, dtype=np.uint64) + np.uint64(100 * k) for k, (*_, size) in enumerate(rows)]

    def one(me: int) -> Rounds[Inbox]:
        listed = [(_label(k, row), *row, words[k]) for k, row in enumerate(rows)]
        return (
            yield Round(
                "p",
                send={(to, label): a for label, of, to, _, _, a in listed if of == me},
                vouch={(of, to, label): a for label, of, to, backup, _, a in listed if backup == me},
                recv={(of, label): Spec((size,)) for label, of, to, _, size, _ in listed if to == me},
                vouched={
                    (of, label): backup
                    for label, of, to, backup, _, _ in listed
                    if to == me and backup is not None
                },
            )
        )

    return [one(me) for me in range(4)]


@given(rows=ROWS, data=st.data())
def test_any_schedule_of_backups_works_and_every_backed_message_is_covered(
    rows: list[Row], data: st.DataObject
) -> None:
    """Several senders with one backup, several backups of one sender, unbacked messages in between."""
    run = lockstep(scheduled(rows))
    inboxes = run.results()
    assert run.tags == len({(s, b, r) for s, r, b, _ in rows if b is not None})
    for k, row in enumerate(rows):
        sender, receiver, _, size = row
        expected = np.arange(size, dtype=np.uint64) + np.uint64(100 * k)
        np.testing.assert_array_equal(inboxes[receiver][sender, _label(k, row)], expected)
    nonempty = [k for k, row in enumerate(rows) if row[3]]
    if not nonempty:
        return
    k = data.draw(st.sampled_from(nonempty))
    sender, receiver, backup, size = rows[k]
    attacked = scheduled(rows)
    attacked[sender] = cheat(attacked[sender], flip(bit=64 * size - 1, to=receiver, label=_label(k, rows[k])))
    outputs = lockstep(attacked).outputs
    if backup is None:
        assert not any(isinstance(output, TagFault) for output in outputs.values())
    else:
        fault = outputs[receiver]
        assert isinstance(fault, TagFault)
        assert (fault.sender, fault.backup) == (sender, backup)


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
    fault = TagFault("top", sender=0, backup=1, receiver=2, round=0)
    assert recorded_sets(fault, 2) == {0, 1}
    assert recorded_sets(fault, 0) == {1, 2}
    assert recorded_sets(fault, 1) == {0, 2}
    assert recorded_sets(fault, 3) == {0, 1, 2}
