"""Signatures that are real but stand in the wrong place, or stood in the right place once."""

from __future__ import annotations

import hashlib

from mpcd.protocols.agreement.chains import Chain, encode, statement
from mpcd.protocols.agreement.dolev_strong import Agreed, slots
from tests.protocols.agreement.arena import SLOT, Letters, chain, run, seen, sign_as, verify

PARTIES = range(4)
CHEATER, VICTIM, OTHER = 3, 0, 1
HONEST = (0, 1, 2)


def steps() -> dict[int, object]:
    return {p: slots(p, PARTIES, 1, SLOT, b"of %d" % p, sign_as(p), verify, 64) for p in HONEST}


def test_a_countersignature_is_not_a_value_of_the_one_who_gave_it() -> None:
    """Otherwise the cheater's value, countersigned by an honest party, would prove that party a liar."""

    def adversary(number: int, letters: Letters) -> Letters:
        if number == 1:
            return {(CHEATER, p): encode([chain(CHEATER, b"bait", (CHEATER,))]) for p in HONEST}
        echoed = seen(letters, CHEATER, b"bait", PARTIES)
        assert echoed is not None
        (given,) = [signature for signer, signature in echoed.signatures if signer != CHEATER][:1]
        author = next(signer for signer, _ in echoed.signatures if signer != CHEATER)
        own = sign_as(CHEATER)(statement(SLOT, author, hashlib.sha256(b"bait").digest()))
        forged = Chain(author, b"bait", ((author, given), (CHEATER, own)))
        return {(CHEATER, p): encode([forged]) for p in HONEST}

    for outcome in run(steps(), adversary).values():  # type: ignore[arg-type]
        assert all(outcome[p] == Agreed(b"of %d" % p) for p in HONEST)


def test_a_signature_that_was_good_once_does_not_vouch_for_a_bad_one() -> None:
    """Otherwise the victim accepts and passes on a chain that nobody else accepts.

    The first chain fails by its second signature, after the first one was found good; the second chain is
    under a signature that is nonsense.
    """
    body = b"for one only"
    words = statement(SLOT, CHEATER, hashlib.sha256(body).digest())
    broken = Chain(CHEATER, body, ((CHEATER, sign_as(CHEATER)(words)), (OTHER, bytes(64))))
    nonsense = Chain(CHEATER, body, ((CHEATER, bytes(64)),))

    def adversary(number: int, _letters: Letters) -> Letters:
        return {(CHEATER, VICTIM): encode([broken, nonsense])} if number == 1 else {}

    outcomes = run(steps(), adversary)  # type: ignore[arg-type]
    assert len({repr(outcome[CHEATER]) for outcome in outcomes.values()}) == 1, outcomes
