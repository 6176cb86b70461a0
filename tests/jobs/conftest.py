"""A roster of four computing parties, a bidder, a reader and a coordinator, and a job between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from mpcd.identity.certificates import self_signed_ca
from mpcd.identity.documents import loads
from mpcd.identity.keys import Identity
from mpcd.identity.roster import Roster, entry_of
from mpcd.jobs.document import JobDocument
from mpcd.jobs.specification import Specification

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")

JOB = """\
apiVersion: mpcd/v1
kind: Job
name: auction
program: {kind: app, name: second-price}
protocol: rep4
computing: [alice, bob, carol, dave]
inputs:
  - {party: alice, dataset: bids, argument: bids, rows: 1}
  - {party: erin, dataset: bids, argument: bids, rows: 2}
results:
  - {output: winner, to: [alice, frank]}
  - {output: price, to: [frank]}
parameters:
  reserve: 100
order: [erin, alice]
profile: fair
deadline: 60s
"""

PROGRAM = b"""\
mpcd ir 1
name second_price
"""


@pytest.fixture(scope="session")
def identities() -> dict[str, Identity]:
    return {name: Identity.create(name) for name in (*NAMES, "hub")}


@pytest.fixture(scope="session")
def roster(identities: Mapping[str, Identity]) -> Roster:
    members = []
    for port, (name, identity) in enumerate(identities.items(), start=7400):
        certificate = self_signed_ca(identity, now=NOW)
        role, links = ("coordinator", "") if name == "hub" else ("party", f"127.0.0.1:{port + 100}")
        members.append(entry_of(identity, certificate, role, f"127.0.0.1:{port}", links))  # type: ignore[arg-type]
    return Roster.of(members)


@pytest.fixture(scope="session")
def document() -> JobDocument:
    return loads(JOB, JobDocument, source="job.yaml")


@pytest.fixture(scope="session")
def specification(document: JobDocument, roster: Roster) -> Specification:
    return Specification.of(
        document,
        program=PROGRAM,
        program_hash=bytes(range(32)),
        roster=roster,
        submitter="alice",
        now=NOW,
        nonce=bytes(32),
    )
