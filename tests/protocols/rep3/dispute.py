"""A dispute about a batch as the daemons hold it: both slots, with what three parties know of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mpcd.protocols.agreement.disputes import (
    Claim,
    Void,
    answer_value,
    claims_of,
    keys_of,
    keys_value,
    settle_batch,
)
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome
from mpcd.protocols.agreement.findings import Dispute, Fault
from mpcd.protocols.rep3.batch import Record
from mpcd.protocols.rep3.replay import expected
from mpcd.protocols.scheme import REP3


def blame(reporter: int, answers: Sequence[Record | None], roster: Sequence[int] = (0, 1, 2)) -> Fault:
    """Who is at fault for the failure that the party at place `reporter` reports; None gives no answer.

    roster  the job's party at each place, ascending
    """
    (number,) = {answer.number for answer in answers if answer is not None}
    dispute = Dispute(3, roster[reporter], "", batch=number)
    said: Outcome = {
        roster[k]: Bottom() if a is None else Agreed(_claim(k, a, roster)) for k, a in enumerate(answers)
    }
    claims = claims_of(dispute, said)
    if not isinstance(claims, dict):
        return claims
    shown: Outcome = {
        roster[k]: Bottom() if a is None else Agreed(keys_value([a.keys[i] for i in sorted(a.keys)]))
        for k, a in enumerate(answers)
    }
    keys = keys_of(shown, REP3)
    if not isinstance(keys, dict):
        return keys
    batch = next(answer for answer in answers if answer is not None)
    right = expected(batch.path, batch.recipe, keys)
    products = {roster[place]: raw for place, raw in right.products.items()}
    return settle_batch(dispute, claims, replace(right, products=products))


def _claim(place: int, record: Record, roster: Sequence[int]) -> bytes:
    """A party that had not come to the check never said what the complaint is about."""
    if not record.shown:
        return answer_value(Void())
    heard = {roster[other]: raw for other, raw in record.heard.items()}
    claim = Claim(record.sent, record.received, record.shown, heard)
    return answer_value(claim, roster, roster[place])
