"""Why a barrier is a slot: with certificates of READY signatures one cheater splits the honest parties."""

from __future__ import annotations

from itertools import product

import pytest

from mpcd.protocols.agreement.chains import encode
from mpcd.protocols.agreement.dolev_strong import slots
from mpcd.protocols.agreement.findings import Go
from mpcd.protocols.agreement.judging import judge
from mpcd.protocols.agreement.words import Ready, Stopped, word_value
from mpcd.protocols.rounds import Blob, Round, Rounds
from mpcd.protocols.scheme import REP4
from tests.protocols.agreement.arena import SLOT, Letters, chain, run, seen, sign_as, verify

PARTIES, HONEST, CHEATER = range(4), range(3), 3
READY, WAITING = word_value(Ready("open", (), bytes(32))), word_value(Stopped(1))
LIMIT = 64


def by_certificate(me: int) -> Rounds[bool]:
    """What does not work: collect everybody's READY signature, pass on what one holds, then time out."""
    peers = [p for p in PARTIES if p != me]
    held = {me: sign_as(me)(SLOT)}
    for number in (1, 2):
        letter = b"".join(bytes([p]) + s for p, s in held.items())
        inbox = yield Round(
            f"certificate/{number}",
            send={(p, "c"): letter for p in peers},
            recv={(p, "c"): Blob(1024) for p in peers},
            absent=frozenset(peers),
        )
        for words in inbox.values():
            raw = bytes(words)
            for at in range(0, len(raw), 65):
                if verify(raw[at], SLOT, raw[at + 1 : at + 65]):
                    held[raw[at]] = raw[at + 1 : at + 65]
    return len(held) == len(PARTIES)


def by_slot(me: int, word: bytes = READY) -> Rounds[bool]:
    outcome = yield from slots(me, PARTIES, 1, SLOT, word, sign_as(me), verify, LIMIT)
    return isinstance(judge(outcome, REP4, PARTIES, 0), Go)


def to_one_in_the_last_round(number: int, _letters: Letters) -> Letters:
    if number != 2:
        return {}
    signature = bytes([CHEATER]) + sign_as(CHEATER)(SLOT)
    return {(CHEATER, 0): signature}


def test_with_mere_certificates_one_party_opens_while_the_others_abort() -> None:
    assert run({p: by_certificate(p) for p in HONEST}, to_one_in_the_last_round) == {
        0: True,
        1: False,
        2: False,
    }


SHOWN: tuple[tuple[bytes, ...], ...] = ((), (READY,), (WAITING,), (READY, WAITING))


@pytest.mark.parametrize("first", [f for f in product(SHOWN, repeat=3) if list(f) == sorted(f)], ids=str)
def test_with_the_slot_all_open_or_none(first: tuple[tuple[bytes, ...], ...]) -> None:
    for last in product(SHOWN, repeat=3):

        def play(number: int, letters: Letters, last: tuple[tuple[bytes, ...], ...] = last) -> Letters:
            plan = first if number == 1 else last
            return {
                (CHEATER, p): encode(
                    [seen(letters, CHEATER, v, PARTIES) or chain(CHEATER, v, (CHEATER,)) for v in plan[p]]
                )
                for p in HONEST
            }

        opened = run({p: by_slot(p) for p in HONEST}, play)
        assert len(set(opened.values())) == 1


def test_the_control_opens() -> None:
    assert set(run({p: by_slot(p) for p in PARTIES}).values()) == {True}


@pytest.mark.parametrize("unready", HONEST)
def test_one_honest_party_that_is_not_ready_keeps_everything_closed(unready: int) -> None:
    words = {p: WAITING if p == unready else READY for p in PARTIES}
    assert set(run({p: by_slot(p, words[p]) for p in PARTIES}).values()) == {False}
