"""The job file that comes with mpcd fits the roster and the policy that come with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from mpcd.identity.config import PartyConfig
from mpcd.identity.documents import load
from mpcd.identity.roster import Roster
from mpcd.jobs.document import JobDocument
from mpcd.jobs.policy import decide
from mpcd.jobs.specification import Specification

SAMPLES = Path(__file__).parents[2] / "configs"


def test_the_sample_job_is_allowed_by_the_sample_policy() -> None:
    specification = Specification.of(
        load(SAMPLES / "job.yaml", JobDocument),
        program=b"program",
        program_hash=bytes(32),
        roster=Roster.load(SAMPLES / "roster.yaml"),
        submitter="acme",
        now=datetime(2026, 11, 22, tzinfo=UTC),
        nonce=bytes(32),
    )
    policy = PartyConfig.load(SAMPLES / "party.yaml").policy
    cost = SimpleNamespace(rounds=100, bytes_sent=10_000, memory_bytes=10_000)
    programs = {"second-price": bytes(32).hex()}
    assert decide(policy, "acme", specification, cost, programs).kind == "accept"
