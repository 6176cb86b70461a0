"""A relay between TUN devices: it carries IP packets from host to host, as the weather says.

It works on whole packets below the kernels' own TCP, so lost, late and doubled packets meet real
retransmissions and real time-outs. One thread serves all devices.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import threading
import time
from collections.abc import Iterator

from mpcd.testing.network.weather import Sky

MTU = 1500
_TICK_S = 0.5
_IPV4 = 4
_TARGET = slice(16, 20)
"""Where the destination address of an IPv4 header is."""


class Relay:
    """Carries packets between the devices `tuns` (descriptors) of hosts 0, 1, ...; `addresses[k]` is the
    IPv4 address of host k, 4 bytes. The relay closes the devices when it ends."""

    def __init__(self, tuns: list[int], addresses: list[bytes], sky: Sky) -> None:
        self._tuns = tuns
        self._host_of = {address: k for k, address in enumerate(addresses)}
        self._sky = sky
        self._lock = threading.Lock()
        self._due: list[tuple[float, int, int, bytes]] = []
        self._order = itertools.count()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        for tun in self._tuns:
            os.set_blocking(tun, False)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        for tun in self._tuns:
            os.close(tun)

    @contextlib.contextmanager
    def sky(self) -> Iterator[Sky]:
        """The weather, to be changed while no packet is looked at."""
        with self._lock:
            yield self._sky

    def _run(self) -> None:
        poll = select.poll()
        for tun in self._tuns:
            poll.register(tun, select.POLLIN)
        sources = {tun: k for k, tun in enumerate(self._tuns)}
        while not self._end.is_set():
            wait_s = min(_TICK_S, max(0.0, self._due[0][0] - time.monotonic())) if self._due else _TICK_S
            for tun, _ in poll.poll(wait_s * 1000):
                self._take(tun, sources[tun])
            self._hand_over()

    def _take(self, tun: int, source: int) -> None:
        """Everything that a host has sent so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(tun, MTU + 100)
                target = self._host_of.get(packet[_TARGET]) if packet[0] >> 4 == _IPV4 else None
                if target is not None:
                    with self._lock:
                        times = self._sky.arrivals(source, target, time.monotonic(), len(packet))
                    for at in times:
                        heapq.heappush(self._due, (at, next(self._order), target, packet))

    def _hand_over(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, target, packet = heapq.heappop(self._due)
            # A full device drops, as a network card does.
            with contextlib.suppress(BlockingIOError):
                os.write(self._tuns[target], packet)
