"""Which secrets the job processes of a simulation drew masks and tags from: none may serve two runs.

Within one run a process refuses to open a stream twice and to use a round number twice; what is left to see
to, over epochs and restarts, is that no two runs share a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mpcd.party.ports import Order
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.runtime.computation import Computation
from mpcd.runtime.epochs import Epoch

Run = tuple[bytes, int, int]
"""(session, epoch, attempt)."""


@dataclass
class Ledger:
    """runs: secret -> the one run that it belongs to; draws: streams opened; twice: what is wrong."""

    runs: dict[bytes, Run] = field(default_factory=dict)
    seen: set[tuple[str, Run]] = field(default_factory=set)
    draws: int = 0
    twice: list[str] = field(default_factory=list)

    def note(self, party: str, order: Order, epoch: Epoch, computation: Computation) -> None:
        """A process has ended, whatever its end."""
        run = order.session, order.epoch, order.attempt
        if (party, run) in self.seen:
            self.twice.append(f"{party} ran epoch {order.epoch} twice")
        self.seen.add((party, run))
        engine = computation.engine
        streams = engine.party.streams
        secrets = {f"stream {k}": key for k, key in streams._keys.items()}
        secrets |= {f"tag {peer}": key for peer, key in epoch.tag_keys().items()}
        secrets |= {f"output {a}": key for a, key in epoch.output_keys().items()}
        if isinstance(engine, Rep3Engine):
            secrets |= {f"batches {a}": root for a, root in engine.party.roots.items()}
        self.draws += sum(len(used) for _, used in streams._open.values())
        for what, secret in secrets.items():
            before = self.runs.setdefault(secret, run)
            if before != run:
                self.twice.append(f"{party}: the key {what} of epoch {order.epoch} served epoch {before[1]}")
