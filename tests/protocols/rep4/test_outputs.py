"""Outputs: commitments that hide from the party without the summand, and what a recipient makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mpcd.errors import UsageError
from mpcd.protocols.rep4 import outputs
from mpcd.protocols.rep4.keys import holders
from mpcd.protocols.rep4.outputs import Opening, Place
from mpcd.protocols.rounds import Words

VECTORS = Path(__file__).parent / "vectors" / "outputs.json"
PLACE = Place(bytes(range(32)), "price", "alice")
KEYS = {a: bytes([a]) * 32 for a in range(4)}
WORDS = 3
SUMMANDS = {a: np.arange(WORDS, dtype=np.uint64) * np.uint64(2**62 + a) - np.uint64(a) for a in range(4)}
Said = dict[int, dict[int, bytes]]
Offered = dict[int, dict[int, Opening]]
OUTPUT = SUMMANDS[0] + SUMMANDS[1] + SUMMANDS[2] + SUMMANDS[3]


def offers() -> Offered:
    return {p: {a: outputs.opening(PLACE, a, KEYS[a], SUMMANDS[a]) for a in holders(p)} for p in range(4)}


def claims(offered: Offered) -> Said:
    return {p: {a: outputs.commitment(PLACE, a, o) for a, o in mine.items()} for p, mine in offered.items()}


def reconstruct(said: Said, offered: Offered) -> Words | None:
    """What a recipient does: two equal commitments, any holder that opens them; None if it cannot."""
    chosen: dict[int, Words] = {}
    for a in range(4):
        com = outputs.majority(said, a)
        offers_of_a = [offered[p][a] for p in sorted(holders(a)) if a in offered.get(p, {})]
        good = [o for o in offers_of_a if com is not None and outputs.opens(com, PLACE, a, WORDS, o)]
        if not good:
            return None
        chosen[a] = np.frombuffer(good[0].summand, "<u8")
    return outputs.assemble(chosen)


def test_the_recipient_of_honest_holders_gets_the_output() -> None:
    offered = offers()
    np.testing.assert_array_equal(reconstruct(claims(offered), offered), OUTPUT)


Lie = Callable[[Said, Offered, int], None]


def _wrong_share(said: Said, offered: Offered, p: int) -> None:
    offered[p] = {a: replace(o, summand=bytes(len(o.summand))) for a, o in offered[p].items()}


def _consistent_lie(said: Said, offered: Offered, p: int) -> None:
    _wrong_share(said, offered, p)
    said[p] = {a: outputs.commitment(PLACE, a, o) for a, o in offered[p].items()}


def _wrong_salt(said: Said, offered: Offered, p: int) -> None:
    offered[p] = {a: replace(o, salt=bytes(32)) for a, o in offered[p].items()}


def _claims_what_it_must_not_have(said: Said, offered: Offered, p: int) -> None:
    """Vote for a wrong com[p] together with nobody; it must not count, alone or beside one honest vote."""
    said[p][p] = bytes(32)
    offered[p][p] = Opening(bytes(8 * WORDS), bytes(32))


def _short(said: Said, offered: Offered, p: int) -> None:
    offered[p] = {a: Opening(o.summand[:-8], o.summand[-8:] + o.salt) for a, o in offered[p].items()}


def _silent(said: Said, offered: Offered, p: int) -> None:
    del offered[p]


def _says_nothing_at_all(said: Said, offered: Offered, p: int) -> None:
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
    np.testing.assert_array_equal(reconstruct(said, offered), OUTPUT)


def test_a_party_has_no_say_about_the_summand_that_it_must_not_know() -> None:
    said = claims(offers())
    said[0][0] = said[1][0] = bytes(32)
    assert outputs.majority(said, 0) == said[2][0]
    said[2].pop(0)
    assert outputs.majority(said, 0) is None


def test_more_faults_than_one_party_can_cause_never_give_a_wrong_output() -> None:
    offered = offers()
    said = claims(offered)
    for p in (1, 2):
        _wrong_share(said, offered, p)
    np.testing.assert_array_equal(reconstruct(said, offered), OUTPUT)
    _wrong_share(said, offered, 3)
    assert reconstruct(said, offered) is None
    assert reconstruct({}, offers()) is None


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
