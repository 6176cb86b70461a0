"""Complaints about keys that honest parties make because the network failed: no key becomes public."""

from __future__ import annotations

from typing import Any

import pytest

from mpcd.jobs.states import State
from mpcd.testing.simulation.clock import run_virtually
from tests.party.test_recovery import job, receipts_of
from tests.party.test_three import THREE
from tests.party.test_three import job as job_of_three
from tests.party.world import COMPUTING, EVERYBODY, OWNER, Fault, World, result_of, run_job

OWNERS = ("bolt", OWNER)


def no_keys(*links: frozenset[str]) -> Fault:
    """Contributions do not arrive over these links, in neither direction; everything else does."""

    def lost(what: str, sender: str, to: str, message: Any) -> bool:
        return what == "keys" and frozenset({sender, to}) in links

    return lost


def shown(world: World) -> set[str]:
    """Who said anything in the slot in which contributions are shown."""
    return {sender for what, sender, _, m in world.log if what == "slot" and m.slot == "KEY-ANSWER"}


@pytest.mark.parametrize("victim", COMPUTING)
def test_a_party_that_was_cut_off_from_all_is_done_without_and_nobody_shows_keys(victim: str) -> None:
    """Otherwise all three holders would show their contributions to keys that one party must not know."""

    async def story() -> None:
        links = (frozenset({victim, other}) for other in COMPUTING if other != victim)
        world, spec = World(lost=no_keys(*links)), job(owners=(OWNER,))
        ended = await run_job(world, spec)
        assert ended == dict.fromkeys(EVERYBODY, State.SUCCEEDED)
        assert not shown(world)
        for receipt in (await receipts_of(world, spec)).values():
            assert [line.unreachable for line in receipt.faults] == [(victim,)]

    run_virtually(story())


def test_over_two_links_without_a_party_in_common_enough_remains_hidden() -> None:
    async def story() -> None:
        links = frozenset({"acme", "bolt"}), frozenset({"crux", "dune"})
        world, spec = World(lost=no_keys(*links)), job(owners=OWNERS)
        assert await run_job(world, spec) == dict.fromkeys(EVERYBODY, State.SUCCEEDED)
        assert shown(world) == set(COMPUTING)

    run_virtually(story())


def test_of_three_parties_nobody_shows_keys_because_no_other_one_has_contributed() -> None:
    """Two holders contribute to a key, and both would show what the third must not know."""

    async def story() -> None:
        world, spec = World(lost=no_keys(frozenset({"acme", "bolt"}))), job_of_three()
        ended = await run_job(world, spec)
        assert {ended[name] for name in THREE} == {State.ABORTED}
        assert not shown(world)
        assert await result_of(world, "acme", spec) is None

    run_virtually(story())


def test_after_one_party_was_dropped_nobody_shows_keys_either() -> None:
    """A constant stands for the contributions of the one that is dropped."""

    async def story() -> None:
        cut = no_keys(frozenset({"acme", "bolt"}))

        def lost(what: str, sender: str, to: str, message: Any) -> bool:
            mute = what == "slot" and sender == "dune" and message.slot == "KEYS"
            return mute or cut(what, sender, to, message)

        world, spec = World(lost=lost), job(owners=OWNERS)
        ended = await run_job(world, spec)
        assert State.SUCCEEDED not in ended.values(), ended
        assert not shown(world)

    run_virtually(story())
