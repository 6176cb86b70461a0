"""Whose row it is: from a row's number in a job's table to its owner, by the lines of the receipt.

A table has the rows of its owners one behind the other, in the order of the receipt's inputs. Rows outside of
their declared range may have been left out; the receipt says how many of an owner, and which was the first.
Rows that a default row stands in for are in their places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mpcd.jobs.receipt import Receipt

_LEFT_OUT = re.compile(
    r"([0-9]{1,12}) rows outside of the declared range, the first is row ([0-9]{1,12})\Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row comes from.

    row        its number in the table, from 0; below zero: no row
    owner      who brought it, None if it is no row
    owner_row  which of the owner's rows, from 0; None if the receipt does not say
    """

    row: int
    owner: str | None = None
    owner_row: int | None = None


def say_left_out(rows: list[int]) -> str:
    """The receipt's words for rows of an owner, numbered from 0, that were not used."""
    return f"{len(rows)} rows outside of the declared range, the first is row {min(rows) + 1}"


def origin_of(row: int, argument: str, receipt: Receipt) -> Origin | None:
    """Where a row of the table `argument` comes from; None if the table has no such row."""
    if row < 0:
        return Origin(row)
    at = row
    for line in (line for line in receipt.inputs if line.argument == argument):
        count, first = _left_out(receipt, line.owner, argument)
        if at < line.rows - count:
            return Origin(row, line.owner, _owner_row(at, count, first))
        at -= line.rows - count
    return None


def _owner_row(at: int, count: int, first: int) -> int | None:
    """The owner's number of the row that is the at-th of those which stayed."""
    if not count or at < first:
        return at
    return at + 1 if count == 1 else None


def _left_out(receipt: Receipt, owner: str, argument: str) -> tuple[int, int]:
    """How many rows of an input are not in the table, and the first, from 0."""
    for line in receipt.excluded:
        if line.default or (line.owner, line.argument) != (owner, argument):
            continue
        if match := _LEFT_OUT.match(line.reason):
            return int(match[1]), int(match[2]) - 1
    return 0, 0
