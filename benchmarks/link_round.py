"""How long a bare round takes: four processes, all-to-all over TLS links on this machine.

Prints microseconds per exchange of small frames and megabytes per second of big ones. No protocol, no
tags: this is the floor under everything else.

    python benchmarks/link_round.py [--rounds 5000] [--bytes 100]
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import sys
import time
from datetime import UTC, datetime

from mpcd.identity.certificates import Leaf, issue_leaf, self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.transport.hello import Meeting, Peer
from mpcd.transport.links import Links
from mpcd.transport.meeting import open_links
from mpcd.transport.preface import SIZE_BYTES

PARTIES = 4


class Listener:
    """Arrivals straight from a listening socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)

    def fileno(self) -> int:
        return self._sock.fileno()

    def take(self) -> socket.socket | None:
        try:
            newcomer, _ = self._sock.accept()
        except BlockingIOError:
            return None
        newcomer.settimeout(3)
        newcomer.recv(SIZE_BYTES, socket.MSG_WAITALL)
        return newcomer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--bytes", type=int, default=100)
    parser.add_argument("--bulk-bytes", type=int, default=8_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    small, big = [], []
    for _ in range(options.repeat):
        a, b = _run(options)
        small.append(a)
        big.append(b)
    print(f"{options.bytes}-byte frames: {statistics.median(small):7.1f} us per exchange ({_spread(small)})")
    print(f"{options.bulk_bytes}-byte frames: {statistics.median(big):7.1f} MB/s in all ({_spread(big)})")


def _spread(values: list[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"


def _run(options: argparse.Namespace) -> tuple[float, float]:
    now = datetime.now(UTC)
    identities = [Identity.create(f"party{k}") for k in range(PARTIES)]
    pems = [self_signed_ca(identity, now=now) for identity in identities]
    leaves = [issue_leaf(identity, now=now, valid_s=3600, purpose="link") for identity in identities]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(PARTIES)]
    peers = {k: Peer(k, f"party{k}", pems[k], *listeners[k].getsockname()) for k in range(PARTIES)}
    read, write = os.pipe()
    children = []
    for me in range(PARTIES):
        child = os.fork()
        if child == 0:
            os.close(read)
            os.write(write, _party(me, peers, leaves[me], listeners[me], options).encode())
            os._exit(0)
        children.append(child)
    os.close(write)
    with open(read) as lines:
        rows = [tuple(map(float, line.split())) for line in lines]
    for child in children:
        os.waitpid(child, 0)
    if len(rows) != PARTIES:
        sys.exit("a party failed")
    return statistics.mean(row[0] for row in rows), sum(row[1] for row in rows)


def _party(
    me: int, peers: dict[int, Peer], leaf: Leaf, listener: socket.socket, options: argparse.Namespace
) -> str:
    others = {k: peer for k, peer in peers.items() if k != me}
    meeting = Meeting(bytes(32), bytes(32), epoch=0, attempt=0, me=me)
    links = open_links(meeting, others, leaf, Listener(listener), 20)
    micros = _time_rounds(links, options.bytes, options.rounds)
    rounds = 10
    big_micros = _time_rounds(links, options.bulk_bytes, rounds)
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    links.close()
    megabytes = 3 * options.bulk_bytes / big_micros
    return f"{micros} {megabytes} {cpu.ru_utime + cpu.ru_stime}\n"


def _time_rounds(links: Links, size: int, rounds: int) -> float:
    """Microseconds per exchange of frames of `size` bytes."""
    frame = {peer: [bytes(48), bytes(size - 64), bytes(16)] for peer in links.peers}
    lengths = dict.fromkeys(links.peers, size)
    for number in range(rounds // 10 + 1):
        links.exchange(number, frame, lengths, 20)
    start = time.perf_counter()
    for number in range(rounds):
        links.exchange(number, frame, lengths, 20)
    return (time.perf_counter() - start) / rounds * 1e6


if __name__ == "__main__":
    main()
