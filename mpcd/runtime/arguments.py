"""From an order's inputs to the arguments of its program: expand, check ranges, treat what fails.

The parts of several owners are put one behind the other, in the order of the specification. Every value is
then checked against its declared range inside the computation, whoever shared it: a cheating owner's 2^63
would make a tournament return a loser. The failing bits are opened, which is not uniform, so only after the
daemons have agreed that all checks so far have passed.

With defaults, rows that cannot be used keep their places: a public row of the job stands there, as a constant
that every party writes down by itself, for an input that is left out as for a row that fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import UsageError
from mpcd.program.check import Checked
from mpcd.program.evaluate import Given, dims_of
from mpcd.protocols.engine import AnyEngine, Flags, Ints
from mpcd.protocols.rounds import Rounds, parallel
from mpcd.ring.digests import digest
from mpcd.runtime.epochs import Epoch, in_range

ABORT, EXCLUDE, DEFAULT = "abort", "exclude", "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row of a table comes from: whose, and which of the owner's."""

    owner: str
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """Where all rows of a table come from.

    owners  who put in something, in the order of the specification
    owner   (rows,) position in `owners`; row: (rows,) which of the owner's rows
    """

    owners: tuple[str, ...]
    owner: npt.NDArray[np.intp]
    row: npt.NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[tuple[str, int]]) -> Origins:
        """(owner, number of rows) one behind the other."""
        counts = [rows for _, rows in parts]
        starts = np.repeat(np.cumsum([0, *counts[:-1]]), counts)
        owner = np.repeat(np.arange(len(parts)), counts)
        return cls(tuple(name for name, _ in parts), owner, np.arange(sum(counts)) - starts)

    def __len__(self) -> int:
        return len(self.owner)

    def __getitem__(self, k: int) -> Origin:
        return Origin(self.owners[self.owner[k]], int(self.row[k]))

    def take(self, index: npt.NDArray[np.intp]) -> Origins:
        return Origins(self.owners, self.owner[index], self.row[index])


class RangeFault(UsageError):
    """Rows that owners shared lie outside of their declared range, and the job says not to go on."""

    def __init__(self, what: str, rows: Sequence[tuple[str, Origin]]) -> None:
        super().__init__(what)
        self.rows = tuple(rows)


@dataclass(slots=True)
class Arguments:
    """What the program is run on.

    columns   program input -> sharing of its rows
    origins   table -> where each row comes from
    excluded  (table, origin) of every row that failed
    reveals   digest of everything that was opened
    defaults  program input -> for each owner of `origins` what stands in where a row fails, if the job has it
    """

    columns: dict[str, Any]
    origins: dict[str, Origins]
    excluded: list[tuple[str, Origin]] = field(default_factory=list)
    reveals: bytes = b""
    defaults: dict[str, list[int]] = field(default_factory=dict)


def table_of(name: str) -> str:
    """The table of a program input: `bids` for `bids` and for `bids.price`."""
    return name.partition(".")[0]


def assemble(checked: Checked, order: pb.Order, epoch: Epoch, engine: AnyEngine) -> Arguments:
    """Expand this party's payloads and join the owners' parts.

    Raises  UsageError if tables or columns are not those of the program
    """
    parts: dict[str, list[Any]] = {name: [] for name in checked.inputs}
    defaults: dict[str, list[int]] = {name: [] for name in checked.inputs}
    tables: dict[str, list[tuple[str, int]]] = {}
    for given in order.inputs:
        columns = list(given.columns)
        if {table_of(name) for name in columns} != {given.table} or not set(columns) <= parts.keys():
            raise UsageError(f"the input of {given.owner} does not fit the table {given.table}")
        row = _default_row(given, order.missing)
        # Nobody holds anything of an input that is left out: a constant needs no message and no randomness.
        shares = engine.constant(_repeated(row, given.rows)) if given.left_out else epoch.share(given)
        for k, name in enumerate(columns):
            parts[name].append(engine.reshape(engine.take(shares, np.array([k]), 0), (given.rows,)))
            defaults[name] += row[k : k + 1]
        tables.setdefault(given.table, []).append((given.owner, given.rows))
    origins = {table: Origins.of(rows) for table, rows in tables.items()}
    joined = {name: _joined(name, some, engine) for name, some in parts.items()}
    for name, x in joined.items():
        if x.shape[0] != len(origins[table_of(name)]):
            raise UsageError(f"the input {name} of the program lacks the rows of some owners")
    return Arguments(joined, origins, defaults=defaults)


def _default_row(given: pb.Input, missing: str) -> list[int]:
    """A number for every column of an input in a job with defaults, none in another.

    Raises  UsageError if that is not so, or nothing stands in for an input that is left out
    """
    row = list(given.default_row)
    if len(row) != (len(given.columns) if missing == DEFAULT else 0) or (given.left_out and not row):
        raise UsageError(f"the default row for {given.table} of {given.owner} does not fit its columns")
    return row


def _repeated(row: Sequence[int], rows: int) -> Ints:
    """(columns, rows), every row the same."""
    return np.broadcast_to(np.array(row, np.int64)[:, None], (len(row), rows))


def _joined(name: str, parts: Sequence[Any], engine: AnyEngine) -> Any:
    if not parts:
        raise UsageError(f"nobody puts in {name}")
    return parts[0] if len(parts) == 1 else engine.join(parts, 0)


