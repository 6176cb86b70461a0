"""Jobs in which somebody cheats, and what each party has on record afterwards: material for verifiers.

A `Scene` is signed by hand, as three parties of an epoch would have signed it; `played` runs a job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mpcd.client.evidence import EvidenceFile, Finding, verify
from mpcd.identity.envelope import Envelope
from mpcd.jobs.evidence import Evidence, as_statements, as_texts
from mpcd.jobs.specification import Specification
from mpcd.party.life import Life
from mpcd.party.ports import Delivery, Kept, Order, Product, SharedOutput, Stop
from mpcd.party.slots import SlotKey
from mpcd.protocols.agreement.chains import statement
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.protocols.agreement.outcomes import session_from, slot_name
from mpcd.protocols.agreement.words import Complaint, Stopped
from mpcd.testing.simulation.clock import run_virtually
from tests.party.links import Cheat, add_up
from tests.party.world import COMPUTING, World, identities, roster, run_job, specification

A, B, C, D = COMPUTING
Script = Callable[[World], None]


def cheats(who: str, **what: Any) -> Script:
    def script(world: World) -> None:
        world.daemon(who).pool.cheat = Cheat(**what)

    return script


def spoilt(product: Product, pieces: Iterable[int]) -> Product:
    """The same with other commitments to some pieces."""
    (output,) = product.outputs
    wrong = {a: bytes(32) for a in pieces}
    deliveries = tuple(Delivery(d.recipient, d.salts, {**d.commitments, **wrong}) for d in output.deliveries)
    return Product((SharedOutput(output.name, output.shape, output.summands, deliveries),), product.reveals)


def commits_wrongly(who: str, epoch: int, count: int) -> Script:
    """Other commitments to the first pieces that a party holds."""

    def script(world: World) -> None:
        def compute(order: Order) -> Product:
            product = add_up(order)
            if order.epoch != epoch:
                return product
            (output,) = product.outputs
            return spoilt(product, sorted(output.deliveries[0].commitments)[:count])

        world.daemon(who).pool.compute = compute

    return script


def complains_too_late(who: str) -> Script:
    """About a round that everybody knows it has accepted."""

    def script(world: World) -> None:
        def compute(order: Order) -> Product:
            if order.epoch == 0:
                complaint = Complaint(0, 1, b"d" * 32)
                raise Stop("a lie", report=Stopped(3, complaint=complaint), kept=Kept())
            return add_up(order)

        world.daemon(who).pool.compute = compute

    return script


def shows_wrong_keys(who: str) -> Script:
    """It sends a wrong contribution to a key, and when it is asked for it shows another wrong one."""

    def script(world: World) -> None:
        daemon = world.daemon(who)
        know = daemon.know

        def twist(what: str, sender: str, to: str, message: Any) -> Any:
            if what == "keys" and (sender, to) == (who, C):
                message.contributions[0].secret = bytes(32)
            return message

        async def cheating(spec: Specification) -> Life:
            life = await know(spec)
            assert life._slots is not None
            ordinary = life._slots.decide

            async def decide(key: SlotKey, *, value: Callable[[], bytes], **rest: Any) -> Outcome:
                if key.family == "KEY-ANSWER":
                    return await ordinary(key, value=lambda: bytes(len(value())), **rest)
                return await ordinary(key, value=value, **rest)

            life._slots.decide = decide  # type: ignore[method-assign]
            return life

        world.twist = twist
        daemon.know = cheating  # type: ignore[method-assign]

    return script


def both(*scripts: Script) -> Script:
    def script(world: World) -> None:
        for one in scripts:
            one(world)

    return script


@dataclass(frozen=True)
class Trial:
    """cheater: the only one; proven: what the records of an honest party prove, one set per record."""

    cheater: str
    script: Script
    proven: tuple[tuple[str, ...], ...]


TRIALS: dict[str, Trial] = {
    "receiver and sender": Trial(D, cheats(D, lie={(0, 2, 1)}), ((B, D),)),
    "sender and backup": Trial(A, cheats(A, vouch={(0, 2, 1, 2)}), ((A, C),)),
    "receiver and backup": Trial(C, cheats(C, accuse={(0, 2): (0, 1)}), ((B, C),)),
    "a complaint that both deny": Trial(D, complains_too_late(D), ((D,),)),
    "the odd one out": Trial(D, commits_wrongly(D, 0, 3), ((D,),)),
    "two pairs": Trial(A, cheats(A, lie={(0, 2, 1), (1, 2, 2)}), ((A, B), (A, C))),
    "two that are ready for different things": Trial(
        A, both(cheats(A, lie={(0, 2, 1)}), commits_wrongly(A, 1, 1)), ((A, B), (A, D))
    ),
    "keys that open nothing": Trial(B, shows_wrong_keys(B), ((B,),)),
    "silence": Trial(A, cheats(A, mute={(0, 2, 3), (1, 2, 2)}), ()),
    "late": Trial(B, cheats(B, mute={(0, 2, 0), (0, 2, 2)}), ()),
    "death": Trial(C, cheats(C, dies={(0, 2)}), ()),
}


@dataclass(frozen=True)
class Played:
    """A job that is over: its signed specification, and the records of each computing party."""

    job: Envelope
    specification: Specification
    records: Mapping[str, tuple[Envelope, ...]]

    def verify(self, *records: Envelope, entries: tuple[Envelope, ...] = ()) -> list[Finding]:
        text = EvidenceFile(self.job, records, entries).to_text()
        return verify(EvidenceFile.from_text(text), roster())[1]

    def evidence(self, name: str) -> list[Evidence]:
        return [Evidence.from_bytes(envelope.payload) for envelope in self.records[name]]


@cache
def played(name: str, job: str = "sum", profile: str = "guaranteed") -> Played:
    async def story() -> Played:
        world, spec = World(), specification(job, profile=profile)
        TRIALS[name].script(world)
        await run_job(world, spec)
        records = {}
        for who in COMPUTING:
            rows = await world.daemons[who].store.evidence.of(spec.job)
            records[who] = tuple(Envelope.from_bytes(raw) for _, raw in rows)
        return Played(signed(spec), spec, records)

    return run_virtually(story())


def signed(spec: Specification) -> Envelope:
    return Envelope(Specification.TYPE, spec.to_bytes()).sign(identities()[spec.submitter])


def sets(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    """Who is in what is proven."""
    return [proof.parties for finding in findings for proof in finding.proven]


# -- signed by hand ------------------------------------------------------------------------------------


@dataclass
class Scene:
    """What parties sign in one session, collected into a record of `reporter`."""

    reporter: str = D
    spec: Specification = field(default_factory=lambda: specification(profile="guaranteed"))
    said: list[tuple[Envelope, bytes]] = field(default_factory=list)
    nonces: tuple[bytes, ...] = tuple(bytes([p]) * 32 for p in range(4))
    batch: bytes = b""

    @property
    def session(self) -> bytes:
        return session_from(self.spec.job, 0, self.nonces)

    def say(
        self,
        family: str,
        party: int,
        body: bytes,
        roster: Iterable[int] = (),
        about: bytes = b"",
        epoch: int = 1,
    ) -> None:
        name = slot_name(family, self.session, epoch, 0, roster, about)
        self.said.append((value_of(name, party, body), body))

    def record(self, **changes: Any) -> Envelope:
        fields: dict[str, Any] = {
            "job": self.spec.job.hex(), "session": self.session.hex(), "epoch": 1,
            "nonces": tuple(nonce.hex() for nonce in self.nonces),
            "reporter": self.reporter, "kind": "contradiction", "step": "barrier", "blamed": (A, B),
            "statements": as_statements([envelope for envelope, _ in self.said]),
            "bodies": as_texts([body for _, body in self.said]), "batch": self.batch.hex(),
        }  # fmt: skip
        return Evidence(**(fields | changes)).envelope(identities()[self.reporter])

    def findings(self, **changes: Any) -> list[Finding]:
        return Played(signed(self.spec), self.spec, {}).verify(self.record(**changes))

    def proven(self, **changes: Any) -> list[tuple[str, ...]]:
        return sets(self.findings(**changes))


def value_of(name: bytes, party: int, body: bytes, *signers: str) -> Envelope:
    """A value of a party in a slot; signed by it, if nobody else is named."""
    envelope = Envelope("mpcd.slot", statement(name, party, hashlib.sha256(body).digest()))
    for signer in signers or (COMPUTING[party],):
        envelope = envelope.sign(identities()[signer])
    return envelope
