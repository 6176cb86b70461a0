"""The messages between a daemon and its job process, and the job process's end of the pipe.

Messages are protobuf (`worker.proto`), each preceded by its length. Descriptors of accepted connections
travel beside the bytes (SCM_RIGHTS): the n-th `LinkSocket` message belongs to the n-th descriptor.
"""

from __future__ import annotations

import array
import select
import socket
import time
from collections import deque

from google.protobuf.message import DecodeError

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import ChannelError, DeadlineError, InternalError

ORDER_S = 3600.0
"""How long a started process waits for its order: it may have been forked ahead of its job."""
PREFIX_BYTES = 4
MAX_MESSAGE_BYTES = 1 << 30
_READ_BYTES = 1 << 20
_MOST_DESCRIPTORS = 64


def encode(message: pb.ToWorker | pb.FromWorker) -> bytes:
    """The message with its length in front.

    Raises  InternalError if it is longer than a message may be
    """
    body = message.SerializeToString()
    if len(body) > MAX_MESSAGE_BYTES:
        raise InternalError(f"a message to or from a job process has {len(body)} bytes")
    return len(body).to_bytes(PREFIX_BYTES, "little") + body


class Unpacker:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes | memoryview) -> None:
        self._data += data

    def take(self) -> bytes | None:
        """The next whole message body, or None.

        Raises  InternalError if the announced length is impossible
        """
        if len(self._data) < PREFIX_BYTES:
            return None
        length = int.from_bytes(self._data[:PREFIX_BYTES], "little")
        if length > MAX_MESSAGE_BYTES:
            raise InternalError(f"a message on the pipe of a job process announces {length} bytes")
        end = PREFIX_BYTES + length
        if len(self._data) < end:
            return None
        body = bytes(memoryview(self._data)[PREFIX_BYTES:end])
        del self._data[:end]
        return body


class Pipe:
    """The job process's end: blocking, with deadlines. Also where connections of peers arrive."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(True)
        self._unpacker = Unpacker()
        self._descriptors: deque[int] = deque()
        self._messages: deque[pb.ToWorker] = deque()
        self._links: deque[socket.socket] = deque()

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, message: pb.FromWorker) -> None:
        """Raises  ChannelError if the daemon is gone."""
        try:
            self._sock.sendall(encode(message))
        except OSError:
            raise ChannelError("the daemon is gone") from None

    def receive(self, timeout_s: float) -> pb.ToWorker:
        """The next message that is not a connection; connections are kept for `take`.

        Raises  DeadlineError, ChannelError if the daemon is gone, InternalError for a malformed message
        """
        deadline = time.monotonic() + timeout_s
        while not self._messages:
            if not self._wait(deadline - time.monotonic()):
                raise DeadlineError(f"the daemon says nothing within {timeout_s:g} s")
            self._read()
        return self._messages.popleft()

    def take(self) -> socket.socket | None:
        """The next connection of a peer that has arrived, or None (`transport.meeting.Arrivals`)."""
        while not self._links and self._wait(0):
            self._read()
        return self._links.popleft() if self._links else None

    def _wait(self, timeout_s: float) -> bool:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(max(timeout_s, 0) * 1000))

    def _read(self) -> None:
        space = socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
        data, ancillary, _, _ = self._sock.recvmsg(_READ_BYTES, space, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                self._descriptors.extend(received)
        if not data:
            raise ChannelError("the daemon is gone")
        self._unpacker.feed(data)
        while (body := self._unpacker.take()) is not None:
            self._sort(body)

    def _sort(self, body: bytes) -> None:
        try:
            message = pb.ToWorker.FromString(body)
        except DecodeError:
            raise InternalError("a message of the daemon cannot be read") from None
        if message.WhichOneof("body") != "link":
            self._messages.append(message)
        elif not self._descriptors:
            raise InternalError("a connection was announced, but none came")
        else:
            self._links.append(socket.socket(fileno=self._descriptors.popleft()))
