"""What the frames of one round contain: which message lies where, and who vouches for it.

A layout depends on the labels, shapes and types of a round and on nothing else, so the codec computes
it once per kind of round and looks it up for the rest of the epoch.

Order     within a frame: words by label, then blobs by label, then one tag per vouched sender,
          ascending. Words come first so that they stay aligned and their places are known
          beforehand even beside blobs.
Source    Spec rep4 5.1 (frame), 5.2 (one tag per sender, backup and receiver)
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mpcd.errors import InternalError
from mpcd.protocols.rounds import Blob, Message, Round, Spec, backup_of

Shape = tuple[int, ...]
Described = tuple[str, Shape | None]
"""A label and its shape; None is a blob."""

HEADER_BYTES = 96
TAG_BYTES = 16
BLOB_PREFIX_BYTES = 4
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One directed pair, seen by its sender.

    words, blobs  keys of `Round.send` in wire order
    vouched       (sender we back, keys of `Round.vouch` in wire order, bytes backed), ascending
    digest        what both ends must agree on beside the path: labels, shapes, vouched-for
    body_bytes    length of the body; of its known part if there are blobs
    tail          digest and body length: the end of the header if there are no blobs
    """

    words: tuple[Message, ...]
    blobs: tuple[Message, ...]
    vouched: tuple[tuple[int, tuple[tuple[int, int, str], ...], int], ...]
    digest: bytes
    body_bytes: int
    tail: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """One directed pair, seen by its receiver.

    words        (message, first word, last word + 1, shape), counted from the start of the body
    blobs        (message, limit in bytes)
    tags         number of tags at the end
    body_bytes   length of the body; its least length if there are blobs
    limit_bytes  the most that the body may have
    digest, tail as in `Outgoing`
    """

    words: tuple[tuple[Message, int, int, Shape], ...]
    blobs: tuple[tuple[Message, int], ...]
    tags: int
    digest: bytes
    body_bytes: int
    limit_bytes: int
    tail: bytes


