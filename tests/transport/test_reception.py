"""The link port: prefaces, connections kept and handed over, limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import ChannelError, ConfigError, UsageError
from mpcd.transport.preface import SIZE_BYTES, Preface
from mpcd.transport.reception import MAX_PARKED, Reception, Run

SESSION = bytes(range(32))
RUN = Run.of(SESSION, 2, 3)
PREFACE = Preface.of(SESSION, 2, 3, 1)


@given(st.binary(min_size=0, max_size=64))
def test_any_bytes_are_a_preface_or_refused(raw: bytes) -> None:
    with contextlib.suppress(ChannelError):
        assert Preface.decode(raw).encode() == raw


def test_a_preface_survives_the_wire() -> None:
    raw = PREFACE.encode()
    assert len(raw) == SIZE_BYTES == 40
    assert Preface.decode(raw) == PREFACE


@pytest.mark.parametrize("at", [0, 4, 6])
def test_magic_version_and_padding_are_checked(at: int) -> None:
    raw = bytearray(PREFACE.encode())
    raw[at] ^= 1
    with pytest.raises(ChannelError):
        Preface.decode(bytes(raw))


def _run(body: Callable[[Reception, int], Awaitable[None]], **options: float) -> None:
    async def main() -> None:
        reception = Reception(**options)  # type: ignore[arg-type]
        port = reception.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(20):
                await body(reception, port)
        finally:
            await reception.close()

    asyncio.run(main())


async def _connect(port: int, data: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_sendall(sock, data)
    return sock


async def _is_closed(sock: socket.socket) -> bool:
    async with asyncio.timeout(10):
        try:
            return await asyncio.get_running_loop().sock_recv(sock, 1) == b""
        except ConnectionResetError:
            return True


class Inbox:
    """Stands for a job process."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[socket.socket] = asyncio.Queue()

    async def deliver(self, connection: socket.socket) -> None:
        await self.got.put(connection.dup())


@pytest.mark.parametrize("early", [True, False])
def test_a_connection_reaches_its_job_whether_it_comes_before_or_after(early: bool) -> None:
    async def body(reception: Reception, port: int) -> None:
        inbox = Inbox()
        reception.expect(RUN)
        if not early:
            await reception.claim(RUN, inbox.deliver)
        peer = await _connect(port, PREFACE.encode() + b"TLS begins here")
        if early:
            while not reception._expected[RUN].parked:
                await asyncio.sleep(0.005)
            await reception.claim(RUN, inbox.deliver)
        connection = await inbox.got.get()
        connection.setblocking(True)
        assert connection.recv(100) == b"TLS begins here"
        peer.close()
        connection.close()

    _run(body)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(Preface.of(bytes(32), 2, 3, 1).encode(), id="another job"),
        pytest.param(Preface.of(SESSION, 1, 3, 1).encode(), id="another epoch"),
        pytest.param(Preface.of(SESSION, 2, 4, 1).encode(), id="another attempt"),
        pytest.param(os.urandom(40), id="garbage"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: links.example\r\n\r\n..", id="http"),
    ],
)
def test_what_nobody_expects_is_closed_at_once(data: bytes) -> None:
    async def body(reception: Reception, port: int) -> None:
        reception.expect(RUN)
        assert await _is_closed(await _connect(port, data))

    _run(body, preface_s=3600)


@pytest.mark.parametrize("data", [b"", PREFACE.encode()[:39]])
def test_a_slow_preface_is_cut_off(data: bytes) -> None:
    async def body(reception: Reception, port: int) -> None:
        reception.expect(RUN)
        start = time.monotonic()
        assert await _is_closed(await _connect(port, data))
        assert time.monotonic() - start >= 0.3

    _run(body, preface_s=0.3)


def test_the_limit_by_default_is_three_seconds() -> None:
    assert Reception()._preface_s == 3.0


def test_only_so_many_may_be_without_a_preface() -> None:
    async def body(reception: Reception, port: int) -> None:
        idle = [await _connect(port, b"") for _ in range(2)]
        while reception._pending < 2:
            await asyncio.sleep(0.005)
        assert await _is_closed(await _connect(port, b""))
        for sock in idle:
            sock.close()

    _run(body, preface_s=3600, max_pending=2)


def test_only_so_many_are_kept_and_not_for_ever() -> None:
    async def body(reception: Reception, port: int) -> None:
        reception.expect(RUN)
        kept = [await _connect(port, PREFACE.encode()) for _ in range(MAX_PARKED)]
        while len(reception._expected[RUN].parked) < MAX_PARKED:
            await asyncio.sleep(0.005)
        assert await _is_closed(await _connect(port, PREFACE.encode()))
        assert await _is_closed(kept[0])

    _run(body, park_s=1.5)


def test_forgetting_closes_what_was_kept() -> None:
    async def body(reception: Reception, port: int) -> None:
        reception.expect(RUN)
        peer = await _connect(port, PREFACE.encode())
        while not reception._expected[RUN].parked:
            await asyncio.sleep(0.005)
        reception.forget(RUN)
        assert await _is_closed(peer)
        assert await _is_closed(await _connect(port, PREFACE.encode()))

    _run(body)


def test_a_job_that_has_ended_costs_the_connection_only() -> None:
    async def body(reception: Reception, port: int) -> None:
        async def gone(_: socket.socket) -> None:
            raise ChannelError("the job process has ended")

        await reception.claim(RUN, gone)
        assert await _is_closed(await _connect(port, PREFACE.encode()))
        with pytest.raises(UsageError):
            await reception.claim(RUN, gone)

    _run(body)


def test_a_port_in_use_says_so() -> None:
    async def body(_: Reception, port: int) -> None:
        with pytest.raises(ConfigError, match="cannot listen"):
            Reception().start("127.0.0.1", port)

    _run(body)
