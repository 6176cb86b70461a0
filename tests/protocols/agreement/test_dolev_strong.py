"""Slots: honest parties always end with the same view, whatever a rushing cheater shows to whom."""

from __future__ import annotations

import hashlib
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import InternalError
from mpcd.protocols.agreement import chains, dolev_strong
from mpcd.protocols.agreement.chains import Chain, encode, statement
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Equivocated
from tests.protocols.agreement.arena import SLOT, Letters, chain, run, seen, sign_as, silent, verify, weakened

N, T, CHEATER = 4, 1, 3
EVERYBODY = range(N)
HONEST = range(N - 1)
A, B, C = b"value A", b"value B", b"value C"
LIMIT = 64


def step(me: int, module: ModuleType = dolev_strong, n: int = N, t: int = T, slot: bytes = SLOT) -> Any:
    return module.slots(me, range(n), t, slot, b"of %d" % me, sign_as(me), verify, LIMIT)


def views(outputs: dict[int, Any]) -> list[dict[int, Any]]:
    """Outcomes with the proofs reduced to the fact that there is one (which proof may differ)."""
    return [
        {p: "equivocated" if isinstance(v, Equivocated) else v for p, v in outcome.items()}
        for outcome in outputs.values()
    ]


def test_all_honest_parties_hear_everybody() -> None:
    outputs = run({p: step(p) for p in EVERYBODY})
    expected = {p: Agreed(b"of %d" % p) for p in EVERYBODY}
    assert all(outcome == expected for outcome in outputs.values())


@pytest.mark.parametrize(("n", "t"), [(2, 1), (3, 1), (3, 2), (4, 1), (5, 2)])
def test_a_slot_takes_t_plus_one_rounds(n: int, t: int) -> None:
    rounds = 0

    def count(number: int, _letters: Letters) -> Letters:
        nonlocal rounds
        rounds = number
        return {}

    outputs = run({p: step(p, n=n, t=t) for p in range(n)}, count)
    assert rounds == t + 1
    assert len({str(v) for v in outputs.values()}) == 1


def test_a_silent_party_is_bottom_for_everybody() -> None:
    outputs = run({p: step(p) for p in HONEST}, silent)
    for outcome in outputs.values():
        assert outcome[CHEATER] == Bottom()
        assert all(outcome[p] == Agreed(b"of %d" % p) for p in HONEST)


def test_two_signed_values_are_seen_by_all_and_proven() -> None:
    def equivocate(number: int, _letters: Letters) -> Letters:
        shown = {0: A, 1: B, 2: A}
        return {(CHEATER, p): encode([chain(CHEATER, shown[p], (CHEATER,))]) for p in HONEST if number == 1}

    for outcome in run({p: step(p) for p in HONEST}, equivocate).values():
        proof = outcome[CHEATER]
        assert isinstance(proof, Equivocated)
        assert {proof.first.digest, proof.second.digest} == {hashlib.sha256(v).digest() for v in (A, B)}
        for half in (proof.first, proof.second):
            assert verify(CHEATER, statement(SLOT, CHEATER, half.digest), half.signature)
            assert not verify(CHEATER, statement(SLOT + b"/other", CHEATER, half.digest), half.signature)
            assert not verify(0, statement(SLOT, 0, half.digest), half.signature)


def show_late(number: int, _letters: Letters) -> Letters:
    """The value is shown to party 0 alone, in the last round, under the cheater's signature alone."""
    return {(CHEATER, 0): encode([chain(CHEATER, A, (CHEATER,))])} if number == T + 1 else {}


def test_a_value_first_shown_in_the_last_round_is_not_accepted() -> None:
    outputs = run({p: step(p) for p in HONEST}, show_late)
    assert all(outcome[CHEATER] == Bottom() for outcome in outputs.values())


CHAIN_RULE = "if len(chain.signatures) < number:"
NO_CHAIN_RULE = "if False:"


