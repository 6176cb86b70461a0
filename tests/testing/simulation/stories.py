"""Scenarios that tests write by hand."""

from __future__ import annotations

from dataclasses import replace

from mpcd.testing.network.weather import Weather
from mpcd.testing.simulation.acts import Act
from mpcd.testing.simulation.jobs import Job
from mpcd.testing.simulation.running import Story, tell
from mpcd.testing.simulation.scenario import Scenario

BIDS = {"acme": 10, "bolt": 30, "echo": 20}
PLAIN = Scenario(
    seed=7,
    job=Job(7, "squares", BIDS, ("acme", "crux", "fern"), 5, "guaranteed", "exclude", 300.0),
    weather=Weather(delay_s=0.01, jitter_s=0.02),
)


def told(
    faulty: str | None = None, *acts: Act, profile: str = "guaranteed", seed: int = 7, parties: int = 4
) -> Story:
    """What comes of these acts of one party."""
    job = replace(PLAIN.job, profile=profile, parties=parties)
    return tell(replace(PLAIN, seed=seed, job=job, faulty=faulty, acts=acts))
