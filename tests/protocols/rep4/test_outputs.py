"""Outputs: commitments that hide from the party without the summand, and robust reconstruction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mpcd.errors import PeerError, UsageError
from mpcd.protocols.rep4 import outputs
from mpcd.protocols.rep4.keys import holders
from mpcd.protocols.rep4.outputs import Opening, Place

VECTORS = Path(__file__).parent / "vectors" / "outputs.json"
PLACE = Place(bytes(range(32)), "price", "alice")
KEYS = {a: bytes([a]) * 32 for a in range(4)}
WORDS = 3
SUMMANDS = {a: np.arange(WORDS, dtype=np.uint64) * np.uint64(2**62 + a) - np.uint64(a) for a in range(4)}
OUTPUT = SUMMANDS[0] + SUMMANDS[1] + SUMMANDS[2] + SUMMANDS[3]


def offers() -> dict[int, dict[int, Opening]]:
    return {p: {a: outputs.opening(PLACE, a, KEYS[a], SUMMANDS[a]) for a in holders(p)} for p in range(4)}


def claims(offered: dict[int, dict[int, Opening]]) -> dict[int, dict[int, bytes]]:
    return {p: {a: outputs.commitment(PLACE, a, o) for a, o in mine.items()} for p, mine in offered.items()}


def test_honest_holders_agree_and_the_recipient_gets_the_output() -> None:
    offered = offers()
    decision = outputs.agree(claims(offered))
    assert decision.opens
    assert decision.blamed == frozenset()
    np.testing.assert_array_equal(outputs.reconstruct(claims(offered), offered, PLACE, WORDS), OUTPUT)


def test_packed_bits_are_combined_by_exclusive_or() -> None:
    offered = offers()
    found = outputs.reconstruct(claims(offered), offered, PLACE, WORDS, bits=True)
    np.testing.assert_array_equal(found, SUMMANDS[0] ^ SUMMANDS[1] ^ SUMMANDS[2] ^ SUMMANDS[3])


Lie = Callable[[dict[int, dict[int, bytes]], dict[int, dict[int, Opening]], int], None]


def _wrong_share(said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int) -> None:
    offered[p] = {a: replace(o, summand=bytes(len(o.summand))) for a, o in offered[p].items()}


def _consistent_lie(
    said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int
) -> None:
    _wrong_share(said, offered, p)
    said[p] = {a: outputs.commitment(PLACE, a, o) for a, o in offered[p].items()}


def _wrong_salt(said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int) -> None:
    offered[p] = {a: replace(o, salt=bytes(32)) for a, o in offered[p].items()}


def _claims_what_it_must_not_have(
    said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int
) -> None:
    """Vote for a wrong com[p] together with nobody; it must not count, alone or beside one honest vote."""
    said[p][p] = bytes(32)
    offered[p][p] = Opening(bytes(8 * WORDS), bytes(32))


def _short(said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int) -> None:
    offered[p] = {a: Opening(o.summand[:-8], o.summand[-8:] + o.salt) for a, o in offered[p].items()}


def _silent(said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int) -> None:
    del offered[p]


def _says_nothing_at_all(
    said: dict[int, dict[int, bytes]], offered: dict[int, dict[int, Opening]], p: int
) -> None:
    del said[p], offered[p]


LIES = [
    _wrong_share, _consistent_lie, _wrong_salt, _claims_what_it_must_not_have, _short, _silent,
    _says_nothing_at_all,
]  # fmt: skip


@pytest.mark.parametrize("liar", range(4))
@pytest.mark.parametrize("lie", LIES)
def test_one_liar_neither_changes_nor_withholds_the_output(lie: Lie, liar: int) -> None:
    offered = offers()
    said = claims(offered)
    lie(said, offered, liar)
    np.testing.assert_array_equal(outputs.reconstruct(said, offered, PLACE, WORDS), OUTPUT)


@pytest.mark.parametrize("liar", range(4))
def test_shares_leave_only_if_all_three_holders_agree_on_every_summand(liar: int) -> None:
    offered = offers()
    said = claims(offered)
    _consistent_lie(said, offered, liar)
    decision = outputs.agree(said)
    assert not decision.opens
    assert decision.blamed == {liar}
    assert set(decision.certified) == {liar}

    missing = claims(offers())
    del missing[liar]
    assert not outputs.agree(missing).opens
    assert outputs.agree(missing).blamed == frozenset()


def test_three_different_claims_blame_all_three() -> None:
    said = claims(offers())
    for p in holders(0):
        said[p][0] = bytes([p]) * 32
    assert outputs.agree(said).blamed == {1, 2, 3}


def test_a_party_has_no_say_about_the_summand_that_it_must_not_know() -> None:
    said = claims(offers())
    said[0][0] = said[1][0] = bytes(32)
    assert outputs.majority(said, 0) == said[2][0]
    said[2].pop(0)
    assert outputs.majority(said, 0) is None


def test_more_faults_than_one_party_can_cause_are_reported_and_never_a_wrong_output() -> None:
    offered = offers()
    said = claims(offered)
    for p in (1, 2):
        _wrong_share(said, offered, p)
    np.testing.assert_array_equal(outputs.reconstruct(said, offered, PLACE, WORDS), OUTPUT)
    _wrong_share(said, offered, 3)
    with pytest.raises(PeerError) as caught:
        outputs.reconstruct(said, offered, PLACE, WORDS)
    assert caught.value.blamed == holders(0)
    with pytest.raises(PeerError):
        outputs.reconstruct({}, offers(), PLACE, WORDS)


def test_a_commitment_belongs_to_one_output_of_one_recipient_in_one_session() -> None:
    opened = offers()[0][1]
    com = outputs.commitment(PLACE, 1, opened)
    assert outputs.opens(com, PLACE, 1, WORDS, opened)
    others = [
        replace(PLACE, session=bytes(32)),
        replace(PLACE, output="pric", recipient="ealice"),
        replace(PLACE, recipient="bob"),
    ]
    assert not any(outputs.opens(com, place, 1, WORDS, opened) for place in others)
    assert not outputs.opens(com, PLACE, 2, WORDS, opened)
    assert not outputs.opens(com, PLACE, 1, WORDS + 1, opened)


def test_salts_depend_on_key_session_output_recipient_and_summand() -> None:
    """Party a must not be able to guess x[a] against com[a]; equal shares of two outputs must not show."""
    places = [
        PLACE,
        replace(PLACE, session=bytes(32)),
        replace(PLACE, output="pric", recipient="ealice"),
        replace(PLACE, recipient="bob"),
    ]
    salts = {outputs.opening(q, a, KEYS[k], SUMMANDS[0]).salt for q in places for a in (0, 1) for k in (0, 1)}
    assert len(salts) == 16


def test_assembling_needs_all_four() -> None:
    np.testing.assert_array_equal(outputs.assemble(SUMMANDS), OUTPUT)
    with pytest.raises(UsageError):
        outputs.assemble({a: SUMMANDS[a] for a in range(3)})


def test_openings_never_show_in_a_repr() -> None:
    assert repr(offers()[0][1]) == "Opening()"


def test_known_answers() -> None:
    """Salts and commitments of version 1 never change."""
    found = {
        str(a): {
            "salt": outputs.opening(PLACE, a, KEYS[a], SUMMANDS[a]).salt.hex(),
            "commitment": claims(offers())[(a + 1) % 4][a].hex(),
        }
        for a in range(4)
    }
    assert found == json.loads(VECTORS.read_text())
