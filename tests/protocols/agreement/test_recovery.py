"""One cheater, whatever it does and says: no honest party is ever held to be the one at fault, and after two
restarts at most the job is done without the cheater, or with it behaving.

The world is that of `world`: what a cheater can do in a few rounds (of four parties a regular part of its
plans, of three all), every word of it at the barrier and every answer in the dispute that follows. Failure
would be a finding that lets the honest parties be divided, checks that are dropped while the cheater still
computes, or a job that ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import pytest

from mpcd.protocols.agreement import judging
from mpcd.protocols.agreement.disputes import (
    Answer,
    Sent,
    Void,
    answer_value,
    claims_of,
    keys_of,
    keys_value,
    settle,
    settle_batch,
)
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Outcome, Verdict
from mpcd.protocols.agreement.findings import Absent, Dispute, Fault, Finding, Go, Named, Pair
from mpcd.protocols.agreement.standing import Over, Standing, advance, first
from mpcd.protocols.agreement.words import Ready, Word, read_word, word_value
from mpcd.protocols.scheme import REP3, REP4
from tests.protocols.agreement.world import (
    OTHER,
    RIGHT,
    TWO_VALUES,
    WRONG,
    Scene,
    World,
    expectation,
    false_claims,
    honest_answer,
    lies,
    scenes,
)

STRIDE = 101
"""Of the plans of the other cheaters every so-manieth: which numbers they have hardly matters. The strides
have no factor in common with the numbers of choices."""


@pytest.fixture(autouse=True)
def _read_each_word_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "read_word", cache(read_word))


@cache
def agreed(word: Word) -> Verdict:
    return Agreed(word_value(word))


def barrier(world: World, scene: Scene) -> Iterator[Finding]:
    """What the barrier comes to, for everything that the cheater can say."""
    honest = {p: agreed(word) for p, word in scene.words}
    for verdict, word in lies(world):
        said = verdict if word is None else agreed(word)
        assert said is not None
        outcome: Outcome = dict(sorted({**honest, world.cheater: said}.items()))
        yield judging.judge(outcome, world.scheme, world.roster, world.outputs)


def dispute(world: World, scene: Scene, found: Dispute) -> Iterator[Fault]:
    """What the dispute comes to, for everything that the cheater can answer."""
    honest = {p: honest_answer(world, scene, found, p) for p in world.honest}
    answers: list[Answer] = [Void(), Sent(RIGHT), Sent(WRONG)] if found.complaint else false_claims(world)
    for said in [Bottom(), TWO_VALUES, Agreed(b""), Agreed(b"\x09"), *answers]:
        verdict = (
            Agreed(answer_value(said, world.roster, world.cheater)) if isinstance(said, Answer) else said
        )
        outcome: Outcome = {
            p: verdict if p == world.cheater else Agreed(answer_value(honest[p], world.roster, p))
            for p in world.roster
        }
        if found.complaint is not None:
            yield settle(found, outcome)
            continue
        claims = claims_of(found, outcome)
        if not isinstance(claims, dict):
            yield claims
            continue
        assert all(stuck <= 3 for _, stuck in scene.stuck), "keys of a batch are shown that somebody may use"
        yield settle_batch(found, claims, expectation(world))
        yield from key_faults(world)


@cache
def key_faults(world: World) -> list[Fault]:
    """What lies about the keys of a batch come to; who shows the right ones changes nothing."""
    found: list[Fault] = []
    for k, keys in enumerate(shown_keys(world)):
        which = keys_of(keys, world.scheme)
        if isinstance(which, dict):
            assert which == {a: bytes([a]) * 32 for a in range(3)}
            assert k == 0
        else:
            found.append(which)
    return found


def shown_keys(world: World) -> Iterator[Outcome]:
    right = {p: [bytes([a]) * 32 for a in REP3.held(k)] for k, p in enumerate(world.roster)}
    honest: Outcome = {p: Agreed(keys_value(keys)) for p, keys in right.items()}
    yield honest
    for lie in ([OTHER, right[world.cheater][1]], [right[world.cheater][0], OTHER], [OTHER, OTHER]):
        yield {**honest, world.cheater: Agreed(keys_value(lie))}
    for nothing in (Bottom(), TWO_VALUES, Agreed(b"")):
        yield {**honest, world.cheater: nothing}


def check_go(world: World, scene: Scene, go: Go) -> None:
    """What is opened is what all honest parties are ready to open."""
    ready = [word for _, word in scene.words if isinstance(word, Ready)]
    assert len(ready) == len(world.honest)
    assert go.reveals == RIGHT
    assert go.commitments == ((RIGHT,) * world.scheme.parties,) * world.outputs
    assert go.odd is None or go.odd.party == world.cheater


def check_blame(world: World, found: Finding) -> None:
    """Nobody but the cheater is held to be at fault."""
    match found:
        case Named(party=p) | Absent(party=p):
            assert p == world.cheater, found
        case Pair(parties=pair):
            assert world.cheater in pair, found
            assert len(pair) == 2
        case _:
            pytest.fail(f"{found} although only party {world.cheater} cheats")


def faults(world: World, all_scenes: Iterable[Scene]) -> set[Fault]:
    """All that an epoch can come to except success; every one of it is checked on the way."""
    found: set[Fault] = set()
    for scene in all_scenes:
        for finding in set(barrier(world, scene)):
            if isinstance(finding, Go):
                check_go(world, scene, finding)
            elif isinstance(finding, Dispute):
                found.update(dispute(world, scene, finding))
            else:
                found.add(finding)
    for fault in found:
        check_blame(world, fault)
    return found


@cache
def epoch(world: World, stride: int) -> frozenset[Fault]:
    """All that one epoch can come to except success."""
    return frozenset(faults(world, scenes(world, stride=stride)))


def settled(standing: Standing, cheater: int) -> bool:
    """Whether nothing can go wrong any more; without checks that must be so."""
    if standing.checked:
        return cheater not in standing.roster
    assert cheater not in standing.roster, f"no checks, and party {cheater} still computes: {standing}"
    return True


def walk(begin: Standing, cheater: int, stride: int = 1) -> list[Standing]:
    """Every standing that a job can come to, epoch by epoch, until the cheater is out of it."""
    waiting, seen = [begin], []
    keys: set[object] = set()
    while waiting:
        standing = waiting.pop()
        seen.append(standing)
        if settled(standing, cheater):
            continue
        assert standing.epoch < 2, f"two restarts, and party {cheater} still computes: {standing}"
        world = World(standing.roster, standing.sharing, cheater)
        for fault in epoch(world, 1 if standing.epoch else stride):
            following = advance(standing, fault)
            assert isinstance(following, Standing), following
            key = (following.roster, following.checked, following.epoch, *map(_bare, following.pairs))
            if key not in keys:
                keys.add(key)
                waiting.append(following)
    return seen


def _bare(pair: Pair) -> object:
    return pair.parties, pair.evidence


def test_a_job_of_four_always_gets_to_its_end_without_the_cheater() -> None:
    seen = walk(first(REP4, 4), 1, 11)
    assert {s.epoch for s in seen} == {0, 1, 2}
    assert {s.checked for s in seen if s.epoch == 2} == {False, True}


@pytest.mark.parametrize("cheater", [0, 2, 3])
def test_nor_does_it_matter_who_of_the_four_cheats(cheater: int) -> None:
    walk(first(REP4, 4), cheater, STRIDE)


@pytest.mark.parametrize("cheater", range(3))
def test_three_parties_find_a_cheater_and_then_end(cheater: int) -> None:
    begin = first(REP3, 3)
    world = World(begin.roster, REP3, cheater)
    found = epoch(world, 1)
    assert {type(fault) for fault in found} == {Named, Absent, Pair}
    assert all(isinstance(advance(begin, fault), Over) for fault in found)


@pytest.mark.parametrize(("cheater", "victim"), [(0, 3), (2, 1)])
def test_a_cheater_that_cuts_an_honest_party_off_never_computes_without_checks(
    cheater: int, victim: int
) -> None:
    """More than one fault: the job may end, but whoever is proven to have lied is the cheater."""
    cuts = [{(k, victim, p) for k in (1, 2, 3)} for p in range(4) if p not in (cheater, victim)]
    cuts += [{(k, p, victim) for _, _, p in cut for k in (1, 2, 3)} for cut in cuts]
    cuts += [set.union(*cuts)]
    for cut in cuts:
        cut_off(first(REP4, 4), cheater, victim, frozenset(cut))


def cut_off(standing: Standing, cheater: int, victim: int, cut: frozenset[tuple[int, int, int]]) -> None:
    world = World(standing.roster, standing.sharing, cheater)
    known = scenes(world, cut, STRIDE if standing.epoch == 0 else 37)
    following: dict[object, Standing] = {}
    for fault in every_fault(world, known, victim):
        if isinstance(fault, Named):
            assert fault.party == cheater
        if isinstance(fault, Pair) and fault.evidence:
            assert cheater in fault.parties
        after = advance(standing, fault)
        if isinstance(after, Standing) and not settled(after, cheater):
            following[after.roster, after.checked, *map(_bare, after.pairs)] = after
    for after in following.values():
        assert after.checked
        left = cut if victim in after.roster else frozenset[tuple[int, int, int]]()
        if after.epoch < 2:
            cut_off(after, cheater, victim, left)


def every_fault(world: World, known: Iterable[Scene], victim: int) -> set[Fault]:
    """As `faults`, without a word on who may be found; the victim's own words get through or do not."""
    found: set[Fault] = set()
    for scene in known:
        findings = set(barrier(world, scene))
        for finding in findings:
            if isinstance(finding, Dispute):
                found.update(dispute(world, scene, finding))
            elif not isinstance(finding, Go):
                found.add(finding)
    if victim in world.roster:
        found.add(Absent(victim, "it gave no word"))
    return found


def test_the_words_of_four_are_judged_alike_whatever_the_order_of_the_verdicts() -> None:
    world = World((0, 1, 2, 3), REP4, 2)
    for scene, (verdict, word) in product(scenes(world, stride=STRIDE), lies(world)):
        said = verdict if word is None else agreed(word)
        assert said is not None
        outcome: Outcome = {p: agreed(w) for p, w in scene.words} | {2: said}
        backwards = dict(reversed(outcome.items()))
        assert judging.judge(outcome, REP4, range(4), 1) == judging.judge(backwards, REP4, range(4), 1)
