"""Choosing between two shared tables by a shared bit per row, without learning the bit.

Notation  table: shared numbers of shape (columns, rows); a bit per row chooses whole rows at once
Security  that of the engine: only its products and conversions are used
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from mpcd.errors import UsageError
from mpcd.protocols.engine import A, AnyEngine, B, Engine, Shaped
from mpcd.protocols.rounds import Rounds

S = TypeVar("S", bound=Shaped)


def mux(e: Engine[A, B], choice: B, yes: A, no: A) -> Rounds[A]:
    """Per row: yes where the bit is 1, otherwise no; every column by the same bit.

    Shapes     choice (rows), yes and no (columns, rows) -> (columns, rows)
    Cost       the conversion of one bit per row, then one product per column and row: in rep4 3 rounds
               and 12 + 12 * columns bytes per row and party
    Malicious  as the engine's `to_arithmetic` and `mul`
    Raises     UsageError if the shapes do not fit
    Source     no + b * (yes - no)
    """
    bit = yield from e.at("bit").to_arithmetic(choice)
    return (yield from mux_arithmetic(e.at("choose"), bit, yes, no))


def mux_arithmetic(e: Engine[A, B], bit: A, yes: A, no: A) -> Rounds[A]:
    """As `mux`, for a bit that is already a shared number 0 or 1.

    Shapes     bit (rows), yes and no (columns, rows) -> (columns, rows)
    Cost       1 round; one product per column and row
    Malicious  as the engine's `mul`
    Raises     UsageError if the shapes do not fit
    Source     no + b * (yes - no)
    """
    if len(yes.shape) != 2 or yes.shape != no.shape or bit.shape != yes.shape[1:]:
        raise UsageError(f"mux: a bit per row is needed, got {bit.shape} for {yes.shape} and {no.shape}")
    difference = e.sub(yes, no)
    chosen = yield from e.mul(spread(e, bit, yes.shape[0]), difference)
    return e.add(no, chosen)


def spread(e: AnyEngine, x: S, columns: int) -> S:
    """Repeat a vector as every line of a table: (rows) -> (columns, rows); local."""
    line = e.reshape(x, (1, *x.shape))
    repeated: S = e.take(line, np.zeros(columns, np.intp), 0)
    return repeated
