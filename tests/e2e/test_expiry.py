"""A job whose deadline passes while it gathers: an owner has consented and cannot be reached by its peers.

Nobody cheats and no daemon fails, so everybody says the same: `expired`, soon after the deadline.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES, job_text
from mpcd.jobs.limits import GRACE_S
from tests.e2e.town import READER, Town

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

OWNER = "erin"
DELTA, DEADLINE = "1s", "14s"


@pytest.fixture
def cut_off() -> Iterator[Town]:
    """A town in which nobody answers at the address that the roster gives for the owner."""
    with tempfile.TemporaryDirectory(prefix="mpcd-e2e-") as directory, closing(socket.socket()) as place:
        place.bind(("127.0.0.1", 0))
        town = Town.build(Path(directory) / "town", delta=DELTA)
        config = town.cluster.config(OWNER)
        lines = config.read_text().splitlines(keepends=True)
        (at,) = (k for k, line in enumerate(lines) if line.strip().startswith("control:"))
        lines[at] = f"{lines[at].partition(':')[0]}: 127.0.0.1:{place.getsockname()[1]}\n"
        place.close()
        config.write_text("".join(lines))
        try:
            town.start()
            yield town
        finally:
            town.cluster.stop()


def test_a_job_whose_deadline_passes_in_gathering_expires_everywhere(cut_off: Town) -> None:
    town = cut_off
    bidders = (*PARTIES, OWNER)
    job = town.submit(job_text("late", bidders=bidders, readers=["acme", READER], deadline=DEADLINE))
    for name in (*bidders, READER):
        last = town.wait(job, at=name)
        states = [step.state for step in last.history]
        reached = "consented" if name == OWNER else "gathering"
        assert states[-2:] == [reached, "expired"], (name, states, last.detail)
        late_s = (last.history[-1].at_ms - last.deadline_ms) / 1000
        assert 0 <= late_s < GRACE_S, (name, late_s)
    assert not [line for line in town.news() if line["level"] == "error"]
