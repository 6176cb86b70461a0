"""The network of a simulation: messages between daemons and streams between job processes, in virtual time.

What the weather (`mpcd.testing.network.weather.Sky`) does to packets is done here to what travels over
connections: a cut makes calls time out, loses slot messages, whose stream breaks, and keeps frames of links
until it has healed, as TCP would.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mpcd.errors import ChannelError, MpcdError
from mpcd.testing.network.weather import Sky

T = TypeVar("T")
Deliver = Callable[[], None]

CALL_S = 10.0
"""How long a caller waits for an answer that does not come."""
AGAIN_S = 0.25
"""A stream sends again what did not arrive."""
SMALL_BYTES = 256


@dataclass(slots=True)
class Ground:
    """Who is where, who is up, and the weather between them.

    places  name -> its host in the sky; down: daemons that do not run now; vanished: hosts that are gone, so
            that their streams do not even end
    bugs    what handlers raised that is not an error of mpcd: nobody's message may do that
    """

    sky: Sky
    places: dict[str, int]
    down: set[str] = field(default_factory=set)
    vanished: set[str] = field(default_factory=set)
    messages: Counter[str] = field(default_factory=Counter)
    bugs: list[str] = field(default_factory=list)
    _last: dict[tuple[int, int], float] = field(default_factory=dict)

    def arrivals(self, sender: str, to: str, size: int = SMALL_BYTES) -> list[float]:
        now = asyncio.get_running_loop().time()
        return self.sky.arrivals(self.places[sender], self.places[to], now, size)

    # -- slot messages ---------------------------------------------------------------------------------

    def post(self, sender: str, to: str, size: int, deliver: Deliver) -> None:
        """One message on the long-lived stream: in order, or lost with the stream."""
        self.messages["slot"] += 1
        found = self.arrivals(sender, to, size)
        if found and not {sender, to} & self.down:
            way = self.places[sender], self.places[to]
            at = self._last[way] = max(found[0], self._last.get(way, 0.0))
            asyncio.get_running_loop().call_at(at, self._arrive, to, deliver)

    def _arrive(self, to: str, deliver: Deliver) -> None:
        if to not in self.down:
            try:
                deliver()
            except Exception as error:  # noqa: BLE001 - a handler's bug is what we are after
                self.bugs.append(f"{to}: {type(error).__name__}: {error}")

    # -- calls -----------------------------------------------------------------------------------------

    async def call(self, what: str, sender: str, to: str, handle: Callable[[], Awaitable[T]]) -> T:
        """A call and its answer.

        Raises  ChannelError if the other side is down or out of reach; MpcdError as it answers
        """
        self.messages[what] += 1
        await self._travel(sender, to)
        try:
            answer = await handle()
        except MpcdError:
            await self._travel(to, sender)
            raise
        except Exception as error:
            if to not in self.down:
                self.bugs.append(f"{to}: {what}: {type(error).__name__}: {error}")
            raise ChannelError(f"{to} does not answer") from error
        await self._travel(to, sender)
        return answer

    async def _travel(self, sender: str, to: str) -> None:
        found = self.arrivals(sender, to)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(found[0] - loop.time() if found else CALL_S)
        if not found or {sender, to} & self.down:
            raise ChannelError(f"{to} is out of reach")


class Stream:
    """One direction between two job processes: everything arrives, in order, late if the way is cut."""

    def __init__(self, ground: Ground, sender: str, to: str) -> None:
        self._ground = ground
        self._way = sender, to
        self._waiting: deque[tuple[int, Deliver]] = deque()
        self._moving = False

    def send(self, size: int, deliver: Deliver) -> None:
        self._waiting.append((size, deliver))
        if not self._moving:
            self._moving = True
            self._move()

    def _move(self) -> None:
        """Send what is in front; what is behind leaves when it has arrived, or at the same time at best."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._moving = False
            return
        found = self._ground.arrivals(*self._way, self._waiting[0][0])
        if found:
            loop.call_at(found[0], self._arrive)
        else:
            loop.call_later(AGAIN_S, self._move)

    def _arrive(self) -> None:
        _, deliver = self._waiting.popleft()
        if not self._ground.vanished.intersection(self._way):
            deliver()
        self._move()


Meeting = tuple[bytes, int, int]
"""(session, epoch, attempt): where job processes meet."""


class Wires:
    """All links between job processes."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.here: dict[Meeting, dict[str, Ends]] = {}

    def ends(self, meeting: Meeting, me: str, names: tuple[str, ...]) -> Ends:
        """One process's place in a meeting; whoever was there before comes no more."""
        ends = Ends(self, meeting, me, names)
        self.here.setdefault(meeting, {})[me] = ends
        return ends


