"""From agreed inputs to agreed permission to open: the job process, program reveals, READY-OPEN.

Output shares and salts are on the disk before READY is signed; after that only the outcome of the slot
moves the job. READY is signed only if there is time left for the slot and the opening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from mpcd.errors import DeadlineError, InternalError
from mpcd.jobs.evidence import Kind
from mpcd.jobs.states import Event
from mpcd.party.agreeing import decide
from mpcd.party.case import Case, StageEnd
from mpcd.party.ports import AgreedInput, Delivery, Kept, Order, Product, SharedOutput, Worker
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.outcomes import DIGEST_BYTES
from mpcd.protocols.agreement.ready import Decision, Ready, ready_to_open, ready_value
from mpcd.protocols.rep4.keys import holders
from mpcd.storage.shares import OutputShare

_log = structlog.get_logger("mpcd.party")

Place = tuple[str, str]
"""(output, recipient)."""


@dataclass(slots=True)
class Reveals:
    """Program-level reveals of one run: each passes a slot of its own."""

    case: Case
    slots: Slots
    session: bytes
    number: int = 0
    names: list[tuple[str, bytes]] = field(default_factory=list)

    async def allow(self, name: str, digest: bytes, _kept: Kept) -> bool:
        """Whether all parties are ready to reveal, and have seen the same so far: it always is true.

        Raises  StageEnd if they are not: a fault of somebody's, as at READY-OPEN, and not of our process
        """
        key = SlotKey("REVEAL", self.session, self.number)
        self.number += 1
        value = ready_value(Ready(True, (), digest))
        outcome = await decide(
            self.case,
            self.slots,
            key,
            lambda: value,
            by=latest_ready(self.case),
            max_body=len(value),
        )
        decision = ready_to_open(outcome, 0)
        if not decision.open:
            raise _refusal(self.case, decision, Event.FAULT, f"reveal {name}")
        self.names.append((name, digest))
        return True


def places(case: Case) -> list[Place]:
    """Every output and recipient, in the order that all parties use."""
    return [(e.output, name) for e in case.terms.specification.results for name in sorted(e.to)]


def latest_ready(case: Case) -> float:
    """When the slot READY-OPEN must have begun, so that slot and opening end before the deadline."""
    return case.terms.deadline - 2 * case.slot_s


async def compute(
    case: Case,
    slots: Slots,
    session: bytes,
    worker: Worker,
    attempt: int,
    inputs: list[AgreedInput],
    secrets: Mapping[int, bytes],
) -> tuple[Product, list[tuple[str, bytes]]]:
    """Run the program in its job process; what it made, and what was revealed on the way (name, digest).

    Raises  what the process reports; DeadlineError
    """
    me = case.computing.index(case.name)
    reveals = Reveals(case, slots, session)
    remaining = latest_ready(case) - case.now()
    order = Order(
        job=case.job,
        session=session,
        attempt=attempt,
        me=me,
        specification=case.terms.specification,
        inputs=tuple(inputs),
        keys=secrets,
        deadline_s=max(0.0, remaining),
    )
    try:
        async with asyncio.timeout(max(0.0, remaining)):
            product = await worker.run(order, reveals.allow)
    except TimeoutError:
        text = (
            f"the computation did not end {2 * case.slot_s:g} s before the deadline, which the opening needs"
        )
        raise DeadlineError(text) from None
    finally:
        await worker.release()
    await _record_outvoted(case, session, product)
    await _persist(case, session, product)
    return product, reveals.names


async def _record_outvoted(case: Case, session: bytes, product: Product) -> None:
    """Keep what was seen and outvoted in openings. The job goes on: the value that was taken is right.

    Evidence names the pair, us and the other: before a third party, either may be the liar.
    """
    by_pair: dict[frozenset[int], list[str]] = {}
    for path, pair in product.outvoted:
        by_pair.setdefault(pair, []).append(path)
    for pair, paths in by_pair.items():
        blamed = case.names(pair)
        if len(blamed) < 2:
            raise InternalError("the job process named a party alone")
        text = f"{len(paths)} openings came in two versions, of which two holders confirmed the other"
        await case.record(
            StageEnd(Event.FAULT, text, kind="bad-opening", blamed=blamed, step=paths[0]), session
        )
        _log.warning("openings outvoted", job=case.job.hex(), step=paths[0], parties=sorted(blamed))


async def _persist(case: Case, session: bytes, product: Product) -> None:
    """All output shares, encrypted, in one transaction."""
    me = case.computing.index(case.name)
    shares: list[OutputShare] = []
    made = {output.name: output for output in product.outputs}
    for name, recipient in places(case):
        output = made.get(name)
        delivery = None if output is None else _delivery(output, recipient)
        if output is None or delivery is None or set(delivery.commitments) != holders(me):
            raise InternalError(f"the job process gave no share of output {name} for {recipient}")
        shares += [
            OutputShare(name, recipient, a, delivery.commitments[a], output.summands[a], delivery.salts[a])
            for a in sorted(holders(me))
        ]
    await case.tools.store.outputs.put(case.job, session, shares)


def _delivery(output: SharedOutput, recipient: str) -> Delivery | None:
    return next((d for d in output.deliveries if d.recipient == recipient), None)


async def agree_to_open(case: Case, slots: Slots, session: bytes, product: Product) -> Decision:
    """The slot READY-OPEN. The job is `verifying` before, and `opening` or ended after.

    Raises  StageEnd with Event.NOT_READY; DeadlineError if the slot could not begin (nothing was signed)
    """
    word = Ready(True, _rows(case, product), product.reveals)

    def value() -> bytes:
        in_time = case.now() + 2 * case.slot_s - case.tools.pace.delta_s <= case.terms.deadline
        return ready_value(word if in_time else Ready(False, (), b""))

    size = 1 + DIGEST_BYTES * (1 + sum(len(row) for row in word.commitments))
    key = SlotKey("READY-OPEN", session)
    # Not settled: whether there is time left is seen when the slot begins.
    outcome = await decide(case, slots, key, value, by=latest_ready(case), max_body=size, settled=False)
    decision = ready_to_open(outcome, len(word.commitments))
    if decision.open:
        return decision
    raise _refusal(case, decision, Event.NOT_READY, "ready-open")


def _rows(case: Case, product: Product) -> tuple[tuple[bytes, ...], ...]:
    made = {output.name: output for output in product.outputs}
    rows: list[tuple[bytes, ...]] = []
    for name, recipient in places(case):
        delivery = _delivery(made[name], recipient)
        if delivery is not None:
            rows.append(tuple(delivery.commitments[a] for a in sorted(delivery.commitments)))
    return tuple(rows)


def _refusal(case: Case, decision: Decision, event: Event, step: str) -> StageEnd:
    """Why nothing was opened, with parties by name."""
    blamed = case.names(decision.blamed) | (case.names(decision.silent) & set(case.proofs))
    silent = case.names(decision.silent) - blamed - {case.name}
    parts = [f"{name} is not ready" for name in sorted(case.names(decision.unready))]
    parts += [f"{name} gave no valid word" for name in sorted(silent)]
    parts += [f"{name} signed two words" for name in sorted(blamed & set(case.proofs))]
    statements = tuple(s for name in sorted(blamed & set(case.proofs)) for s in case.proofs[name])
    kind: Kind | None = "silence" if silent else None
    if blamed:
        kind = "equivocation" if statements else "bad-opening"
    text = "nothing was opened: " + ("; ".join(parts) or decision.reason)
    return StageEnd(
        event,
        text,
        kind=kind,
        blamed=blamed,
        unreachable=silent,
        statements=statements,
        step=step,
    )
