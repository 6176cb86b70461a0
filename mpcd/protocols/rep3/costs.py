"""What every operation of the rep3 engine costs: exact rounds and bytes, without running anything.

Bytes are those of the messages; headers, tags (16 bytes per opening and receiver) and links come on top. All
three parties send the same. The tests run every operation and compare with the counters of the run.

Notation  results  number of elements, or of flags, of the result
          length   inner length of an inner or matrix product
Source    Spec rep3 9
"""

from __future__ import annotations

from dataclasses import dataclass

WORD_BYTES = 8
WIDE_BYTES = 16
_COIN = 16
_HASHES = 64
_BATCH_ROUNDS = 5
"""Products, coin, combination, hashes, silence."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Rounds, and the bytes of the messages that each party sends."""

    rounds: int
    sent: int

    def then(self, *later: Cost) -> Cost:
        """One after the other: rounds and bytes add up."""
        every = (self, *later)
        return Cost(sum(c.rounds for c in every), sum(c.sent for c in every))

    @property
    def total_bytes(self) -> int:
        return 3 * self.sent


NOTHING = Cost(0, 0)


def opening(words: int) -> Cost:
    """Everybody gets the piece that it lacks."""
    return Cost(1, WORD_BYTES * words)


def plain(words: int) -> Cost:
    """Products without checks, of numbers or of packed bits."""
    return Cost(1, WORD_BYTES * words)


def rows_batch(m: int, k: int) -> Cost:
    """Triples of m inner products of length k."""
    return Cost(_BATCH_ROUNDS, WIDE_BYTES * (m + 1 + m * k) + _COIN + _HASHES)


def matrix_batch(m: int, k: int, n: int) -> Cost:
    """A triple of a matrix product, (m, k) times (k, n)."""
    return Cost(_BATCH_ROUNDS, WIDE_BYTES * (m * n + n + k) + _COIN + _HASHES)


def rows(m: int, k: int) -> Cost:
    """m checked inner products of length k; with k = 1, m products."""
    return rows_batch(m, k).then(opening(2 * m * k))


def matrix(m: int, k: int, n: int) -> Cost:
    """A checked matrix product."""
    return matrix_batch(m, k, n).then(opening(m * k + k * n))
