"""`missing: default`: whatever an owner does, the same number counts for it at all parties, and all say why.

The others' inputs count as they are. The job process is that of `links`, which adds up the inputs; the real
one is in `tests/runtime/test_defaults.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mpcd._pb.v1.peer_pb2 import InputHeader
from mpcd.identity.envelope import Envelope
from mpcd.jobs.receipt import Receipt, verify
from mpcd.jobs.specification import Specification
from mpcd.jobs.states import State
from mpcd.party.notes import InputNote
from mpcd.testing.simulation.clock import run_virtually
from mpcd.transport.wire import from_wire, to_wire
from tests.party.cheats import evidence_of
from tests.party.links import Cheat
from tests.party.test_cheating_inputs import garbled, second_entry
from tests.party.world import (
    COMPUTING,
    DEFAULT,
    EVERYBODY,
    OWNER,
    READER,
    TOTAL,
    VALUES,
    World,
    identities,
    result_of,
    roster,
    run_job,
    specification,
)

WITH_DEFAULT = TOTAL - VALUES[OWNER] + DEFAULT
Script = Callable[[World], None]
THREE: dict[str, Any] = {"computing": COMPUTING[:3], "protocol": "rep3", "profile": "fair"}


async def receipt_of(world: World, name: str, spec: Specification) -> Receipt:
    raw = await world.daemons[name].store.receipts.get(spec.job)
    assert raw is not None
    verdict = verify(Envelope.from_bytes(raw), roster())
    assert verdict.valid
    return verdict.receipt


def play(script: Script, **changes: Any) -> tuple[World, dict[str, State], Receipt]:
    """A job with defaults; what all have computed on, its result, and its receipt, the same for all."""

    async def story() -> tuple[World, dict[str, State], Receipt]:
        world, spec = World(), specification(missing="default", **changes)
        script(world)
        ended = await run_job(world, spec)
        learnt = {await result_of(world, name, spec) for name in ("acme", READER)}
        assert len(learnt) == 1, learnt
        found = [await receipt_of(world, name, spec) for name in (*spec.computing[:2], READER)]
        assert found[0] == found[1] == found[2]
        assert learnt == {_total(world, found[0])}
        return world, ended, found[0]

    return run_virtually(story())


def _total(world: World, receipt: Receipt) -> int:
    """What the receipt says was added up. All orders of all parties in all epochs say the same."""
    kept = {(line.owner, line.default) for line in receipt.inputs}
    for name in receipt.computing:
        for order in world.daemons[name].pool.orders:
            assert {(given.owner, given.left_out) for given in order.inputs} == kept
    return sum(DEFAULT if default else VALUES[owner] for owner, default in kept)


def silent(world: World) -> None:
    world.daemon(OWNER).data.value = None


def with_twist(change: Callable[[str, str, str, Any], Any]) -> Script:
    def script(world: World) -> None:
        world.twist = change

    return script


def two_inputs(what: str, sender: str, to: str, message: Any) -> Any:
    return second_entry(message, to) if what == "input" and (sender, to) == (OWNER, "crux") else message


class Replayed:
    """The owner gives as its own what acme has given: the same commitments and boxes under its signature."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[InputHeader, bytes]] = {}

    def __call__(self, what: str, sender: str, to: str, message: Any) -> Any:
        if what != "input":
            return message
        if sender == "acme":
            self.seen[to] = message
        if sender != OWNER or not self.seen:
            return message
        header, data = self.seen.get(to, next(iter(self.seen.values())))
        note = InputNote.from_bytes(from_wire(header.entry).payload).model_copy(update={"owner": OWNER})
        changed = InputHeader()
        changed.CopyFrom(header)
        changed.entry.CopyFrom(to_wire(note.envelope(identities()[OWNER])))
        return changed, data


def more_rows(what: str, sender: str, to: str, message: Any) -> Any:
    """An entry for another number of rows than the owner consented to."""
    if what != "input" or sender != OWNER:
        return message
    header, data = message
    note = InputNote.from_bytes(from_wire(header.entry).payload).model_copy(update={"rows": 2})
    changed = InputHeader()
    changed.CopyFrom(header)
    changed.entry.CopyFrom(to_wire(note.envelope(identities()[OWNER])))
    return changed, data


def late(world: World) -> None:
    world.lost = lambda what, sender, to, message: what == "input" and sender == OWNER


