"""The job of the demonstration: a second-price auction between four parties."""

from __future__ import annotations

from collections.abc import Sequence

PARTIES = ("acme", "bolt", "crux", "dana")
RESERVE = 100


def job_text(
    name: str,
    *,
    computing: Sequence[str] = PARTIES,
    bidders: Sequence[str] = PARTIES,
    readers: Sequence[str] = PARTIES,
    deadline: str = "60s",
    profile: str = "guaranteed",
) -> str:
    """The job file, as YAML."""
    inputs = [f"  - {{party: {bidder}, dataset: bid, argument: bids, rows: 1}}" for bidder in bidders]
    everybody = ", ".join(readers)
    return "\n".join(
        [
            "# A sealed-bid auction: the highest bidder wins and pays the second-highest bid.",
            "apiVersion: mpcd/v1",
            "kind: Job",
            f"name: {name}",
            "program: {kind: app, name: second-price}",
            f"computing: [{', '.join(computing)}]",
            "inputs:",
            *inputs,
            "results:",
            f"  - {{output: winner, to: [{everybody}]}}",
            f"  - {{output: price, to: [{everybody}]}}",
            f"parameters: {{reserve: {RESERVE}}}",
            f"order: [{', '.join(bidders)}]   # of equal bids the one named first wins",
            f"profile: {profile}",
            f"deadline: {deadline}",
            "",
        ]
    )