def test_a_plain_echo_without_the_chain_rule_lets_the_same_attack_split_the_honest() -> None:
    echo = weakened(dolev_strong, CHAIN_RULE, NO_CHAIN_RULE)
    first, *others = views(run({p: step(p, echo) for p in HONEST}, show_late))
    assert all(other != first for other in others)


@pytest.mark.parametrize(
    "stale",
    [
        chain(CHEATER, A, (CHEATER,), slot=b"BARRIER/other session"),
        chain(CHEATER, A, (CHEATER,), slot=b"INPUTS/test"),
        Chain(CHEATER, A, ((CHEATER, bytes(64)),)),
        Chain(CHEATER, A, ()),
        chain(CHEATER, A, (CHEATER, CHEATER)),
        chain(CHEATER, b"x" * (LIMIT + 1), (CHEATER,)),
        Chain(0, A, chain(CHEATER, A, (CHEATER,)).signatures),
    ],
    ids=["session", "slot", "forged", "unsigned", "twice", "long", "in another's name"],
)
def test_what_was_not_signed_for_this_slot_does_not_count(stale: Chain) -> None:
    def replay(_number: int, _letters: Letters) -> Letters:
        return {(CHEATER, p): encode([stale]) for p in HONEST}

    for outcome in run({p: step(p) for p in HONEST}, replay).values():
        assert outcome[CHEATER] == Bottom()
        assert outcome[0] == Agreed(b"of 0")


def test_a_signature_on_a_value_of_one_sender_is_none_for_another() -> None:
    """An echo must not serve the cheater as the echoing party's own second value."""

    def steal(number: int, letters: Letters) -> Letters:
        if number != 2:
            return {}
        stolen = [c for c in chains.decode(letters[1, 0], EVERYBODY, LIMIT) if c.sender == 0]
        (_, by_one) = stolen[0].signatures
        resigned = statement(SLOT, 1, stolen[0].digest)
        usurped = Chain(1, stolen[0].body, (by_one, (CHEATER, sign_as(CHEATER)(resigned))))
        return {(CHEATER, p): encode([usurped]) for p in HONEST}

    assert all(o[1] == Agreed(b"of 1") for o in run({p: step(p) for p in HONEST}, steal).values())


def test_a_cheater_cannot_lengthen_a_chain_with_forged_signatures() -> None:
    def forge(number: int, _letters: Letters) -> Letters:
        (own,) = chain(CHEATER, A, (CHEATER,)).signatures
        forged = Chain(CHEATER, A, (own, (1, bytes(64))))
        return {(CHEATER, 0): encode([forged])} if number == 2 else {}

    assert all(o[CHEATER] == Bottom() for o in run({p: step(p) for p in HONEST}, forge).values())


def test_a_cheater_cannot_speak_for_an_honest_party_by_dropping_its_signature() -> None:
    """A chain must start with the sender's own signature."""

    def usurp(number: int, _letters: Letters) -> Letters:
        words = chain(0, A, (CHEATER,))
        return {(CHEATER, p): encode([words]) for p in HONEST if number == 1}

    assert all(o[0] == Agreed(b"of 0") for o in run({p: step(p) for p in HONEST}, usurp).values())


def attack(first: tuple[tuple[bytes, ...], ...], last: tuple[tuple[bytes, ...], ...]) -> Any:
    """Show each honest party p the values first[p] in round 1 and last[p], as well signed as can be, in 2."""

    def play(number: int, letters: Letters) -> Letters:
        plan = first if number == 1 else last
        sent = {}
        for p in HONEST:
            shown = [seen(letters, CHEATER, v, EVERYBODY) or chain(CHEATER, v, (CHEATER,)) for v in plan[p]]
            sent[CHEATER, p] = encode(shown)
        return sent

    return play


CHOICES: tuple[tuple[bytes, ...], ...] = ((), (A,), (B,), (A, B))


