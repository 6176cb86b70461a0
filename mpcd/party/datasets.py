"""The party's own data: what a job asks for, read, checked against the program, and bound to the consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpcd.data.csv import Table, check_unchanged, read
from mpcd.errors import DataError
from mpcd.identity.complaints import did_you_mean
from mpcd.identity.config import Source
from mpcd.identity.encoding import pack
from mpcd.jobs.consent import Dataset
from mpcd.jobs.document import InputEntry
from mpcd.jobs.specification import program_inputs
from mpcd.program.check import Checked
from mpcd.protocols.rounds import Words


@dataclass(frozen=True, slots=True)
class Datasets:
    """The datasets of the configuration, for one job: `Reader` of `ports` once there is a consent.

    key        secret of this party under which digests are made
    consented  dataset digests of the consent, by argument
    """

    sources: Mapping[str, Source]
    key: bytes = field(repr=False)
    job: bytes
    checked: Checked
    consented: Mapping[str, bytes]

    def offer(self, entry: InputEntry) -> Dataset:
        """What this party would bring for an argument: rows and digest.

        Raises  DataError if it cannot be used
        """
        table = self._table(entry)
        digest = table.digest(self.key, self._context(entry))
        return Dataset(argument=entry.argument, dataset=entry.dataset, rows=table.rows, digest=digest.hex())

    async def read(self, entry: InputEntry) -> Words:
        """The rows that were consented to, as (columns, rows) words in the order of the program.

        Raises  DataError if the data has changed or cannot be used
        """
        table = self._table(entry)
        where = self.sources[entry.dataset].file
        check_unchanged(where, table, self.key, self._context(entry), self.consented[entry.argument])
        columns = [table.columns[name] for name in self._columns(entry).values()]
        words: Words = np.ascontiguousarray(np.stack(columns)).view(np.uint64)
        return words

    def _context(self, entry: InputEntry) -> bytes:
        return pack([self.job, entry.argument.encode()])

    def _table(self, entry: InputEntry) -> Table:
        columns = self._columns(entry)
        source = self.sources[entry.dataset]
        self._check_ranges(entry, columns)
        used = {name: source.columns[name] for name in columns.values()}
        return read(source.model_copy(update={"columns": used}), at_most=entry.rows)

    def _columns(self, entry: InputEntry) -> dict[str, str]:
        """Program input -> column of the dataset."""
        source = self.sources.get(entry.dataset)
        if source is None:
            raise DataError(
                f"there is no dataset {entry.dataset!r}{did_you_mean(entry.dataset, list(self.sources))}",
                fix="name it under data: in party.yaml",
            )
        found: dict[str, str] = {}
        for name in program_inputs(self.checked, entry.argument):
            column = name.partition(".")[2]
            if not column and len(source.columns) == 1:
                column = next(iter(source.columns))
            if column not in source.columns:
                raise DataError(
                    f"the dataset {entry.dataset} has no column for {name}",
                    fix="declare exactly one column, or one of this name",
                )
            found[name] = column
        return found

    def _check_ranges(self, entry: InputEntry, columns: Mapping[str, str]) -> None:
        declared = program_inputs(self.checked, entry.argument)
        for name, column in columns.items():
            own, wanted = self.sources[entry.dataset].columns[column], declared[name]
            if own.min < wanted.low or own.max > wanted.high:
                raise DataError(
                    f"the column {column} of {entry.dataset} is declared as [{own.min}, {own.max}], "
                    f"the program takes [{wanted.low}, {wanted.high}] for {name}",
                    fix="declare a narrower range in party.yaml",
                )