def find_failing(checked: Checked, engine: AnyEngine, arguments: Arguments) -> Rounds[dict[str, Any]]:
    """Check every input against its declared range: program input -> shared bits, true where it holds."""
    names = list(arguments.columns)
    bits = yield from parallel(
        [
            in_range(engine.at("range", k), arguments.columns[name], *_bounds(checked, name))
            for k, name in enumerate(names)
        ]
    )
    return dict(zip(names, bits, strict=True))


def _bounds(checked: Checked, name: str) -> tuple[int, int]:
    declared = checked.inputs[name]
    return declared.low, declared.high


def open_failing(engine: AnyEngine, bits: Mapping[str, Any]) -> Rounds[dict[str, Flags]]:
    """Show everybody which rows are in range; only after the parties agreed on it."""
    opened = yield from parallel(
        [engine.at("range open", k).open_bits(ok) for k, ok in enumerate(bits.values())]
    )
    return dict(zip(bits, opened, strict=True))


def reveal_digest(order: pb.Order, arguments: Arguments) -> bytes:
    """What the daemons agree on before the failing bits are opened: which bits of which run.

    The same in every epoch: the bits depend on the committed inputs alone, so they show nothing twice.
    """
    names = [part for name, x in arguments.columns.items() for part in (name.encode(), _number(x.shape[0]))]
    return digest("mpcd reveal ranges", order.session, *names)


def leave_out(
    arguments: Arguments, opened: Mapping[str, Flags], missing: str, engine: AnyEngine
) -> Arguments:
    """Drop the rows of which any column failed, or put default rows in their places, as the job says.

    Which rows these are follows from the opened bits alone, so it is the same at all parties.

    Raises  RangeFault if there are any and the job says abort, or if none is left of a table;
            UsageError if the job wants a treatment that is not offered
    """
    if missing not in (ABORT, EXCLUDE, DEFAULT):
        raise UsageError(f"rows outside of their range cannot be treated as {missing!r}")
    good = {table: np.ones(len(rows), np.bool_) for table, rows in arguments.origins.items()}
    for name, flags in opened.items():
        good[table_of(name)] &= flags
    bad = [
        (table, arguments.origins[table][row])
        for table, flags in good.items()
        for row in np.flatnonzero(~flags).tolist()
    ]
    reveals = digest(
        "mpcd reveals",
        *(part for name, flags in opened.items() for part in (name.encode(), np.packbits(flags).tobytes())),
    )
    if not bad:
        return Arguments(arguments.columns, arguments.origins, [], reveals)
    if missing == DEFAULT:
        return Arguments(_replaced(arguments, good, engine), arguments.origins, bad, reveals)
    if missing == ABORT or any(not flags.any() for flags in good.values()):
        raise RangeFault(f"{len(bad)} rows are outside of their declared range", bad)
    kept = {table: np.flatnonzero(flags) for table, flags in good.items()}
    return Arguments(
        {name: engine.take(x, kept[table_of(name)], 0) for name, x in arguments.columns.items()},
        {table: arguments.origins[table].take(index) for table, index in kept.items()},
        bad,
        reveals,
    )


def _replaced(arguments: Arguments, good: Mapping[str, Flags], engine: AnyEngine) -> dict[str, Any]:
    """All columns, with the owners' default rows where a row is not good."""
    columns: dict[str, Any] = {}
    for name, x in arguments.columns.items():
        flags, origins = good[table_of(name)], arguments.origins[table_of(name)]
        public = np.where(flags, 0, np.array(arguments.defaults[name], np.int64)[origins.owner])
        # Zero times a share is zero: nothing is left of what the owner shared there.
        columns[name] = engine.add(engine.scale(x, flags.astype(np.int64)), engine.constant(public))
    return columns


def public_facts(
    checked: Checked, order: pb.Order, arguments: Arguments
) -> tuple[dict[str, int], dict[str, Given]]:
    """Lengths of the program's dimensions, and its public parameters with the order that breaks ties.

    Raises  UsageError if lengths contradict each other or the program
    """
    parameters: dict[str, Given] = {given.name: _parameter(given) for given in order.parameters}
    for name, declared in checked.parameters.items():
        if declared.kind == "order":
            parameters[name] = _tie_order(order, arguments, _table_with(checked, declared.shape))
    stand_ins: dict[str, npt.NDArray[Any]] = {
        name: np.broadcast_to(np.int64(0), x.shape) for name, x in arguments.columns.items()
    }
    arrays = {**stand_ins, **{name: np.asarray(value) for name, value in parameters.items()}}
    types = {**checked.inputs, **checked.parameters}
    missing = types.keys() - arrays.keys()
    if missing:
        raise UsageError(f"the program also needs {', '.join(sorted(missing))}")
    return dims_of(types, {name: arrays[name] for name in types}, checked.maxima), parameters


def _parameter(given: pb.Parameter) -> Given:
    values = [bool(value) if given.truth else int(value) for value in given.values]
    return values[0] if given.scalar and values else values


def _table_with(checked: Checked, shape: tuple[Any, ...]) -> str:
    """The table whose rows an order parameter is about."""
    for name, declared in checked.inputs.items():
        if declared.shape[:1] == shape[:1]:
            return table_of(name)
    raise UsageError("an order of the program belongs to no table")


def _tie_order(order: pb.Order, arguments: Arguments, table: str) -> npt.NDArray[np.intp]:
    """Row numbers, the first to win a tie first: by the public order of the owners, then by row."""
    rank = {owner: k for k, owner in enumerate(order.order)}
    origins = arguments.origins[table]
    ranks = np.asarray([rank.get(owner, len(rank)) for owner in origins.owners], np.intp)
    return np.argsort(ranks[origins.owner], kind="stable")


def _number(n: int) -> bytes:
    return n.to_bytes(8, "little")
