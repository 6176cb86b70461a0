"""Openings: the right value, to the right parties, whatever one party does."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.errors import ChannelError, PeerError
from mpcd.protocols.rep4.opening import open_bits_to, open_to
from mpcd.protocols.rep4.sharing import ALL, Bits4, Rep4
from mpcd.protocols.rounds import Inbox, parallel
from mpcd.runtime.lockstep import Run, lockstep, outcome
from mpcd.testing.wrappers import cheat, drop, every_message, flip, lose, shift, spy
from tests.protocols.rep4.four import each, parties, run, share, share_bits
from tests.protocols.rep4.sharings import share_planes, words

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES = np.array([[1, -2, 3], [2**62, -(2**63), 0]])
TARGETS = st.frozensets(st.integers(0, 3))


# -- correct -----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(INT64, max_size=20), TARGETS, st.integers(0, 99))
def test_exactly_the_receivers_get_the_value(values: list[int], to: frozenset[int], seed: int) -> None:
    x = np.array(values, np.int64)
    for party, opened in run(open_to, share(x, seed), to).outputs.items():
        if party in to:
            np.testing.assert_array_equal(opened, x)
        else:
            assert opened is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=150), TARGETS, st.integers(0, 99))
def test_exactly_the_receivers_get_the_bits(values: list[bool], to: frozenset[int], seed: int) -> None:
    x = np.array(values, np.bool_)
    for party, opened in run(open_bits_to, share_bits(x, seed), to).outputs.items():
        if party in to:
            np.testing.assert_array_equal(opened, x)
        else:
            assert opened is None


def test_shapes_and_planes_are_kept() -> None:
    for opened in run(open_to, share(VALUES)).results():
        np.testing.assert_array_equal(opened, VALUES)
    planes = words(3, 5, 2)
    for opened in run(open_bits_to, share_planes(planes)).results():
        assert opened.shape == (5, 128)
        np.testing.assert_array_equal(np.packbits(opened, axis=-1, bitorder="little").view(np.uint64), planes)


# -- cost and privacy --------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [ALL, frozenset({2}), frozenset({0, 3})])
def test_cost_is_two_values_and_a_digest_per_receiver(to: frozenset[int]) -> None:
    done = run(open_to, share(np.arange(1000)), to)
    assert done.rounds == 1
    assert sum(done.payload_bytes.values()) == len(to) * (16 * 1000 + 32)
    assert {receiver for (_, receiver), size in done.sent.items() if size} == to
    flags = run(open_bits_to, share_bits(np.ones(6400, np.bool_)), to)
    assert sum(flags.payload_bytes.values()) == len(to) * (1600 + 32)


def test_bits_behind_the_last_flag_stay_hidden() -> None:
    """A vector cut off in the middle of a word carries its neighbours' bits: they must not travel."""
    seen: list[Inbox] = []
    whole = share_bits(np.ones(64, np.bool_))
    steps = each(open_bits_to, [Bits4(b.data, (5,)) for b in whole])
    steps[1] = spy(steps[1], seen)
    lockstep(steps).results()
    for (_, label), payload in seen[0].items():
        assert label == "digest" or not np.asarray(payload)[0] >> np.uint64(5)


# -- dishonest ---------------------------------------------------------------------------------------


def opened_with(cheater: int, edit: Any) -> tuple[Run[Any], list[Any]]:
    who = parties()
    steps = [open_to(p, x) for p, x in zip(who, share(VALUES), strict=True)]
    steps[cheater] = cheat(steps[cheater], edit)
    return lockstep(steps), [p.notices for p in who]


@pytest.mark.parametrize("edit", [shift, flip])
def test_one_wrong_message_changes_nothing_and_is_noted(edit: Any) -> None:
    """Whichever of the three holders lies; the honest control has no notices."""
    places = every_message(each(open_to, share(VALUES)))
    assert len(places) == 12
    for place in places:
        done, notices = opened_with(place.sender, edit(to=place.receiver, label=place.label))
        for opened in done.results():
            np.testing.assert_array_equal(opened, VALUES)
        for party in range(4):
            if party == place.receiver:
                (notice,) = notices[party]
                assert notice.pair == {place.sender, place.receiver}
            else:
                assert notices[party] == []


@pytest.mark.parametrize("cheater", range(4))
def test_a_party_that_lies_to_everybody_changes_nothing(cheater: int) -> None:
    done, notices = opened_with(cheater, shift())
    for party in set(range(4)) - {cheater}:
        np.testing.assert_array_equal(done.outputs[party], VALUES)
        assert [n.pair for n in notices[party]] == [{cheater, party}]
    assert notices[cheater] == []


@pytest.mark.parametrize("silent", range(4))
def test_one_silent_party_changes_nothing(silent: int) -> None:
    done = lockstep(each(open_to, share(VALUES)), tamper=lose(sender=silent))
    for opened in done.results():
        np.testing.assert_array_equal(opened, VALUES)


@pytest.mark.parametrize("silent", range(4))
def test_one_silent_party_changes_nothing_in_parallel_openings(silent: int) -> None:
    x, b = share(VALUES), share_bits(np.array([True, False]))
    steps = [parallel([open_to(p.at(0), x[p.me]), open_bits_to(p.at(1), b[p.me])]) for p in parties()]
    for numbers, flags in lockstep(steps, tamper=lose(sender=silent)).results():
        np.testing.assert_array_equal(numbers, VALUES)
        np.testing.assert_array_equal(flags, [True, False])


@pytest.mark.parametrize("receiver", range(4))
def test_two_silent_holders_are_too_many(receiver: int) -> None:
    first, second = (receiver + 1) % 4, (receiver + 2) % 4

    def tamper(frame: bytes, number: int, sender: int, to: int) -> bytes | None:
        return None if sender in (first, second) and to == receiver else frame

    error = outcome(lockstep(each(open_to, share(VALUES)), tamper=tamper), receiver)
    assert isinstance(error, ChannelError)
    assert error.unreachable == {first, second}


@pytest.mark.parametrize(("receiver", "silent"), list(product(range(4), range(1, 4))))
def test_a_lie_beside_a_silent_holder_gives_no_value(receiver: int, silent: int) -> None:
    """Two faults: the receiver cannot decide, so it takes no value; the two who differ are the set."""
    absent = (receiver + silent) % 4
    others = frozenset(range(4)) - {receiver, absent}
    liar = min(others)
    steps = each(open_to, share(VALUES))
    steps[liar] = cheat(steps[liar], shift(to=receiver))
    error = outcome(lockstep(steps, tamper=lose(sender=absent, receiver=receiver)), receiver)
    assert isinstance(error, PeerError)
    assert error.blamed == others


def test_two_lies_give_no_value() -> None:
    steps = each(open_to, share(VALUES))
    for liar, by in ((1, 1), (3, 2)):
        steps[liar] = cheat(steps[liar], shift(by=by, to=0))
    error = outcome(lockstep(steps), 0)
    assert isinstance(error, PeerError)
    assert error.blamed == {1, 2, 3}


def test_a_message_that_is_left_out_of_a_frame_changes_nothing() -> None:
    """Else one party could end an agreed opening for another one, and for it alone."""
    steps = each(open_to, share(VALUES))
    steps[1] = cheat(steps[1], drop(to=0))
    for opened in lockstep(steps).results():
        np.testing.assert_array_equal(opened, VALUES)


def test_views_can_be_opened() -> None:
    turned = [Rep4(r.data.transpose(0, 2, 1)) for r in share(VALUES)]
    for opened in run(open_to, turned).results():
        np.testing.assert_array_equal(opened, VALUES.T)
