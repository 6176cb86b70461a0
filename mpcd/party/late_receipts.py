"""Signatures on a receipt that did not come in time: fetched when somebody asks for the receipt.

Parties send each other their signatures for two delays after the opening. A party that was cut off then has
signed for itself only; whoever asks it, or asks us, later gets what all have signed.
"""

from __future__ import annotations

import asyncio

from mpcd.errors import MpcdError
from mpcd.identity.envelope import Envelope
from mpcd.identity.roster import Roster
from mpcd.jobs.receipt import Receipt, combine
from mpcd.party.ports import Peers
from mpcd.storage.store import Store

PATIENCE_S = 2.0
"""How long all others together are waited for."""


async def complete(job: bytes, me: str, store: Store, peers: Peers, roster: Roster) -> Envelope | None:
    """Our receipt of a job with the signatures of all computing parties that can be asked; None if there is
    none. Only good signatures on the very same bytes count."""
    raw = await store.receipts.get(job)
    if raw is None:
        return None
    own = Envelope.from_bytes(raw)
    computing = Receipt.from_bytes(own.payload).computing
    missing = [name for name in computing if name not in own.signers and name != me]
    if not missing:
        return own
    asked = await asyncio.gather(*(_ask(name, job, own, computing, peers, roster) for name in missing))
    found = combine([own, *(envelope for envelope in asked if envelope is not None)])
    if found != own:
        await store.receipts.put(job, found.to_bytes())
    return found


async def _ask(
    name: str, job: bytes, own: Envelope, computing: tuple[str, ...], peers: Peers, roster: Roster
) -> Envelope | None:
    """What one of them has, if it is about the same run: the good signatures of those who computed."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            envelope = await peers.fetch_receipt(name, job, 0)
        if envelope is None or (envelope.type, envelope.payload) != (own.type, own.payload):
            return None
        envelope.verify(roster)
    except (MpcdError, TimeoutError):
        return None
    signed = tuple(entry for entry in envelope.signatures if entry.signer in computing)
    return Envelope(own.type, own.payload, signed)