def split_by_some_attack(module: ModuleType) -> bool:
    """Every way to show two values to three honest parties, up to the order of the values."""
    for first in product(CHOICES, repeat=3):
        if list(first) != sorted(first):
            continue  # the same as with the parties exchanged
        for last in product(CHOICES, repeat=3):
            one, *others = views(run({p: step(p, module) for p in HONEST}, attack(first, last)))
            if any(other != one for other in others):
                return True
    return False


def test_no_way_of_showing_two_values_splits_the_honest() -> None:
    assert not split_by_some_attack(dolev_strong)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CHAIN_RULE, NO_CHAIN_RULE),
        ("if book.accepts(chain, number) and number <= t:", "if book.accepts(chain, number) and False:"),
    ],
    ids=["no chain rule", "no echo"],
)
def test_every_part_of_the_rule_is_needed(old: str, new: str) -> None:
    assert split_by_some_attack(weakened(dolev_strong, old, new))


def test_two_values_must_be_forwarded() -> None:
    """With one value per sender a cheater who shows A, then B, splits: one sees both, another one of them."""
    module = weakened(dolev_strong, "len(values) >= VALUES_FORWARDED", "len(values) >= 1")
    assert split_by_some_attack(module)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_two_colluding_cheaters_of_five_do_not_split_the_honest(data: st.DataObject) -> None:
    n, t, honest, cheaters = 5, 2, range(3), (3, 4)
    values = (A, B, C)

    def play(number: int, letters: Letters) -> Letters:
        sent = {}
        for p in honest:
            shown = []
            for value in data.draw(st.lists(st.sampled_from(values), max_size=2, unique=True)):
                known = seen(letters, 3, value, range(n))
                own = chain(3, value, data.draw(st.sampled_from([(3,), (3, 4)])))
                if known is not None and data.draw(st.booleans()):
                    have = {s for s, _ in known.signatures}
                    more = tuple(s for s in own.signatures if s[0] not in have)
                    own = Chain(3, value, (*known.signatures, *more))
                shown.append(own)
            sent[data.draw(st.sampled_from(cheaters)), p] = encode(shown)
        return sent

    one, *others = views(run({p: step(p, n=n, t=t) for p in honest}, play))
    assert all(other == one for other in others)
    assert all(one[p] == Agreed(b"of %d" % p) for p in honest)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_letter_within_the_limits_or_nothing(raw: bytes) -> None:
    def babble(_number: int, _letters: Letters) -> Letters:
        return {(CHEATER, p): raw for p in HONEST}

    for outcome in run({p: step(p) for p in HONEST}, babble).values():
        assert outcome[CHEATER] == Bottom()


def test_letters_survive_their_bytes_and_truncation_does_not() -> None:
    shown = [chain(CHEATER, A, (CHEATER, 0)), chain(1, b"", (1,))]
    letter = encode(shown)
    assert chains.decode(letter, EVERYBODY, LIMIT) == shown
    assert len(letter) <= chains.letter_limit(N, LIMIT)
    for cut in range(len(letter)):
        assert chains.decode(letter[:cut], EVERYBODY, LIMIT) == []
    assert chains.decode(letter + b"\0", EVERYBODY, LIMIT) == []


def test_three_values_of_one_sender_in_a_letter_are_no_letter() -> None:
    shown = [chain(CHEATER, v, (CHEATER,)) for v in (A, B, C)]
    assert chains.decode(encode(shown), EVERYBODY, LIMIT) == []


def test_our_own_value_must_fit() -> None:
    with pytest.raises(InternalError, match="limit"):
        run({0: dolev_strong.slots(0, EVERYBODY, T, SLOT, b"x" * 65, sign_as(0), verify, LIMIT)})


def test_repr_shows_no_body() -> None:
    assert "value" not in repr(chain(CHEATER, A, (CHEATER,))) + repr(Agreed(A))
