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
from collections import deque
from collections.abc import Sequence

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

_WANT = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A TLS stream to one peer, past handshake and hello. Frames come out in order, one by one."""

    def __init__(self, peer: int, sock: ssl.SSLSocket) -> None:
        self.peer = peer
        self.sock = sock
        self.sent_bytes = 0
        self.received_bytes = 0
        self.frame: memoryview | None = None
        self._limit = 0
        self._number = 0
        self._slices: deque[memoryview] = deque()
        # One byte more than a record, so that a read never leaves decrypted bytes behind in small rounds.
        self._inbox = memoryview(bytearray(SMALL_BYTES + 1))
        self._have = 0
        self._body: memoryview | None = None
        self._got = 0
        sock.setblocking(False)

    def fileno(self) -> int:
        return self.sock.fileno()

    def load(self, parts: Sequence[Buffer]) -> None:
        """Make `parts` the next frame to send."""
        views = [memoryview(part).cast("B") for part in parts]
        total = sum(view.nbytes for view in views)
        if max(self.sent_bytes, self.received_bytes) + total > LIMIT_BYTES:
            raise ChannelError(f"the link to party {self.peer} has carried its {LIMIT_BYTES} bytes")
        self.sent_bytes += HEADER_BYTES + total
        header = total.to_bytes(HEADER_BYTES, "little")
        if total + HEADER_BYTES <= SMALL_BYTES:
            self._slices.append(memoryview(b"".join([header, *views])))
            return
        small: list[memoryview] = [memoryview(header)]
        for view in views:
            if view.nbytes <= SMALL_BYTES:
                small.append(view)
                continue
            self._flush(small)
            self._slices.extend(view[i : i + SLICE_BYTES] for i in range(0, view.nbytes, SLICE_BYTES))
        self._flush(small)

    def _flush(self, small: list[memoryview]) -> None:
        if small:
            self._slices.append(memoryview(b"".join(small)))
            small.clear()

    @property
    def sending(self) -> bool:
        return bool(self._slices)

    def push(self) -> bool:
        """Send at most one slice; return whether anything moved.

        Raises  ChannelError if the peer is gone
        """
        current = self._slices[0]
        try:
            n = self.sock.send(current)
        except _WANT:
            return False  # `current` stays in front: it is offered again as it is
        except OSError as error:
            raise self._gone(error) from None
        if n == current.nbytes:
            self._slices.popleft()
        else:
            self._slices[0] = current[n:]
        return True

    def expect(self, limit: int, number: int) -> None:
        """Begin to receive round `number`'s frame of at most `limit` bytes; it may have come already.

        Raises  PeerError if it has, and is longer
        """
        self.frame = None
        self._limit = limit
        self._number = number
        self._parse()

    def pull(self) -> bool:
        """Read what there is of the expected frame, up to a turn; return whether anything moved.

        Either the frame is there afterwards, or the turn is over, or the stream said WANT_READ.
        Raises  ChannelError if the peer is gone, PeerError for a length beyond the limit
        """
        moved = 0
        while self.frame is None and moved < TURN_BYTES:
            target = self._inbox[self._have :] if self._body is None else self._body[self._got :]
            try:
                n = self.sock.recv_into(target)
            except _WANT:
                break
            except OSError as error:
                raise self._gone(error) from None
            if n == 0:
                raise self._gone(None)
            moved += n
            self._advance(n)
        self.received_bytes += moved
        return moved > 0

    def _advance(self, n: int) -> None:
        if self._body is None:
            self._have += n
            self._parse()
            return
        self._got += n
        if self._got == self._body.nbytes:
            self.frame, self._body = self._body, None

    def _parse(self) -> None:
        """Look at the inbox: nothing yet, a small frame (what follows it is kept), the begin of a big one."""
        have, inbox = self._have, self._inbox
        if have < HEADER_BYTES:
            return
        length = int.from_bytes(inbox[:HEADER_BYTES], "little")
        if length > self._limit:
            raise PeerError(
                f"a frame of {length} bytes where at most {self._limit} are expected",
                step=f"round {self._number}",
                blamed=frozenset({self.peer}),
            )
        end = HEADER_BYTES + length
        if end <= have:
            # A copy of its own: whoever keeps a view keeps this frame and nothing else.
            self.frame = memoryview(bytearray(inbox[HEADER_BYTES:end]))
            self._keep(end)
        elif end > len(inbox):
            # Not zeroed: every byte is received. The allocator keeps and reuses such blocks (`launch`).
            self._body = np.empty(length, np.uint8).data
            self._got = have - HEADER_BYTES
            self._body[: self._got] = inbox[HEADER_BYTES:have]
            self._have = 0

    def _keep(self, end: int) -> None:
        """A fast peer's next frame may have begun behind this one."""
        rest = self._have - end
        if rest:
            self._inbox[:rest] = bytes(self._inbox[end : self._have])
        self._have = rest

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
