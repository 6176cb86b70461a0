"""The daemon's second port: connections of peers' job processes, handed to our own job processes.

A connection begins with a preface of 40 plain bytes that says which run it is for. It is a hint: the job
process proves by certificate and hello who is there. A peer may be a moment ahead of us, so connections for a
run that has not started yet wait for a few seconds, in bounded number.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from mpcd.errors import ChannelError
from mpcd.identity.roster import split_address
from mpcd.transport.grpc_server import AddressInUseError
from mpcd.transport.preface import SIZE_BYTES, Preface

PREFACE_S = 3.0
EARLY_S = 5.0
_log = structlog.get_logger("mpcd.links")

Run = tuple[bytes, int, int]
"""(first bytes of the session, epoch, attempt), as in the preface."""
Take = Callable[[socket.socket], Awaitable[None]]


class LinkPort:
    """Accepts connections and gives each to the run that its preface names."""

    def __init__(self, max_connections: int) -> None:
        self._room = asyncio.Semaphore(max_connections)
        self._takers: dict[Run, Take] = {}
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[None]:
        """Accept connections as long as the context lasts.

        Raises  AddressInUseError
        """
        server = _bind(address)
        accepting = asyncio.create_task(self._accept(server), name="links")
        try:
            yield
        finally:
            for task in (accepting, *self._tasks):
                task.cancel()
            await asyncio.gather(accepting, *self._tasks, return_exceptions=True)
            server.close()

    async def expect(self, run: Run, take: Take) -> None:
        """Give the connections for this run to `take` from now on, those that wait included."""
        async with self._news:
            self._takers[run] = take
            self._news.notify_all()

    def forget(self, run: Run) -> None:
        """Refuse connections for this run from now on."""
        self._takers.pop(run, None)

    async def _accept(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(server)
            except OSError as error:
                # Out of descriptors, most likely: others will be closed.
                _log.warning("cannot accept a link", error=error.strerror)
                await asyncio.sleep(0.1)
                continue
            if self._room.locked():
                connection.close()
                continue
            await self._room.acquire()
            task = asyncio.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()

    async def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            try:
                connection.setblocking(False)
                async with asyncio.timeout(PREFACE_S):
                    preface = Preface.decode(await _read(connection))
                async with asyncio.timeout(EARLY_S):
                    take = await self._taker((preface.job, preface.epoch, preface.attempt))
                await take(connection)
            except (ChannelError, TimeoutError, OSError):
                return

    async def _taker(self, run: Run) -> Take:
        async with self._news:
            await self._news.wait_for(lambda: run in self._takers)
            return self._takers[run]


async def _read(connection: socket.socket) -> bytes:
    """The preface and not a byte more: what follows is TLS, for the job process."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < SIZE_BYTES:
        part = await loop.sock_recv(connection, SIZE_BYTES - len(data))
        if not part:
            raise ChannelError("a connection ended inside its preface")
        data += part
    return data


def _bind(address: str) -> socket.socket:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise AddressInUseError(
            f"cannot listen there: {os.strerror(error.errno or 0)}",
            where=address,
            fix="stop the other process (ss -ltnp shows it) or change listen.links in the configuration",
        ) from None
    server.setblocking(False)
    return server
