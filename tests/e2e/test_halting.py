"""A job process that is deep in a kernel when a barrier begins: its party stays, between real daemons.

In a product of rep4 crux sends bolt what dana vouches for. crux lies; dana computes for seconds while the
others have stopped. What dana has to say of that message is needed, and comes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mpcd.cli.local_cluster import COORDINATOR
from tests.e2e.committee import DANA, Committee, X, committee, slow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("e2e-halting")]

LIAR = "crux"
HONEST = ("acme", "bolt", DANA)
LIE_ROUND = 100


@pytest.fixture(scope="module")
def daemons() -> Iterator[Committee]:
    with committee() as made:
        made.cluster.start((COORDINATOR, "acme", "bolt"))
        made.cluster.start_cheating(LIAR, [f"deep-* shift epoch=0 round={LIE_ROUND}"])
        made.start_dana(f"deep-* busy epoch=0 round={LIE_ROUND + 1} size=3000")
        yield made
        made.no_tracebacks()


def test_who_is_halted_in_a_long_kernel_answers_and_is_not_left_out(daemons: Committee) -> None:
    job = daemons.submit(slow("deep-1", "60s", "guaranteed"))
    assert daemons.states(job, HONEST) == dict.fromkeys(HONEST, "succeeded"), daemons.details(job, HONEST)
    for party in HONEST:
        assert daemons.outputs(job, party) == {"total": X}
        verdict = daemons.receipt(job, party)
        (fault,) = verdict.receipt.faults
        assert set(fault.blamed) == {LIAR, DANA}, fault
        assert not fault.unreachable
    assert '"busy"' in daemons.cluster.log(DANA).read_text(), "it was not in a kernel"
    daemons.auction_works()
