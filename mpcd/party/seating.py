"""The seat of a party in the slots of a job: its key signs, its store fixes values, its streams carry."""

from __future__ import annotations

from dataclasses import dataclass

from mpcd._pb.v1.peer_pb2 import SlotMessage
from mpcd.identity.keys import verify_signature
from mpcd.party.case import Case
from mpcd.party.pace import CORRUPTED
from mpcd.party.ports import Peers
from mpcd.party.slots import Seat, Slots

SLOT_TYPE = "mpcd.slot"


def make_slots(case: Case) -> Slots:
    """The slots of a job at a computing party: signatures by identity, values fixed in the store.

    Raises  UsageError if this party does not compute
    """
    tools, computing = case.tools, case.computing
    keys = [tools.roster.member(name).verify_key for name in computing]
    me = computing.index(case.name)

    def sign(words: bytes) -> bytes:
        return tools.identity.sign(SLOT_TYPE, words)

    def verify(party: int, words: bytes, signature: bytes) -> bool:
        return verify_signature(keys[party], SLOT_TYPE, words, signature)

    async def fix(slot: bytes, value: bytes) -> None:
        await tools.store.slot_values.fix(slot, case.job, value)

    seat = Seat(
        job=case.job,
        me=me,
        parties=len(computing),
        t=CORRUPTED,
        post=_Stream(tools.peers, computing),
        clock=tools.clock,
        sign=sign,
        verify=verify,
        fix=fix,
        delta_s=tools.pace.delta_s,
        grace_s=tools.pace.stage_s + tools.pace.delta_s,
        latest=case.last_call,
    )
    return Slots(seat)


@dataclass(frozen=True, slots=True)
class _Stream:
    """Indices to names."""

    peers: Peers
    computing: tuple[str, ...]

    def send(self, peer: int, message: SlotMessage) -> None:
        self.peers.send_slot(self.computing[peer], message)
