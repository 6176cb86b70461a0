"""What the largest job may make parties say fits into the messages that carry it.

A letter that is too long is lost. In one, an honest party may forward what a cheater has shown to it
alone, and its loss would split the honest parties: so nobody may be able to make a letter too long.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mpcd._pb.v1.peer_pb2 import SlotMessage, SlotPart
from mpcd.identity.keys import Identity
from mpcd.jobs.document import ResultEntry
from mpcd.jobs.limits import MAX_INPUTS, MAX_RESULTS, MAX_ROWS
from mpcd.jobs.receipt import EpochLine, ExcludedLine, FaultLine, InputLine, OutputLine, Receipt, RevealLine
from mpcd.party.gathering import ENTRY_BYTES
from mpcd.party.notes import InputNote
from mpcd.protocols.agreement.chains import Chain, encode
from mpcd.protocols.agreement.words import word_limit
from mpcd.protocols.scheme import REP4
from mpcd.transport.grpc_guard import MESSAGE_BYTES
from tests.party.offices import job

NAME, LABEL, HASH = "n" * 32, "L" * 64, "ab" * 32


def message_bytes(max_body: int) -> int:
    """The longest letter of round 2: two values of a cheater and one of each other peer, forwarded."""
    signed = ((0, bytes(64)), (1, bytes(64)))
    chains = [Chain(0, bytes(max_body), signed) for _ in range(4)]
    parts = [SlotPart(label="slot", body=encode(chains))]
    message = SlotMessage(job=bytes(32), session=bytes(32), slot="BARRIER", number=9, round=2, parts=parts)
    return message.ByteSize()


def test_the_longest_letter_of_inputs_fits_into_a_message() -> None:
    assert message_bytes(2 * MAX_INPUTS * ENTRY_BYTES) <= MESSAGE_BYTES


def test_the_longest_entry_of_an_owner_fits_into_its_room() -> None:
    note = InputNote(
        job=HASH, session=HASH, owner=NAME, argument=LABEL, rows=MAX_ROWS, commitments=(HASH,) * 4
    )
    assert 4 + len(note.envelope(Identity.create(NAME)).to_bytes()) <= ENTRY_BYTES


def test_the_longest_letter_of_the_last_barrier_fits_into_a_message() -> None:
    assert message_bytes(word_limit(REP4, MAX_RESULTS)) <= MESSAGE_BYTES


def test_a_job_has_no_more_deliveries_than_a_receipt_has_lines() -> None:
    """All of them would have opened, and then none could have written its receipt."""
    readers = tuple(f"r{k}" for k in range(64))
    entries = [ResultEntry(output=f"o{k}", to=readers) for k in range(MAX_RESULTS // 64)]
    job(results=entries)
    with pytest.raises(ValidationError, match="deliveries"):
        job(results=[*entries, ResultEntry(output="more", to=("acme",))])


def test_the_receipt_of_the_largest_job_is_no_longer_than_allowed() -> None:
    reason = "x" * 500
    Receipt(
        job=HASH,
        session=HASH,
        attempt=0,
        program_hash=HASH,
        roster_hash=HASH,
        protocol="rep4",
        profile="fair",
        adversary="malicious",
        computing=("a", "b", "c", "d"),
        epochs=(EpochLine(protocol="rep4", computing=("a", "b", "c", "d")),) * 3,
        faults=(FaultLine(epoch=0, stage=LABEL, blamed=(NAME,), reason=reason),) * 4,
        outcome="succeeded",
        inputs=(InputLine(owner=NAME, argument=LABEL, rows=MAX_ROWS, commitments=(HASH,) * 4),) * MAX_INPUTS,
        excluded=(ExcludedLine(owner=NAME, argument=LABEL, reason=reason, default=True),) * MAX_INPUTS,
        reveals=(RevealLine(name=LABEL, digest=HASH),) * MAX_RESULTS,
        outputs=(OutputLine(output=LABEL, to=(NAME,), commitments=(HASH,) * 4),) * MAX_RESULTS,
    ).to_bytes()
