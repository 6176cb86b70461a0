"""What every operation of the rep4 engine costs: exact rounds and bytes, without running anything.

Bytes are those of the messages; headers, tags (16 bytes per sender, backup, receiver, round) and links come
on top. The tests run every operation and compare with the counters of the run, party by party.

Notation  results  number of elements, or of flags, of the result
          W = ceil(results / 64): words of one plane of bits
          live     summands that may be different from zero, see `sharing`
Source    Spec rep4 10
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from mpcd.errors import UsageError
from mpcd.protocols.rep4.jump import FROM_01, FROM_23
from mpcd.protocols.rep4.party import PARTIES
from mpcd.protocols.rep4.schedule import BALANCE_FROM, plan
from mpcd.protocols.rep4.sharing import ALL
from mpcd.ring.bits import words_for
from mpcd.ring.digests import DIGEST_BYTES

WORD_BYTES = 8
_NUMBER_BITS = 64
_U = frozenset({FROM_01.receiver, FROM_01.outsider})
_V = frozenset({FROM_23.receiver, FROM_23.outsider})
Sent = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """Rounds, and the bytes of the messages that each party sends."""

    rounds: int
    sent: Sent

    def then(self, *later: Cost) -> Cost:
        """One after the other: rounds and bytes add up."""
        every = (self, *later)
        sent = [sum(c.sent[p] for c in every) for p in range(PARTIES)]
        return Cost(sum(c.rounds for c in every), (sent[0], sent[1], sent[2], sent[3]))

    @property
    def total_bytes(self) -> int:
        return sum(self.sent)

    @property
    def busiest_bytes(self) -> int:
        """What the party sends that sends most."""
        return max(self.sent)


NOTHING = Cost(0, (0, 0, 0, 0))


def product(words: int, x_live: frozenset[int] = ALL, y_live: frozenset[int] = ALL) -> Cost:
    """One product of so many words, elements or packed bits alike."""
    split = words // 2
    spans = (words, split, words - split)
    balanced = words >= BALANCE_FROM

    def sent(me: int) -> int:
        doing = plan(me, x_live, y_live, balanced)
        cyclic = (doing.sends,) if doing.fused else ()
        mine = [task for task in (*doing.known, *cyclic) if task.row.sender == me]
        return WORD_BYTES * sum(spans[task.span] for task in mine)

    return Cost(1, (sent(0), sent(1), sent(2), sent(3)))


def halves(words: int) -> Cost:
    """Handing over u and v, so many words each: party 0 and party 2 send."""
    return Cost(1, (WORD_BYTES * words, 0, WORD_BYTES * words, 0))


def signs(arrays: int, results: int) -> Cost:
    """The sign bits of several arrays side by side."""
    words = arrays * words_for(results)
    planes = _NUMBER_BITS - 1
    cost = halves(_NUMBER_BITS * words).then(product(planes * words, _U, _V))
    while planes > 1:
        pairs = planes // 2
        cost = cost.then(product((2 * pairs - 1) * words))
        planes -= pairs
    return cost


def _conj(results: int) -> Cost:
    return product(words_for(results))


def _negative(results: int) -> Cost:
    return signs(1, results)


def _less_than_full(results: int) -> Cost:
    return signs(3, results).then(_conj(results))


def _range_check(results: int) -> Cost:
    return signs(2, results).then(_conj(results))


def _equal(results: int) -> Cost:
    words = words_for(results)
    levels = [product((_NUMBER_BITS >> level) * words) for level in range(1, 7)]
    return halves(_NUMBER_BITS * words).then(*levels)


def _to_arithmetic(results: int) -> Cost:
    return halves(results).then(product(results, _U, _V))


def _to_binary(results: int) -> Cost:
    words = words_for(results)
    carry_only = _NUMBER_BITS - 1
    levels = []
    for level in range(6):
        upper = [i for i in range(carry_only) if i >> level & 1]
        inner = [i for i in upper if i >> (level + 1)]
        levels.append(product((len(upper) + len(inner)) * words))
    return halves(_NUMBER_BITS * words).then(product(carry_only * words, _U, _V), *levels)


def _open(words: int) -> Cost:
    """Everybody gets the summand that it lacks twice, and once its digest."""
    sent = 2 * WORD_BYTES * words + DIGEST_BYTES
    return Cost(1, (sent, sent, sent, sent))


def _open_bits(results: int) -> Cost:
    return _open(words_for(results))


_OPERATIONS: dict[str, Callable[[int], Cost]] = {
    "mul": product,
    "inner": product,
    "matmul": product,
    "conj": _conj,
    "negative": _negative,
    "parity": lambda _results: NOTHING,
    "less_than": _negative,
    "less_than_full": _less_than_full,
    "equal": _equal,
    "range_check": _range_check,
    "to_arithmetic": _to_arithmetic,
    "to_binary": _to_binary,
    "open": _open,
    "open_bits": _open_bits,
}


@cache
def cost(operation: str, results: int) -> Cost:
    """The cost of one operation, for operands of which every summand is live.

    Raises  UsageError if there is no such operation or `results` is negative
    """
    rule = _OPERATIONS.get(operation)
    if rule is None or results < 0:
        raise UsageError(f"there is no cost of {operation!r} with {results} results")
    return rule(results)


class Rep4Costs:
    """The costs as `mpcd.program.cost` asks for them: the busiest party counts."""

    signed_bits = 64
    compare_bits = 63
    element_bytes = 3 * WORD_BYTES
    block_elements = 1 << 20

    def rounds(self, operation: str) -> int:
        """Network rounds of an operation, whatever its size."""
        return cost(operation, 1).rounds

    def bytes_sent(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Bytes that the busiest party sends for so many results, whatever the length of inner products."""
        return cost(operation, results).busiest_bytes

    def working_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Memory meanwhile: messages of both sides, what they are made of, and what they become."""
        return 7 * cost(operation, results).busiest_bytes

    def dispute_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Nothing is computed again to find out who lied."""
        return 0
