"""Frames of few words: the same bytes and the same verdicts as `frames`, in as few steps as possible.

What a round of few words costs is the number of steps that the interpreter takes, above all where several
job processes share a core and push each other out of its caches. So everything about a round that its
layout decides is worked out once: a frame is a choice of pieces, joined; the frames of all peers are checked
at once, against those that honest peers would have sent with these words.

Rule      this way only ever says yes. A round in which anything is not as it must be is decided again by
          `FrameCodec`, which finds out whose fault it is
Malicious every byte that is not a word is compared (in constant time: tags are among them), and every tag is
          computed over the words that came
Source    Spec rep4 5.1, 5.2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from operator import itemgetter, methodcaller
from struct import Struct

import numpy as np

from mpcd.protocols.rounds import Message, Payload, Round
from mpcd.ring.tags import Buffer
from mpcd.runtime.layout import HEADER_BYTES, TAG_BYTES, Layout, Shape
from mpcd.runtime.tagging import Tagger

_WORD = np.dtype(np.uint64)
_TO_BYTES = methodcaller("tobytes")

Pick = Callable[[Sequence[bytes]], tuple[bytes, ...]]
"""Chooses pieces, in the order in which they are joined."""
_Tag = tuple[Callable[[bytes, bytes, bytes], bytes], bytes, Pick]
"""(AES-GCM under the key, nonce behind the number of the round, what is authenticated)."""

# The first pieces: header up to the number of the round, digest of the path, context and number for tags.
_START, _PATH, _MARK = range(3)


class SmallRounds:
    """What one party does in all rounds of one layout without blobs."""

    def __init__(self, me: int, layout: Layout, r: Round, tagger: Tagger) -> None:
        """`r` is any round of this layout."""
        self._context = tagger.context
        self._sending = _Sending(me, layout, r, tagger)
        self._peers = tuple(layout.incoming)
        self._lengths = [HEADER_BYTES + pair.body_bytes for pair in layout.incoming.values()]
        self._expecting = _Expecting(me, layout, tagger)

    def encode(self, start: bytes, path: bytes, number: bytes, r: Round) -> dict[int, list[Buffer]]:
        """The frame for every peer; `start`, `path` and `number` (8 bytes) are parts of their headers."""
        doing = self._sending
        pieces = [start, path, self._context + number, *doing.fixed]
        pieces += map(_TO_BYTES, r.send.values())
        pieces += map(_TO_BYTES, r.vouch.values())
        for gcm, nonce, text in doing.tags:
            pieces.append(gcm(number + nonce, b"", b"".join(text(pieces))))
        frames: dict[int, list[Buffer]] = {}
        for peer, frame in doing.frames:
            frames[peer] = [b"".join(frame(pieces))]
        return frames

    def decode(
        self, start: bytes, path: bytes, number: bytes, frames: Mapping[int, Buffer]
    ) -> dict[Message, Payload] | None:
        """The messages, views into the frames; None if not all is well."""
        try:
            came = [frames[peer] for peer in self._peers]
        except KeyError:
            return None
        if [*map(len, came)] != self._lengths:
            return None
        doing, received = self._expecting, b"".join(came)
        pieces = [start, path, self._context + number, *doing.fixed, *doing.words.unpack(received)]
        for gcm, nonce, text in doing.tags:
            pieces.append(gcm(number + nonce, b"", b"".join(text(pieces))))
        if not compare_digest(b"".join(doing.frames(pieces)), received):
            return None
        inbox: dict[Message, Payload] = {}
        for key, k, at, count, shape in doing.messages:
            words = np.frombuffer(came[k], _WORD, count, at)
            if not words.flags.aligned:
                return None
            inbox[key] = words if shape is None else words.reshape(shape)
        return inbox


class _Sending:
    """How the frames of a round are put together.

    fixed   pieces that are the same in every round; behind them come the messages sent, those vouched for,
            and the tags
    tags    how each tag is made, in the order of their pieces
    frames  (peer, pieces of its frame)
    """

    __slots__ = ("fixed", "frames", "tags")

    def __init__(self, me: int, layout: Layout, r: Round, tagger: Tagger) -> None:
        pairs = layout.outgoing.items()
        self.fixed: list[bytes] = []
        for peer, pair in pairs:
            self.fixed += (bytes((me, peer, *bytes(6))), pair.tail)
        vouched = [(peer, *of) for peer, pair in pairs for of in pair.vouched]
        self.fixed += [tagger.place(sender, me, peer, size) for peer, sender, _, size in vouched]
        first = _MARK + 1 + len(self.fixed)
        sent = {key: first + k for k, key in enumerate(r.send)}
        backed = {key: first + len(sent) + k for k, key in enumerate(r.vouch)}
        places, made = first - len(vouched), first + len(sent) + len(backed)
        self.tags: list[_Tag] = []
        for k, (peer, sender, keys, _) in enumerate(vouched):
            text = _choice(_MARK, places + k, [backed[key] for key in keys])
            self.tags.append((tagger.gcm(peer), tagger.nonce_end(sender, me, peer), text))
        self.frames: list[tuple[int, Pick]] = []
        for k, (peer, pair) in enumerate(pairs):
            to = _MARK + 1 + 2 * k
            tags = [made + t for t, of in enumerate(vouched) if of[0] == peer]
            words = [sent[key] for key in pair.words]
            self.frames.append((peer, itemgetter(_START, to, _PATH, to + 1, *(words + tags))))


class _Expecting:
    """How the frames that must come are told from their words.

    words     takes all words out of the frames of all peers, joined
    fixed     pieces that are the same in every round; behind them come the words of each check or message,
              and the tags
    tags      how each tag is made again, in the order of their pieces
    frames    the pieces of all frames
    messages  (message, number of the frame, offset in bytes, words, shape; None if it is flat)
    """

    __slots__ = ("fixed", "frames", "messages", "tags", "words")

    def __init__(self, me: int, layout: Layout, tagger: Tagger) -> None:
        pairs = layout.incoming.items()
        self.fixed: list[bytes] = []
        for peer, pair in pairs:
            self.fixed += (bytes((peer, me, *bytes(6))), pair.tail)
        checks = layout.checks
        self.fixed += [tagger.place(c.sender, c.backup, me, c.size_bytes) for c in checks]
        first = _MARK + 1 + len(self.fixed)
        self.messages: list[tuple[Message, int, int, int, Shape | None]] = []
        form = "<"
        order: list[int] = []
        at: dict[Message, int] = {}
        made = first + sum(len(pair.words) for _, pair in pairs)
        tags = {(check.backup, -check.from_end): made + k for k, check in enumerate(checks)}
        for k, (peer, pair) in enumerate(pairs):
            order += [_START, _MARK + 1 + 2 * k, _PATH, _MARK + 2 + 2 * k]
            form += f"{HEADER_BYTES}x"
            for key, start, stop, shape in pair.words:
                at[key] = first + len(at)
                order.append(at[key])
                form += f"{8 * (stop - start)}s"
                flat = None if len(shape) == 1 else shape
                self.messages.append((key, k, HEADER_BYTES + 8 * start, stop - start, flat))
            form += f"{TAG_BYTES * pair.tags}x"
            order += [tags[place] for place in sorted(tags) if place[0] == peer]
        self.words = Struct(form)
        self.frames: Pick = itemgetter(*order)
        self.tags: list[_Tag] = []
        for k, check in enumerate(checks):
            text = _choice(_MARK, first - len(checks) + k, [at[key] for key in check.messages])
            end = tagger.nonce_end(check.sender, check.backup, me)
            self.tags.append((tagger.gcm(check.backup), end, text))


def _choice(mark: int, place: int, words: list[int]) -> Pick:
    """What a tag authenticates."""
    return itemgetter(mark, place, *words)
