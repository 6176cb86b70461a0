"""Meeting another party's daemon: is its store the one that we have met?"""

from __future__ import annotations

import structlog

from mpcd._pb.v1.peer_pb2 import Start as WireStart
from mpcd.errors import RefusedError
from mpcd.identity.roster import Roster
from mpcd.storage.starts import Start
from mpcd.storage.store import Store

_log = structlog.get_logger("mpcd.party")


class Greeting:
    """What streams of peers begin with."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store = store
        self._roster = roster
        self._told: dict[str, int] = {}

    async def meet(self, sender: str, message: WireStart) -> None:
        """Which start of a peer's daemon a stream comes from. Both operators are told, each in its own log.

        Raises  RefusedError if its store is not the one that we have met; UsageError
        """
        start = Start(message.number, tuple(message.marks))
        seen = await self._store.starts.meet(self._roster.member(sender).verify_key, start)
        if seen is None:
            return
        what = (
            f"the store of {sender}, at its start {start.number}, is not the one that we met at its start "
            f"{seen}: it is an old copy, or a new one after a loss, or two daemons use it"
        )
        if self._told.get(sender) != start.number:
            self._told[sender] = start.number
            _log.error("peer has another store", party=sender, error=f"{what}. Nothing is taken from it")
        raise RefusedError(
            f"{what}. Put the latest store back; if it is lost, make new keys for {sender}, for all rosters"
        )
