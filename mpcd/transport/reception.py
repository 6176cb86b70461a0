"""The daemon's link port: accepts connections of peers and hands them to the right job process.

All that is read here are the 40 bytes of the preface; who is really there is found out by the job process. So
the port is cheap to defend: whoever has not sent a preface within three seconds is cut off, the number of
such connections is limited, and a connection for a job that nobody here expects is closed at once (the
peer dials again). A connection that comes before its job process is kept for it for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mpcd.errors import ChannelError, ConfigError, UsageError
from mpcd.transport.preface import JOB_BYTES, SIZE_BYTES, Preface

PREFACE_S = 3.0
PARK_S = 60.0
MAX_PENDING = 128
MAX_PARKED = 16
_BACKLOG = 128

Deliver = Callable[[socket.socket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at one epoch of one session: what a connection is for."""

    job: bytes
    epoch: int
    attempt: int

    @classmethod
    def of(cls, session: bytes, epoch: int, attempt: int) -> Run:
        return cls(session[:JOB_BYTES], epoch, attempt)


@dataclass(slots=True)
class _Expected:
    deliver: Deliver | None = None
    parked: list[socket.socket] = field(default_factory=list)


class Reception:
    """Listens for links.

    expect   a run is going to start here: connections for it are kept from now on
    claim    its job process is there: connections are delivered from now on
    forget   it is over
    """

    def __init__(
        self, *, preface_s: float = PREFACE_S, park_s: float = PARK_S, max_pending: int = MAX_PENDING
    ) -> None:
        self._preface_s = preface_s
        self._park_s = park_s
        self._max_pending = max_pending
        self._expected: dict[Run, _Expected] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending = 0
        self._listener: socket.socket | None = None

    def start(self, host: str, port: int) -> int:
        """Begin to listen; return the port (another one if 0 was asked for).

        Raises  ConfigError if the address cannot be used
        """
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ConfigError(
                f"cannot listen for links on {host}:{port}: {error.strerror}", fix="choose another port"
            ) from None
        listener.setblocking(False)
        self._listener = listener
        self._spawn(self._accept(listener))
        return int(listener.getsockname()[1])

    def expect(self, run: Run) -> None:
        """Keep connections for this run."""
        self._expected.setdefault(run, _Expected())

    async def claim(self, run: Run, deliver: Deliver) -> None:
        """Deliver the kept connections for this run and all that follow.

        Raises  UsageError if somebody else has claimed it
        """
        expected = self._expected.setdefault(run, _Expected())
        if expected.deliver is not None:
            raise UsageError("the links of this run are delivered already")
        expected.deliver = deliver
        parked, expected.parked = expected.parked, []
        for connection in parked:
            await _hand_over(connection, deliver)

    def forget(self, run: Run) -> None:
        """Close what is kept for this run, and whatever else comes."""
        expected = self._expected.pop(run, None)
        for connection in expected.parked if expected else ():
            connection.close()

    async def close(self) -> None:
        """Stop listening and close everything."""
        for run in tuple(self._expected):
            self.forget(run)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(0.1)  # out of descriptors: what is pending will be closed soon
                continue
            if self._pending >= self._max_pending:
                connection.close()
                continue
            connection.setblocking(False)
            self._spawn(self._receive(connection))

    async def _receive(self, connection: socket.socket) -> None:
        """Read the preface, then pass the connection on or keep it."""
        self._pending += 1
        try:
            async with asyncio.timeout(self._preface_s):
                preface = Preface.decode(await _read(connection))
        except (TimeoutError, OSError, ChannelError):
            connection.close()
            return
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            self._pending -= 1
        expected = self._expected.get(Run(preface.job, preface.epoch, preface.attempt))
        if expected is None:
            connection.close()
        elif expected.deliver is not None:
            await _hand_over(connection, expected.deliver)
        elif len(expected.parked) < MAX_PARKED:
            await self._park(connection, expected)
        else:
            connection.close()

    async def _park(self, connection: socket.socket, expected: _Expected) -> None:
        """Keep a connection until its run is claimed, but not for ever."""
        expected.parked.append(connection)
        try:
            await asyncio.sleep(self._park_s)
        finally:
            if connection in expected.parked:
                expected.parked.remove(connection)
                connection.close()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _hand_over(connection: socket.socket, deliver: Deliver) -> None:
    """A job process that has ended in the meantime needs no more links."""
    with contextlib.suppress(ChannelError), connection:
        await deliver(connection)


async def _read(connection: socket.socket) -> bytes:
    """Exactly the preface: what follows belongs to TLS."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < SIZE_BYTES:
        more = await loop.sock_recv(connection, SIZE_BYTES - len(data))
        if not more:
            raise ConnectionResetError("closed before the preface was complete")
        data += more
    return data
