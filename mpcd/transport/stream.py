"""One link: length-prefixed frames over one non-blocking TLS stream.

A frame on the wire is its length (8 bytes, little-endian) and its bytes. `push` and `pull` move what can
be moved now and never wait; `Links` interleaves them over all peers, so that two parties that send each other
more than the kernel buffers cannot block each other.

Three facts of OpenSSL shape this file. A write that was refused (WANT_WRITE) has already encrypted the
beginning of its slice: the same slice must be offered again, unchanged. Bytes that are decrypted but not
yet read make no descriptor readable: a link is read until WANT_READ before anybody polls. The end of
the TCP stream without TLS's goodbye is an attack or a crash, never an end (`suppress_ragged_eofs=False`).
"""

from __future__ import annotations

import contextlib
import ssl
import struct
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from mpcd.errors import ChannelError, PeerError
from mpcd.transport.channel import Buffer

SLICE_BYTES = 256 * 1024
SMALL_BYTES = 16 * 1024
"""What one TLS record holds: parts below are joined, so that a small frame is one record and one call."""
TURN_BYTES = 1024 * 1024
"""How much one turn reads from one peer before the others have theirs."""
LIMIT_BYTES = 1 << 37
"""Per direction; far below where AES-GCM in TLS 1.3 would need new keys (2^24.5 records)."""
HEADER_BYTES = 8
INBOX_BYTES = SMALL_BYTES + 1
"""One byte more than a record, so that a read never leaves decrypted bytes behind in small rounds."""

