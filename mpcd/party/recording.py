"""What is kept of what others have signed: equivocations, words of slots, records of faults."""

from __future__ import annotations

from mpcd.identity.envelope import Envelope, Signature
from mpcd.jobs.evidence import MAX_BATCH_BYTES, MAX_STATEMENTS, Evidence, as_statements, as_texts
from mpcd.party.case import Case, Said, StageEnd
from mpcd.party.seating import SLOT_TYPE
from mpcd.party.slot_run import slot_id
from mpcd.party.slots import SlotKey
from mpcd.protocols.agreement.chains import statement
from mpcd.protocols.agreement.dolev_strong import Agreed, Equivocated, Outcome
from mpcd.protocols.agreement.outcomes import equivocators

_REASON_CHARACTERS = 400


async def record(case: Case, end: StageEnd, session: bytes | None) -> Envelope | None:
    """Keep what is known about a fault, signed; None if nobody is concerned."""
    if end.kind is None or not (end.blamed or end.unreachable) or end.blamed == {case.name}:
        return None
    drawn = None if session is None else case.drawn
    evidence = Evidence(
        job=case.job.hex(),
        session=None if session is None else session.hex(),
        attempt=0 if drawn is None else drawn.attempt,
        nonces=() if drawn is None else tuple(nonce.hex() for nonce in drawn.nonces),
        epoch=end.epoch,
        reporter=case.name,
        kind=end.kind,
        step=end.step[:200],
        blamed=tuple(sorted(end.blamed)),
        unreachable=tuple(sorted(end.unreachable - end.blamed)),
        detail=end.text[:_REASON_CHARACTERS],
        # Many owners may have lied at once; each pair of statements is a proof by itcase.
        statements=as_statements([*end.statements, *(s.envelope for s in end.said)][:MAX_STATEMENTS]),
        bodies=as_texts([s.body for s in end.said]) if not end.statements else (),
        batch=next((s.batch.hex() for s in end.said if 0 < len(s.batch) <= MAX_BATCH_BYTES), ""),
    )
    envelope = evidence.envelope(case.tools.identity)
    await case.tools.store.evidence.add(case.job, end.kind, envelope.to_bytes())
    return envelope


def note_equivocations(case: Case, key: SlotKey, outcome: Outcome, about: bytes = b"") -> None:
    """Remember who signed two values in a slot, with the two statements."""
    name = _slot_id(case, key, outcome, about)
    for party, proof in equivocators(outcome).items():
        case.proofs.setdefault(case.computing[party], _statements(case, name, party, proof))


def _slot_id(case: Case, key: SlotKey, outcome: Outcome, about: bytes) -> bytes:
    return slot_id(key, case.job, outcome, len(case.computing), about)


def said_in(case: Case, key: SlotKey, outcome: Outcome, about: bytes = b"") -> tuple[Said, ...]:
    """What everybody signed in a slot, who signed one value."""
    name = _slot_id(case, key, outcome, about)
    return tuple(
        Said(_signed(case, name, party, verdict.digest, verdict.signature), verdict.body)
        for party, verdict in sorted(outcome.items())
        if isinstance(verdict, Agreed)
    )


def _signed(case: Case, name: bytes, party: int, digest: bytes, signature: bytes) -> Envelope:
    words = statement(name, party, digest)
    return Envelope(SLOT_TYPE, words, (Signature(case.computing[party], signature),))


def _statements(case: Case, name: bytes, party: int, proof: Equivocated) -> tuple[Envelope, Envelope]:
    first, second = (
        _signed(case, name, party, half.digest, half.signature) for half in (proof.first, proof.second)
    )
    return first, second