@dataclass(frozen=True, slots=True)
class Check:
    """One tag to verify: where `backup` put it and which bytes of `sender` it covers.

    from_end  the tag begins so many bytes before the end of the backup's frame
    ranges    (first byte, last byte + 1) of the sender's body, adjacent ranges joined
    messages  the messages covered
    size_bytes  their length in all
    """

    sender: int
    backup: int
    from_end: int
    ranges: tuple[tuple[int, int], ...]
    messages: tuple[Message, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All frames of one round at one party.

    limits  peer -> the longest acceptable frame in bytes
    """

    outgoing: dict[int, Outgoing]
    incoming: dict[int, Incoming]
    checks: tuple[Check, ...]
    limits: dict[int, int]

    def is_few(self, limit_bytes: int) -> bool:
        """Whether there are words only, and all in frames that are no longer than this."""
        sent = [HEADER_BYTES + pair.body_bytes for pair in self.outgoing.values()]
        backed = [size for pair in self.outgoing.values() for _, _, size in pair.vouched]
        blobs = [pair.blobs for pair in self.outgoing.values()]
        blobs_expected = [pair.blobs for pair in self.incoming.values()]
        return (
            not any(blobs)
            and not any(blobs_expected)
            and max((*sent, *backed, *self.limits.values()), default=0) <= limit_bytes
        )


def layout_of(me: int, parties: Sequence[int], r: Round) -> Layout:
    """Lay out a round's frames.

    Raises  InternalError if the round contradicts itself: unknown peer, message to oneself, a vouched
            message that is not expected, of unknown shape, or backed by its own sender, words that are
            not uint64
    """
    peers = [p for p in parties if p != me]
    _require_consistent(me, frozenset(peers), r)
    incoming = {p: _incoming(p, r) for p in peers}
    return Layout(
        outgoing={p: _outgoing(p, r) for p in peers},
        incoming=incoming,
        checks=tuple(_checks(r, incoming)),
        limits={p: HEADER_BYTES + pair.limit_bytes for p, pair in incoming.items()},
    )


def _outgoing(peer: int, r: Round) -> Outgoing:
    mine = sorted(key for key in r.send if key[0] == peer)
    words = tuple(key for key in mine if not isinstance(r.send[key], bytes))
    blobs = tuple(key for key in mine if isinstance(r.send[key], bytes))
    vouched: dict[int, tuple[tuple[int, int, str], ...]] = {}
    for sender in sorted({of for of, to, _ in r.vouch if to == peer}):
        vouched[sender] = tuple(sorted(k for k in r.vouch if k[0] == sender and k[1] == peer))
    digest = _digest(
        [(label, _shape(r.send[to, label])) for to, label in words + blobs],
        [(of, label, r.vouch[of, to, label].shape) for keys in vouched.values() for of, to, label in keys],
    )
    body_bytes = sum(_size(_shape(r.send[key])) for key in words) + TAG_BYTES * len(vouched)
    return Outgoing(
        words=words,
        blobs=blobs,
        vouched=tuple((of, keys, sum(_size(r.vouch[k].shape) for k in keys)) for of, keys in vouched.items()),
        digest=digest,
        body_bytes=body_bytes,
        tail=digest + struct.pack("<Q", body_bytes),
    )


def _incoming(peer: int, r: Round) -> Incoming:
    mine = sorted((key, spec) for key, spec in r.recv.items() if key[0] == peer)
    words: list[tuple[Message, int, int, Shape]] = []
    at = 0
    for key, spec in mine:
        if isinstance(spec, Spec):
            end = at + spec.size_bytes // 8
            words.append((key, at, end, spec.shape))
            at = end
    blobs = tuple((key, spec.limit_bytes) for key, spec in mine if isinstance(spec, Blob))
    backed = sorted(key for key, backup in r.vouched.items() if backup == peer)
    tags = len({of for of, _ in backed})
    least = 8 * at + TAG_BYTES * tags
    digest = _digest(
        [(key[1], shape) for key, _, _, shape in words] + [(key[1], None) for key, _ in blobs],
        [(of, label, _spec(r, (of, label)).shape) for of, label in backed],
    )
    return Incoming(
        words=tuple(words),
        blobs=blobs,
        tags=tags,
        digest=digest,
        body_bytes=least,
        limit_bytes=least + sum(BLOB_PREFIX_BYTES + limit for _, limit in blobs),
        tail=digest + struct.pack("<Q", least),
    )


def _checks(r: Round, incoming: dict[int, Incoming]) -> Iterable[Check]:
    pairs = sorted({(of, backup) for (of, _), backup in r.vouched.items()})
    for sender, backup in pairs:
        of_this_backup = [s for s, b in pairs if b == backup]
        ranges: list[tuple[int, int]] = []
        messages: list[Message] = []
        for key, start, stop, _ in incoming[sender].words:
            if r.vouched.get(key) != backup:
                continue
            messages.append(key)
            if ranges and ranges[-1][1] == 8 * start:
                ranges[-1] = (ranges[-1][0], 8 * stop)
            else:
                ranges.append((8 * start, 8 * stop))
        size = sum(stop - start for start, stop in ranges)
        from_end = TAG_BYTES * (incoming[backup].tags - of_this_backup.index(sender))
        yield Check(sender, backup, from_end, tuple(ranges), tuple(messages), size)


def _require_consistent(me: int, peers: frozenset[int], r: Round) -> None:
    named = {to for to, _ in r.send} | {of for of, _ in r.recv} | set(r.vouched.values())
    named |= {p for of, to, _ in r.vouch for p in (of, to)}
    if not named <= peers:
        raise InternalError(f"a round of party {me} names parties {sorted(named - peers)}", where=r.path)
    for payload in (*r.send.values(), *r.vouch.values()):
        if not isinstance(payload, bytes) and payload.dtype != np.uint64:
            raise InternalError(f"a message is of type {payload.dtype}, not uint64", where=r.path)
    if any(of == to for of, to, _ in r.vouch):
        raise InternalError("a round vouches for a message from a party to itself", where=r.path)
    for key, backup in r.vouched.items():
        _spec(r, key)
        if backup == key[0]:
            raise InternalError(f"message {key} is backed by its own sender", where=r.path)
    # The sender does not see who is asked to back it: for it the label is the only word about it.
    told = [(label, me) for _, _, label in r.vouch]
    told += [(label, backup) for (_, label), backup in r.vouched.items()]
    for label, backup in told:
        if backup_of(label) != backup:
            raise InternalError(f"the label {label!r} does not say that {backup} backs it", where=r.path)


def _spec(r: Round, key: Message) -> Spec:
    spec = r.recv.get(key)
    if not isinstance(spec, Spec):
        raise InternalError(f"message {key} is vouched for, but not expected as words", where=r.path)
    return spec


def _shape(payload: object) -> Shape | None:
    return None if isinstance(payload, bytes) else payload.shape  # type: ignore[attr-defined]


def _size(shape: Shape | None) -> int:
    return 0 if shape is None else Spec(shape).size_bytes


def _digest(messages: list[Described], vouched: list[tuple[int, str, Shape]]) -> bytes:
    """Hash an injective encoding: counts and lengths go before what they count."""
    parts = [struct.pack("<I", len(messages))]
    parts += [_describe_one(label, shape) for label, shape in messages]
    parts.append(struct.pack("<I", len(vouched)))
    parts += [struct.pack("<B", of) + _describe_one(label, shape) for of, label, shape in vouched]
    return hashlib.sha256(b"".join(parts)).digest()[:DIGEST_BYTES]


def _describe_one(label: str, shape: Shape | None) -> bytes:
    text = label.encode()
    head = struct.pack("<I", len(text)) + text
    if shape is None:
        return head + b"\xff"
    return head + struct.pack(f"<B{len(shape)}Q", len(shape), *shape)
