"""What goes into a job process for one epoch, and what is done with what comes out of it.

Output shares and salts are on the disk before this party says that it is ready; it says so only if there is
time left for the slot and the opening.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from mpcd.errors import InternalError
from mpcd.jobs.states import Event
from mpcd.party.case import Case, StageEnd
from mpcd.party.ports import AgreedInput, Delivery, Order, Product, SharedOutput
from mpcd.party.recording import record
from mpcd.protocols.agreement.standing import Standing
from mpcd.protocols.scheme import SCHEMES
from mpcd.storage.shares import OutputShare

_log = structlog.get_logger("mpcd.party")

Place = tuple[str, str]
"""(output, recipient)."""


def places(case: Case) -> list[Place]:
    """Every output and recipient, in the order that all parties use."""
    return [(e.output, name) for e in case.terms.specification.results for name in sorted(e.to)]


def latest_ready(case: Case) -> float:
    """When the last barrier must have begun, so that slot and opening end before the deadline."""
    return case.terms.deadline - 2 * case.slot_s


def in_time(case: Case) -> bool:
    """Whether a slot that begins now, and the opening after it, end before the deadline."""
    return case.now() + 2 * case.slot_s - case.tools.pace.delta_s <= case.terms.deadline


def order_for(
    case: Case,
    session: bytes,
    attempt: int,
    standing: Standing,
    inputs: list[AgreedInput],
    secrets: Mapping[int, bytes],
) -> Order:
    """What our job process is told for the epoch of this standing."""
    parties = range(len(case.computing))
    dropped = set(parties) - set(standing.roster)
    left_s = max(0.0, latest_ready(case) - case.now())
    if case.patience_s is None:
        case.patience_s = case.tools.pace.round_patience_s(left_s, case.terms.rounds)
    return Order(
        job=case.job,
        session=session,
        attempt=attempt,
        me=case.computing.index(case.name),
        specification=case.terms.specification,
        inputs=tuple(inputs),
        keys=secrets,
        deadline_s=left_s,
        round_s=case.patience_s,
        epoch=standing.epoch,
        roster=tuple(standing.roster),
        scheme=standing.scheme,
        checked=standing.checked,
        history=standing.history,
        dropped=min(dropped, default=None),
    )


def held(order: Order) -> tuple[int, ...]:
    """The pieces that this party holds in the scheme of the epoch."""
    return SCHEMES[order.scheme].held(order.roster.index(order.me))


async def record_outvoted(case: Case, order: Order, product: Product) -> None:
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
        await record(
            case, StageEnd(Event.FAULT, text, kind="bad-opening", blamed=blamed, step=paths[0]), order.session
        )
        _log.warning("openings outvoted", job=case.job.hex(), step=paths[0], parties=sorted(blamed))


async def persist(case: Case, order: Order, product: Product) -> None:
    """All output shares, encrypted, in one transaction."""
    pieces = held(order)
    shares: list[OutputShare] = []
    made = {output.name: output for output in product.outputs}
    for name, recipient in places(case):
        output = made.get(name)
        delivery = None if output is None else _delivery(output, recipient)
        if output is None or delivery is None or set(delivery.commitments) != set(pieces):
            raise InternalError(f"the job process gave no share of output {name} for {recipient}")
        shares += [
            OutputShare(name, recipient, a, delivery.commitments[a], output.summands[a], delivery.salts[a])
            for a in pieces
        ]
    await case.tools.store.outputs.put(case.job, order.session, shares)


def _delivery(output: SharedOutput, recipient: str) -> Delivery | None:
    return next((d for d in output.deliveries if d.recipient == recipient), None)


def rows(case: Case, product: Product) -> tuple[tuple[bytes, ...], ...]:
    """The commitments of a product in the order that all parties use: what is said at the last barrier."""
    made = {output.name: output for output in product.outputs}
    found: list[tuple[bytes, ...]] = []
    for name, recipient in places(case):
        delivery = _delivery(made[name], recipient)
        if delivery is not None:
            found.append(tuple(delivery.commitments[a] for a in sorted(delivery.commitments)))
    return tuple(found)
