"""Which messages a product needs, and what one party does about them.

A product of sharings is the sum of all x[a] * y[b]. The cross term t[a,b] = x[a] * y[b] + x[b] * y[a] is
known to exactly the two parties other than a and b: they hand it over by joint message passing, one as
the sender and one as the backup, with receiver and outsider a and b. There are six such rows in two groups:

  0..3  cyclic: (i, i+1 -> i+3; i+2), the same for every party in terms of its slots
  4, 5  diagonal, variant A: (0,2 -> 3;1) and (1,3 -> 2;0)
  6, 7  diagonal, variant B: the same two terms, sent by parties 2 and 3

Variant A alone makes parties 0 and 1 send twice as much as parties 2 and 3. Large arrays use A for the
first half and B for the second, so that everybody sends the same; it costs two more messages.

Notation  live: summands that may be different from zero, see `sharing`
Sources   Spec rep4 4.2, 4.3, 4.4; [FF] Fantastic Four, multiplication; the roles as in MP-SPDZ's `Rep4.hpp`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mpcd.protocols.rep4.jump import Row
from mpcd.protocols.rep4.sharing import ALL, slot
from mpcd.protocols.rounds import Message, backed

ROWS = (
    Row(0, 1, 3, 2),
    Row(1, 2, 0, 3),
    Row(2, 3, 1, 0),
    Row(3, 0, 2, 1),
    Row(0, 2, 3, 1),
    Row(1, 3, 2, 0),
    Row(2, 0, 1, 3),
    Row(3, 1, 0, 2),
)
CYCLIC = range(4)
VARIANT_A = (4, 5)
VARIANT_B = (6, 7)

BALANCE_FROM = 64
"""Words of an array from which both variants are used."""

WHOLE, FIRST, SECOND = range(3)
"""The span of the array that a row covers: all of it, or one of its halves."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row as one party sees it, in terms of its slots; 3 is the slot that it does not have."""

    number: int
    label: str
    row: Row
    span: int
    receiver_slot: int
    outsider_slot: int


@dataclass(frozen=True, slots=True, eq=False)
class Few:
    """A plan of undivided, fused rows, as the kernels of small products take it.

    wanted   (key, slices to draw of it), in order
    places   see `mpcd.ring.kernels.mul_small`, the length of a slice left out
    send     (key of `Round.send`, number of the message); vouch: the same for `Round.vouch`
    """

    wanted: tuple[tuple[int, int], ...]
    places: tuple[int, ...]
    send: tuple[tuple[Message, int], ...]
    vouch: tuple[tuple[tuple[int, int, str], int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a party does for a product.

    known     rows that this party sends or backs
    outside   rows where it only draws the pad
    incoming  rows that it receives
    diagonal  slots whose own product x[a] * y[a] is added locally
    fused     if the four cyclic rows are all needed, they are done by one kernel and are not in `known` and
              `outside`: here are the three whose pads this party draws, as outsider, backup and sender
    sections  the spans to go through one after the other
    keys      keys to draw from
    draws     for every one of them its rows, in the order in which slices are cut off the stream
    live      summands of the result that may be different from zero
    few       the same in numbers, if all rows can be done by one kernel
    """

    known: tuple[Task, ...]
    outside: tuple[Task, ...]
    incoming: tuple[Task, ...]
    diagonal: tuple[int, ...]
    fused: tuple[Task, ...]
    sections: tuple[int, ...]
    keys: tuple[int, ...]
    draws: tuple[tuple[Task, ...], ...]
    live: frozenset[int]
    few: Few | None = None

    @property
    def backs(self) -> Task:
        """The fused row that this party vouches for."""
        return self.fused[1]

    @property
    def sends(self) -> Task:
        """The fused row that this party sends."""
        return self.fused[2]


@cache
def plan(me: int, x_live: frozenset[int], y_live: frozenset[int], balanced: bool) -> Plan:
    """The plan of party `me` for operands with these live summands; the same rows at every party."""
    rows = [_task(me, number, balanced) for number in _rows(x_live, y_live, balanced)]
    fused = x_live == ALL and y_live == ALL
    single = [task for task in rows if not (fused and task.number in CYCLIC)]
    keys = tuple(sorted({task.row.receiver for task in rows} - {me}))
    both = x_live & y_live
    known = tuple(t for t in single if me in (t.row.sender, t.row.backup))
    outside = tuple(t for t in single if me == t.row.outsider)
    three = tuple(_task(me, (me + k) % 4, balanced) for k in (2, 3, 0)) if fused else ()
    draws = tuple(tuple(task for task in rows if task.row.receiver == key) for key in keys)
    return Plan(
        known=known,
        outside=outside,
        incoming=tuple(t for t in rows if me == t.row.receiver),
        diagonal=() if fused else tuple(slot(me, a) for a in sorted(both) if a != me),
        fused=three,
        sections=(FIRST, SECOND) if balanced else (WHOLE,),
        keys=keys,
        draws=draws,
        live=both.union(*({t.row.receiver, t.row.outsider} for t in rows)),
        few=_few(me, keys, draws, three, known, outside) if fused and not balanced else None,
    )


def _few(
    me: int,
    keys: tuple[int, ...],
    draws: tuple[tuple[Task, ...], ...],
    three: tuple[Task, ...],
    known: tuple[Task, ...],
    outside: tuple[Task, ...],
) -> Few:
    """The plan in numbers; of the two rows that are not cyclic a party knows one at most, and one is outside
    at most."""
    order = [task.number for tasks in draws for task in tasks]
    places = [order.index(task.number) for task in three]
    for tasks, slots in ((known, 2), (outside, 1)):
        task = tasks[0] if tasks else None
        places.append(-1 if task is None else order.index(task.number))
        places += [0 if task is None else (task.receiver_slot, task.outsider_slot)[k] for k in range(slots)]
    carried = [(three[1], 0), (three[2], 1), *((task, 2) for task in known)]
    return Few(
        wanted=tuple((key, len(tasks)) for key, tasks in zip(keys, draws, strict=True)),
        places=tuple(places),
        send=tuple(((t.row.receiver, t.label), k) for t, k in carried if t.row.sender == me),
        vouch=tuple(((t.row.sender, t.row.receiver, t.label), k) for t, k in carried if t.row.sender != me),
    )


def _rows(x_live: frozenset[int], y_live: frozenset[int], balanced: bool) -> list[int]:
    """Numbers of the rows whose term is not zero for sure."""
    candidates = [*CYCLIC, *VARIANT_A, *(VARIANT_B if balanced else ())]

    def needed(row: Row) -> bool:
        a, b = row.receiver, row.outsider
        return (a in x_live and b in y_live) or (b in x_live and a in y_live)

    return [number for number in candidates if needed(ROWS[number])]


def _task(me: int, number: int, balanced: bool) -> Task:
    row = ROWS[number]
    span = WHOLE if number in CYCLIC or not balanced else (FIRST if number in VARIANT_A else SECOND)
    label = backed(str(number), row.backup)
    return Task(number, label, row, span, slot(me, row.receiver), slot(me, row.outsider))
