"""The keys of a job: committed to, agreed, exchanged; what somebody complains about is shown to all.

A constant stands for the contributions of a party that is left out: two others contribute to each key, and
one of them is honest.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

from mpcd._pb.v1.peer_pb2 import KeyContribution, KeyContributions
from mpcd.party.agreeing import decide, send_to_all, wait_for_mail
from mpcd.party.blame import concerned
from mpcd.party.case import Case, Said
from mpcd.party.present import Present
from mpcd.party.recording import said_in
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.findings import Absent, Fault, Named, TooMany, listed
from mpcd.protocols.agreement.key_answers import (
    PART_BYTES,
    KeyAnswers,
    Part,
    key_answer_value,
    key_answers,
    questions,
)
from mpcd.protocols.agreement.outcomes import (
    Complaints,
    complaint_value,
    complaints,
    key_commitments,
    key_value,
)
from mpcd.protocols.rep4 import keys

STEP = "keys"
Own = dict[int, keys.Contribution]
Received = dict[int, dict[int, keys.Contribution]]
Committed = dict[int, dict[int, bytes]]


async def agree_keys(
    case: Case, slots: Slots, session: bytes, present: Present
) -> tuple[dict[int, bytes], Present]:
    """The secrets K[a] that this party may know (Spec rep4 2.1), and who is here.

    Raises  StageEnd, DroppedError as `Present.after`
    """
    me = case.computing.index(case.name)
    own = keys.contribute(me, secrets.token_bytes, case.scheme)
    made = keys.commitments(session, me, own)
    value = key_value([made[a] for a in sorted(made)])
    slot = SlotKey("KEYS", session)
    outcome = await decide(
        case,
        slots,
        slot,
        lambda: value,
        by=case.until(case.tools.pace.stage_s),
        max_body=len(value),
        among=present.among,
    )
    committed, said_first = key_commitments(outcome, case.scheme), said_in(case, slot, outcome)
    present = present.after(case, outcome, STEP, "commitments to keys", lambda p, _: p in committed)
    received, said, present = await _exchange(case, slots, session, present, own, committed)
    if said.pairs:
        asked = questions(said, case.scheme, present.among)
        if isinstance(asked, dict):
            present = await _show(case, slots, session, present, asked, own, committed, received, said_first)
        else:
            present = present.without(case, asked, STEP)
    for p in set(range(len(case.computing))) - present.among:
        nothing = {a: keys.Contribution(bytes(PART_BYTES), bytes(PART_BYTES)) for a in case.scheme.held(p)}
        committed[p] = keys.commitments(session, p, nothing)
        received[p] = {a: nothing[a] for a in keys.shared_with(me, p, case.scheme)}
    return keys.combine(session, me, committed, own, received, case.scheme), present


async def _exchange(
    case: Case, slots: Slots, session: bytes, present: Present, own: Own, committed: Committed
) -> tuple[Received, Complaints, Present]:
    """Send our contributions, take the others', and agree who complains about whom."""
    me = case.computing.index(case.name)
    others = case.names(present.among - {me})
    tray = case.desk.open_tray(session)
    outbox = keys.outbox(me, own, case.scheme)
    by = case.until(case.tools.pace.stage_s)

    async def deliver(name: str) -> None:
        parts = outbox[case.computing.index(name)]
        found = [KeyContribution(key=a, secret=c.key, salt=c.salt) for a, c in parts.items()]
        message = KeyContributions(job=case.job, session=session, contributions=found)
        await case.tools.peers.deliver_keys(name, message)

    def received() -> Received:
        return {
            case.computing.index(name): {
                c.key: keys.Contribution(c.secret, c.salt) for c in message.contributions
            }
            for name, message in tray.keys.items()
        }

    def value() -> bytes:
        against = keys.check(session, me, committed, received(), case.scheme) & present.among
        return complaint_value(sorted(present.among), against)

    sending = asyncio.create_task(send_to_all(case, sorted(others), deliver, by))
    try:
        outcome = await decide(
            case,
            slots,
            SlotKey("KEY-COMPLAINT", session),
            value,
            by=by,
            max_body=len(present.among),
            work=wait_for_mail(case, slots, lambda: others - set(tray.keys), by),
            among=present.among,
        )
    finally:
        sending.cancel()
    said = complaints(outcome)
    present = present.after(case, outcome, STEP, "a word about the keys", lambda p, _: p not in said.silent)
    pairs = frozenset(pair for pair in said.pairs if set(pair) <= present.among)
    return received(), Complaints(pairs, frozenset()), present


async def _show(
    case: Case,
    slots: Slots,
    session: bytes,
    present: Present,
    asked: Mapping[int, tuple[int, ...]],
    own: Own,
    committed: Committed,
    received: Received,
    commitments: tuple[Said, ...],
) -> Present:
    """Whoever is complained about shows the contributions in question; `received` is completed by them.

    commitments  as they were signed
    """
    me = case.computing.index(case.name)
    value = key_answer_value({a: (own[a].key, own[a].salt) for a in asked.get(me, ())})
    slot = SlotKey("KEY-ANSWER", session)
    outcome = await decide(
        case,
        slots,
        slot,
        lambda: value,
        by=case.until(case.tools.pace.stage_s),
        max_body=2 * PART_BYTES * len(case.computing),
        among=present.among,
    )

    def opens(contributor: int, key: int, part: Part) -> bool:
        return keys.opens(session, contributor, key, committed[contributor][key], keys.Contribution(*part))

    present = present.after(case, outcome, STEP, "an answer about its keys")
    answers = key_answers({p: v for p, v in outcome.items() if p in present.among}, asked, opens)
    fault = _fault(answers, present)
    if fault is not None:
        said = (*commitments, *said_in(case, slot, outcome))
        present = present.without(case, fault, STEP, _said_by(case.names(concerned(fault)), said))
    for (contributor, key), part in answers.shown.items():
        if contributor != me and key in keys.shared_with(me, contributor, case.scheme):
            received.setdefault(contributor, {})[key] = keys.Contribution(*part)
    return present


def _said_by(names: frozenset[str], said: tuple[Said, ...]) -> tuple[Said, ...]:
    """What these have signed: it shows by itself that an answer does not open a commitment."""
    return tuple(one for one in said if one.envelope.signers <= names)


def _fault(answers: KeyAnswers, present: Present) -> Fault | None:
    """Who showed nothing, or something that does not open its commitment."""
    wrong, silent = answers.wrong & present.among, answers.silent & present.among
    if not wrong | silent:
        return None
    if len(wrong | silent) > 1:
        return TooMany(wrong | silent, f"{listed(wrong | silent)} did not show what they had committed to")
    if wrong:
        return Named(min(wrong), f"{listed(wrong)} showed keys that do not open its commitments")
    return Absent(min(silent), f"{listed(silent)} did not show the keys that somebody misses")
