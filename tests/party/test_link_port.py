"""The second port: connections go to the run that their preface names, and strangers cost nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from mpcd.party import link_port
from mpcd.party.link_port import LinkPort
from mpcd.transport.grpc_server import AddressInUseError
from mpcd.transport.preface import Preface
from tests.party.grpc_pair import free_port

SESSION = bytes(range(32))
RUN = (SESSION[:24], 0, 1)


def play(scene: Callable[[LinkPort, int, list[socket.socket]], Awaitable[None]], room: int = 8) -> None:
    async def run() -> None:
        port, number, taken = LinkPort(room), free_port(), list[socket.socket]()
        async with port.listening(f"127.0.0.1:{number}"):
            await scene(port, number, taken)
        for connection in taken:
            connection.close()

    asyncio.run(run())


def taker(taken: list[socket.socket]) -> Callable[[socket.socket], Awaitable[None]]:
    async def take(connection: socket.socket) -> None:
        taken.append(connection.dup())

    return take


async def dial(number: int, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    writer.write(data)
    await writer.drain()
    return reader, writer


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


PREFACE = Preface.of(SESSION, 0, 1, 2).encode()


@pytest.mark.parametrize("first", ["run", "connection"])
def test_a_connection_and_its_run_meet_whoever_is_first(first: str) -> None:
    """And not a byte after the preface is read: it belongs to TLS."""

    async def scene(port: LinkPort, number: int, taken: list[socket.socket]) -> None:
        if first == "run":
            await port.expect(RUN, taker(taken))
        _, writer = await dial(number, PREFACE + b"hello")
        if first == "connection":
            await asyncio.sleep(0.1)
            await port.expect(RUN, taker(taken))
        await until(lambda: len(taken) == 1)
        assert taken[0].recv(100) == b"hello"
        writer.close()

    play(scene)


@pytest.mark.parametrize(
    "data",
    [bytes(range(200, 240)), b"GET / HTTP/1.1\r\n" * 4, PREFACE[:39], Preface.of(SESSION, 0, 2, 2).encode()],
    ids=["rubbish", "http", "cut", "another run"],
)
def test_strangers_and_other_runs_reach_nobody(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Garbage, half a preface, another attempt: closed, and the port goes on."""
    monkeypatch.setattr(link_port, "PREFACE_S", 0.2)
    monkeypatch.setattr(link_port, "EARLY_S", 0.2)

    async def scene(port: LinkPort, number: int, taken: list[socket.socket]) -> None:
        await port.expect(RUN, taker(taken))
        reader, writer = await dial(number, data)
        async with asyncio.timeout(10):
            assert await _read_all(reader) == b""
        assert taken == []
        writer.close()
        _, good = await dial(number, PREFACE)
        await until(lambda: len(taken) == 1)
        good.close()

    play(scene)


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def test_a_run_that_is_over_takes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_port, "EARLY_S", 0.2)

    async def scene(port: LinkPort, number: int, taken: list[socket.socket]) -> None:
        await port.expect(RUN, taker(taken))
        port.forget(RUN)
        reader, writer = await dial(number, PREFACE)
        async with asyncio.timeout(10):
            assert await _read_all(reader) == b""
        assert taken == []
        writer.close()

    play(scene)


def test_connections_are_limited_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_port, "PREFACE_S", 0.5)

    async def scene(port: LinkPort, number: int, taken: list[socket.socket]) -> None:
        await port.expect(RUN, taker(taken))
        idle = [await dial(number, b"") for _ in range(2)]
        await asyncio.sleep(0.1)
        reader, writer = await dial(number, PREFACE)
        async with asyncio.timeout(10):
            assert await _read_all(reader) == b""
            for idle_reader, _ in idle:
                assert await _read_all(idle_reader) == b""
        assert taken == []
        _, good = await dial(number, PREFACE)
        await until(lambda: len(taken) == 1)
        for one in (writer, good, *(w for _, w in idle)):
            one.close()

    play(scene, room=2)


def test_a_port_in_use_is_named() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            with pytest.raises(AddressInUseError, match="cannot listen"):
                async with LinkPort(1).listening(address):
                    pass

    asyncio.run(run())
