"""What the slots REVEAL and READY-OPEN decide: whether something is opened, for all parties alike.

Notation  parties are the computing parties 0..n-1; rep4's summand a is held by all but party a
Source    Spec agreement 4
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mpcd.errors import InternalError
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES, bodies


@dataclass(frozen=True, slots=True)
class Ready:
    """One party's word before something is opened.

    ready        every check of this party has passed and what it must open is stored
    commitments  per output and in their order: com_a for the summands a that this party holds, ascending
    reveals      digest of everything that was revealed to all parties before (32 bytes)
    """

    ready: bool
    commitments: tuple[tuple[bytes, ...], ...]
    reveals: bytes


def ready_value(word: Ready) -> bytes:
    """A word as bytes; of an unready party nothing but the fact is said."""
    if not word.ready:
        return b"\x00"
    flat = [com for output in word.commitments for com in output]
    if any(len(com) != DIGEST_BYTES for com in (*flat, word.reveals)):
        raise InternalError("a commitment in a READY value is not 32 bytes")
    return b"\x01" + word.reveals + b"".join(flat)


@dataclass(frozen=True, slots=True)
class Decision:
    """What READY-OPEN or REVEAL decides.

    open         everybody opens, or nobody does
    commitments  per output: com_0..com_{n-1}, if open
    reason       why not, in words
    blamed       a set that contains a cheater, if there is evidence (parties that contradict each other)
    silent       parties without a well-formed value: no accusation
    unready      parties that said NOT-READY
    """

    open: bool
    commitments: tuple[tuple[bytes, ...], ...] = ()
    reason: str = ""
    blamed: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()
    unready: frozenset[int] = frozenset()


def ready_to_open(outcome: Outcome, outputs: int) -> Decision:
    """Open iff EVERY party says READY and all agree on every commitment and on what was revealed.

    Three of four would not do: an honest party that is not ready leaves a summand with one honest and
    one corrupt holder.
    """
    parties = sorted(outcome)
    size = 1 + DIGEST_BYTES + outputs * (len(parties) - 1) * DIGEST_BYTES
    said_by = bodies(outcome)
    unready = frozenset(p for p, body in said_by.items() if body == b"\x00")
    words = {p: body for p, body in said_by.items() if len(body) == size and body[0] == 1}
    silent = frozenset(parties) - unready - frozenset(words)
    if silent or unready:
        said = [f"party {p} is not ready" for p in sorted(unready)]
        said += [f"party {p} gave no valid word" for p in sorted(silent)]
        return Decision(False, reason="; ".join(said), silent=silent, unready=unready)
    reveals = {p: body[1 : 1 + DIGEST_BYTES] for p, body in words.items()}
    if len(set(reveals.values())) > 1:
        return Decision(False, reason="the parties saw different public values", blamed=_minority(reveals))
    return _common_commitments(parties, words, outputs)


def _common_commitments(parties: list[int], words: Mapping[int, bytes], outputs: int) -> Decision:
    agreed: list[tuple[bytes, ...]] = []
    for k in range(outputs):
        row: list[bytes] = []
        for a in parties:
            said = {p: _commitment(parties, words[p], p, k, a) for p in parties if p != a}
            if len(set(said.values())) > 1:
                text = f"the holders of summand {a} of output {k} committed to different values"
                return Decision(False, reason=text, blamed=frozenset(said))
            row.append(next(iter(said.values())))
        agreed.append(tuple(row))
    return Decision(True, commitments=tuple(agreed))


def _commitment(parties: list[int], body: bytes, party: int, output: int, a: int) -> bytes:
    held = [b for b in parties if b != party]
    at = 1 + DIGEST_BYTES * (1 + output * len(held) + held.index(a))
    return body[at : at + DIGEST_BYTES]


def _minority(said: Mapping[int, bytes]) -> frozenset[int]:
    """Who contradicts the others: one party if all others (at least three) agree, otherwise everybody.

    Three that agree hold two honest parties if at most one is corrupt, so the fourth is the cheater.
    """
    for party, word in said.items():
        others = {other for p, other in said.items() if p != party}
        if len(said) > 3 and len(others) == 1 and word not in others:
            return frozenset({party})
    return frozenset(said)