_LENGTH = struct.Struct("<Q")
_WANT = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A TLS stream to one peer, past handshake and hello. Frames come out in order, one by one.

    dry   nothing is to be read before the descriptor becomes readable; not even decrypted bytes are left
    full  nothing is to be written before the descriptor becomes writable
    """

    def __init__(self, peer: int, sock: ssl.SSLSocket) -> None:
        self.peer = peer
        self.sock = sock
        self.descriptor = sock.fileno()
        self.sent_bytes = 0
        self.received_bytes = 0
        self.dry = False
        self.full = False
        self._limit = 0
        self._number = 0
        self._slices: deque[bytes | memoryview] = deque()
        self._inbox = memoryview(bytearray(INBOX_BYTES))
        self._have = 0
        self._body: memoryview | None = None
        self._got = 0
        # Looked up here and not in every round. `read` is `recv_into` without its choice between the two.
        self._send = sock.send
        self._read: Callable[[int, memoryview], int] = sock.read  # type: ignore[assignment]
        sock.setblocking(False)

    def offer(self, parts: Sequence[Buffer]) -> bool:
        """Make `parts` the next frame to send and begin; return whether it is sent already.

        Views among the parts are views of bytes.
        Raises  ChannelError if the peer is gone or the link has carried all it may
        """
        total = sum(map(len, parts))
        self.sent_bytes = sent_bytes = self.sent_bytes + HEADER_BYTES + total
        if sent_bytes > LIMIT_BYTES or self.received_bytes > LIMIT_BYTES:
            raise ChannelError(f"the link to party {self.peer} has carried its {LIMIT_BYTES} bytes")
        header = _LENGTH.pack(total)
        if total + HEADER_BYTES <= SMALL_BYTES:
            return self._put(b"".join((header, *parts)))
        self._cut(header, parts)
        return self.push()

    def _cut(self, header: bytes, parts: Sequence[Buffer]) -> None:
        """Big parts go as slices of themselves; small ones between them are joined."""
        small: list[memoryview] = [memoryview(header)]
        for view in (memoryview(part).cast("B") for part in parts):
            if view.nbytes <= SMALL_BYTES:
                small.append(view)
                continue
            self._flush(small)
            self._slices.extend(view[i : i + SLICE_BYTES] for i in range(0, view.nbytes, SLICE_BYTES))
        self._flush(small)

    def _flush(self, small: list[memoryview]) -> None:
        if small:
            self._slices.append(b"".join(small))
            small.clear()

    def push(self) -> bool:
        """Send at most one slice; return whether the whole frame is sent.

        Raises  ChannelError if the peer is gone
        """
        return self._put(self._slices.popleft()) and not self._slices

    def _put(self, current: bytes | memoryview) -> bool:
        """Send a slice; return whether all of it is sent. If not, the rest is the first of the slices."""
        try:
            n = self._send(current)
        except _WANT:
            self.full = True
            self._slices.appendleft(current)  # it is offered again as it is
            return False
        except OSError as error:
            raise self._gone(error) from None
        if n == len(current):
            return True
        self._slices.appendleft(memoryview(current)[n:])
        return False

    def expect(self, limit: int, number: int) -> None:
        """Begin to receive round `number`'s frame of at most `limit` bytes."""
        self._limit = limit
        self._number = number
        if self._have:  # it may be here already
            self.dry = False

    def pull(self) -> memoryview | None:
        """Read what there is of the expected frame, up to a turn; return it when it is complete.

        If it is not, either the turn is over or the link is dry.
        Raises  ChannelError if the peer is gone, PeerError for a length beyond the limit
        """
        if self._body is not None:
            return self._pull_body(self._body, 0)
        have = self._have
        if have:
            frame = self._parse()
            if frame is not None:
                return frame
            if self._body is not None:
                return self._pull_body(self._body, 0)
        try:
            n = self._read(INBOX_BYTES - have, self._inbox[have:] if have else self._inbox)
        except OSError as error:
            self._refused(error)
            return None
        if n == 0:
            raise self._gone(None)
        self.received_bytes += n
        have += n
        # OpenSSL reads record by record: a read that left room has emptied the record.
        self.dry = have < INBOX_BYTES
        limit, inbox = self._limit, self._inbox
        if have == HEADER_BYTES + limit and _LENGTH.unpack_from(inbox)[0] == limit:
            # The longest frame and nothing else, as in most rounds. A copy of its own, see `_parse`.
            self._have = 0
            return memoryview(bytearray(inbox[HEADER_BYTES:have]))
        self._have = have
        frame = self._parse()
        if self._body is not None:
            return self._pull_body(self._body, n)
        return frame

    def _pull_body(self, body: memoryview, moved: int) -> memoryview | None:
        """Read more of a frame that is too big for the inbox."""
        while moved < TURN_BYTES:
            try:
                n = self._read(body.nbytes - self._got, body[self._got :])
            except OSError as error:
                self._refused(error)
                return None
            if n == 0:
                raise self._gone(None)
            moved += n
            self.received_bytes += n
            self._got += n
            if self._got == body.nbytes:
                self._body = None
                return body
        return None

    def _refused(self, error: OSError) -> None:
        """Nothing was read: nothing is there, or nobody."""
        if not isinstance(error, _WANT):
            raise self._gone(error) from None
        self.dry = True

    def _parse(self) -> memoryview | None:
        """Look at the inbox: nothing yet, a small frame (what follows it is kept), the begin of a big one."""
        have, inbox = self._have, self._inbox
        if have < HEADER_BYTES:
            return None
        (length,) = _LENGTH.unpack_from(inbox)
        if length > self._limit:
            raise PeerError(
                f"party {self.peer} sent {length} bytes where at most {self._limit} are expected",
                step=f"round {self._number}",
                blamed=frozenset({self.peer}),
            )
        end = HEADER_BYTES + length
        if end <= have:
            # A copy of its own: whoever keeps a view keeps this frame and nothing else.
            frame = memoryview(bytearray(inbox[HEADER_BYTES:end]))
            if end < have:  # a fast peer's next frame has begun behind this one
                inbox[: have - end] = bytes(inbox[end:have])
            self._have = have - end
            return frame
        if end > SMALL_BYTES:
            # Not zeroed: every byte is received. The allocator keeps and reuses such blocks (`launch`).
            self._body = np.empty(length, np.uint8).data
            self._got = have - HEADER_BYTES
            self._body[: self._got] = inbox[HEADER_BYTES:have]
            self._have = 0
            self.dry = False
        return None

    def close(self) -> None:
        """Say goodbye if the stream can take it now, and close."""
        # WANT_READ: the goodbye is out; anything else: the peer has gone before us.
        with contextlib.suppress(OSError, ValueError):
            self.sock.unwrap()
        self.sock.close()

    def _gone(self, error: OSError | None) -> ChannelError:
        if error is None:
            how = "has parted"
        elif isinstance(error, ssl.SSLEOFError):
            how = "is gone without a goodbye"
        else:
            how = f"is gone ({type(error).__name__})"
        return ChannelError(f"party {self.peer} {how}", unreachable=frozenset({self.peer}))
