"""What a holder takes for a share of an input, and whose mail has room on its desk."""

from __future__ import annotations

import pytest

from mpcd._pb.v1.peer_pb2 import InputHeader, SealedBox
from mpcd.clock import SystemClock
from mpcd.errors import RefusedError
from mpcd.identity.encoding import pack
from mpcd.identity.envelope import Envelope
from mpcd.identity.sealing import seal
from mpcd.party.contributing import box_context, prepare
from mpcd.party.desk import SESSIONS_KEPT, Desk
from mpcd.party.forwarding import fits
from mpcd.party.gathering import _open
from mpcd.testing.simulation.clock import run_virtually
from mpcd.transport.wire import to_wire
from tests.party.world import OWNER, World, roster, specification

SESSION = b"s" * 32
HOLDER = "bolt"


def test_a_box_that_does_not_open_the_commitment_is_as_good_as_not_sent() -> None:
    """Well sealed, for the right holder and session, but another payload or salt than was committed to."""

    async def story() -> None:
        world, spec = World(), specification()
        owner, holder = [(await world.daemon(name).know(spec)).case for name in (OWNER, HOLDER)]
        (parcel,) = await prepare(owner, SESSION)
        boxes = parcel.boxes[HOLDER]
        good = _open(holder, SESSION, parcel.note, boxes)
        assert set(good) == {0, 2, 3}
        for a, (payload, salt) in good.items():
            assert fits(holder, SESSION, parcel.note, a, payload, salt)
            for lie in ((bytes(len(payload)), salt), (payload, bytes(len(salt))), (payload + b"\0", salt)):
                assert not fits(holder, SESSION, parcel.note, a, *lie)
                context = box_context(SESSION, parcel.note, a, HOLDER)
                box = seal(roster().member(HOLDER).sealing_key, context, pack(list(lie)))
                assert set(_open(holder, SESSION, parcel.note, {**boxes, a: box})) == set(good) - {a}

    run_virtually(story())


@pytest.mark.parametrize("summands", [[0, 1], [0, 2, 3, 7], [0, 2, 3, 3], [9] * 1000])
def test_boxes_that_this_party_must_not_have_are_refused(summands: list[int]) -> None:
    """bolt holds summands 0, 2 and 3: nothing else is kept, however many are sent."""

    async def story() -> None:
        world, spec = World(), specification()
        owner, holder = [await world.daemon(name).know(spec) for name in (OWNER, HOLDER)]
        (parcel,) = await prepare(owner.case, SESSION)
        header = InputHeader(job=spec.job, session=SESSION, input=parcel.note.argument)
        header.entry.CopyFrom(to_wire(Envelope.from_bytes(parcel.entry)))
        header.boxes.extend(SealedBox(summand=a) for a in summands)
        with pytest.raises(RefusedError, match="one box for each summand"):
            await holder.input(OWNER, header, b"")
        del header.boxes[:]
        header.boxes.extend(SealedBox(summand=a) for a in (0, 2, 3))
        await holder.input(OWNER, header, b"")

    run_virtually(story())


def test_a_sender_that_fills_its_room_leaves_that_of_the_others() -> None:
    desk = Desk(SystemClock())
    assert all(desk.tray(bytes([k]) * 32, "dune") is not None for k in range(SESSIONS_KEPT))
    assert desk.tray(SESSION, "dune") is None
    assert desk.tray(SESSION, "acme") is not None
