"""Default rows: public numbers that stand in for what an owner owes and does not give (`missing: default`).

They are part of the signed specification: everybody has consented to them before any input exists, and they
are checked against the ranges that the program declares before anybody consents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Field, Tag

from mpcd.errors import UsageError
from mpcd.identity.complaints import did_you_mean
from mpcd.identity.names import Field as Label
from mpcd.identity.units import Integer

if TYPE_CHECKING:
    from mpcd.program.types import Type

_NUMBER, _COLUMNS = "a number", "by column"
Number = Annotated[Integer, Field(ge=-(1 << 63), lt=1 << 63)]


def _form(value: object) -> str:
    return _COLUMNS if isinstance(value, dict) else _NUMBER


DefaultRow = Annotated[
    Annotated[Number, Tag(_NUMBER)]
    | Annotated[dict[Label, Number], Field(min_length=1, max_length=1024), Tag(_COLUMNS)],
    Discriminator(_form),
]
"""As the job file has it: the number of an argument of one column, or the number of every column by name."""


class DefaultError(UsageError):
    """A default row does not fit the program. column: of which one, "" if it is about the row."""

    def __init__(self, what: str, *, column: str = "", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.column = column


def row_of(default: int | Mapping[str, int], names: Iterable[str]) -> tuple[int, ...]:
    """The row in the order of the program inputs `names`: `bids`, or `bids.price` and so on.

    The row has been checked (`check_row`).
    """
    if isinstance(default, int):
        return tuple(default for _ in names)
    return tuple(default[_column(name)] for name in names)


def check_row(argument: str, default: int | Mapping[str, int], declared: Mapping[str, Type]) -> None:
    """One number for every column of an argument, each within its declared range.

    declared  program input -> type, for the inputs that belong to the argument
    Raises    DefaultError
    """
    columns = {_column(name): t for name, t in declared.items()}
    if isinstance(default, int):
        if len(columns) > 1:
            raise DefaultError(
                f"{argument} has the columns {', '.join(columns)}: each needs a default",
                fix=f"write default: {{{', '.join(f'{column}: {t.low}' for column, t in columns.items())}}}",
            )
        default = dict.fromkeys(columns, default)
    _check_names(argument, default, columns)
    for column, number in default.items():
        t = columns[column]
        if not t.low <= number <= t.high:
            name = f"{argument}.{column}" if column else argument
            raise DefaultError(f"the default for {name} must lie in [{t.low}, {t.high}]", column=column)


def _check_names(argument: str, default: Mapping[str, int], columns: Mapping[str, Type]) -> None:
    if "" in columns and "" not in default:
        raise DefaultError(f"{argument} is one column without a name", fix="write one number, as default: 0")
    for column in default:
        if column not in columns:
            raise DefaultError(
                f"{argument} has no column {column!r}{did_you_mean(column, list(columns))}", column=column
            )
    for column, t in columns.items():
        if column not in default:
            raise DefaultError(
                f"the column {column} of {argument} needs a default, too", fix=f"add {column}: {t.low}"
            )


def _column(name: str) -> str:
    """The column of a program input: `price` of `bids.price`, none of `bids`."""
    return name.partition(".")[2]
