"""The organisations of a simulation: the same in every run, with keys that everybody can compute.

Nothing here is secret. Four compute; `echo` gives an input and `fern` learns outputs without computing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from unittest import mock

from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster, entry_of

COMPUTING = ("acme", "bolt", "crux", "dune")
OWNER, READER = "echo", "fern"
EVERYBODY = (*COMPUTING, OWNER, READER)


@cache
def identities() -> dict[str, Identity]:
    """Keys from the names."""
    return {name: Identity(name, _secret("signing", name), _secret("sealing", name)) for name in EVERYBODY}


@cache
def roster() -> Roster:
    """Everybody's certificates; serial numbers are drawn at random otherwise."""
    members = []
    for k, who in enumerate(identities().values()):
        with mock.patch("cryptography.x509.random_serial_number", return_value=k + 1):
            certificate = self_signed_ca(who, now=datetime(2026, 1, 1, tzinfo=UTC))
        members.append(entry_of(who, certificate, "party", f"127.0.0.1:{7000 + k}", f"127.0.0.1:{8000 + k}"))
    return Roster.of(members)


def _secret(what: str, name: str) -> bytes:
    return hashlib.sha256(f"simulation {what} {name}".encode()).digest()
