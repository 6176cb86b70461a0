"""Key agreement: the right three parties know each key, and lies lead to complaints."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.rep4 import keys
from mpcd.protocols.rep4.keys import Contribution
from mpcd.ring.digests import digest

SESSION = bytes(range(32))
VECTORS = Path(__file__).parent / "vectors" / "keys.json"


class Counting:
    """Reproducible bytes in place of fresh ones; never gives the same twice."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.calls = 0

    def __call__(self, n: int) -> bytes:
        self.calls += 1
        return hashlib.shake_128(b"%d/%d" % (self.seed, self.calls)).digest(n)


class Table:
    """Four honest parties before they combine; a test may change what one of them says or sends."""

    def __init__(self) -> None:
        self.own = {p: keys.contribute(p, Counting(p)) for p in range(4)}
        self.committed = {p: keys.commitments(SESSION, p, self.own[p]) for p in range(4)}
        self.sent = {p: keys.outbox(p, self.own[p]) for p in range(4)}

    def received(self, me: int) -> dict[int, dict[int, Contribution]]:
        return {p: self.sent[p][me] for p in range(4) if p != me and me in self.sent[p]}

    def check(self, me: int) -> frozenset[int]:
        return keys.check(SESSION, me, self.committed, self.received(me))

    def combine(self, me: int) -> dict[int, bytes]:
        return keys.combine(SESSION, me, self.committed, self.own[me], self.received(me))


def test_three_parties_get_each_key_and_the_fourth_does_not() -> None:
    table = Table()
    combined = {p: table.combine(p) for p in range(4)}
    for a in range(4):
        assert a not in combined[a]
        assert len({combined[p][a] for p in range(4) if p != a}) == 1
    assert len({combined[(a + 1) % 4][a] for a in range(4)}) == 4
    assert all(table.check(p) == frozenset() for p in range(4))


@pytest.mark.parametrize("me", range(4))
def test_a_key_is_not_a_function_of_what_its_outsider_sees(me: int) -> None:
    """Party a receives nothing that belongs to K[a], and each of three parts changes the whole key."""
    table = Table()
    assert all(me not in contributions for contributions in table.received(me).values())
    before = table.combine((me + 1) % 4)[me]
    for member in keys.holders(me):
        other = Table()
        other.own[member][me] = Contribution(bytes(32), bytes(32))
        other.committed[member] = keys.commitments(SESSION, member, other.own[member])
        other.sent[member] = keys.outbox(member, other.own[member])
        assert other.combine((me + 1) % 4)[me] != before


@pytest.mark.parametrize(("cheater", "victim"), list(permutations(range(4), 2)))
@pytest.mark.parametrize("lie", ["key", "salt", "short", "silent", "missing", "extra"])
def test_a_lie_to_one_party_is_a_complaint_of_that_party_alone(cheater: int, victim: int, lie: str) -> None:
    table = Table()
    mail = table.sent[cheater][victim]
    a = min(keys.shared_with(cheater, victim))
    if lie == "key":
        mail[a] = replace(mail[a], key=bytes(32))
    elif lie == "salt":
        mail[a] = replace(mail[a], salt=bytes(32))
    elif lie == "short":
        mail[a] = replace(mail[a], key=mail[a].key[:-1], salt=mail[a].key[-1:] + mail[a].salt)
    elif lie == "silent":
        del table.sent[cheater][victim]
    elif lie == "missing":
        del mail[a]
    else:
        mail[victim] = Contribution(bytes(32), bytes(32))
    assert table.check(victim) == {cheater}
    with pytest.raises(PeerError) as caught:
        table.combine(victim)
    assert caught.value.blamed == {cheater, victim}
    for bystander in set(range(4)) - {cheater, victim}:
        assert table.check(bystander) == frozenset()


@pytest.mark.parametrize("sizes", [(31, 32), (33, 32), (0, 32), (32, 31), (32, 33)])
def test_a_contribution_of_another_length_does_not_count_even_if_committed(sizes: tuple[int, int]) -> None:
    table = Table()
    odd = Contribution(bytes(sizes[0]), bytes(sizes[1]))
    parts = (SESSION, bytes([1]), bytes([2]), odd.key, odd.salt)
    table.committed[1][2], table.sent[1][0][2] = digest("mpcd rep4 key", *parts), odd
    assert table.check(0) == {1}


@pytest.mark.parametrize("cheater", range(4))
def test_a_commitment_cannot_be_copied_from_another_member(cheater: int) -> None:
    """Two equal contributions would cancel out: the committer's id is inside the hash."""
    table = Table()
    a, victim, other = sorted(keys.holders(cheater))
    table.committed[cheater][a] = table.committed[other][a]
    table.sent[cheater][victim][a] = table.sent[other][victim][a]
    assert table.check(victim) == {cheater}


@pytest.mark.parametrize("field", ["session", "key index"])
def test_a_commitment_opens_in_its_own_session_and_for_its_own_key_only(field: str) -> None:
    table = Table()
    if field == "session":
        assert keys.check(bytes(32), 0, table.committed, table.received(0)) == {1, 2, 3}
        return
    table.committed[1][2] = table.committed[1][3]
    mail = table.sent[1][0]
    mail[2] = mail[3]
    assert table.check(0) == {1}


def test_contributions_never_show_in_a_repr() -> None:
    text = repr(keys.contribute(0, Counting(0)))
    assert "b'" not in text
    assert 'b"' not in text


def test_own_contributions_must_be_for_the_keys_a_party_may_know() -> None:
    table = Table()
    del table.own[0][1]
    with pytest.raises(UsageError):
        table.combine(0)


def test_known_answers() -> None:
    """Commitments and keys of version 1 never change."""
    table = Table()
    found = {
        "commitments": {str(p): {str(a): c.hex() for a, c in table.committed[p].items()} for p in range(4)},
        "keys": {str(a): table.combine((a + 1) % 4)[a].hex() for a in range(4)},
    }
    assert found == json.loads(VECTORS.read_text())
