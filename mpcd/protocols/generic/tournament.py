"""Largest and two largest rows of a shared table, by a tree of comparisons.

Neighbours meet, the winners meet again, and nothing is revealed on the way. The left row wins
unless the right one is strictly greater: among equal keys the first row wins, so that the public order of the
rows is the tie-break. The winner's position is found by making it a column.

Notation  table: shared numbers of shape (columns, rows); line 0 holds the keys, the other lines are carried
          along; rows are in tie-break order
Limits    keys must lie within the engine's `compare_bits` ([-2^62, 2^62) in rep4): a key outside makes a
          smaller one win, undetected. Check ranges before, or ask for `full` comparisons
Security  that of the engine
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mpcd.errors import UsageError
from mpcd.protocols.engine import A, B, Engine
from mpcd.protocols.generic.select import mux, spread
from mpcd.protocols.rounds import Rounds, parallel


def largest(e: Engine[A, B], table: A, *, full: bool = False) -> Rounds[A]:
    """The row with the largest key; the first of them if there are several.

    Shapes     (columns, rows) -> (columns,)
    Cost       ceil(log2 rows) times (one comparison and one `mux`) rounds: 11 a level in rep4;
               rows - 1 comparisons and choices
    Malicious  as the engine's operations
    Raises     UsageError if the table has no row or no column
    Source     own
    """
    _require_table(table.shape)
    level = 0
    while table.shape[1] > 1:
        table = yield from _play(e.at("level", level), table, full)
        level += 1
    return e.reshape(table, table.shape[:1])


def _play(e: Engine[A, B], table: A, full: bool) -> Rounds[A]:
    """One level: rows 2k and 2k + 1 meet; a last row without opponent goes on."""
    rows = table.shape[1]
    left, right = _rows(e, table, 0, rows - 1, 2), _rows(e, table, 1, rows, 2)
    won = yield from _less(e.at("compare"), _key(e, left), _key(e, right), full)
    winners = yield from mux(e.at("choose"), won, right, left)
    return e.join([winners, _rows(e, table, rows - 1, rows)], 1) if rows % 2 else winners


def two_largest(
    e: Engine[A, B], table: A, default: Sequence[int], *, full: bool = False
) -> Rounds[tuple[A, A]]:
    """The rows with the largest and the second-largest key, equal keys in the order of the rows.

    Shapes     (columns, rows) -> (columns,), (columns,)
    Cost       11 rounds in rep4 for the first level, 12 for each further one; 3 comparisons at once
               where two pairs meet, about 2 * rows in all
    Malicious  as the engine's operations
    Raises     UsageError if the table is empty or `default`, the public second row of a table that has one
               row only, has not one value per column
    Source     own
    """
    columns, rows = _require_table(table.shape)
    if len(default) != columns:
        raise UsageError(f"the default row has {len(default)} values for {columns} columns")
    if rows == 1:
        return e.reshape(table, (columns,)), e.constant(np.array(default, np.int64))
    first, second = yield from _meet(e.at("level", 0), table, full)
    level = 1
    while first.shape[1] > 1:
        first, second = yield from _merge(e.at("level", level), first, second, full)
        level += 1
    return e.reshape(first, (columns,)), e.reshape(second, (columns,))


def _meet(e: Engine[A, B], table: A, full: bool) -> Rounds[tuple[A, A]]:
    """Rows become ordered pairs. A last row without opponent has no second: `second` is one shorter."""
    rows = table.shape[1]
    left, right = _rows(e, table, 0, rows - 1, 2), _rows(e, table, 1, rows, 2)
    won = yield from _less(e.at("compare"), _key(e, left), _key(e, right), full)
    first = yield from mux(e.at("choose"), won, right, left)
    second = e.sub(e.add(left, right), first)
    return (e.join([first, _rows(e, table, rows - 1, rows)], 1) if rows % 2 else first), second


def _merge(e: Engine[A, B], first: A, second: A, full: bool) -> Rounds[tuple[A, A]]:
    """Ordered pairs (a1, a2) on the left meet (b1, b2) on the right; `second` may lack the last pair's."""
    pairs, seconds = first.shape[1], second.shape[1]
    meet = pairs // 2
    left, right = np.arange(0, 2 * meet, 2), np.arange(1, 2 * meet, 2)
    a1, b1 = e.take(first, left, 1), e.take(first, right, 1)
    # A single row on the right borrows its opponent's a2 as b2: a1 < a2 never holds, so it never wins.
    borrowed = np.where(right < seconds, right, left)
    a2, b2 = e.take(second, left, 1), e.take(second, borrowed, 1)
    winners, runners_up = yield from _best_two_of_four(e, a1, a2, b1, b2, full)
    if pairs % 2:
        winners = e.join([winners, _rows(e, first, pairs - 1, pairs)], 1)
        if seconds == pairs:
            runners_up = e.join([runners_up, _rows(e, second, pairs - 1, pairs)], 1)
    return winners, runners_up


