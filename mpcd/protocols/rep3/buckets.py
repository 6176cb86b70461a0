"""How many word triples a batch needs so that a wrong one gets through with probability below 2^-40.

Of size * depth + opened triples in a uniformly random order the last `opened` are shown, and the others
fall into `size` buckets of `depth`; in a bucket the first triple is compared with each of the others. A
comparison of a right and a wrong triple always fails, so a cheater wins only if all its wrong triples fill
whole buckets. With m buckets of wrong triples that has probability

    w(m) = C(size, m) / C(size * depth + opened, m * depth),

and the cheater chooses m from 1 to size. If opened <= depth * (depth - 1), log w is convex: with x =
(size - m) * depth >= depth, the logarithm of w(m + 1) / w(m) is, up to a constant,

    log x + sum of log(m * depth + i) for 0 < i < depth - sum of log(x + opened - i) for 0 <= i < depth,

whose derivative in m has the sign of -1/x + (positive) + sum of 1 / (x + opened - i), and the last sum is
at least depth / (x + opened) >= 1/x. So the maximum over all m is at m = 1 or m = size, and is computed
exactly.

A failed comparison ends the epoch, so a cheater has one attempt in it, however many batches there are.

Sources  Spec rep3 6.4; [FLNW] Furukawa, Lindell, Nof, Weinstein: High-throughput secure three-party
         computation for malicious adversaries, 2017; [ABF] Araki et al., IEEE S&P 2017. Departure: the
         maximum over m instead of the bound for m = 1
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb

from mpcd.errors import UsageError

SECURITY_BITS = 40
_DEEPEST = 24
_MOST_OPENED = 24
_LARGEST = 1 << 32


@dataclass(frozen=True, slots=True)
class Buckets:
    """The parameters of one batch.

    size    buckets, and so many verified triples come out
    depth   triples in a bucket
    opened  triples that are shown
    """

    size: int
    depth: int
    opened: int

    @property
    def total(self) -> int:
        """Triples that are made."""
        return self.size * self.depth + self.opened

    @property
    def compared(self) -> int:
        """Comparisons of two triples of a bucket."""
        return self.size * (self.depth - 1)

    @property
    def shown(self) -> int:
        """Words that everybody is shown: two per comparison and two per opened triple."""
        return 2 * (self.compared + self.opened)

    @property
    def words(self) -> int:
        """Words that one party sends for the batch."""
        return self.total + self.shown


def success(buckets: Buckets) -> Fraction:
    """The greatest probability with which wrong triples stay unnoticed: the maximum over all m.

    Raises  UsageError for parameters for which the maximum is not known to be at an end
    """
    one_bucket, every_bucket = _ways(buckets)
    return max(Fraction(buckets.size, one_bucket), Fraction(1, every_bucket))


def _ways(buckets: Buckets) -> tuple[int, int]:
    """Places of one bucket's triples, and of all buckets' triples, among all."""
    size, depth, opened = buckets.size, buckets.depth, buckets.opened
    if size < 1 or depth < 2 or not 0 <= opened <= depth * (depth - 1):
        raise UsageError(f"no bound is known for {buckets}")
    return comb(buckets.total, depth), comb(buckets.total, opened)


@cache
def choose(triples: int, security_bits: int = SECURITY_BITS) -> Buckets:
    """The cheapest parameters that give at least so many triples; a small batch may come out larger.

    Raises  UsageError if `triples` is not positive or absurd
    """
    if not 0 < triples <= _LARGEST:
        raise UsageError(f"a batch of {triples} word triples cannot be made")
    batches = [
        Buckets(max(triples, smallest), depth, opened)
        for depth, opened, smallest in _smallest_sizes(security_bits)
    ]
    return min(batches, key=lambda buckets: buckets.words)


@cache
def _smallest_sizes(security_bits: int) -> tuple[tuple[int, int, int], ...]:
    """(depth, opened, smallest size that is secure) for all parameters worth trying."""
    found = []
    for depth in range(2, _DEEPEST + 1):
        smallest = _LARGEST
        for opened in range(1, min(_MOST_OPENED, depth * (depth - 1)) + 1):
            if _secure(Buckets(smallest, depth, opened), security_bits):
                smallest = _smallest_size(smallest, depth, opened, security_bits)
                found.append((depth, opened, smallest))
    return tuple(found)


def _smallest_size(high: int, depth: int, opened: int, security_bits: int) -> int:
    """By bisection below a size that is secure: both ends of w fall as size or `opened` grows."""
    low = 1
    while low < high:
        middle = (low + high) // 2
        if _secure(Buckets(middle, depth, opened), security_bits):
            high = middle
        else:
            low = middle + 1
    return low


def _secure(buckets: Buckets, security_bits: int) -> bool:
    """success < 2^-security_bits, without fractions."""
    one_bucket, every_bucket = _ways(buckets)
    return buckets.size << security_bits < one_bucket and 1 << security_bits < every_bucket
