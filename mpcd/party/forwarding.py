"""Passing on summands of accepted inputs: whoever has one sends it to the holders who have not.

An honest holder has it, so it comes within Delta; it is good if it opens the owner's agreed commitment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from mpcd._pb.v1.peer_pb2 import ShareHeader
from mpcd.jobs.states import Event
from mpcd.party.agreeing import send_to_all
from mpcd.party.case import Case, StageEnd
from mpcd.party.desk import Tray
from mpcd.party.notes import InputNote
from mpcd.protocols.agreement.outcomes import Holdings
from mpcd.protocols.rep4.inputs import Context, opens
from mpcd.storage.shares import InputKey

Shares = dict[InputKey, dict[int, tuple[bytes, bytes]]]
"""(owner, argument) -> a -> (payload, salt)."""


def fits(case: Case, session: bytes, note: InputNote, a: int, payload: bytes, salt: bytes) -> bool:
    """Whether this opens the owner's agreed commitment, in the one format that the agreed shape allows."""
    context = Context(session, case.tools.roster.member(note.owner).verify_key, note.argument)
    commitment = bytes.fromhex(note.commitments[a])
    columns = case.terms.columns[note.argument]
    return opens(commitment, context, a, note.rows, columns, payload, salt, case.scheme)


async def forward(
    case: Case,
    session: bytes,
    tray: Tray,
    among: frozenset[int],
    known: Mapping[InputKey, InputNote],
    found: Holdings,
    shares: Shares,
) -> None:
    """Give what others miss; wait for what we miss: an honest holder has it, so it comes within Delta.

    Raises  StageEnd if it does not come
    """
    by = case.until(case.slot_s)
    sending = asyncio.create_task(_give(case, session, among, found, shares, by))
    me = case.computing.index(case.name)
    try:
        for key in found.accepted:
            for a in sorted(set(case.scheme.held(me)) - set(shares[key])):
                pair = await _take(case, session, tray, known[key], a, by)
                if pair is None:
                    others = case.names(found.holders[key, a])
                    text = f"nobody passed on summand {a} of {key[1]} of {key[0]}"
                    raise StageEnd(Event.FAULT, text, kind="silence", unreachable=others, step="inputs")
                shares[key][a] = pair
        await sending
    finally:
        sending.cancel()


async def _give(
    case: Case, session: bytes, among: frozenset[int], found: Holdings, shares: Shares, by: float
) -> None:
    """Only to holders of a summand that said they have it not, and only what has been checked."""
    calls = []
    for key in found.accepted:
        for a, (payload, salt) in shares[key].items():
            missing = (case.scheme.holders(a) & among) - found.holders[key, a] - {case.me}
            if missing:
                calls.append(_give_one(case, session, key, a, (payload, salt), case.names(missing), by))
    await asyncio.gather(*calls)


async def _give_one(
    case: Case,
    session: bytes,
    key: InputKey,
    a: int,
    pair: tuple[bytes, bytes],
    names: frozenset[str],
    by: float,
) -> None:
    payload, salt = pair

    async def give(name: str) -> None:
        header = ShareHeader(
            job=case.job,
            session=session,
            owner=key[0],
            input=key[1],
            summand=a,
            salt=salt,
            size_bytes=len(payload),
        )
        await case.tools.peers.forward_share(name, header, payload)

    await send_to_all(case, sorted(names), give, by)


async def _take(
    case: Case, session: bytes, tray: Tray, note: InputNote, a: int, by: float
) -> tuple[bytes, bytes] | None:
    """The first forwarded pair that opens the commitment."""

    def good() -> tuple[bytes, bytes] | None:
        offers = tray.shares.get((note.key, a), {}).values()
        return next((pair for pair in offers if fits(case, session, note, a, *pair)), None)

    await case.desk.wait(lambda: good() is not None, by)
    return good()
