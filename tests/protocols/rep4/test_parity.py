"""The lowest bit of shared numbers, without a message."""

from __future__ import annotations

import numpy as np
import pytest

from mpcd.protocols.rep4.engine import Rep4Engine
from mpcd.protocols.rounds import run_locally
from tests.protocols.rep4.four import EDGES, parties, reveal_bits, share


@pytest.mark.parametrize("values", [EDGES, np.zeros(1, np.int64), np.arange(200)])
def test_parity_is_the_lowest_bit_and_all_holders_agree(values: np.ndarray) -> None:
    shares = share(values, 3)
    bits = [run_locally(Rep4Engine(party).parity(shares[party.me])) for party in parties()]
    np.testing.assert_array_equal(reveal_bits(bits), values % 2 == 1)
