"""What every operation of the rep3 engine costs: exact rounds and bytes, without running anything.

Bytes are those of the messages; headers, tags (16 bytes per opening and receiver) and links come on top. All
three parties send the same. The tests run every operation and compare with the counters of the run.

Notation  results  number of elements, or of flags, of the result
          length   inner length of an inner or matrix product
          checked  with one malicious party of three; otherwise all three are honest
Source    Spec rep3 9
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from mpcd.errors import UsageError
from mpcd.protocols.rep3.blocks import matrix_blocks, row_blocks
from mpcd.protocols.rep3.buckets import choose
from mpcd.protocols.rep3.party import PARTIES
from mpcd.protocols.rep3.sizes import ADDER_ROUNDS, BINARY_ANDS, EQUAL_ANDS, SIGN_ANDS
from mpcd.ring.bits import words_for

WORD_BYTES = 8
WIDE_BYTES = 16
_COIN = 32
_HASHES = 64
_BATCH_ROUNDS = 5
"""Products, coin, combination, hashes, silence."""
_MADE_BYTES, _FACTOR_BYTES, _PRODUCT_BYTES = 160, 130, 130
"""Memory of a batch per word triple that is made, per element of a factor, and per product more."""


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
        return PARTIES * self.sent


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


def words_batch(words: int) -> Cost:
    """At least so many triples of words of bits."""
    return Cost(_BATCH_ROUNDS, WORD_BYTES * choose(max(words, 1)).words + _COIN + _HASHES)


def rows(m: int, k: int) -> Cost:
    """m checked inner products of length k; with k = 1, m products."""
    cost = NOTHING
    for high, part in row_blocks(m, k):
        height, length = high.stop - high.start, part.stop - part.start
        cost = cost.then(rows_batch(height, length), opening(2 * height * length))
    return cost


def matrix(m: int, k: int, n: int) -> Cost:
    """A checked matrix product."""
    cost = NOTHING
    for part in matrix_blocks(m, k, n):
        length = part.stop - part.start
        cost = cost.then(matrix_batch(m, length, n), opening(m * length + length * n))
    return cost


def gates(words: int, rounds: int, *, checked: bool) -> Cost:
    """ANDs of so many words in so many rounds."""
    if not checked:
        return Cost(rounds, WORD_BYTES * words)
    return words_batch(words).then(Cost(rounds, 2 * WORD_BYTES * words))


def _gates(ands: int, rounds: int) -> Rule:
    return lambda results, checked, length: gates(ands * words_for(results), rounds, checked=checked)


def _inner(results: int, checked: bool, length: int) -> Cost:
    return rows(results, length) if checked else plain(results)


def _matmul(results: int, checked: bool, length: int) -> Cost:
    return matrix(results, length, 1) if checked else plain(results)


def _to_arithmetic(results: int, checked: bool, length: int) -> Cost:
    if not checked:
        return plain(results).then(plain(results))
    return rows_batch(2 * results, 1).then(opening(2 * results), opening(2 * results))


@dataclass(frozen=True, slots=True)
class BatchMemory:
    """Bytes of memory for one batch.

    made      at each party that makes it
    replayed  at one that computes it again for a dispute: one party after the other, and the messages of all
    """

    made: int
    replayed: int


def _words_memory(ands: int) -> Work:
    return lambda results, length: [_words_batch_memory(max(ands * words_for(results), 1))]


def _words_batch_memory(words: int) -> BatchMemory:
    return _memory(_MADE_BYTES * choose(words).total, words_batch(words))


def _rows_memory(m: int, k: int) -> list[BatchMemory]:
    """The batches of m inner products: they are made one after the other."""
    found: list[BatchMemory] = []
    for high, part in row_blocks(m, k):
        height, length = high.stop - high.start, part.stop - part.start
        made = _FACTOR_BYTES * height * length + _PRODUCT_BYTES * height
        found.append(_memory(made, rows_batch(height, length)))
    return found


def _uncut_memory(products: int) -> BatchMemory:
    """A batch of single products that is made at once, however many there are."""
    return _memory((_FACTOR_BYTES + _PRODUCT_BYTES) * products, rows_batch(products, 1))


def _matrix_memory(m: int, k: int, n: int) -> list[BatchMemory]:
    """The largest batch of a matrix product."""
    length: int = max(part.stop - part.start for part in matrix_blocks(m, k, n))
    return [_memory(_FACTOR_BYTES * length * (m + n) + _PRODUCT_BYTES * m * n, matrix_batch(m, length, n))]


def _memory(made: int, sent: Cost) -> BatchMemory:
    return BatchMemory(made, made + sent.total_bytes)


Work = Callable[[int, int], list[BatchMemory]]
"""(results, length) -> what the batches of a checked operation need, one at a time."""

_MEMORY: dict[str, Work] = {
    "mul": lambda results, length: _rows_memory(results, 1),
    "inner": _rows_memory,
    "matmul": lambda results, length: _matrix_memory(results, length, 1),
    "to_arithmetic": lambda results, length: [_uncut_memory(2 * results)],
    "conj": _words_memory(1),
    "negative": _words_memory(SIGN_ANDS),
    "less_than": _words_memory(SIGN_ANDS),
    "less_than_full": _words_memory(3 * SIGN_ANDS + 1),
    "equal": _words_memory(EQUAL_ANDS),
    "range_check": _words_memory(2 * SIGN_ANDS + 1),
    "to_binary": _words_memory(BINARY_ANDS),
}


def batch_memory(operation: str, results: int, length: int = 1, columns: int = 1) -> list[BatchMemory]:
    """What the batches of a checked operation need, one at a time; none for an operation without batches."""
    if operation == "matmul":
        return _matrix_memory(results // max(columns, 1), length, columns)
    work = _MEMORY.get(operation)
    return [] if work is None else work(results, length)


Rule = Callable[[int, bool, int], Cost]
"""(results, checked, length) -> cost."""

_OPERATIONS: dict[str, Rule] = {
    "mul": lambda results, checked, length: _inner(results, checked, 1),
    "inner": _inner,
    "matmul": _matmul,
    "conj": _gates(1, 1),
    "negative": _gates(SIGN_ANDS, ADDER_ROUNDS),
    "parity": lambda results, checked, length: NOTHING,
    "less_than": _gates(SIGN_ANDS, ADDER_ROUNDS),
    "less_than_full": _gates(3 * SIGN_ANDS + 1, ADDER_ROUNDS + 1),
    "equal": _gates(EQUAL_ANDS, ADDER_ROUNDS),
    "range_check": _gates(2 * SIGN_ANDS + 1, ADDER_ROUNDS + 1),
    "to_arithmetic": _to_arithmetic,
    "to_binary": _gates(BINARY_ANDS, ADDER_ROUNDS),
    "open": lambda results, checked, length: opening(results),
    "open_bits": lambda results, checked, length: opening(words_for(results)),
}


@cache
def cost(operation: str, results: int, *, checked: bool = True, length: int = 1) -> Cost:
    """The cost of one operation.

    `length` counts for checked inner and matrix products only; a matrix product is taken to have one column
    (`matrix` tells the cost of others).

    Raises  UsageError if there is no such operation or a number is negative
    """
    rule = _OPERATIONS.get(operation)
    if rule is None or results < 0 or length < 0:
        raise UsageError(f"there is no cost of {operation!r} with {results} results of length {length}")
    return rule(results, checked, length)


class Rep3Costs:
    """The costs as `mpcd.program.cost` asks for them."""

    signed_bits = 64
    compare_bits = 63
    element_bytes = 2 * WORD_BYTES
    block_elements = 1 << 17

    def __init__(self, *, checked: bool = True) -> None:
        self.checked = checked

    def rounds(self, operation: str) -> int:
        """Network rounds of an operation, whatever its size."""
        return cost(operation, 1, checked=self.checked).rounds

    def bytes_sent(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Bytes that a party sends for so many results of products of an inner length."""
        if operation == "matmul" and self.checked:
            return matrix(results // max(columns, 1), length, columns).sent
        return cost(operation, results, checked=self.checked, length=length).sent

    def working_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Memory meanwhile: that of the batch; where there is none, of messages and what they are made of."""
        batches = batch_memory(operation, results, length, columns) if self.checked else []
        if not batches:
            return 7 * cost(operation, results, checked=self.checked, length=length).sent
        return max(batch.made for batch in batches)

    def dispute_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Memory for computing its largest batch again, in a process of its own."""
        batches = batch_memory(operation, results, length, columns) if self.checked else []
        return max((batch.replayed for batch in batches), default=0)
