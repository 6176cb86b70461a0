"""A file with a party's records of faults in one job, and what anybody can conclude from it offline.

Whoever signed two statements that contradict each other is convicted before everybody who has its key. Two
parties whose words contradict each other are a pair of which one lies, if the setting of the job was as
agreed (`contradictions`). All else that a record says is its reporter's word: it may be true, and the
reporter may be the liar.

What an honest party never signs
  input  two different entries for one input of one job and session
  slot   two values of its own in one slot. It does sign two values of a party that cheats, as it passes them
         on; so whose value it is counts, by the order of the computing parties of that very job
  keys   contributions that do not open its own commitments, when it is asked to show them
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

from mpcd.client.contradictions import ASSUMING, SLOT_TYPE, Proof, contradictions, false_answers
from mpcd.errors import RefusedError
from mpcd.identity.encoding import MalformedError
from mpcd.identity.envelope import Envelope
from mpcd.identity.names import is_field
from mpcd.identity.roster import Roster
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.evidence import verify as verify_record
from mpcd.jobs.specification import Specification, check_roster
from mpcd.protocols.agreement.chains import read_statement
from mpcd.protocols.agreement.outcomes import FAMILIES, read_slot_name, session_from

KIND, VERSION = "evidence", 1
MAX_BYTES = 64 << 20
INPUT_TYPE = "mpcd.input"


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """What a party has about one job.

    job      the job as its submitter signed it
    records  what this party recorded, signed by it
    entries  the owners' entries of the session: who signed one has said to which job the session belongs
    """

    job: Envelope
    records: tuple[Envelope, ...]
    entries: tuple[Envelope, ...] = ()

    def to_text(self) -> str:
        """JSON that people can read, with a line feed at its end."""
        plain = {
            "kind": KIND,
            "version": VERSION,
            "job": json.loads(self.job.to_text()),
            "records": [json.loads(record.to_text()) for record in self.records],
            "entries": [json.loads(entry.to_text()) for entry in self.entries],
        }
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read it; nothing is verified yet.

        Raises  MalformedError
        """
        try:
            plain = json.loads(text)
            if (plain["kind"], plain["version"]) != (KIND, VERSION):
                raise ValueError
            job, records, entries = plain["job"], list(plain["records"]), list(plain["entries"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise MalformedError("this is not a file with evidence") from None
        return cls(_envelope(job), tuple(map(_envelope, records)), tuple(map(_envelope, entries)))


def _envelope(plain: object) -> Envelope:
    return Envelope.from_text(json.dumps(plain))


@dataclass(frozen=True, slots=True)
class Finding:
    """One record, verified: what follows for everybody, and what only its reporter says."""

    record: Evidence
    proven: tuple[Proof, ...]
    claimed: tuple[str, ...]


def verify(file: EvidenceFile, roster: Roster) -> tuple[Specification, list[Finding]]:
    """The job, and the finding of each record, once all signatures have been checked.

    Raises  RefusedError for a signature, a job or a record that is not what it should be; MalformedError
    """
    specification = Specification.from_bytes(file.job.payload)
    specification = Specification.read(file.job, specification.submitter, roster)
    check_roster(specification, roster)
    for entry in file.entries:
        entry.verify(roster)
    found = []
    for envelope in file.records:
        record = verify_record(envelope, roster)
        if record.job != file.job.digest.hex():
            raise RefusedError("a record is about another job than the one in the file")
        found.append(_finding(record, specification, file.entries))
    return specification, found


def _finding(record: Evidence, specification: Specification, entries: tuple[Envelope, ...]) -> Finding:
    bound = _bound(record, specification, (*entries, *record.envelopes()))
    proven = {Proof((party,), what) for party, what in _proven(record, specification, bound)}
    proven |= set(contradictions(record, specification, bound))
    proven |= set(false_answers(record, specification, bound))
    settled = {party for proof in proven for party in proof.parties if len(proof.parties) == 1}
    if any(set(proof.parties) == set(record.blamed) for proof in proven):
        settled |= set(record.blamed)
    open_ = sorted(set(record.blamed) - settled)
    claimed = []
    if open_:
        who = open_[0] if len(record.blamed) == 1 else f"at least one of {', '.join(record.blamed)}"
        claimed.append(f"{record.reporter} says that {who} broke the rules: {record.detail}")
    if record.unreachable:
        who = ", ".join(record.unreachable)
        claimed.append(f"{record.reporter} says that it heard nothing of {who}; this accuses nobody")
    return Finding(
        record, tuple(sorted(proven, key=lambda proof: (proof.parties, proof.what))), tuple(claimed)
    )


def in_common(findings: Iterable[Finding], specification: Specification) -> str:
    """What the proofs against computing parties come to together; empty if they say no more than each alone.

    If one of them cheats and no other one, it is in every set of which one lies.
    """
    proofs = [frozenset(proof.parties) for finding in findings for proof in finding.proven]
    sets = {parties for parties in proofs if parties <= set(specification.computing)}
    if not sets:
        return ""
    common = frozenset.intersection(*sets)
    if not common:
        return "these are more than one cheater, and what assumes that there is only one is void"
    if len(common) == 1 and common not in sets:
        return f"{min(common)} cheats: it is in all of these; assuming that {ASSUMING}"
    return ""


def _proven(
    record: Evidence, specification: Specification, bound: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """(party, what it did) for every pair of signed statements that no honest party makes."""
    statements = record.envelopes()
    for one, two in combinations(statements, 2):
        if one.type != two.type or one.payload == two.payload:
            continue
        if one.type == INPUT_TYPE:
            yield from _two_inputs(record, one, two)
        elif one.type == SLOT_TYPE:
            yield from _two_values(record, specification, bound, one, two)


def _two_inputs(record: Evidence, one: Envelope, two: Envelope) -> Iterator[tuple[str, str]]:
    first, second = _fields(one), _fields(two)
    same = ("job", "session", "owner", "argument")
    if any(first.get(key) is None or first.get(key) != second.get(key) for key in same):
        return
    owner, argument = str(first["owner"]), first["argument"]
    if first["job"] == record.job and owner in one.signers & two.signers and is_field(argument):
        yield owner, f"signed two different inputs for {argument}"


def _two_values(
    record: Evidence, specification: Specification, bound: frozenset[str], one: Envelope, two: Envelope
) -> Iterator[tuple[str, str]]:
    first, second = _slot(one.payload), _slot(two.payload)
    if first is None or first != second or first[1] >= len(specification.computing):
        return
    (family, scope), party = first[0], specification.computing[first[1]]
    if party not in one.signers & two.signers or family not in FAMILIES:
        return
    if (family, scope) == ("SESSION", record.job) or (scope == record.session and party in bound):
        yield party, f"signed two different values in slot {family}"


def _slot(payload: bytes) -> tuple[tuple[str, str], int, bytes] | None:
    """((family, scope), whose value, name of the slot) of what is signed in a slot; None if it is none."""
    signed = read_statement(payload)
    name = None if signed is None else read_slot_name(signed[0])
    if signed is None or name is None:
        return None
    return (name.family, name.scope.hex()), signed[1], signed[0]


def _bound(record: Evidence, specification: Specification, signed: Iterable[Envelope]) -> frozenset[str]:
    """The parties before whom it is certain that the record's session belongs to its job: it is made of the
    job and of nonces that are shown, or they said so themselves.

    What others say of it is not enough: anybody can sign a job that never ran, with other computing parties
    in another order, and name the session of a real one. Names of slots carry the session and not the job,
    and parties by their number.
    """
    said: set[str] = set()
    nonces = [bytes.fromhex(nonce) for nonce in record.nonces]
    made = session_from(bytes.fromhex(record.job), record.attempt, nonces).hex()
    if len(nonces) == len(specification.computing) and made == record.session:
        return frozenset(specification.computing)
    for envelope in signed:
        fields = _fields(envelope)
        if record.session and (fields.get("job"), fields.get("session")) == (record.job, record.session):
            said |= envelope.signers
    return frozenset(said)


def _fields(envelope: Envelope) -> dict[str, Any]:
    """The payload of a statement as JSON; nothing if it is something else."""
    try:
        plain = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}
