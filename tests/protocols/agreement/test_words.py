"""Words at a barrier: one encoding each, and whatever else arrives is no word."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import InternalError
from mpcd.protocols.agreement.words import (
    Complaint,
    Late,
    Ready,
    Stopped,
    Word,
    read_word,
    word_limit,
    word_value,
)
from mpcd.protocols.scheme import REP3, REP4, Scheme

D, E = b"d" * 32, b"e" * 32
FOUR, THREE = (0, 1, 2, 3), (0, 2, 3)
LATE = (Late(1, 1, 2), Late(5, 2, 8))
WORDS: list[Word] = [
    Ready("reveal", (), D),
    Ready("reveal", (), D, LATE),
    Ready("open", ((D, E, D), (E, E, E)), E),
    Ready("open", ((D, E, D), (E, E, E)), E, LATE),
    Stopped(0),
    Stopped(7, late=LATE),
    Stopped(7, frozenset({1, 3})),
    Stopped(7, frozenset({2}), Complaint(1, 2, E), None, LATE),
    Stopped((1 << 64) - 1, complaint=Complaint(3, 1, D)),
]


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_a_word_comes_back_as_it_was(word: Word) -> None:
    body = word_value(word)
    assert len(body) <= word_limit(REP4, 2)
    assert read_word(body, 0, FOUR, REP4, 2) == word


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_no_part_of_a_word_and_nothing_longer_is_a_word(word: Word) -> None:
    body = word_value(word)
    assert all(read_word(body[:n], 0, FOUR, REP4, 2) is None for n in range(len(body)))
    assert read_word(body + b"\0", 0, FOUR, REP4, 2) is None
    assert read_word(body + bytes(32), 0, FOUR, REP4, 2) is None


def test_a_word_of_rep3_has_two_commitments_an_output_and_may_speak_of_a_batch() -> None:
    two = Ready("open", ((D, E),), E)
    assert read_word(word_value(two), 2, THREE, REP3, 1) == two
    assert read_word(word_value(two), 2, FOUR, REP4, 1) is None
    batch = Stopped(4, batch=9)
    assert read_word(word_value(batch), 2, THREE, REP3, 1) == batch
    assert read_word(word_value(batch), 2, FOUR, REP4, 1) is None


IMPOSSIBLE: list[tuple[str, Stopped]] = [
    ("itself missing", Stopped(3, frozenset({0}))),
    ("a stranger missing", Stopped(3, frozenset({1}))),
    ("complains about itself as sender", Stopped(3, complaint=Complaint(0, 2, D))),
    ("complains about itself as backup", Stopped(3, complaint=Complaint(2, 0, D))),
    ("complains about a stranger", Stopped(3, complaint=Complaint(2, 1, D))),
    ("one party as sender and backup", Stopped(3, complaint=Complaint(2, 2, D))),
    ("held up by itself", Stopped(3, late=(Late(2, 0, 4),))),
    ("held up by a stranger", Stopped(3, late=(Late(2, 1, 4),))),
    ("held up for a moment", Stopped(3, late=(Late(2, 2, 1),))),
    ("held up for ever", Stopped(3, late=(Late(2, 2, 9),))),
    ("a round twice", Stopped(3, late=(Late(2, 2, 4), Late(2, 3, 4)))),
    ("rounds descending", Stopped(3, late=(Late(2, 2, 4), Late(1, 3, 4)))),
]


@pytest.mark.parametrize("word", [w for _, w in IMPOSSIBLE], ids=[name for name, _ in IMPOSSIBLE])
def test_what_a_party_cannot_say_is_no_word(word: Stopped) -> None:
    assert read_word(word_value(word), 0, THREE, REP3, 0) is None


def test_every_changed_byte_is_another_word_or_none() -> None:
    for word in WORDS:
        body = word_value(word)
        for at, bit in product(range(len(body)), range(8)):
            changed = bytearray(body)
            changed[at] ^= 1 << bit
            found = read_word(bytes(changed), 0, FOUR, REP4, 2)
            assert found is None or (found != word and word_value(found) == changed)


@pytest.mark.parametrize(("scheme", "roster"), [(REP4, FOUR), (REP3, THREE)])
@given(body=st.binary(max_size=120))
def test_any_bytes_are_one_word_or_none(scheme: Scheme, roster: tuple[int, ...], body: bytes) -> None:
    found = read_word(body, 0, roster, scheme, 1)
    assert found is None or word_value(found) == body


def test_what_cannot_be_said_in_bytes_is_an_error_of_ours() -> None:
    stopped = Stopped(1, complaint=Complaint(1, 2, b"short"))
    for word in (Ready("reveal", (), b"short"), stopped, replace(stopped, round=-1, complaint=None)):
        with pytest.raises(InternalError):
            word_value(word)
    with pytest.raises(InternalError):
        word_value(Stopped(9, late=tuple(Late(k, 1, 2) for k in range(9))))
