"""Hosts in network namespaces with real TCP between them, under weather. Needs root, as `.ci/run` has."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mpcd.errors import UsageError
from mpcd.testing.network.village import Village
from mpcd.testing.network.weather import Weather

pytestmark = pytest.mark.e2e

SERVER = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    with peer:
        while data := peer.recv(65536):
            peer.sendall(data)
"""
CLIENT = """
import socket, sys, time
begin = time.monotonic()
with socket.create_connection((sys.argv[1], 7000), timeout=float(sys.argv[3])) as s:
    left = int(sys.argv[2])
    s.sendall(bytes(left))
    while left:
        left -= len(s.recv(65536))
print(time.monotonic() - begin)
"""


@pytest.fixture
def village() -> Iterator[Village]:
    with Village(["anna", "bert", "cleo"], seed=1) as made:
        servers = [
            subprocess.Popen(
                made.command(name, [sys.executable, "-c", SERVER, made.address(name)]), stdout=subprocess.PIPE
            )
            for name in ("anna", "bert")
        ]
        for server in servers:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
        yield made
        for server in servers:
            server.kill()
            server.communicate()


def echo(village: Village, source: str, target: str, size: int = 100, timeout_s: float = 10.0) -> float:
    """Seconds for `size` bytes there and back.

    Raises  CalledProcessError if they do not come back
    """
    words = [sys.executable, "-c", CLIENT, village.address(target), str(size), str(timeout_s)]
    done = subprocess.run(
        village.command(source, words), check=True, capture_output=True, text=True, timeout=60
    )
    return float(done.stdout)


def test_a_delay_is_paid_by_every_way_of_a_packet(village: Village) -> None:
    assert echo(village, "cleo", "anna") < 0.2
    village.set_all(Weather(delay_s=0.2))
    # The handshake and the echo: two round trips.
    assert 0.8 <= echo(village, "cleo", "anna") < 2.0


def test_losses_slow_a_transfer_down_and_lose_nothing(village: Village) -> None:
    village.set_all(Weather(delay_s=0.005, jitter_s=0.005, loss=0.05, duplicate=0.02))
    echo(village, "bert", "anna", 200_000, 50.0)
    assert village.tally.dropped > 0
    assert village.tally.doubled > 0


def test_a_partition_cuts_one_pair_until_it_heals(village: Village) -> None:
    village.cut(["cleo"], ["anna"])
    with pytest.raises(subprocess.CalledProcessError):
        echo(village, "cleo", "anna", timeout_s=1.5)
    echo(village, "cleo", "bert")
    village.heal()
    echo(village, "cleo", "anna")


def test_a_rate_is_a_rate(village: Village) -> None:
    village.set("bert", "anna", Weather(bytes_per_s=100_000), both=False)
    begin = time.monotonic()
    echo(village, "bert", "anna", 200_000, 30.0)
    assert time.monotonic() - begin > 1.5


def test_a_village_cannot_have_two_hosts_of_one_name() -> None:
    with pytest.raises(UsageError, match="names of their own"):
        Village(["anna", "anna"])
