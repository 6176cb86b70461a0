"""How many ANDs of a plane the circuits of rep3 take: what an operation reserves, and what it costs.

Source  Spec rep3 8
"""

from __future__ import annotations

from mpcd.protocols.circuits.adders import all_carries_ands, carry_ands

WIDTH = 64
"""Bits of a number."""

SAVED = WIDTH - 1
"""Carries of the three pieces: that of the top bit leaves the ring."""

GENERATED = WIDTH - 2
"""Places at which both the sum and the carries of the pieces have a bit, below the top."""

SIGN_ANDS = SAVED + GENERATED + carry_ands(GENERATED)
EQUAL_ANDS = SAVED + GENERATED + WIDTH - 1
BINARY_ANDS = SAVED + GENERATED + all_carries_ands(GENERATED)

ADDER_ROUNDS = 8
"""Rounds of signs, equality and bits: one saves carries, one generates, six join."""
