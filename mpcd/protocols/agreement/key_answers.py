"""The slot KEY-ANSWER: whom somebody complained about in KEY-COMPLAINT shows the contributions in question.

Whoever lied, the parties then hold the same contributions: what is shown and opens its commitment counts,
anything else is left out. Only keys that complainer and contributor both hold are in question. So what a
cheater can make honest parties show is about keys that it knows anyway, and a key that it must not know is
never in question; what it leaves out of a key leaves the contributions of two honest holders in it.

That holds if one party is behind all complaints. A party that was cut off while contributions were on their
way complains about all others, and they about it: if everybody showed what that puts in question, keys would
be public as a whole. So nothing is shown unless of every key one contribution remains that is not.

Notation  parties and keys as in `outcomes`
Source    Spec agreement 4.2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mpcd.errors import InternalError
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.findings import Fault, meet
from mpcd.protocols.agreement.outcomes import Complaints, bodies
from mpcd.protocols.scheme import Scheme

PART_BYTES = 32
"""A contribution, and the salt of its commitment."""

Part = tuple[bytes, bytes]
"""(contribution, salt)."""
Opens = Callable[[int, int, Part], bool]
"""(contributor, key, what it shows) -> whether that opens the agreed commitment."""


@dataclass(frozen=True, slots=True)
class KeyAnswers:
    """shown: (contributor, key) -> what counts for everybody; left_out: contributions that count for nobody;
    wrong: who showed something that does not open its commitment; silent: who should have shown something
    and did not."""

    shown: Mapping[tuple[int, int], Part] = field(repr=False)
    left_out: frozenset[tuple[int, int]]
    wrong: frozenset[int]
    silent: frozenset[int]


def questions(said: Complaints, scheme: Scheme, here: frozenset[int]) -> Fault | dict[int, tuple[int, ...]]:
    """Who has to show which contributions, as `in_question`; or who is at fault, if a key would become public
    as a whole by that.

    here  who takes part; said: at least one complaint, between parties that do
    """
    asked = in_question(said, scheme)
    shown = {key: {p for p, keys in asked.items() if key in keys} for key in range(scheme.parties)}
    if all(scheme.holders(key) & here - parties for key, parties in shown.items() if parties):
        return asked
    return meet(said.pairs, False, "complained about each other's contributions to keys")


def in_question(said: Complaints, scheme: Scheme) -> dict[int, tuple[int, ...]]:
    """contributor -> the keys, ascending, that it shares with somebody who complains about it."""
    found: dict[int, set[int]] = {}
    for complainer, contributor in said.pairs:
        if complainer != contributor:
            shared = set(scheme.held(complainer)) & set(scheme.held(contributor))
            found.setdefault(contributor, set()).update(shared)
    return {party: tuple(sorted(keys)) for party, keys in found.items()}


def key_answer_value(parts: Mapping[int, Part]) -> bytes:
    """What a party shows: its contributions to the keys in question, by ascending key."""
    flat = [part for key in sorted(parts) for part in parts[key]]
    if any(len(part) != PART_BYTES for part in flat):
        raise InternalError("a contribution to a key is not 32 bytes")
    return b"".join(flat)


def key_answers(outcome: Outcome, asked: Mapping[int, tuple[int, ...]], opens: Opens) -> KeyAnswers:
    """Which of the contributions in question count."""
    shown: dict[tuple[int, int], Part] = {}
    wrong: set[int] = set()
    silent: set[int] = set()
    said = bodies(outcome)
    for contributor, keys in asked.items():
        body = said.get(contributor, b"")
        if len(body) != 2 * PART_BYTES * len(keys):
            silent.add(contributor)
            continue
        for k, key in enumerate(keys):
            mine = body[2 * PART_BYTES * k :][: 2 * PART_BYTES]
            part = mine[:PART_BYTES], mine[PART_BYTES:]
            if opens(contributor, key, part):
                shown[contributor, key] = part
            else:
                wrong.add(contributor)
    left_out = {(p, key) for p, keys in asked.items() for key in keys} - set(shown)
    return KeyAnswers(shown, frozenset(left_out), frozenset(wrong), frozenset(silent))
