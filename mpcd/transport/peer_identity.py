"""Who calls: the member of the roster whose identity issued the certificate shown in the handshake.

The server's TLS trusts every identity of the roster, so TLS alone would let one member call itself by
another's name. Here the name that the leaf claims is looked up and the leaf must have been issued by that
very member. Names prove nothing.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime
from typing import Any

from mpcd.errors import InternalError, RefusedError
from mpcd.identity.certificates import claimed_name, expires, leaf_fault
from mpcd.identity.encoding import MalformedError
from mpcd.identity.roster import Member, Roster

MAX_PROVED = 1024
_CALLER: ContextVar[Member] = ContextVar("mpcd_caller")


def caller() -> Member:
    """The authenticated caller of the RPC that is being served.

    Raises    InternalError outside of a call that came over TLS
    """
    found = _CALLER.get(None)
    if found is None:
        raise InternalError("there is no authenticated caller here")
    return found


def set_caller(member: Member) -> None:
    """Note who calls; only the guard of the server does this."""
    _CALLER.set(member)


class Doorkeeper:
    """Knows the leaves that were proved before: a connection shows the same one with every call."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._proved: dict[bytes, tuple[Member, datetime]] = {}

    def authenticate(self, context: Any, now: datetime) -> Member:
        """The member that calls.

        Raises    RefusedError if the certificate is missing, not of the roster, expired or another's work
        """
        presented = context.auth_context().get("x509_pem_cert", [])
        if len(presented) != 1:
            raise RefusedError("the caller showed no certificate")
        leaf = bytes(presented[0])
        known = self._proved.get(leaf)
        if known is not None and now < known[1]:
            return known[0]
        member = prove(leaf, self._roster, now)
        while len(self._proved) >= MAX_PROVED:
            self._proved.pop(next(iter(self._proved)))
        self._proved[leaf] = member, expires(leaf)
        return member


def prove(leaf: bytes, roster: Roster, now: datetime) -> Member:
    """The member whose leaf this is.

    Raises    RefusedError if it is not of the roster, expired or issued by another one
    """
    try:
        claimed = claimed_name(leaf)
    except MalformedError as error:
        raise RefusedError(error.what) from None
    member = roster.find(claimed)
    if member is None:
        raise RefusedError(f"{claimed} is not in the roster")
    fault = leaf_fault(leaf, member.certificate_pem, claimed, now)
    if fault:
        raise RefusedError(fault)
    return member
