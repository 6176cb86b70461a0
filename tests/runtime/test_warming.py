"""The fork server's rehearsal runs through, with the reserve met by bids of zero."""

from __future__ import annotations

import time

from mpcd.runtime import warming
from mpcd.runtime.lockstep import lockstep


def test_the_rehearsal_is_a_whole_auction() -> None:
    for opened in lockstep([warming._party(me) for me in range(4)], session=warming._SESSION).results():
        assert {name: int(value[0]) for name, value in opened.items()} == {"winner": 0, "price": 0}


def test_it_is_short_and_may_be_repeated() -> None:
    began = time.process_time()
    for _ in range(2):
        warming.rehearse()
    assert time.process_time() - began < 10.0
