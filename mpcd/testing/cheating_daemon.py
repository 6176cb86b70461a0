"""The parts of a cheating daemon: each is the ordinary part with one thing done differently.

They are put in the place of the ordinary ones from outside (`install`), in this process only. Production
code knows nothing of them.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from mpcd._pb.v1 import peer_pb2 as pb
from mpcd.identity.envelope import Envelope
from mpcd.identity.keys import Identity
from mpcd.jobs.receipt import Receipt
from mpcd.jobs.states import Event
from mpcd.party import assembly, life, office, processes, seating
from mpcd.party.case import Case
from mpcd.party.matter import Matter
from mpcd.party.notes import OutputNote
from mpcd.party.office import Office
from mpcd.party.peers import PeerCalls
from mpcd.party.ports import Order, Product, Reveal
from mpcd.party.processes import JobProcess
from mpcd.party.seating import SLOT_TYPE
from mpcd.party.slot_run import slot_id
from mpcd.party.slots import SlotKey, Slots
from mpcd.protocols.agreement.chains import Chain, decode, encode, statement
from mpcd.protocols.agreement.dolev_strong import Outcome
from mpcd.runtime import workers
from mpcd.testing.edits import EditLine
from mpcd.testing.wrappers import flipped
from mpcd.transport.wire import from_wire, to_wire

_PARTIES = range(4)
_log = structlog.get_logger("mpcd.testing")


class Plan:
    """What is done differently in which job, and the gate at which held jobs stand."""

    def __init__(self, edits: tuple[EditLine, ...], directory: Path) -> None:
        self.directory = directory
        self._gate = asyncio.Event()
        self.muted: set[bytes] = set()
        self._been: set[tuple[bytes, str, str]] = set()
        self.slots: dict[tuple[bytes, SlotKey], bytes] = {}
        self._edits = edits
        self._names: dict[bytes, str] = {}

    def learn(self, job: bytes, name: str) -> None:
        """Jobs are named in specifications and go by their hash elsewhere."""
        self._names[job] = name

    def of(self, job: bytes, kind: str, **words: str) -> list[EditLine]:
        """The edits of this kind for a job in which these words are as given or left open."""
        name = self._names.get(job, "")
        return [
            edit
            for edit in self._edits
            if edit.kind == kind
            and edit.concerns(name)
            and not edit.in_process
            and all(edit.words.get(key, value) == value for key, value in words.items())
        ]

    async def hold(self, job: bytes, key: str, value: str) -> None:
        """Stand still if an edit says so, until the gate opens; once for each job and place, which a job may
        come to several times."""
        here = (job, key, value)
        if here in self._been:
            return
        if any(key in edit.words for edit in self.of(job, "hold", **{key: value})):
            self._been.add(here)
            _log.info("held", job=job.hex(), name=self._names[job], stage=f"{key}={value}")
            await self._gate.wait()

    def release(self) -> None:
        """Let go all that are held now; others that come later are held, too."""
        self._gate.set()
        self._gate = asyncio.Event()

    def write(self, job: bytes) -> None:
        """The edits of a job process, for `cheating_process`."""
        name = self._names.get(job, "")
        lines = [str(edit) for edit in self._edits if edit.in_process and edit.concerns(name)]
        self.directory.mkdir(exist_ok=True)
        (self.directory / job.hex()).write_text("\n".join(lines))


class CheatingPool(workers.WorkerPool):
    """Job processes are forks of `cheating_process`."""

    def __init__(self, limit: int, cache_dir: Path, directory: Path) -> None:
        super().__init__(limit, cache_dir)
        self._directory = directory

    def launch(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        module = "mpcd.testing.cheating_process"
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(self._directory)],
                pass_fds=[theirs.fileno()],
                env=workers._environment(self._cache_dir),
                stdin=subprocess.DEVNULL,
            )
        self._control = ours
        self._attached = False
        self._ready.clear()


def install(plan: Plan, identity: Identity) -> None:
    """Put the cheating parts in the place of the ordinary ones, in this process."""
    ordinary_slots = seating.make_slots

    def make_slots(of: Case) -> Slots:
        plan.learn(of.job, of.terms.specification.name)
        return ordinary_slots(of)

    parts: list[tuple[Any, str, Any]] = [
        (life, "make_slots", make_slots),
        (life, "Case", _case(plan)),
        (seating, "Slots", _slots(plan)),
        (processes, "JobProcess", _process(plan)),
        (office, "Matter", _matter(plan)),
        (assembly, "PeerCalls", _peers(plan, identity)),
        (assembly, "Office", _office(plan, identity)),
    ]
    for module, name, part in parts:
        setattr(module, name, part)


async def release_at_signal(plan: Plan) -> None:
    """SIGUSR1 lets go what is held."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, plan.release)


def _matter(plan: Plan) -> type[Matter]:
    class CheatingMatter(Matter):
        async def answer(self) -> None:
            plan.learn(self.job, self.proposal.specification.name)
            await plan.hold(self.job, "at", "proposed")
            await super().answer()

        async def _compare(self, life: life.Life) -> tuple[set[str], set[str]]:
            await plan.hold(self.job, "at", "consented")
            return await super()._compare(life)

    return CheatingMatter


