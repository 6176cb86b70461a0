"""How long an output can be: a recipient takes no more from anybody."""

from __future__ import annotations

from typing import Any

import mpcd as mpc
from mpcd.party.proposals import Proposal, inspect, longest_outputs
from mpcd.program.text import program_hash
from tests.party.offices import job, signed
from tests.party.world import OWNER


@mpc.program
def signs(x: mpc.Vector[mpc.Int64]) -> object:
    """Which numbers are positive, and how many are above four."""
    return mpc.reveal(positive=x > 0, many=mpc.count(x > 4))


def proposal_of(program: Any, at_most: int) -> Proposal:
    text, parties = program.canonical, ("acme", "bolt", OWNER)
    specification = job(
        inputs=[{"party": p, "dataset": "bids", "argument": "x", "rows": at_most} for p in parties],
        results=[{"output": "positive", "to": ("acme",)}, {"output": "many", "to": ("acme",)}],
        parameters={},
        order=None,
        program=text.decode(),
        program_hash=program_hash(program.canonical).hex(),
    )
    return inspect(signed(specification), specification)


def test_a_summand_is_as_long_as_the_rows_that_were_consented_to() -> None:
    proposal = proposal_of(signs, at_most=1000)
    rows = {("acme", "x"): 7, ("bolt", "x"): 1, (OWNER, "x"): 2}
    assert longest_outputs(proposal, rows) == {"positive": 80, "many": 8}


def test_without_consents_it_is_what_the_job_allows() -> None:
    assert longest_outputs(proposal_of(signs, at_most=1000), {}) == {"positive": 24_000, "many": 8}
