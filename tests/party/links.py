"""Job processes of a toy protocol with links between them, and what cheaters and accidents do to them.

Every round each party sends every other one a frame, vouched for by a third. The program is the sum of all
inputs, which needs no messages, computed on the real shares in the scheme of the epoch.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mpcd.errors import InternalError
from mpcd.party.computing import held
from mpcd.party.ports import Delivery, Kept, Order, Product, Reveal, SharedOutput, Stop
from mpcd.protocols.agreement.words import Complaint, Stopped
from mpcd.protocols.rep4.inputs import Context, expand_pieces
from mpcd.protocols.rep4.outputs import Place, commitment
from mpcd.protocols.rep4.outputs import opening as make_opening
from mpcd.protocols.rounds import Words
from mpcd.protocols.scheme import SCHEMES, rep3_of_rep4

ROUNDS = 4
ROUND_S = 5.0
"""How long a process waits for a frame."""


@dataclass
class Cheat:
    """What goes wrong at one party: sets of (epoch, round) or (epoch, round, receiver).

    mute  frames that are not sent; lie  frames that are not what the backup vouches for
    dies  the process ends; accuse  it complains about (sender, backup) in (epoch, round)
    vouch  (epoch, round, sender, receiver): as backup it does not vouch for what was sent
    """

    mute: set[tuple[int, int, int]] = field(default_factory=set)
    lie: set[tuple[int, int, int]] = field(default_factory=set)
    dies: set[tuple[int, int]] = field(default_factory=set)
    vouch: set[tuple[int, int, int, int]] = field(default_factory=set)
    accuse: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


def backup_of(roster: tuple[int, ...], sender: int, receiver: int) -> int:
    return next(p for p in roster if p not in (sender, receiver))


@dataclass
class Wires:
    """The links of all runs. closed: whose process has ended, in which run."""

    frames: dict[tuple[bytes, int, int, int, int], tuple[bytes, bytes]] = field(default_factory=dict)
    closed: set[tuple[bytes, int, int]] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Linked:
    """One job process in one epoch."""

    def __init__(self, wires: Wires, order: Order, cheat: Cheat) -> None:
        self.wires, self.order, self.cheat = wires, order, cheat
        self.round = 0
        self.digests: dict[tuple[int, int, int, int], bytes] = {}
        self.accepted: dict[int, int] = {}
        self.halted = asyncio.Event()

    @property
    def kept(self) -> Kept:
        last = {place: d for place, d in self.digests.items() if place[0] >= self.round - 1}
        return Kept(last, dict(self.accepted))

    def stop(self, missing: frozenset[int] = frozenset(), complaint: Complaint | None = None) -> Stop:
        return Stop("stopped", report=Stopped(self.round, missing, complaint), kept=self.kept)

    async def run(self, reveal: Reveal, reveal_after: int, compute: Callable[[Order], Product]) -> Product:
        try:
            for number in range(1, ROUNDS + 1):
                self.round = number
                await self._round()
                if number == reveal_after and not await reveal("ranges", b"r" * 32, self.kept):
                    raise InternalError("a reveal was refused")
            product = compute(self.order)
            return Product(product.outputs, product.reveals, product.excluded, product.outvoted, self.kept)
        finally:
            self.wires.closed.add((self.order.job, self.order.epoch, self.order.me))
            self.wires.ring()

    async def _round(self) -> None:
        order, number = self.order, self.round
        if (order.epoch, number) in self.cheat.dies:
            raise InternalError("the job process ended")
        await asyncio.sleep(0.02)
        for peer in self._peers():
            self._send(peer)
        self.wires.ring()
        missing = await self._collect()
        if missing:
            raise self.stop(missing)
        self._check()

    def _peers(self) -> list[int]:
        return [p for p in self.order.roster if p != self.order.me]

    def _send(self, peer: int) -> None:
        order, number, me = self.order, self.round, self.order.me
        for sender in order.roster:
            backup = backup_of(order.roster, sender, peer) if sender != peer else -1
            if peer != me and sender != peer and me in (sender, backup):
                self.digests[number, sender, backup, peer] = _words(order, number, sender, peer)
        if (order.epoch, number, peer) in self.cheat.mute:
            return
        words = _words(order, number, me, peer)
        tags = b"".join(
            _words(order, number, s, peer)
            for s in order.roster
            if s not in (me, peer) and backup_of(order.roster, s, peer) == me
        )
        if (order.epoch, number, peer) in self.cheat.lie:
            words = b"lie" + words[3:]
        if any((order.epoch, number, s, peer) in self.cheat.vouch for s in order.roster):
            tags = b"lie" + tags[3:]
        self.wires.frames[order.job, order.epoch, number, me, peer] = words, tags

    async def _collect(self) -> frozenset[int]:
        order = self.order
        until = asyncio.get_running_loop().time() + ROUND_S
        while True:
            waiting = [p for p in self._peers() if not self._has(p)]
            open_ = [p for p in waiting if (order.job, order.epoch, p) not in self.wires.closed]
            if self.halted.is_set():
                raise self.stop()
            if not open_ or asyncio.get_running_loop().time() >= until:
                return frozenset(waiting)
            news = self.wires.news
            try:
                async with asyncio.timeout_at(until):
                    await news.wait()
            except TimeoutError:
                continue

    def _has(self, peer: int) -> bool:
        place = (self.order.job, self.order.epoch, self.round, peer, self.order.me)
        if place in self.wires.frames:
            self.accepted[peer] = self.round
        return place in self.wires.frames

    def _check(self) -> None:
        order, me, number = self.order, self.order.me, self.round
        accused = self.cheat.accuse.get((order.epoch, number))
        for sender in self._peers():
            backup = backup_of(order.roster, sender, me)
            words, _ = self.wires.frames[order.job, order.epoch, number, sender, me]
            _, tags = self.wires.frames[order.job, order.epoch, number, backup, me]
            if words not in [tags[k : k + 32] for k in range(0, len(tags), 32)] or accused == (
                sender,
                backup,
            ):
                raise self.stop(complaint=Complaint(sender, backup, words))


def _words(order: Order, number: int, sender: int, receiver: int) -> bytes:
    """What a party sends, which stands for its own digest."""
    return hashlib.sha256(order.job + bytes([order.epoch, number, sender, receiver])).digest()


def add_up(order: Order) -> Product:
    """The sum of all inputs, on the shares: piece by piece, without a message."""
    scheme = SCHEMES[order.specification.protocol]
    mine = scheme.held(order.me)
    total = np.zeros((len(mine), 1), np.uint64)
    for entry in order.inputs:
        if entry.left_out:
            # A public constant: it is piece 0, the others are zero.
            total[[a == 0 for a in mine]] += np.uint64(entry.rows * _default(order, entry.owner))
            continue
        context = Context(order.session, entry.owner_key, entry.argument)
        data = expand_pieces(scheme, order.me, mine, entry.payloads, entry.rows, 1, context)
        total += data.sum(axis=(1, 2))[:, None]
    summands = {a: total[k] for k, a in enumerate(mine)}
    words, keys = _converted(order, summands)
    outputs = []
    for result in order.specification.results:
        deliveries = []
        for recipient in result.to:
            place = Place(order.session, result.output, recipient)
            made = {a: make_opening(place, a, keys[a], words[a]) for a in words}
            coms = {a: commitment(place, a, made[a]) for a in words}
            deliveries.append(Delivery(recipient, {a: made[a].salt for a in words}, coms))
        pieces = {a: words[a].astype("<u8").tobytes() for a in words}
        outputs.append(SharedOutput(result.output, (1,), pieces, tuple(deliveries)))
    return Product(tuple(outputs), b"\0" * 32)


def _default(order: Order, owner: str) -> int:
    (entry,) = order.specification.inputs_of(owner)
    assert isinstance(entry.default, int)
    return entry.default


def _converted(order: Order, summands: dict[int, Words]) -> tuple[dict[int, Words], dict[int, bytes]]:
    """The pieces of the scheme of the epoch that this party holds, and their keys."""
    if order.scheme == order.specification.protocol:
        return summands, dict(order.keys)
    change = rep3_of_rep4(order.roster)
    words, keys = {}, {}
    for m in held(order):
        a = change.summands[m]
        extra = summands[change.dropped] if m == change.takes else np.zeros(1, np.uint64)
        words[m] = summands[a] + extra
        keys[m] = order.keys[a]
    return words, keys
