"""What each family of slots decides: pure functions of the vector of verdicts.

Every honest party holds the same vector, so every honest party computes the same result. A body that
is not of its family's form counts as no value at all (its sender is listed as silent), never as a guess.

Families  SESSION, KEYS, KEY-COMPLAINT, INPUTS, HAVE, START; KEY-ANSWER is in `key_answers`, BARRIER in
          `judging`, DISPUTE and BATCH-KEYS in `disputes`
Notation  parties are the computing parties 0..n-1, those of the outcome are who takes part in the slot;
          pieces are those of the job's own scheme, in which a party's place is its number
Source    Spec agreement 4
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mpcd.identity.encoding import fingerprint
from mpcd.protocols.agreement.dolev_strong import Agreed, Equivocated, Outcome
from mpcd.protocols.scheme import REP4, Scheme

FAMILIES = frozenset(
    {
        *("SESSION", "KEYS", "KEY-COMPLAINT", "KEY-ANSWER", "INPUTS", "HAVE", "START"),
        *("BARRIER", "DISPUTE", "BATCH-KEYS"),
    }
)
NONCE_BYTES = 32
DIGEST_BYTES = 32


def slot_name(
    family: str, scope: bytes, epoch: int, number: int = 0, roster: Iterable[int] = (), about: bytes = b""
) -> bytes:
    """The identity of a slot, which everything that is signed in it carries. No two slots of a deployment
    share a name, so no signature fits two slots.

    scope   the session; in slot SESSION it is the job's hash, and `number` the attempt
    roster  who takes part, if not all computing parties: places in a body are to be read by it
    about   a digest of the question that a value answers, for slots in which it is not always the same
    """
    members = ",".join(str(p) for p in sorted(roster))
    parts = [
        family,
        scope.hex(),
        str(epoch),
        str(number),
        *([members, about.hex()] if members or about else []),
    ]
    return "/".join(parts).encode()


@dataclass(frozen=True, slots=True)
class SlotName:
    """A name of a slot, taken apart; roster: empty for all computing parties."""

    family: str
    scope: bytes
    epoch: int
    number: int
    roster: tuple[int, ...] = ()
    about: bytes = b""


def read_slot_name(name: bytes) -> SlotName | None:
    """The inverse of `slot_name`; None if the bytes are not a name that it makes."""
    try:
        family, scope, epoch, number, *rest = name.decode("ascii").split("/")
        members, about = rest or ("", "")
        roster = tuple(int(p) for p in members.split(",")) if members else ()
        found = SlotName(family, bytes.fromhex(scope), int(epoch), int(number), roster, bytes.fromhex(about))
    except ValueError:
        return None
    again = slot_name(found.family, found.scope, found.epoch, found.number, found.roster, found.about)
    return found if again == name else None


def equivocators(outcome: Outcome) -> dict[int, Equivocated]:
    """The parties that signed two values in this slot, with the proof."""
    return {p: v for p, v in outcome.items() if isinstance(v, Equivocated)}


def bodies(outcome: Outcome) -> dict[int, bytes]:
    """What was agreed that each party said; who said nothing, or two things, is not there."""
    return {party: v.body for party, v in outcome.items() if isinstance(v, Agreed)}


# -- SESSION -------------------------------------------------------------------------------------


def session_of(job: bytes, attempt: int, outcome: Outcome, without: int = 0) -> bytes | None:
    """The session (32 bytes) under which everything of this attempt is keyed; None voids the attempt.

    Every party contributes a fresh nonce, so that no coalition can bring an old session back. A constant
    stands for the nonces of those who gave none, if they are not more than `without`: one honest nonce
    makes a session fresh.
    """
    nonces = {party: nonce for party, nonce in bodies(outcome).items() if len(nonce) == NONCE_BYTES}
    if len(outcome) - len(nonces) > without:
        return None
    return session_from(job, attempt, nonces_of(outcome))


def nonces_of(outcome: Outcome) -> tuple[bytes, ...]:
    """The nonces that enter a session, by party; zeros for who gave none."""
    said = bodies(outcome)
    given = (said.get(party, b"") for party in sorted(outcome))
    return tuple(nonce if len(nonce) == NONCE_BYTES else bytes(NONCE_BYTES) for nonce in given)


def session_from(job: bytes, attempt: int, nonces: Sequence[bytes]) -> bytes:
    """The session of these nonces. Whoever knows them can see which job it belongs to: they are no secret."""
    return fingerprint("mpcd/session/1", [job, struct.pack("<I", attempt), *nonces])


# -- KEYS and KEY-COMPLAINT -----------------------------------------------------------------------


def key_value(commitments: Sequence[bytes]) -> bytes:
    """One party's commitments to its contributions, in ascending order of the keys it holds."""
    return b"".join(commitments)


def key_commitments(outcome: Outcome, scheme: Scheme = REP4) -> dict[int, dict[int, bytes]]:
    """contributor -> key index a -> commitment; contributors without a well-formed value are left out."""
    found: dict[int, dict[int, bytes]] = {}
    for party, body in bodies(outcome).items():
        held = scheme.held(party)
        if len(body) == DIGEST_BYTES * len(held):
            found[party] = {a: body[k * DIGEST_BYTES :][:DIGEST_BYTES] for k, a in enumerate(held)}
    return found


def complaint_value(parties: Sequence[int], against: frozenset[int]) -> bytes:
    """One byte per party: whether we complain about its contributions."""
    return bytes(party in against for party in sorted(parties))


