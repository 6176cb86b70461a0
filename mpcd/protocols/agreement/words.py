"""What a party says at a barrier: that it is ready, or where it had to stop. Bytes and back.

Decoding is strict: every word has exactly one encoding, and bytes that are not a word of this sender in
this roster are no word at all. Bodies are bounded by `word_limit`.

Notation  parties are the job's computing parties 0..n-1, also after one of them was dropped; pieces are
          those of the epoch's scheme, whose place k is the k-th party of the roster
Source    Spec agreement 9.2
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mpcd.errors import InternalError
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES
from mpcd.protocols.scheme import Scheme

Kind = Literal["reveal", "open"]
_KINDS: tuple[Kind, ...] = ("reveal", "open")
MAX_LATE = 8
FULL = 8
"""Eighths of the patience with which a party waits for a frame: all of it."""

_READY, _STOPPED = 1, 2
_LATE = struct.Struct("<QBB")
_WHERE = struct.Struct("<QB")
_COMPLAINT = struct.Struct(f"<BB{DIGEST_BYTES}s")
_BATCH = struct.Struct("<Q")
_NOTHING, _TAG, _CHECK = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Late:
    """In this round everything but the frame of `peer` had come, and for that one this party waited long.

    eighths  how long, in eighths of the patience: 2..8
    """

    round: int
    peer: int
    eighths: int


@dataclass(frozen=True, slots=True)
class Ready:
    """One party's word that every check of its has passed and that it can open what is to be opened.

    kind         `reveal`: a value of the program is shown to all; `open`: the outputs, to their recipients
    commitments  per output and in their order: com of the pieces that this party holds, ascending;
                 none at a reveal
    reveals      digest (32 bytes) of everything that was revealed to all parties before
    late         as in `Stopped`
    """

    kind: Kind
    commitments: tuple[tuple[bytes, ...], ...]
    reveals: bytes
    late: tuple[Late, ...] = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """A tag that failed at the party that says so.

    sender, backup  who sent the words, and who vouched for them
    digest          keyed digest (32 bytes) of the words that arrived (Spec agreement 10.2)
    """

    sender: int
    backup: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Stopped:
    """One party's word that it cannot go on in this epoch, and in which round it got stuck.

    round      the first round of the epoch that it could not complete; 0 is the meeting of the links
    missing    members of the roster whose frame of that round did not come or was not one
    complaint  a tag of that round that failed; or
    batch      number of a batch whose check failed in that round (only schemes with batches: rep3)
    late       the last few rounds (ascending, all different) in which one peer alone held this party up

    None of `missing`, `complaint` and `batch`: it failed by itself, or was stopped while it worked.
    """

    round: int
    missing: frozenset[int] = frozenset()
    complaint: Complaint | None = None
    batch: int | None = None
    late: tuple[Late, ...] = ()

    @property
    def accuses(self) -> bool:
        """Whether it says of anybody else that the fault may be there."""
        return bool(self.missing) or self.complaint is not None or self.batch is not None


Word = Ready | Stopped


def word_value(word: Word) -> bytes:
    """A word as bytes.

    Raises  InternalError if a number or a digest in it is out of bounds
    """
    try:
        return _ready_bytes(word) if isinstance(word, Ready) else _stopped_bytes(word)
    except struct.error as error:
        raise InternalError("a number in a barrier's value is out of bounds") from error


def word_limit(scheme: Scheme, outputs: int) -> int:
    """The greatest length in bytes of a word."""
    each = DIGEST_BYTES * (scheme.parties - scheme.threshold)
    ready = 3 + MAX_LATE * _LATE.size + DIGEST_BYTES + outputs * each
    return max(ready, 2 + MAX_LATE * _LATE.size + _WHERE.size + 1 + _COMPLAINT.size)


def read_word(body: bytes, sender: int, roster: Sequence[int], scheme: Scheme, outputs: int) -> Word | None:
    """The word of a body; None if the bytes are not the one encoding of a word that `sender` can say."""
    try:
        word = _read(body, scheme.held(list(roster).index(sender)), outputs)
    except (struct.error, IndexError):
        return None
    if word is None or not _possible(word, sender, frozenset(roster), scheme) or word_value(word) != body:
        return None
    return word


def _possible(word: Word, sender: int, roster: frozenset[int], scheme: Scheme) -> bool:
    others = roster - {sender}
    rounds = [late.round for late in word.late]
    if any(late.peer not in others or not 2 <= late.eighths <= FULL for late in word.late):
        return False
    if rounds != sorted(set(rounds)):
        return False
    if isinstance(word, Ready):
        return True
    if not word.missing <= others or (word.batch is not None and scheme.name != "rep3"):
        return False
    complaint = word.complaint
    if word.round == 0 and (complaint is not None or word.batch is not None):
        return False  # the meeting of the links: nothing has been sent, and nobody has kept anything of it
    return complaint is None or len({complaint.sender, complaint.backup} & others) == 2


def _ready_bytes(word: Ready) -> bytes:
    flat = [com for output in word.commitments for com in output]
    if any(len(com) != DIGEST_BYTES for com in (*flat, word.reveals)):
        raise InternalError("a commitment in a barrier's value is not 32 bytes")
    head = bytes([_READY, _KINDS.index(word.kind)]) + _late_bytes(word.late)
    return head + word.reveals + b"".join(flat)


def _stopped_bytes(word: Stopped) -> bytes:
    head = bytes([_STOPPED]) + _late_bytes(word.late)
    head += _WHERE.pack(word.round, sum(1 << p for p in word.missing))
    if word.complaint is not None:
        if word.batch is not None or len(word.complaint.digest) != DIGEST_BYTES:
            raise InternalError("a party complains about one thing, with a digest of 32 bytes")
        c = word.complaint
        return head + bytes([_TAG]) + _COMPLAINT.pack(c.sender, c.backup, c.digest)
    if word.batch is not None:
        return head + bytes([_CHECK]) + _BATCH.pack(word.batch)
    return head + bytes([_NOTHING])


def _late_bytes(late: Sequence[Late]) -> bytes:
    if len(late) > MAX_LATE:
        raise InternalError(f"a word lists {MAX_LATE} late rounds at most")
    return bytes([len(late)]) + b"".join(_LATE.pack(x.round, x.peer, x.eighths) for x in late)


def _read(body: bytes, held: Sequence[int], outputs: int) -> Word | None:
    if body[0] == _READY:
        kind, (late, at) = _KINDS[body[1]], _read_late(body, 2)
        rows = outputs if kind == "open" else 0
        if len(body) != at + DIGEST_BYTES * (1 + rows * len(held)):
            return None
        coms = [body[k : k + DIGEST_BYTES] for k in range(at + DIGEST_BYTES, len(body), DIGEST_BYTES)]
        table = tuple(tuple(coms[k * len(held) :][: len(held)]) for k in range(rows))
        return Ready(kind, table, body[at : at + DIGEST_BYTES], late)
    if body[0] != _STOPPED:
        return None
    late, at = _read_late(body, 1)
    number, bits = _WHERE.unpack_from(body, at)
    at += _WHERE.size
    missing, what = frozenset(p for p in range(8) if bits >> p & 1), body[at]
    if what == _TAG:
        return Stopped(number, missing, Complaint(*_COMPLAINT.unpack(body[at + 1 :])), None, late)
    if what == _CHECK:
        (batch,) = _BATCH.unpack(body[at + 1 :])
        return Stopped(number, missing, None, batch, late)
    return Stopped(number, missing, None, None, late)


def _read_late(body: bytes, at: int) -> tuple[tuple[Late, ...], int]:
    count = body[at]
    if count > MAX_LATE:
        raise struct.error("too many late rounds")
    found = tuple(Late(*_LATE.unpack_from(body, at + 1 + k * _LATE.size)) for k in range(count))
    return found, at + 1 + count * _LATE.size