class Ends:
    """The ends of one job process's links: what `mpcd.transport.links.Links` is, without blocking.

    names    of the roster of the epoch, by place
    shunned  places to which no link is opened
    """

    def __init__(self, wires: Wires, meeting: Meeting, me: str, names: tuple[str, ...]) -> None:
        self._wires = wires
        self._meeting = meeting
        self.name = me
        self.names = names
        self.me = names.index(me)
        self.up: set[int] = set()
        self.eof: set[int] = set()
        self.gone: set[int] = set()
        self.closed = False
        self.shunned: frozenset[int] = frozenset()
        self.inbox: dict[int, deque[bytes]] = {p: deque() for p in range(len(names))}
        self.waited: tuple[int, float] | None = None
        self.pending: frozenset[int] = frozenset()
        self._streams = {p: Stream(wires.ground, me, name) for p, name in enumerate(names)}
        self._news = asyncio.Event()

    @property
    def peers(self) -> frozenset[int]:
        return frozenset(range(len(self.names))) - {self.me}

    # -- meeting ---------------------------------------------------------------------------------------

    async def meet(self, timeout_s: float) -> None:
        """Shake hands with everybody.

        Raises  ChannelError that names those who did not come
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        for peer, other in self._others():
            if other is not None:
                self._shake(peer, other)
        while missing := self.peers - self.up - self.shunned:
            if not await self._wait(until):
                self.close()
                listed = ", ".join(self.names[p] for p in sorted(missing))
                raise ChannelError(f"no link with {listed}", where="links", unreachable=missing)

    def _others(self) -> list[tuple[int, Ends | None]]:
        return [(p, self._at(p)) for p in sorted(self.peers)]

    def _at(self, peer: int) -> Ends | None:
        """The other ends of a link; nobody shakes hands with who counts other parties to the roster."""
        other = self._wires.here[self._meeting].get(self.names[peer])
        return other if other is not None and other.names == self.names else None

    def _shake(self, peer: int, other: Ends) -> None:
        """There and back; the one who came first is the first to know."""
        if peer in self.shunned or self.me in other.shunned:
            return

        def back() -> None:
            if not (self.closed or other.closed):
                self.up.add(peer)
                self._ring()

        def there() -> None:
            if not (self.closed or other.closed):
                other.up.add(self.me)
                other._ring()
            other._streams[self.me].send(SMALL_BYTES, back)

        self._streams[peer].send(SMALL_BYTES, there)

    # -- rounds ----------------------------------------------------------------------------------------

    def send(self, peer: int, frame: bytes) -> None:
        other = self._at(peer)
        if other is not None and peer not in self.gone and not self.closed:
            self._streams[peer].send(len(frame), lambda: other.take(self.me, frame))

    def take(self, peer: int, frame: bytes) -> None:
        if not self.closed and peer not in self.gone:
            self.inbox[peer].append(frame)
            self._ring()

    async def collect(
        self, number: int, lengths: dict[int, int], timeout_s: float, absent_ok: frozenset[int]
    ) -> tuple[dict[int, bytes], dict[int, str]]:
        """The frames of a round, and why some will not come. See `Channel.exchange`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        self.waited = None
        frames: dict[int, bytes] = {}
        missed: dict[int, str] = {p: f"party {p} is gone" for p in sorted(self.gone & lengths.keys())}
        last: tuple[int, float] | None = None
        while True:
            for p in sorted(lengths.keys() - frames.keys() - missed.keys()):
                if self.inbox[p]:
                    frame = self.inbox[p].popleft()
                    if len(frame) <= lengths[p]:
                        frames[p] = frame
                        continue
                    missed[p] = f"party {p} sent {len(frame)} bytes where at most {lengths[p]} are expected"
                elif p in self.eof:
                    missed[p] = f"party {p} has parted"
                else:
                    continue
                self._part_with(p)
            waiting = sorted(lengths.keys() - frames.keys() - missed.keys())
            self.pending = frozenset(waiting)
            if not waiting:
                break
            if last is None and len(waiting) == 1:
                last = waiting[0], loop.time()
            if not await self._wait(until):
                for p in waiting:
                    missed[p] = f"nothing from party {p} within {timeout_s:g} s"
                    self._part_with(p)
                break
        if last is not None:
            self.waited = last[0], loop.time() - last[1]
        return frames, {p: why for p, why in missed.items() if p not in absent_ok}

    def _part_with(self, peer: int) -> None:
        self.gone.add(peer)
        self._say_goodbye(peer)

    def close(self) -> None:
        """Part from all; they see it as the end of the stream, behind all frames."""
        if not self.closed:
            for peer in sorted(self.peers - self.gone):
                self._say_goodbye(peer)
            self.closed = True
            self._ring()

    def _say_goodbye(self, peer: int) -> None:
        other = self._at(peer)
        if other is not None:
            self._streams[peer].send(1, lambda: other.end(self.me))

    def end(self, peer: int) -> None:
        self.eof.add(peer)
        self._ring()

    # -- news ------------------------------------------------------------------------------------------

    def _ring(self) -> None:
        self._news.set()

    async def _wait(self, until: float) -> bool:
        """Wait for news; False if the time is up and there are none."""
        delay = until - asyncio.get_running_loop().time()
        if delay > 0 and not self._news.is_set():
            try:
                async with asyncio.timeout(delay):
                    await self._news.wait()
            except TimeoutError:
                pass
        news = self._news.is_set()
        self._news.clear()
        return news


def joined(parts: Any) -> bytes:
    """A frame as one piece: what is sent may change afterwards."""
    return b"".join(bytes(part) for part in parts)
