"""Hosts of their own on one machine: network namespaces, joined by a relay with weather.

    with Village(["acme", "bolt"], seed=7) as village:
        village.set_all(Weather(delay_s=0.05, jitter_s=0.005, loss=0.01))
        subprocess.Popen(village.command("acme", ["mpcd", "party", "serve", ...]))
        village.cut(["acme"], ["bolt"])

Every host has one address, `village.address(name)`, on a TUN device whose other end is the relay.
Processes in it see nothing else of the network. Needs root (CAP_NET_ADMIN), `ip` and /dev/net/tun; it works
where the kernel has no `netem`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mpcd.errors import UsageError
from mpcd.testing.network.relay import MTU, Relay
from mpcd.testing.network.weather import Sky, Tally, Weather

_TUN = "/dev/net/tun"
_SPACES = Path("/run/netns")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_MOST_HOSTS = 200


class Village:
    """Network namespaces `mpcd<process>-<k>` with addresses 10.83.0.<k+1>."""

    def __init__(self, names: Sequence[str], *, seed: int = 0, weather: Weather | None = None) -> None:
        """Raises  UsageError for no names, too many, or the same one twice"""
        if not 0 < len(set(names)) == len(names) <= _MOST_HOSTS:
            raise UsageError(f"a village has 1 to {_MOST_HOSTS} hosts with names of their own")
        self._index = {name: k for k, name in enumerate(names)}
        self._sky = Sky(len(names), seed, weather or Weather())
        self._relay: Relay | None = None
        self._spaces: list[str] = []

    def address(self, name: str) -> str:
        return f"10.83.0.{self._index[name] + 1}"

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` on that host."""
        return ["ip", "netns", "exec", self._space(name), *argv]

    # -- weather ----------------------------------------------------------------------------------------

    def set(self, one: str, other: str, weather: Weather, *, both: bool = True) -> None:
        """Change the weather between two hosts, in one direction or in both."""
        with self._running().sky() as sky:
            sky.set(self._index[one], self._index[other], weather, both=both)

    def set_all(self, weather: Weather) -> None:
        with self._running().sky() as sky:
            sky.set_all(weather)

    def cut(self, one: Iterable[str], other: Iterable[str], *, both: bool = True) -> None:
        """Let nothing pass from one side to the other, nor back if `both`."""
        with self._running().sky() as sky:
            sky.cut([self._index[n] for n in one], [self._index[n] for n in other], both=both)

    def heal(self) -> None:
        """End all partitions; delays and losses stay."""
        with self._running().sky() as sky:
            sky.heal()

    @property
    def tally(self) -> Tally:
        return self._sky.tally

    # -- making and removing --------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Raises  UsageError if this machine or this user cannot make network namespaces"""
        _forget_dead_villages()
        try:
            tuns = [self._settle(name) for name in self._index]
        except (OSError, subprocess.CalledProcessError) as error:
            self._remove()
            raise UsageError(
                f"no network namespaces with TUN devices here: {error}", fix="run as root"
            ) from None
        addresses = [bytes(map(int, self.address(name).split("."))) for name in self._index]
        self._relay = Relay(tuns, addresses, self._sky)
        self._relay.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._relay is not None:
            self._relay.stop()
            self._relay = None
        self._remove()

    def _settle(self, name: str) -> int:
        """Make a host; the descriptor of its device's other end, which stays here."""
        space, device = self._space(name), f"mt{os.getpid() % 10**7}.{self._index[name]}"
        _ip("netns", "add", space)
        self._spaces.append(space)
        tun = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN | _IFF_NO_PI))
        # A device can be moved to another namespace while its descriptor stays in this one.
        _ip("link", "set", device, "netns", space)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", device)
        _ip("-n", space, "link", "set", device, "mtu", str(MTU), "up")
        return tun

    def _remove(self) -> None:
        while self._spaces:
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                _ip("netns", "del", self._spaces.pop())

    def _space(self, name: str) -> str:
        return f"mpcd{os.getpid()}-{self._index[name]}"

    def _running(self) -> Relay:
        if self._relay is None:
            raise UsageError("the village is not there yet: use it in a `with` block")
        return self._relay


def _forget_dead_villages() -> None:
    """Remove the namespaces of processes that were killed before they could."""
    for path in _SPACES.glob("mpcd*-*"):
        owner = path.name.removeprefix("mpcd").partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                _ip("netns", "del", path.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)