@dataclass(frozen=True, slots=True)
class Complaints:
    """pairs: (complainer, contributor), one of the two lied; silent: parties without a value."""

    pairs: frozenset[tuple[int, int]]
    silent: frozenset[int]


def complaints(outcome: Outcome) -> Complaints:
    parties = sorted(outcome)
    pairs: set[tuple[int, int]] = set()
    heard: set[int] = set()
    for party, body in bodies(outcome).items():
        if len(body) == len(parties) and set(body) <= {0, 1}:
            heard.add(party)
            pairs |= {(party, other) for other, bit in zip(parties, body, strict=True) if bit}
    return Complaints(frozenset(pairs), frozenset(parties) - heard)


# -- INPUTS and HAVE ------------------------------------------------------------------------------

InputKey = tuple[str, str]
"""(owner, input name)."""


@dataclass(frozen=True, slots=True)
class InputSet:
    """Which inputs the job has.

    entries   (owner, input) -> the owner's signed entry
    excluded  (owner, input) -> two different entries that the owner signed: a proof against the owner
    missing   expected inputs of which nobody holds a valid entry
    """

    entries: Mapping[InputKey, bytes]
    excluded: Mapping[InputKey, tuple[bytes, bytes]]
    missing: frozenset[InputKey]


def inputs_value(entries: Sequence[bytes]) -> bytes:
    """The owner-signed entries that a party holds at the cut-off, sorted."""
    return b"".join(struct.pack("<I", len(entry)) + entry for entry in sorted(set(entries)))


def inputs_agreed(
    outcome: Outcome, expected: Sequence[InputKey], owner_of: Callable[[bytes], InputKey | None]
) -> InputSet:
    """The union of what all parties hold, so that no party can leave an honest owner out.

    `owner_of` says whose valid entry for which input some bytes are, or None if the signature or the
    form is wrong; it must be a function of the bytes alone.
    """
    found: dict[InputKey, set[bytes]] = {}
    for body in bodies(outcome).values():
        for entry in _entries(body):
            key = owner_of(entry)
            if key is not None and key in expected:
                found.setdefault(key, set()).add(entry)
    doubled = {key: sorted(entries) for key, entries in found.items() if len(entries) > 1}
    return InputSet(
        entries={key: next(iter(found[key])) for key in expected if len(found.get(key, ())) == 1},
        excluded={key: (entries[0], entries[1]) for key, entries in doubled.items()},
        missing=frozenset(expected) - frozenset(found),
    )


def _entries(body: bytes) -> list[bytes]:
    entries: list[bytes] = []
    at = 0
    while at < len(body):
        if at + 4 > len(body):
            return []
        (length,) = struct.unpack_from("<I", body, at)
        at += 4
        if at + length > len(body):
            return []
        entries.append(body[at : at + length])
        at += length
    return entries


def have_value(keys: Sequence[InputKey], parties: Sequence[int], held: set[tuple[InputKey, int]]) -> bytes:
    """Bitmap over (input, summand a) in the order of `keys`: which openings this party holds."""
    flags = [(key, a) in held for key in keys for a in sorted(parties)]
    padded = [*flags, *[False] * (-len(flags) % 8)]
    return bytes(sum(bit << j for j, bit in enumerate(padded[k : k + 8])) for k in range(0, len(padded), 8))


@dataclass(frozen=True, slots=True)
class Holdings:
    """accepted: inputs whose every summand has enough holders; holders: (input, a) -> who says "have"."""

    accepted: tuple[InputKey, ...]
    holders: Mapping[tuple[InputKey, int], frozenset[int]]


def holdings(outcome: Outcome, keys: Sequence[InputKey], scheme: Scheme = REP4) -> Holdings:
    """An input is accepted iff each summand is held by all of its holders who take part but `threshold`.

    So one corrupt holder cannot shut an honest owner out. Of three holders two suffice, one of whom at least
    is honest: what is accepted can be forwarded to every honest holder. Of two holders one suffices: if it
    has not what it says, the other one gets nothing, and the job ends. No value, or one of the wrong length,
    is zeros.
    """
    pieces = range(scheme.parties)
    size = -(-len(keys) * len(pieces) // 8)
    maps = {party: body for party, body in bodies(outcome).items() if len(body) == size}
    holders: dict[tuple[InputKey, int], frozenset[int]] = {}
    enough: dict[int, int] = {}
    for a in pieces:
        may = scheme.holders(a) & frozenset(outcome)
        enough[a] = max(1, len(may) - scheme.threshold)
        for k, key in enumerate(keys):
            at = k * len(pieces) + a
            says = {p for p in may if p in maps and maps[p][at // 8] >> (at % 8) & 1}
            holders[key, a] = frozenset(says)
    accepted = tuple(key for key in keys if all(len(holders[key, a]) >= enough[a] for a in pieces))
    return Holdings(accepted, holders)


# -- START ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Whether all parties have reserved what the epoch needs; busy said no, silent said nothing."""

    go: bool
    busy: frozenset[int]
    silent: frozenset[int]


def start_value(reserved: bool) -> bytes:
    return bytes([reserved])


def start(outcome: Outcome) -> Start:
    said = bodies(outcome)
    yes = frozenset(p for p, body in said.items() if body == b"\x01")
    busy = frozenset(p for p, body in said.items() if body == b"\x00")
    return Start(len(yes) == len(outcome), busy, frozenset(outcome) - yes - busy)
