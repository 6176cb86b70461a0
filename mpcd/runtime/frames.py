"""Frames: how the messages of one round travel, and the only place where tags are made and verified.

A frame goes from every party to every other party in every round, if only its header. It is

    version u8, kind u8, zero u16, epoch u32, session 32 bytes, round u64, sender u8, receiver u8,
    6 zero bytes, SHA-256 of the path and SHA-256 of (messages, messages vouched for), of each the
    first 16 bytes, body length u64

then the body: words (little-endian, C order, by label), blobs (length u32, bytes, by label), and
one 16-byte tag for every sender that the frame's sender vouches for, ascending. The header has a multiple of
8 bytes, so that received words are aligned views into the frame: nothing is copied.

Rule      nothing of a round is handed to a step before every frame, and every tag over the merged
          round, has been checked: a step cannot act on an unverified message
Malicious any change to a frame either makes no difference to what is decoded or raises `PeerError`; a
          malformed frame of a party that may be silent is no frame: otherwise whoever may be silent could
          end a round for one honest party and not for another.
          What the link itself authenticates (who is at its other end) is taken for granted here
Source    Spec rep4 5.1, 5.3, 5.4
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from mpcd.errors import ChannelError, InternalError, PeerError
from mpcd.protocols.rounds import Inbox, Message, Payload, Round, Words
from mpcd.ring.digests import path_digest
from mpcd.ring.tags import Buffer
from mpcd.runtime.faults import TagFault as TagFault
from mpcd.runtime.layout import (
    BLOB_PREFIX_BYTES,
    DIGEST_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    Check,
    Incoming,
    Layout,
    Outgoing,
    layout_of,
)
from mpcd.runtime.small_frames import SmallRounds
from mpcd.runtime.tagging import Tagger

VERSION = 1
KIND_ROUND = 1
SESSION_BYTES = 32

_FIXED = struct.Struct("<BBHI32s")
_PAIR = struct.Struct("<BB6x")
_LENGTH = struct.Struct("<Q")
_BLOB_LENGTH = struct.Struct("<I")
_HEADER = struct.Struct("<BBHI32sQBB6s16s16sQ")

# Frames up to this size are joined: one copy is cheaper than many buffers in one system call.
_JOIN_BELOW_BYTES = 16_384
_MOST_KINDS = 4_096
_SHAPE = attrgetter("shape")
_FORM = attrgetter("shape", "dtype")
_WORD = np.dtype(np.uint64)


class _Kind(NamedTuple):
    """Rounds of one layout; `small` is the shorter way of those with few words."""

    layout: Layout
    small: SmallRounds | None


class _Current(NamedTuple):
    """The round whose frames have been sent and whose answers are awaited.

    counted  the number of the round in 8 bytes
    start    the header up to and with the round number
    path     the digest of the path
    """

    number: int
    round: Round
    layout: Layout
    small: SmallRounds | None
    counted: bytes
    start: bytes
    path: bytes


class FrameCodec:
    """Frames of one party in one epoch.

    me        index of this party
    parties   indices of all computing parties of the epoch, ascending
    session   32 bytes, unique to this run of the job
    epoch     number of the epoch within the session
    tag_keys  peer -> 16-byte pairwise key, derived for this session and epoch; may be empty for
              protocols that vouch for nothing

    Every round is encoded and then decoded; round numbers strictly increase.
    """

    few_bytes = 2_048
    """A round none of whose frames is longer takes the shorter way (`small_frames`)."""

    def __init__(
        self, me: int, parties: Sequence[int], session: bytes, epoch: int, tag_keys: Mapping[int, bytes]
    ) -> None:
        if len(session) != SESSION_BYTES or me not in parties or sys.byteorder != "little":
            raise InternalError(
                "frames need a 32-byte session, a party of the epoch and a little-endian machine"
            )
        self.me = me
        self.parties = tuple(parties)
        self._fixed = _FIXED.pack(VERSION, KIND_ROUND, 0, epoch, session)
        self._to = {p: _PAIR.pack(me, p) for p in parties}
        self._from = {p: _PAIR.pack(p, me) for p in parties}
        self._tagger = Tagger(parties, session, epoch, tag_keys)
        self._kinds: dict[object, _Kind] = {}
        self._last = -1
        self._current: _Current | None = None

    def __repr__(self) -> str:
        return f"FrameCodec(me={self.me}, parties={self.parties}, round={self._last})"

    @property
    def next_number(self) -> int:
        """The least round number that has not been used."""
        return self._last + 1

    def encode(self, number: int, r: Round) -> dict[int, list[Buffer]]:
        """Return the frame for every peer, as buffers to be sent one after the other.

        Large arrays are not copied: they must stay unchanged until the round has been decoded.
        Raises  InternalError if `number` was used before or the round contradicts itself
        """
        if number <= self._last:
            raise InternalError(f"round {number} comes after round {self._last}: a nonce would be used twice")
        self._last = number
        layout, small = self._kind(r)
        path, counted = path_digest(r.path)[:DIGEST_BYTES], _LENGTH.pack(number)
        start = self._fixed + counted
        current = self._current = _Current(number, r, layout, small, counted, start, path)
        if small is not None:
            return small.encode(start, path, counted, r)
        return {peer: self._frame(current, peer, pair) for peer, pair in layout.outgoing.items()}

    def expected_bytes(self, number: int, r: Round) -> Mapping[int, int]:
        """Peer -> the longest acceptable frame, header included; exact unless a blob is expected."""
        current = self._current
        layout = current.layout if current is not None and current.round is r else self._kind(r).layout
        return layout.limits

    def decode(self, number: int, r: Round, frames: Mapping[int, Buffer]) -> Inbox:
        """Check all frames of the round just encoded, then all tags, and return the messages.

        Arrays are views into the frames (read-only if the frames are).
        Raises  PeerError for a malformed frame, blaming its sender; `TagFault` for a failed tag;
                ChannelError if a frame is missing that is needed;
                InternalError if this is not the round that was encoded last
        """
        current = self._current
        if current is None or current.number != number or current.round is not r:
            raise InternalError(f"round {number} is decoded, but was not the last one encoded", where=r.path)
        self._current = None
        if current.small is not None:
            inbox = current.small.decode(current.start, current.path, current.counted, frames)
            if inbox is not None:
                return inbox
        return self._decode(current, frames)

    def _decode(self, current: _Current, frames: Mapping[int, Buffer]) -> Inbox:
        r = current.round
        bodies: dict[int, memoryview] = {}
        for peer, pair in current.layout.incoming.items():
            frame = frames.get(peer)
            if frame is not None:
                try:
                    bodies[peer] = self._body(current, peer, pair, memoryview(frame))
                except PeerError:
                    if peer not in r.absent:
                        raise
        if len(bodies) < len(current.layout.incoming):
            self._require_present(current, bodies)
        for check in current.layout.checks:
            self._verify(current, check, bodies)
        return _messages(current, bodies)

    def _kind(self, r: Round) -> _Kind:
        """Look the layout up by everything that it depends on."""
        sent: tuple[object, ...]
        expected: tuple[object, ...]
        try:
            sent, expected = tuple(map(_FORM, r.send.values())), tuple(map(_SHAPE, r.recv.values()))
        except AttributeError:  # there are blobs
            sent = tuple(None if isinstance(a, bytes) else _FORM(a) for a in r.send.values())
            expected = tuple(r.recv.values())
        backed = tuple(map(_FORM, r.vouch.values()))
        key = (tuple(r.send), sent, tuple(r.vouch), backed, tuple(r.recv), expected, tuple(r.vouched.items()))
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            layout = layout_of(self.me, self.parties, r)
            few = layout.is_few(self.few_bytes)
            small = SmallRounds(self.me, layout, r, self._tagger) if few else None
            kind = self._kinds[key] = _Kind(layout, small)
        return kind

    def _frame(self, current: _Current, peer: int, pair: Outgoing) -> list[Buffer]:
        r = current.round
        parts: list[Buffer] = [current.start, self._to[peer], current.path, pair.tail]
        parts += [_bytes_of(r.send[key]) for key in pair.words]
        if pair.blobs:
            blobs = _encoded_blobs(r, pair)
            parts[3] = pair.digest + _LENGTH.pack(pair.body_bytes + sum(map(len, blobs)))
            parts += blobs
        for sender, keys, size in pair.vouched:
            backed = [_bytes_of(r.vouch[key]) for key in keys]
            parts.append(self._tagger.make(current.number, sender, self.me, peer, peer, backed, size))
        if pair.body_bytes < _JOIN_BELOW_BYTES:
            return [b"".join(parts)]
        return [b"".join(parts[:4]), *parts[4:]]

    def _body(self, current: _Current, peer: int, pair: Incoming, frame: memoryview) -> memoryview:
        """Check header and length; return the body."""
        length = len(frame) - HEADER_BYTES
        exact = length == pair.body_bytes
        tail = pair.tail if exact else pair.digest + _LENGTH.pack(max(0, length))
        expected = b"".join((current.start, self._from[peer], current.path, tail))
        if frame[:HEADER_BYTES].tobytes() != expected:
            raise _malformed(peer, current, _difference(frame, expected))
        if not (exact or pair.body_bytes <= length <= pair.limit_bytes):
            raise _malformed(peer, current, f"its body has {length} bytes")
        return frame[HEADER_BYTES:]

    def _require_present(self, current: _Current, bodies: Mapping[int, memoryview]) -> None:
        """A party that vouches may never be silent: without its tag nothing can be verified."""
        r = current.round
        missing = current.layout.incoming.keys() - bodies.keys()
        backups = {c.backup for c in current.layout.checks if c.sender in bodies}
        faulty = frozenset(p for p in missing if p not in r.absent or p in backups)
        if faulty:
            raise ChannelError(
                f"no frame of round {current.number} from parties {sorted(faulty)}",
                unreachable=faulty,
                where=r.path,
            )

    def _verify(self, current: _Current, check: Check, bodies: Mapping[int, memoryview]) -> None:
        body = bodies.get(check.sender)
        if body is None:
            return
        tags = bodies[check.backup]
        at = len(tags) - check.from_end
        parts: list[Buffer] = []
        for start, stop in check.ranges:
            parts.append(body[start:stop])
        claimed = bytes(tags[at : at + TAG_BYTES])
        if not self._tagger.matches(
            current.number, check.sender, check.backup, self.me, parts, check.size_bytes, claimed
        ):
            raise TagFault(
                current.round.path,
                sender=check.sender,
                backup=check.backup,
                receiver=self.me,
                round=current.number,
                received=parts,
            )


def _messages(current: _Current, bodies: Mapping[int, memoryview]) -> dict[Message, Payload]:
    inbox: dict[Message, Payload] = {}
    for peer, body in bodies.items():
        pair = current.layout.incoming[peer]
        if pair.words:
            count = pair.words[-1][2]
            words = np.frombuffer(body, _WORD, count)
            if not words.flags.aligned:
                words = words.copy()
            for key, start, stop, shape in pair.words:
                part = words if stop - start == count else words[start:stop]
                inbox[key] = part if len(shape) == 1 else part.reshape(shape)
        if pair.blobs:
            try:
                at = 8 * pair.words[-1][2] if pair.words else 0
                inbox.update(_blobs(current, peer, pair, body, at))
            except PeerError:
                if peer not in current.round.absent:
                    raise
    return inbox


def _blobs(current: _Current, peer: int, pair: Incoming, body: memoryview, at: int) -> dict[Message, Payload]:
    blobs: dict[Message, Payload] = {}
    end = len(body) - TAG_BYTES * pair.tags
    for key, limit in pair.blobs:
        start = at + BLOB_PREFIX_BYTES
        size = int.from_bytes(body[at:start], "little")
        if size > limit:
            raise _malformed(peer, current, f"its message {key[1]} has {size} bytes, more than {limit}")
        at = start + size
        blobs[key] = bytes(body[start:at])
    # One comparison at the end also finds blobs that reach into the tags or beyond the frame.
    if at != end:
        raise _malformed(peer, current, "its messages do not fill its body")
    return blobs


def _encoded_blobs(r: Round, pair: Outgoing) -> list[bytes]:
    encoded: list[bytes] = []
    for key in pair.blobs:
        blob = bytes(r.send[key])
        encoded += (_BLOB_LENGTH.pack(len(blob)), blob)
    return encoded


def _bytes_of(payload: Payload) -> Buffer:
    """The words as bytes, without a copy if they are contiguous."""
    words: Words = payload  # type: ignore[assignment]
    if words.nbytes < _JOIN_BELOW_BYTES:
        return words.tobytes()
    return np.ascontiguousarray(words).data.cast("B")


def _malformed(peer: int, current: _Current, why: str) -> PeerError:
    """Blame the sender: honest parties agree on every round's path and shapes, as all are public.

    This convinces us alone. It is no evidence to show to others: the frame is not signed.
    """
    return PeerError(
        f"the frame of round {current.number} from party {peer} is malformed: {why}",
        step=current.round.path,
        blamed=frozenset((peer,)),
    )


def _difference(frame: memoryview, expected: bytes) -> str:
    """Name the first header field that is not as expected; both are public."""
    if len(frame) < HEADER_BYTES:
        return f"it has {len(frame)} bytes"
    names = (
        *("version", "kind", "padding", "epoch", "session", "round", "sender", "receiver", "padding"),
        *("path", "list of messages", "body length"),
    )
    pairs = zip(names, _HEADER.unpack(frame[:HEADER_BYTES]), _HEADER.unpack(expected), strict=True)
    return f"its {next(name for name, theirs, ours in pairs if theirs != ours)} is not the expected one"