LIES: dict[str, tuple[Script, str]] = {
    "nothing": (silent, "no input came in time"),
    "too late": (late, "no input came in time"),
    "two inputs": (with_twist(two_inputs), "the owner signed two different inputs"),
    "boxes that do not open": (with_twist(garbled("bolt", "crux")), "too few parties got shares"),
    "somebody else's input": (with_twist(Replayed()), "too few parties got shares"),
    "another number of rows": (with_twist(more_rows), "no input came in time"),
}


@pytest.mark.parametrize("protocol", ["rep4", "rep3"])
@pytest.mark.parametrize("name", LIES, ids=lambda name: name.replace(" ", "-").replace("'", ""))
def test_whatever_an_owner_does_its_default_counts_for_all_and_all_say_why(name: str, protocol: str) -> None:
    script, reason = LIES[name]
    _, ended, receipt = play(script, **(THREE if protocol == "rep3" else {}))
    assert {ended[who] for who in (*COMPUTING, READER)} == {State.SUCCEEDED}
    assert [(line.owner, line.rows, line.default) for line in receipt.inputs] == [
        *((who, 1, False) for who in COMPUTING),
        (OWNER, 1, True),
    ]
    (line,) = receipt.excluded
    assert (line.owner, line.argument, line.default) == (OWNER, "bids", True)
    assert reason in line.reason
    assert not receipt.faults


def test_of_an_honest_owner_the_input_counts() -> None:
    """One holder that cannot open its boxes, or says so, changes nothing."""
    _, ended, receipt = play(with_twist(garbled("bolt")))
    assert set(ended.values()) == {State.SUCCEEDED}
    assert not receipt.excluded
    assert not any(line.default for line in receipt.inputs)


def test_if_nobody_gives_anything_there_is_a_result_of_defaults() -> None:
    _, _, receipt = play(silent, owners=(OWNER,))
    assert [(line.owner, line.default) for line in receipt.inputs] == [(OWNER, True)]


@pytest.mark.parametrize(
    ("cheat", "epochs"),
    [(Cheat(dies={(0, 2)}), 2), (Cheat(lie={(0, 2, 1)}), 2), (Cheat(lie={(0, 2, 1), (1, 2, 2)}), 3)],
)
def test_later_epochs_compute_on_the_same_defaults(cheat: Cheat, epochs: int) -> None:
    """`play` compares the orders of all epochs with the receipt."""

    def script(world: World) -> None:
        silent(world)
        world.daemon("acme").pool.cheat = cheat

    world, ended, receipt = play(script, profile="guaranteed")
    assert {ended[who] for who in (*COMPUTING, READER)} == {State.SUCCEEDED}
    assert len(receipt.epochs) == epochs
    assert len({order.epoch for who in COMPUTING for order in world.daemons[who].pool.orders}) == epochs
    assert [line.owner for line in receipt.inputs if line.default] == [OWNER]


def test_a_computing_party_without_its_data_costs_neither_row_nor_result() -> None:
    """It ends by itself, and the others compute without it, from the beginning, on its default."""

    def script(world: World) -> None:
        world.daemon("bolt").data.value = None

    async def story() -> None:
        world, spec = World(), specification(missing="default", profile="guaranteed")
        script(world)
        ended = await run_job(world, spec)
        assert ended["bolt"] is State.FAILED
        assert {ended[name] for name in EVERYBODY if name != "bolt"} == {State.SUCCEEDED}
        assert await result_of(world, READER, spec) == TOTAL - VALUES["bolt"] + DEFAULT
        receipt = await receipt_of(world, "acme", spec)
        assert [line.owner for line in receipt.inputs] == [*COMPUTING, OWNER]
        assert [line.owner for line in receipt.inputs if line.default] == ["bolt"]

    run_virtually(story())


@pytest.mark.parametrize("missing", ["abort", "exclude", "default"])
def test_an_owner_that_signs_two_inputs_is_on_record_however_the_job_goes_on(missing: str) -> None:
    async def story() -> None:
        world, spec = World(), specification(missing=missing)
        LIES["two inputs"][0](world)
        await run_job(world, spec)
        for name in COMPUTING:
            (evidence,) = [one for one in await evidence_of(world, name) if one.kind == "equivocation"]
            assert evidence.blamed == (OWNER,)
            assert len(evidence.statements) == 2

    run_virtually(story())
