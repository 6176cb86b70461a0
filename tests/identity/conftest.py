"""Organisations with keys and certificates, made once per test run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Member, Roster, entry_of

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Org:
    """An organisation with everything it owns."""

    identity: Identity
    certificate_pem: bytes
    member: Member


def make_org(name: str, port: int = 7411, *, coordinator: bool = False) -> Org:
    identity = Identity.create(name)
    certificate = self_signed_ca(identity, now=NOW)
    control, links = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1000}"
    if coordinator:
        return Org(identity, certificate, entry_of(identity, certificate, "coordinator", control))
    return Org(identity, certificate, entry_of(identity, certificate, "party", control, links))


@pytest.fixture(scope="session")
def alice() -> Org:
    return make_org("alice", 7411)


@pytest.fixture(scope="session")
def bob() -> Org:
    return make_org("bob", 7412)


@pytest.fixture(scope="session")
def mallory() -> Org:
    """Not in the roster."""
    return make_org("mallory", 7499)


@pytest.fixture(scope="session")
def roster(alice: Org, bob: Org) -> Roster:
    coordinator = make_org("hub", 7400, coordinator=True)
    return Roster.of([alice.member, bob.member, coordinator.member])