def _best_two_of_four(e: Engine[A, B], a1: A, a2: A, b1: A, b2: A, full: bool) -> Rounds[tuple[A, A]]:
    """Merge pairs with a1 >= a2 and b1 >= b2; rows a come before rows b in the tie-break order.

    If b1 beats a1, the second is b2 or a1; otherwise it is b1 or a2.
    """
    up, b2_up, b1_up = yield from _three_comparisons(e.at("compare"), a1, a2, b1, b2, full)
    take_b2, take_b1 = yield from parallel(
        [e.at("select", 0).conj(up, b2_up), e.at("select", 1).conj(e.negate(up), b1_up)]
    )
    bits = yield from parallel(
        [e.at("bit", k).to_arithmetic(bit) for k, bit in enumerate((up, take_b2, take_b1))]
    )
    up_bit, b2_bit, b1_bit = bits
    a1_bit = e.sub(up_bit, b2_bit)
    columns = a1.shape[0]
    winner = e.at("winner").mul(spread(e, up_bit, columns), e.sub(b1, a1))
    weights = _stack(e, [spread(e, bit, columns) for bit in (b2_bit, a1_bit, b1_bit)])
    gains = _stack(e, [e.sub(row, a2) for row in (b2, a1, b1)])
    gain, runner_gain = yield from parallel([winner, e.at("runner").inner(weights, gains)])
    return e.add(a1, gain), e.add(a2, runner_gain)


def _three_comparisons(e: Engine[A, B], a1: A, a2: A, b1: A, b2: A, full: bool) -> Rounds[list[B]]:
    """a1 < b1, a1 < b2 and a2 < b1, in the rounds of one."""
    keys = [(_key(e, x), _key(e, y)) for x, y in ((a1, b1), (a1, b2), (a2, b1))]
    return (yield from parallel([_less(e.at(k), x, y, full) for k, (x, y) in enumerate(keys)]))


def _less(e: Engine[A, B], x: A, y: A, full: bool) -> Rounds[B]:
    return e.less_than_full(x, y) if full else e.less_than(x, y)


def _key(e: Engine[A, B], table: A) -> A:
    line = e.take(table, np.zeros(1, np.intp), 0)
    return e.reshape(line, table.shape[1:])


def _rows(e: Engine[A, B], table: A, start: int, stop: int, step: int = 1) -> A:
    index: npt.NDArray[np.intp] = np.arange(start, stop, step)
    return e.take(table, index, 1)


def _stack(e: Engine[A, B], parts: Sequence[A]) -> A:
    """Tables (columns, rows) side by side on a new last axis."""
    return e.join([e.reshape(part, (*part.shape, 1)) for part in parts], 2)


def _require_table(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2 or 0 in shape:
        raise UsageError(f"a tournament needs a table (columns, rows) with at least one of each, not {shape}")
    return shape[0], shape[1]
