"""What an epoch computes with: its engine, its keys, and the sharings of its inputs.

In every epoch parties are numbered by their place in its roster. A job of four parties begins with rep4. If
one of them is dropped, the three others turn keys and inputs into those of rep3, each by itself
(`mpcd.protocols.scheme.rep3_of_rep4`): nothing is sent, and the values are those that were committed to
before the first epoch.

Keys      every key of an epoch is derived from session, epoch and history (the fingerprint of what was agreed
          before it): nothing is drawn from twice, and no message or tag of an epoch fits into another one.
          The dropped party knows the keys of rep4 that become those of rep3; so the pairwise secret of
          the two holders is mixed into them
Source    Spec agreement 12
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import InternalError
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rep3 import compare as compare3
from mpcd.protocols.rep3.engine import Rep3Engine
from mpcd.protocols.rep3.engine import make_engine as make_rep3
from mpcd.protocols.rep3.sharing import Rep3, held
from mpcd.protocols.rep4 import compare as compare4
from mpcd.protocols.rep4 import inputs
from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rep4.engine import make_engine as make_rep4
from mpcd.protocols.rep4.sharing import Rep4, slot
from mpcd.protocols.rounds import Rounds, Words
from mpcd.protocols.scheme import REP3, REP4, SCHEMES, Conversion, Scheme, rep3_of_rep4
from mpcd.ring.streams import derive
from mpcd.runtime.kept import KeyOf, dispute_keys

HISTORY_BYTES = 32


class Epoch:
    """One epoch as one party sees it.

    scheme  who holds which piece, by place
    keys    piece -> secret of the epoch's scheme, for the pieces that this party holds
    """

    def __init__(self, order: pb.Order) -> None:
        """Raises  InternalError if the order contradicts itself"""
        scheme = SCHEMES.get(order.scheme)
        members = len(order.members)
        if scheme is None or scheme.parties != members or order.me >= members:
            raise InternalError(f"{order.scheme!r} is no scheme for party {order.me} of {members}")
        if len(order.history) != HISTORY_BYTES or len(order.roster) != members:
            raise InternalError("an order lacks the roster or the history of its epoch")
        if order.unchecked and scheme is REP4:
            raise InternalError("rep4 is never computed without checks")
        self.scheme: Scheme = scheme
        self._order = order
        self._stamp = order.session, order.epoch.to_bytes(4, "little"), bytes(order.history)
        self.conversion = self._conversion(order)
        self.keys = dict(order.keys) if self.conversion is None else self._converted_keys(self.conversion)

    def __repr__(self) -> str:
        return f"Epoch({self._order.epoch}, {self.scheme.name}, roster={list(self._order.roster)})"

    def _conversion(self, order: pb.Order) -> Conversion | None:
        if not order.HasField("dropped"):
            return None
        conversion = rep3_of_rep4(order.roster)
        if self.scheme is not REP3 or conversion.dropped != order.dropped:
            raise InternalError(f"a job cannot go on as {self.scheme.name} without party {order.dropped}")
        return conversion

    def _converted_keys(self, conversion: Conversion) -> dict[int, bytes]:
        keys: dict[int, bytes] = {}
        me = self._order.me
        for piece in self.scheme.held(me):
            (other,) = self.scheme.holders(piece) - {me}
            secret = self._order.keys[conversion.summands[piece]] + self._order.tag_secrets[other]
            keys[piece] = derive(secret, b"rep3 key", *self._stamp, bytes([piece]), length=32)
        return keys

    def engine(self) -> Rep4Engine | Rep3Engine:
        """The engine of the scheme at the root of all paths."""
        order = self._order
        place = order.me, self.keys, order.session, order.epoch
        if self.scheme is REP4:
            return make_rep4(*place, history=bytes(order.history))
        return make_rep3(*place, history=bytes(order.history), checked=not order.unchecked)

    def tag_keys(self) -> dict[int, bytes]:
        """peer -> key of the tags between the two."""
        return {
            peer: derive(secret, b"tag", *self._stamp) for peer, secret in self._order.tag_secrets.items()
        }

    def dispute_keys(self) -> KeyOf:
        """The keys of what is said about messages in a dispute."""
        session, _, history = self._stamp
        return dispute_keys(self.scheme.parties, self.keys, session, self._order.epoch, history)

    def output_keys(self) -> dict[int, bytes]:
        """piece -> where the salts of outputs come from; the same at all holders of the piece."""
        return {a: derive(key, b"output", *self._stamp, length=32) for a, key in self.keys.items()}

    # -- sharings ------------------------------------------------------------------------------------

    def share(self, given: pb.Input) -> Any:
        """What this party holds of an input: (columns, rows)."""
        order = self._order
        context = inputs.Context(order.session, given.owner_key, given.name)
        shape = given.rows, len(given.columns)
        if self.conversion is not None:
            mine = order.roster[order.me]
            return converted(inputs.expand(mine, given.payloads, *shape, context), mine, self.conversion)
        if self.scheme is REP4:
            return inputs.expand(order.me, given.payloads, *shape, context)
        slots = held(order.me)
        return Rep3(inputs.expand_pieces(REP3, order.me, slots, given.payloads, *shape, context))

    def pieces(self, x: Any) -> dict[int, Words]:
        """piece -> what this party holds of it, flat."""
        me, parties = self._order.me, self.scheme.parties
        first = me if self.scheme is REP3 else me + 1
        return {
            (first + k) % parties: np.ascontiguousarray(part).reshape(-1) for k, part in enumerate(x.data)
        }


def converted(x: Rep4, party: int, conversion: Conversion) -> Rep3:
    """A party's part of a sharing of rep4, as its part of a sharing of rep3; local.

    party  its index in rep4
    """
    me = conversion.roster.index(party)
    pieces = []
    for piece in (me, (me + 1) % REP3.parties):
        part = x.data[slot(party, conversion.summands[piece])]
        if piece == conversion.takes:
            part = part + x.data[slot(party, conversion.dropped)]
        pieces.append(part)
    return Rep3(np.stack(pieces))


def in_range(engine: AnyEngine, x: Any, low: int, high: int) -> Rounds[Any]:
    """Bits that are true where low <= x <= high, exact for every value that the ring can hold."""
    if isinstance(engine, Rep4Engine):
        return compare4.range_check(engine.party, x, low, high)
    if isinstance(engine, Rep3Engine):
        return compare3.range_check(engine.party, x, low, high)
    raise InternalError(f"no range check is known for {engine!r}")
