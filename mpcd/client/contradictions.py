"""What contradictory words of several parties prove: the judgement of the parties, made again by a stranger.

The words of a barrier, the answers in a dispute and the keys of a batch are signed; what follows from them is
a pure function, the same that the parties used (`mpcd.protocols.agreement`). So whoever has the words can
apply it again. The reporter is not trusted: it chooses what it shows, may leave statements out, add others,
and sign new ones of its own.

Why that is sound
  names   a signature counts for one value of one party in one slot, and a slot's name says session, epoch,
          barrier, who takes part (by which places in a body are read), and of answers to which question
  whole   a barrier is judged only with the word of everybody who takes part, a dispute only with the answers
          of all who were asked; nothing follows from a value that is not there
  edges   whatever is concluded is made of contradictions between the signed words of two parties. One who
          signs other words afterwards makes contradictions with itself in them, and no others

What it rests on   ASSUMING. The two of a pair may both be honest if two others conspire (they can give them
        different keys or shares), or if their network split what was agreed before. Under the assumption one
        of the two lies; who contradicts itself or all others does
Source  Spec agreement 9, 10, 15
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from mpcd.errors import UsageError
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.specification import Specification
from mpcd.protocols.agreement.chains import read_statement
from mpcd.protocols.agreement.disputes import (
    Expected,
    about,
    claims_of,
    keys_of,
    settle,
    settle_batch,
)
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome
from mpcd.protocols.agreement.findings import Dispute, Fault, Named, Pair, in_words
from mpcd.protocols.agreement.judging import judge
from mpcd.protocols.agreement.key_answers import PART_BYTES
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES, SlotName, read_slot_name
from mpcd.protocols.rep4.keys import Contribution, opens
from mpcd.protocols.scheme import REP3, SCHEMES, Scheme

SLOT_TYPE = "mpcd.slot"
MOST_PRODUCTS, MOST_NUMBERS = 1 << 32, 1 << 26
"""Of a batch that is computed again; the engine makes none with more numbers in it."""
ASSUMING = "at most one of the computing parties is corrupt, and messages between the others arrived in time"


@dataclass(frozen=True, slots=True)
class Proof:
    """What follows for everybody.

    parties   one: it did that; several: at least one of them lies
    assuming  what this rests on besides the signatures; nothing if it is empty
    """

    parties: tuple[str, ...]
    what: str
    assuming: str = ""

    def __str__(self) -> str:
        if len(self.parties) == 1:
            return f"{self.parties[0]} {self.what}"
        return f"one of {' and '.join(self.parties)} lies: {self.what}"


@dataclass(frozen=True, slots=True)
class _Words:
    """The signed values in a record that belong to its session: slot -> party -> body; batch: as in it."""

    specification: Specification
    batch: bytes
    values: Mapping[SlotName, Mapping[int, bytes]] = field(repr=False)

    def roster(self, name: SlotName) -> tuple[tuple[int, ...], Scheme] | None:
        """Who takes part in a barrier, and how their shares are held; None if no such epoch can be."""
        parties = len(self.specification.computing)
        everybody = SCHEMES[self.specification.protocol]
        roster, scheme = (name.roster, REP3) if name.roster else (tuple(range(parties)), everybody)
        members = set(roster) & set(range(parties))
        possible = len(members) == len(roster) == scheme.parties
        return (roster, scheme) if possible else None

    def outcome(self, name: SlotName, roster: tuple[int, ...]) -> Outcome:
        """What everybody said in a slot, as far as it is shown."""
        said = self.values.get(name, {})
        return {p: Agreed(said[p]) if p in said else Bottom() for p in roster}


def contradictions(record: Evidence, specification: Specification, bound: frozenset[str]) -> Iterator[Proof]:
    """What the barriers in a record prove, each by itself.

    bound  computing parties for which the record's session is certain to belong to its job
    """
    words = _Words(specification, bytes.fromhex(record.batch), _values(record, specification))
    for name in words.values:
        here = words.roster(name) if name.family == "BARRIER" and not name.about else None
        if here is None or not bound.issuperset(specification.computing[p] for p in here[0]):
            continue
        fault = _fault(words, name, *here)
        match fault:
            case Named(party=party):
                parties = frozenset({party})
            case Pair(evidence=True):
                parties = fault.parties
            case _:
                continue  # silence, or more than one party can cause
        names = tuple(sorted(specification.computing[p] for p in parties))
        why = in_words(fault.why, specification.computing)
        alone = len(names) == 1
        what = f"cheats, by what was signed after epoch {name.epoch}: {why}" if alone else why
        yield Proof(names, what, ASSUMING)


def false_answers(record: Evidence, specification: Specification, bound: frozenset[str]) -> Iterator[Proof]:
    """Who showed contributions to keys that do not open its own commitments: it signed both.

    Which keys it was asked for does not matter: an honest party shows what opens some of its commitments, by
    ascending key. Nothing has to be assumed.
    """
    scheme = SCHEMES[specification.protocol]
    values = _values(record, specification)
    said = {
        family: [v for name, v in values.items() if name.family == family]
        for family in ("KEYS", "KEY-ANSWER")
    }
    for party, name in enumerate(specification.computing):
        commitments = {v[party] for v in said["KEYS"] if party in v}
        answers = {v[party] for v in said["KEY-ANSWER"] if party in v}
        if name in bound and len(commitments) == len(answers) == 1:
            session = bytes.fromhex(record.session or "")
            if not _may_open(session, party, scheme, commitments.pop(), answers.pop()):
                yield Proof((name,), "showed keys that do not open its commitments")


def _may_open(session: bytes, party: int, scheme: Scheme, commitments: bytes, answer: bytes) -> bool:
    """Whether an answer opens some of the commitments, or is none at all."""
    held = scheme.held(party)
    count, rest = divmod(len(answer), 2 * PART_BYTES)
    if rest or not 0 < count <= len(held) or len(commitments) != DIGEST_BYTES * len(held):
        return True
    made = {a: commitments[k * DIGEST_BYTES :][:DIGEST_BYTES] for k, a in enumerate(held)}
    flat = [answer[k * PART_BYTES :][:PART_BYTES] for k in range(2 * count)]
    shown = [Contribution(*flat[2 * k : 2 * k + 2]) for k in range(count)]
    return any(
        all(opens(session, party, a, made[a], part) for a, part in zip(keys, shown, strict=True))
        for keys in combinations(held, count)
    )


def _fault(words: _Words, name: SlotName, roster: tuple[int, ...], scheme: Scheme) -> Fault | None:
    """What the parties found at this barrier and in the dispute after it; None if they went on."""
    outputs = sum(len(entry.to) for entry in words.specification.results)
    finding = judge(words.outcome(name, roster), scheme, roster, outputs)
    if isinstance(finding, Named | Pair):
        return finding
    if not isinstance(finding, Dispute):
        return getattr(finding, "odd", None)
    answers = words.outcome(_slot(name, "DISPUTE", about(finding, roster)), roster)
    if finding.complaint is not None:
        return settle(finding, answers)
    claims = claims_of(finding, answers)
    if not isinstance(claims, dict):
        return claims
    question = about(finding, roster, words.batch)
    keys = keys_of(words.outcome(_slot(name, "BATCH-KEYS", question), roster), scheme)
    if not isinstance(keys, dict):
        return keys
    expected = _expected(words.batch, keys, roster)
    return None if expected is None else settle_batch(finding, claims, expected)


def _slot(barrier: SlotName, family: str, question: bytes) -> SlotName:
    """The slot that follows a barrier. Every part of its name counts, who takes part included."""
    return replace(barrier, family=family, about=question)


def _expected(batch: bytes, keys: Mapping[int, bytes], roster: tuple[int, ...]) -> Expected | None:
    """What had to be said of a batch with these keys; None if the bytes describe no batch, or one so large
    that whoever made up the record could fill our memory with it."""
    # The arithmetic is loaded only by who needs it: this is the slowest import of all.
    from mpcd.protocols.rep3.batch import understand
    from mpcd.protocols.rep3.replay import expected

    try:
        path, recipe = understand(batch)
        if min(recipe.sizes) < 1:
            return None
        if math.prod(recipe.sizes) > MOST_PRODUCTS or math.prod(sorted(recipe.sizes)[-2:]) > MOST_NUMBERS:
            return None
        found = expected(path, recipe, keys)
    except (UsageError, ValueError):  # the latter: too few or too many sizes for this kind
        return None
    return Expected({roster[place]: sent for place, sent in found.products.items()}, found.shown)


def _values(record: Evidence, specification: Specification) -> dict[SlotName, dict[int, bytes]]:
    """What the computing parties said themselves in slots of the record's session.

    A party passes on, signed, what others say: only its signature under a value of its own counts. Of two
    values neither does: who says both convicts itself, and proves nothing against others.
    """
    bodies = {hashlib.sha256(body).digest(): body for body in record.said()}
    found: dict[SlotName, dict[int, set[bytes]]] = {}
    for envelope in record.envelopes():
        signed = read_statement(envelope.payload) if envelope.type == SLOT_TYPE else None
        name = None if signed is None else read_slot_name(signed[0])
        if signed is None or name is None or name.scope.hex() != record.session:
            continue
        _, sender, digest = signed
        known = sender < len(specification.computing) and digest in bodies
        if known and specification.computing[sender] in envelope.signers:
            found.setdefault(name, {}).setdefault(sender, set()).add(bodies[digest])
    return {
        name: {p: next(iter(values)) for p, values in said.items() if len(values) == 1}
        for name, said in found.items()
    }
