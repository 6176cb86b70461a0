"""A computation in miniature: a few rounds in which one party may do anything with its frames.

What honest parties then say at the barrier, and answer in disputes, follows from what arrived; the cheater
says what it likes, from a finite set. One batch is made: products in round 1, check in round 2, settled by
round 3. A frame that is as late as one can be without being given up is `late`: the receiver goes on, but
others who wait for that receiver in the next round may or may not have given it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice, product

from mpcd.protocols.agreement.disputes import Answer, Claim, Expected, Sent, Void
from mpcd.protocols.agreement.dolev_strong import Agreed, Bottom, Equivocated, SignedValue, Verdict
from mpcd.protocols.agreement.findings import Dispute
from mpcd.protocols.agreement.words import Complaint, Late, Ready, Stopped, Word
from mpcd.protocols.scheme import REP3, Scheme

ROUNDS = 3
CHECK, BATCH = 2, 1
TWO_VALUES = Equivocated(SignedValue(b"a" * 32, b"s" * 64), SignedValue(b"b" * 32, b"t" * 64))
RIGHT, WRONG, OTHER = b"r" * 32, b"w" * 32, b"o" * 32
Act = tuple[str, int]
"""What the cheater does with one frame; `words`: other words, vouched for by that party; `tag`: a wrong
tag for what that party sends; `product`, `hash`: of the batch. The number is -1 where it means nothing."""
FINE: Act = ("fine", -1)
_SLOW = ("fine", "late", "missing", "product", "hash")


@dataclass(frozen=True)
class Scene:
    """What honest parties say, and know: in which round each got stuck, the last round in which the cheater's
    frame was good, what came of the batch."""

    words: tuple[tuple[int, Word], ...]
    stuck: tuple[tuple[int, int], ...]
    accepted: tuple[tuple[int, int], ...]
    hashes: tuple[tuple[int, Act, Act], ...]


@dataclass(frozen=True)
class World:
    """Who computes, with what, and who cheats; `outputs` places, each with the honest commitments."""

    roster: tuple[int, ...]
    scheme: Scheme
    cheater: int
    outputs: int = 1

    @property
    def honest(self) -> tuple[int, ...]:
        return tuple(p for p in self.roster if p != self.cheater)

    def before(self, party: int) -> int:
        """Who gets the product messages of a party (rep3)."""
        return self.roster[self.roster.index(party) - 1]

    def ready(self, party: int, late: tuple[Late, ...] = (), com: bytes = RIGHT) -> Ready:
        held = len(self.scheme.held(self.roster.index(party)))
        return Ready("open", ((com,) * held,) * self.outputs, RIGHT, late)

    def acts(self, number: int, receiver: int) -> list[Act]:
        """What the cheater can do with its frame of a round."""
        others = [p for p in self.honest if p != receiver]
        found: list[Act] = [FINE, ("missing", -1), ("late", -1)]
        found += [(kind, other) for kind in ("words", "tag") for other in others]
        if self.scheme is REP3:
            found += [("product", -1)] if number == 1 and receiver == self.before(self.cheater) else []
            found += [("hash", -1)] if number == CHECK else []
        return found


def scenes(world: World, lost: frozenset[tuple[int, int, int]] = frozenset(), stride: int = 1) -> set[Scene]:
    """Everything that can happen, or what follows from every so-manieth plan of the cheater.

    lost  frames between honest parties, (round, from, to), that are cut
    """
    found: set[Scene] = set()
    for acts in islice(_plans(world), 0, None, stride):
        for given_up in _subsets(_edges(world, acts)):
            for working in (frozenset[int](), frozenset(world.honest[:1]), frozenset(world.honest)):
                found.add(_play(world, acts, given_up, working, lost))
    return found


def _plans(world: World) -> Iterator[dict[tuple[int, int], Act]]:
    """Anything in one round, and then either nothing more or silence; or delays in one round and delays,
    silence or wrong hashes in the next."""
    honest = world.honest
    for number, then in product(range(1, ROUNDS + 1), (FINE, ("missing", -1))):
        for acts in product(*(world.acts(number, p) for p in honest)):
            plan = {(number, p): act for p, act in zip(honest, acts, strict=True)}
            yield plan | {(k, p): then for k in range(number + 1, ROUNDS + 1) for p in honest}
    slow = [[[a for a in world.acts(k, p) if a[0] in _SLOW] for p in honest] for k in (1, 2)]
    for first, second in product(product(*slow[0]), product(*slow[1])):
        for last in (FINE, ("missing", -1)):
            plan = {(1, p): a for p, a in zip(honest, first, strict=True)}
            plan |= {(2, p): a for p, a in zip(honest, second, strict=True)}
            yield plan | {(3, p): last for p in honest}


def _edges(world: World, acts: Mapping[tuple[int, int], Act]) -> list[tuple[int, int, int]]:
    """(round, who waits, who is late): who may give up whom, because it was itself kept waiting."""
    found = []
    for number in range(1, ROUNDS):
        late = [p for p in world.honest if acts.get((number, p), FINE)[0] == "late"]
        found += [(number + 1, q, p) for p in late for q in world.honest if q not in late]
    return found


def _subsets(edges: list[tuple[int, int, int]]) -> Iterator[frozenset[tuple[int, int, int]]]:
    for size in range(len(edges) + 1):
        for chosen in combinations(edges, size):
            yield frozenset(chosen)


def _play(
    world: World,
    acts: Mapping[tuple[int, int], Act],
    given_up: frozenset[tuple[int, int, int]],
    working: frozenset[int],
    lost: frozenset[tuple[int, int, int]],
) -> Scene:
    words: dict[int, Word] = {}
    marks: dict[int, list[Late]] = {p: [] for p in world.honest}
    stuck = dict.fromkeys(world.honest, ROUNDS + 1)
    accepted = dict.fromkeys(world.honest, 0)
    late: set[int] = set()
    product_wrong = acts.get((1, world.before(world.cheater)), FINE)[0] == "product"
    for number in range(1, ROUNDS + 1):
        entered = [p for p in world.honest if p not in words]
        halted = [p for p in entered if p in working] if words else []
        for p in halted:
            words[p], stuck[p] = Stopped(number, late=tuple(marks[p])), number
        senders = [p for p in entered if p not in halted]
        held_up: set[int] = set()
        for p in senders:
            missing, waited = set(), None
            for q in (q for q in world.honest if q != p):
                if q not in senders or (number, q, p) in lost or (number, p, q) in given_up:
                    missing.add(q)
                elif q in late and p not in late:
                    waited = Late(number, q, 7)
            kind, other = acts.get((number, p), FINE)
            complaint, batch = None, None
            if kind == "missing":
                missing.add(world.cheater)
            elif kind == "late" and waited is None:
                waited = Late(number, world.cheater, 8)
                held_up.add(p)
            elif kind == "words":
                complaint = Complaint(world.cheater, other, WRONG)
            elif kind == "tag":
                complaint = Complaint(other, world.cheater, RIGHT)
            hashes = kind == "hash" or product_wrong
            if number == CHECK and world.scheme is REP3 and hashes and not missing and complaint is None:
                batch = BATCH
            if not missing and kind not in ("words", "tag"):
                accepted[p] = number
            if waited is not None:
                marks[p].append(waited)
            if missing or complaint is not None or batch is not None:
                words[p] = Stopped(number, frozenset(missing), complaint, batch, tuple(marks[p]))
                stuck[p] = number
        late = held_up
    for p in world.honest:
        words.setdefault(p, world.ready(p, tuple(marks[p])))
    hashes_of = tuple((p, acts.get((1, p), FINE), acts.get((2, p), FINE)) for p in world.honest)
    batchy = hashes_of if world.scheme is REP3 else ()
    return Scene(tuple(words.items()), tuple(stuck.items()), tuple(accepted.items()), batchy)


def lies(world: World) -> list[tuple[Verdict | None, Word | None]]:
    """What the cheater can say at the barrier: no value, two values, or a word."""
    me = world.cheater
    found: list[Word] = [world.ready(me), world.ready(me, com=OTHER)]
    found += [Ready("open", world.ready(me).commitments, OTHER), Ready("reveal", (), RIGHT)]
    for x in world.honest:
        for number in range(1, ROUNDS + 1):
            found.append(world.ready(me, (Late(number, x, 8),)))
            found.append(Stopped(ROUNDS, late=(Late(number, x, 8),)))
    for number in range(ROUNDS + 2):
        found.append(Stopped(number))
        found += [Stopped(number, frozenset(some)) for k in (1, 2) for some in combinations(world.honest, k)]
        found += [
            Stopped(number, complaint=Complaint(s, b, digest))
            for s, b in product(world.honest, repeat=2)
            if s != b
            for digest in (RIGHT, WRONG)
        ]
        if world.scheme is REP3:
            found += [Stopped(number, batch=n) for n in (BATCH, BATCH + 1)]
            found += [Stopped(number, frozenset({world.honest[0]}), batch=BATCH)]
    return [(Bottom(), None), (TWO_VALUES, None), (Agreed(b"\x07"), None), *((None, word) for word in found)]


def honest_answer(world: World, scene: Scene, dispute: Dispute, party: int) -> Answer | None:
    """What an honest party says in a dispute: `Void` of what cannot be, as far as it knows."""
    stuck, accepted = dict(scene.stuck)[party], dict(scene.accepted)[party]
    went_on = dispute.receiver == world.cheater and accepted > dispute.round
    if dispute.complaint is not None:
        if party not in (dispute.complaint.sender, dispute.complaint.backup):
            return None
        return Void() if went_on or stuck < dispute.round or not dispute.round else Sent(RIGHT)
    if dispute.batch != BATCH or dispute.round != CHECK or stuck < CHECK or stuck > CHECK + 1:
        return Void()
    return _claim(world, scene, party)


def _claim(world: World, scene: Scene, party: int) -> Claim:
    """A claim of an honest party about the batch that is made in rounds 1 and 2."""
    first = {p: act[0] for p, act, _ in scene.hashes}
    second = {p: act[0] for p, _, act in scene.hashes}
    reached = {p for p, number in scene.stuck if number >= CHECK}
    fooled = {p for p, kind in first.items() if kind == "product"}
    heard = {p: OTHER if p in fooled else RIGHT for p in world.honest if p != party and p in reached}
    if second[party] != "missing":
        heard[world.cheater] = WRONG if second[party] == "hash" else RIGHT
    received = WRONG if party in fooled else RIGHT
    return Claim(RIGHT, received, OTHER if party in fooled else RIGHT, heard)


def false_claims(world: World) -> list[Answer]:
    """What the cheater can say about a batch."""
    heard = dict.fromkeys(world.honest, RIGHT)
    found: list[Answer] = [Void(), Claim(RIGHT, RIGHT, RIGHT, heard), Claim(RIGHT, RIGHT, RIGHT, {})]
    found += [Claim(WRONG, RIGHT, RIGHT, heard), Claim(RIGHT, WRONG, RIGHT, heard)]
    found += [Claim(RIGHT, RIGHT, WRONG, heard), Claim(WRONG, WRONG, WRONG, heard)]
    return found + [Claim(RIGHT, RIGHT, RIGHT, heard | {p: WRONG}) for p in world.honest]


def expectation(world: World) -> Expected:
    return Expected(dict.fromkeys(world.roster, RIGHT), RIGHT)
