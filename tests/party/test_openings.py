"""What a holder takes for a share of an input, and whose mail has room on its desk."""

from __future__ import annotations

from mpcd.clock import SystemClock
from mpcd.identity.encoding import pack
from mpcd.identity.sealing import seal
from mpcd.party.contributing import box_context, prepare
from mpcd.party.desk import SESSIONS_KEPT, Desk
from mpcd.party.gathering import _open, fits
from tests.party.virtual_time import run_virtually
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


def test_a_sender_that_fills_its_room_leaves_that_of_the_others() -> None:
    desk = Desk(SystemClock())
    assert all(desk.tray(bytes([k]) * 32, "dune") is not None for k in range(SESSIONS_KEPT))
    assert desk.tray(SESSION, "dune") is None
    assert desk.tray(SESSION, "acme") is not None
