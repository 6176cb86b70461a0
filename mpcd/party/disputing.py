"""Settling a complaint: who is concerned says what it sent, and what contradicts what is seen by all.

About a tag that takes one slot. About a batch of random numbers (rep3) it takes two and a computation: all
say what they sent, then show the keys of the batch, which is thrown away, and everybody recomputes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mpcd.errors import DeadlineError
from mpcd.party.agreeing import decide
from mpcd.party.case import Case, Said
from mpcd.party.computing import latest_ready
from mpcd.party.ports import Kept, Worker
from mpcd.party.recording import said_in
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.disputes import (
    Answer,
    Claim,
    Sent,
    Void,
    about,
    answer_limit,
    answer_value,
    claims_of,
    keys_of,
    keys_value,
    settle,
    settle_batch,
)
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.findings import Dispute, Fault
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES
from mpcd.protocols.agreement.standing import Standing

PATIENT_DELTAS = 2
"""For how many delays a silent party is waited for, when nothing is left to do but to speak."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a dispute needs: the barrier after which it is, and what this party kept."""

    case: Case
    slots: Slots
    session: bytes
    standing: Standing
    number: int
    kept: Kept
    worker: Worker

    async def ask(
        self, family: str, question: bytes, value: bytes, limit: int
    ) -> tuple[Outcome, tuple[Said, ...]]:
        """One slot among the roster; everybody is ready to speak. question: digest of what is asked."""
        case = self.case
        key = SlotKey(family, self.session, self.number, self.standing.epoch)
        outcome = await decide(
            case,
            self.slots,
            key,
            lambda: value,
            by=case.now() + PATIENT_DELTAS * case.tools.pace.delta_s,
            max_body=limit,
            among=frozenset(self.standing.roster),
            about=question,
        )
        return outcome, said_in(case, key, outcome, question)


async def hear(hearing: Hearing, dispute: Dispute) -> tuple[Fault, tuple[Said, ...]]:
    """What a complaint comes to, with the words from which it follows.

    Raises  DeadlineError if too few come
    """
    roster, me = hearing.standing.roster, hearing.case.me
    question = about(dispute, roster)
    if dispute.complaint is not None:
        answer = _about_a_tag(dispute, me, hearing.kept)
        outcome, said = await hearing.ask("DISPUTE", question, answer_value(answer), answer_limit(roster))
        return settle(dispute, outcome), said
    assert me is not None
    value = answer_value(_about_a_batch(dispute, hearing.kept), roster, me)
    outcome, said = await hearing.ask("DISPUTE", question, value, answer_limit(roster))
    claims = claims_of(dispute, outcome)
    if not isinstance(claims, dict):
        return claims, said
    fault, more = await _recompute(hearing, dispute, claims)
    return fault, (*said, *more)


def _about_a_tag(dispute: Dispute, me: int | None, kept: Kept) -> Answer | None:
    """What this party says; None if it is not asked, or has nothing left to say it from."""
    complaint = dispute.complaint
    if complaint is None or me not in (complaint.sender, complaint.backup) or kept == Kept():
        return None
    if kept.accepted.get(dispute.receiver, 0) > dispute.round:
        return Void()  # it sent a frame of a later round, so it had accepted this one
    place = (dispute.round, complaint.sender, complaint.backup, dispute.receiver)
    digest = kept.digests.get(place)
    return Void() if digest is None else Sent(digest)


def _about_a_batch(dispute: Dispute, kept: Kept) -> Answer | None:
    if kept == Kept():
        return None
    batch = kept.batches.get(dispute.batch or 0)
    if batch is None or not batch.shown:
        return Void()  # settled, or its check has not begun: in either case it cannot have failed
    return Claim(batch.sent, batch.received, batch.shown, batch.heard)


async def _recompute(
    hearing: Hearing, dispute: Dispute, claims: Mapping[int, Claim]
) -> tuple[Fault, tuple[Said, ...]]:
    """Show the keys of the batch, and compare what was said with what they demand.

    Raises  DeadlineError if too few come, or if the batch is not computed in time; UsageError if it needs
            more memory than the job may have; InternalError if the process that computes it dies
    """
    roster, scheme = hearing.standing.roster, hearing.standing.sharing
    batch = hearing.kept.batches[dispute.batch or 0]
    value = keys_value([batch.keys[a] for a in sorted(batch.keys)])
    question = about(dispute, roster, batch.what)
    outcome, said = await hearing.ask("BATCH-KEYS", question, value, DIGEST_BYTES * scheme.parties)
    said = tuple(replace(one, batch=batch.what) for one in said)
    keys = keys_of(outcome, scheme)
    if not isinstance(keys, dict):
        return keys, said
    left_s = latest_ready(hearing.case) - hearing.case.now()
    try:
        async with asyncio.timeout(max(0.0, left_s)):
            memory_bytes = hearing.case.terms.specification.limits.memory
            expected = await hearing.worker.expect(batch.what, keys, roster, memory_bytes)
    except TimeoutError:
        raise DeadlineError("a batch in dispute was not computed again in time") from None
    return settle_batch(dispute, claims, expected), said
