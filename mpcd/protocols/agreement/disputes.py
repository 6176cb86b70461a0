"""After a complaint: sender and backup, or all three of a batch, say what they sent, and one or two lied.

A dispute about a tag takes one slot, DISPUTE. One about a batch takes two: in DISPUTE all say what they sent
and that the batch is not settled with them, and only if all do, all show its keys in BATCH-KEYS. A party
answers `Void` if the complaint cannot be true as far as it knows: it has a later frame of the receiver, who
thus went on, or it never sent what the complaint is about. So keys are never shown of a batch that an honest
party has used: that party has a frame of every other one from the round after the check.

Notation  parties are the job's computing parties; S, B, R: sender, backup and receiver of the complaint
Source    Spec agreement 10; Spec rep3 7
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mpcd.errors import InternalError
from mpcd.identity.encoding import fingerprint
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.findings import (
    Absent,
    Dispute,
    Fault,
    Named,
    Pair,
    TooMany,
    liars_in,
    listed,
    meet,
)
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES, bodies
from mpcd.protocols.agreement.words import Complaint
from mpcd.protocols.scheme import Scheme

_VOID, _SENT, _CLAIM = b"\x00", b"\x01", b"\x02"
_UNHEARD = bytes(1 + DIGEST_BYTES)
_HEARD = b"\x01"
"""Before a hash that came, whatever it is: its sender chose it, so no hash can stand for none."""


@dataclass(frozen=True, slots=True)
class Void:
    """As far as this party knows the complaint cannot be true."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Keyed digest (32 bytes) of what this party sent, or vouched for."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a party says of a batch that is not settled with it. All are 32 bytes.

    sent      digest of the product messages that it sent; received: of those that it received
    shown     the hash that it sent in the check; heard: party -> the hash that came, if one did
    """

    sent: bytes
    received: bytes
    shown: bytes
    heard: Mapping[int, bytes] = field(default_factory=dict)


Answer = Void | Sent | Claim


@dataclass(frozen=True, slots=True)
class Expected:
    """What the messages of a batch must have been, computed from its keys.

    products  party -> digest of the product messages that it had to send
    shown     the hash that all had to send in the check
    """

    products: Mapping[int, bytes]
    shown: bytes


def about(dispute: Dispute, roster: Sequence[int], what: bytes = b"") -> bytes:
    """Digest (32 bytes) of the question, part of the names of DISPUTE and BATCH-KEYS.

    An answer does not repeat what it is an answer to. Before a third party it must: whoever could put
    another complaint in the place of the one that was asked about would have honest answers contradict it.

    what  in BATCH-KEYS, the batch as `Batch.what` describes it, so that its keys are not taken for another's
    """
    numbers = [dispute.round, dispute.receiver, -1 if dispute.batch is None else dispute.batch]
    c = dispute.complaint
    parts = [] if c is None else [bytes([c.sender, c.backup]), c.digest]
    head = ",".join(str(n) for n in (*numbers, *sorted(dispute.others))).encode()
    return fingerprint("mpcd/dispute/1", [head, bytes(roster), what, *parts])


def answer_value(answer: Answer | None, roster: Sequence[int] = (), me: int = -1) -> bytes:
    """The value of a party in slot DISPUTE; None is the answer of who is not asked."""
    match answer:
        case None:
            return b""
        case Void():
            return _VOID
        case Sent(digest=digest):
            parts = [digest]
        case Claim():
            parts = [answer.sent, answer.received, answer.shown, *answer.heard.values()]
    if any(len(part) != DIGEST_BYTES for part in parts):
        raise InternalError("a digest in an answer is not 32 bytes")
    if isinstance(answer, Sent):
        return _SENT + answer.digest
    heard = [_HEARD + answer.heard[p] if p in answer.heard else _UNHEARD for p in roster if p != me]
    return _CLAIM + b"".join([*parts[:3], *heard])


def answer_limit(roster: Sequence[int]) -> int:
    """The greatest length in bytes of an answer."""
    return 1 + DIGEST_BYTES * 3 + len(_UNHEARD) * (len(roster) - 1)


def settle(dispute: Dispute, outcome: Outcome) -> Fault:
    """Who of sender, backup and receiver lied about a tag, or which two of them contradict each other."""
    complaint = dispute.complaint
    if complaint is None:
        raise InternalError("this dispute is about a batch")
    asked = (complaint.sender, complaint.backup)
    liars = liars_in(outcome, "an answer")
    if liars is not None:
        return liars
    said = {p: _read_sent(body) for p, body in bodies(outcome).items() if p in asked}
    answers = {p: answer for p, answer in said.items() if answer is not None}
    if len(answers) < len(asked):
        return _without_answer(set(asked) - set(answers), "to a complaint")
    void = [p for p in asked if isinstance(answers[p], Void)]
    if void:
        return _void({dispute.receiver}, void)
    return _compare(dispute.receiver, complaint, [_digest(answers[p]) for p in asked])


def _compare(receiver: int, complaint: Complaint, digests: Sequence[bytes]) -> Pair:
    sender, backup = complaint.sender, complaint.backup
    if digests[0] != digests[1]:
        why = f"party {sender} and party {backup} do not agree on what party {sender} had to send"
        return Pair(frozenset({sender, backup}), True, why)
    if complaint.digest != digests[0]:
        why = f"party {receiver} got something else than party {sender} says it sent"
        return Pair(frozenset({receiver, sender}), True, why)
    why = f"party {receiver} got what was sent and says that the tag of party {backup} does not fit"
    return Pair(frozenset({receiver, backup}), True, why)


# -- batches ---------------------------------------------------------------------------------------


def claims_of(dispute: Dispute, outcome: Outcome) -> Fault | dict[int, Claim]:
    """What all three say of the batch, if it is settled with none: then the keys may be shown."""
    liars = liars_in(outcome, "an answer")
    if liars is not None:
        return liars
    roster = sorted(outcome)
    said = {p: _read_claim(body, p, roster) for p, body in bodies(outcome).items()}
    answers = {p: answer for p, answer in said.items() if answer is not None}
    if len(answers) < len(roster):
        return _without_answer(set(roster) - set(answers), "about a batch")
    accusers = dispute.others | {dispute.receiver}
    void = [p for p in roster if isinstance(answers[p], Void)]
    if void:
        return _void(accusers, void)
    return {p: answer for p, answer in answers.items() if isinstance(answer, Claim)}


def keys_value(keys: Sequence[bytes]) -> bytes:
    """The value of a party in slot BATCH-KEYS: its keys of the batch, by ascending piece."""
    return b"".join(keys)


def keys_of(outcome: Outcome, scheme: Scheme) -> Fault | dict[int, bytes]:
    """piece -> key of the batch; or the two holders that showed different ones."""
    liars = liars_in(outcome, "an answer")
    if liars is not None:
        return liars
    roster = sorted(outcome)
    size = DIGEST_BYTES * (scheme.parties - scheme.threshold)
    said = {p: body for p, body in bodies(outcome).items() if len(body) == size}
    if len(said) < len(roster):
        return _without_answer(set(roster) - set(said), "with the keys of a batch")
    found: dict[int, set[bytes]] = {a: set() for a in range(scheme.parties)}
    for place, party in enumerate(roster):
        for k, a in enumerate(scheme.held(place)):
            found[a].add(said[party][k * DIGEST_BYTES :][:DIGEST_BYTES])
    pairs = [frozenset(roster[h] for h in scheme.holders(a)) for a in found if len(found[a]) > 1]
    if pairs:
        return meet(pairs, True, "showed different keys of a batch")
    return {a: keys.pop() for a, keys in found.items()}


def settle_batch(dispute: Dispute, claims: Mapping[int, Claim], expected: Expected) -> Fault:
    """Who lied about a batch, from what all said before the keys were shown.

    First the products: as long as one of them is wrong, honest parties show wrong hashes, too.
    """
    roster = sorted(claims)
    after = {p: roster[(k + 1) % len(roster)] for k, p in enumerate(roster)}
    wrong = [p for p in roster if claims[p].sent != expected.products[p]]
    if wrong:
        return _all_named(wrong, "sent something else than the keys of the batch demand")
    pairs = [{p, after[p]} for p in roster if claims[p].received != expected.products[after[p]]]
    if pairs:
        return meet(pairs, True, "do not agree on what was sent for a batch")
    wrong = [p for p in roster if claims[p].shown != expected.shown]
    if wrong:
        return _all_named(wrong, "showed a wrong hash of a batch")
    pairs = [{p, of} for p in roster for of, heard in claims[p].heard.items() if heard != expected.shown]
    if pairs:
        return meet(pairs, True, "do not agree on the hash that was shown for a batch")
    accusers = sorted(dispute.others | {dispute.receiver})
    return _all_named(accusers, "complained about a batch in which everything is right")


# -- in common -------------------------------------------------------------------------------------


def _without_answer(parties: set[int], what: str) -> Fault:
    if len(parties) > 1:
        return TooMany(frozenset(parties), f"{listed(parties)} gave no answer {what}")
    return Absent(min(parties), f"party {min(parties)} gave no answer {what}")


def _void(accusers: Iterable[int], void: Iterable[int]) -> Fault:
    pairs = [(accuser, party) for accuser in accusers for party in void]
    return meet(pairs, True, "do not agree on whether a check failed")


def _all_named(parties: Sequence[int], what: str) -> Fault:
    if len(parties) > 1:
        return TooMany(frozenset(parties), f"{listed(parties)} {what}")
    return Named(parties[0], f"party {parties[0]} {what}")


def _read_sent(body: bytes) -> Void | Sent | None:
    if body == _VOID:
        return Void()
    if len(body) == 1 + DIGEST_BYTES and body[:1] == _SENT:
        return Sent(body[1:])
    return None


def _digest(answer: Void | Sent) -> bytes:
    return answer.digest if isinstance(answer, Sent) else b""


def _read_claim(body: bytes, sender: int, roster: Sequence[int]) -> Void | Claim | None:
    if body == _VOID:
        return Void()
    if len(body) != answer_limit(roster) or body[:1] != _CLAIM:
        return None
    digests = 1 + 3 * DIGEST_BYTES
    sent, received, shown = (body[k : k + DIGEST_BYTES] for k in range(1, digests, DIGEST_BYTES))
    hashes = [body[k : k + len(_UNHEARD)] for k in range(digests, len(body), len(_UNHEARD))]
    if any(part[:1] != _HEARD and part != _UNHEARD for part in hashes):
        return None
    others = [p for p in roster if p != sender]
    heard = {p: part[1:] for p, part in zip(others, hashes, strict=True) if part != _UNHEARD}
    return Claim(sent, received, shown, heard)