def _case(plan: Plan) -> type[Case]:
    class CheatingCase(Case):
        async def move(self, event: Event, detail: str = "") -> None:
            await Case.move(self, event, detail)
            await plan.hold(self.job, "at", self.state.value)

    return CheatingCase


def slot_of(key: SlotKey) -> str:
    """How edits call a slot: by its family, of which there are several barriers in an epoch."""
    return f"{key.family}.{key.epoch}.{key.number}" if key.family == "BARRIER" else key.family


def _slots(plan: Plan) -> type[Slots]:
    class CheatingSlots(Slots):
        def deliver(self, peer: int, message: pb.SlotMessage) -> None:
            marks = message.round == 0  # the slot begins as usual
            if marks or not plan.of(message.job, "deaf", slot=slot_of(SlotKey.of(message))):
                super().deliver(peer, message)

        async def decide(self, key: SlotKey, *, value: Callable[[], bytes], **rest: Any) -> Outcome:
            job = self._seat.job
            name = slot_of(key)
            among = rest.get("among") or range(self._seat.parties)
            plan.slots[job, key] = slot_id(key, job, among, self._seat.parties, rest.get("about", b""))
            await plan.hold(job, "slot", name)

            def lie() -> bytes:
                for edit in plan.of(job, "lie", slot=name):
                    body = edit.words.get("body")
                    return bytes.fromhex(body) if body is not None else _wrong(value())
                return value()

            outcome = await super().decide(key, value=lie, **rest)
            await plan.hold(job, "after", name)
            return outcome

    return CheatingSlots


def _process(plan: Plan) -> type[JobProcess]:
    class CheatingJobProcess(JobProcess):
        async def run(self, order: Order, reveal: Reveal) -> Product:
            plan.write(order.job)
            return await super().run(order, reveal)

    return CheatingJobProcess


def _peers(plan: Plan, identity: Identity) -> type[PeerCalls]:
    class CheatingPeers(PeerCalls):
        def send_slot(self, party: str, message: pb.SlotMessage) -> None:
            for edit in plan.of(
                message.job, "mute", slot=slot_of(SlotKey.of(message)), round=str(message.round)
            ):
                plan.muted.add(message.job)
                if edit.words.get("but") == party:
                    super().send_slot(party, message)
            if message.job in plan.muted:
                return
            if message.round == 1 and plan.of(
                message.job, "equivocate", slot=slot_of(SlotKey.of(message)), to=party
            ):
                name = plan.slots[message.job, SlotKey.of(message)]
                message = _second_value(message, name, identity)
            super().send_slot(party, message)

        async def deliver_keys(self, party: str, message: pb.KeyContributions) -> None:
            if plan.of(message.job, "keys", to=party):
                message.contributions[0].secret = bytes(len(message.contributions[0].secret))
            await super().deliver_keys(party, message)

        async def deliver_input(self, party: str, header: pb.InputHeader, data: bytes) -> None:
            wrong = bool(plan.of(header.job, "box", to=party))
            await super().deliver_input(party, header, _wrong(data) if wrong else data)

        async def deliver_receipt(self, party: str, job: bytes, receipt: Envelope) -> None:
            if plan.of(job, "receipt"):
                said = Receipt.read(receipt, self._me, self._roster)
                other = said.model_copy(update={"attempt": said.attempt + 1})
                receipt = other.envelope(identity)
            await super().deliver_receipt(party, job, receipt)

    return CheatingPeers


def _office(plan: Plan, identity: Identity) -> type[Office]:
    class CheatingOffice(Office):
        async def output(self, caller: str, request: pb.FetchOutputRequest) -> tuple[pb.OutputHeader, bytes]:
            header, body = await super().output(caller, request)
            if header.ready and plan.of(request.job, "claims"):
                note = OutputNote.from_bytes(from_wire(header.commitment).payload)
                wrong = tuple(_wrong(bytes.fromhex(com)).hex() for com in note.commitments)
                lie = note.model_copy(update={"commitments": wrong})
                header.commitment.CopyFrom(to_wire(lie.envelope(identity)))
            return header, _wrong(body) if plan.of(request.job, "summand") else body

    return CheatingOffice


def _second_value(message: pb.SlotMessage, name: bytes, identity: Identity) -> pb.SlotMessage:
    """The same letter with another value of ours, under a good signature."""
    changed = pb.SlotMessage()
    changed.CopyFrom(message)
    for part in changed.parts:
        chains: list[Chain] = []
        for chain in decode(part.body, _PARTIES, len(part.body)):
            other = Chain(chain.sender, _wrong(chain.body), ())
            words = statement(name, other.sender, other.digest)
            signature = (other.sender, identity.sign(SLOT_TYPE, words))
            chains.append(Chain(other.sender, other.body, (signature,)))
        part.body = encode(chains)
    return changed


def _wrong(data: bytes) -> bytes:
    """One bit flipped, in the last byte."""
    changed = flipped(data, 8 * len(data) - 8 if data else 0)
    assert isinstance(changed, bytes)
    return changed
