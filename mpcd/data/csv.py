"""Private inputs from CSV files: whole numbers in declared columns, checked before anything is shared.

The file is UTF-8 text with commas and one header line. Every complaint names file, line and column and never
a value: not a cell, and not a header either, since in a file without header line the first line is data.
Lines are counted as a spreadsheet does: the header is line 1.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mpcd.errors import DataError
from mpcd.identity.config import Column, Source
from mpcd.identity.encoding import pack

MAX_FILE_BYTES = 256 << 20
MAX_LINE_CHARACTERS = 64 << 10

_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_WHOLE_LINES = re.compile(r"(?:-?[0-9]{1,19}\n)+", re.ASCII)
_AS_CSV = "save it as plain CSV: one line per row, commas between the fields"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one dataset, each int64 of shape (rows,), C-contiguous. Prints no values."""

    columns: Mapping[str, NDArray[np.int64]] = field(repr=False)
    rows: int

    def digest(self, key: bytes, context: bytes) -> bytes:
        """32 bytes that bind to the data, under a secret `key` and for one `context` (the job).

        Without the key nobody can test guesses of the data against it, and the digests of one dataset in
        two jobs look unrelated.
        """
        parts = [b"mpcd/dataset/1", context]
        for name, column in self.columns.items():
            parts += [name.encode(), column.astype("<i8", copy=False).tobytes()]
        return hmac.digest(key, pack(parts), hashlib.sha256)


def read(source: Source, *, at_most: int | None = None) -> Table:
    """Read the declared columns of a dataset; at least one row and at most `at_most` (and `max_rows`).

    Raises    DataError if the file is missing, unreadable, changed while it was read, malformed, or has a
              cell that is no whole number of the declared range
    """
    path = Path(source.file)
    lines = _lines(path)
    most = source.max_rows if at_most is None else min(at_most, source.max_rows)
    header, rows = _parse(path, lines, most)
    columns: dict[str, NDArray[np.int64]] = {}
    for name, column in source.columns.items():
        at = _position(path, header, name)
        columns[name] = _column(path, name, column, list(map(itemgetter(at), rows)))
    return Table(columns, len(rows))


def check_unchanged(path: str, table: Table, key: bytes, context: bytes, consented: bytes) -> None:
    """The data is what the party consented to bring.

    Raises    DataError if its digest differs from the one in the consent
    """
    if not hmac.compare_digest(table.digest(key, context), consented):
        raise DataError(
            "the data changed after this party consented to the job",
            where=path,
            fix="submit the job again and leave the file alone until it has begun",
        )


def _lines(path: Path) -> list[str]:
    """The lines of the file, without their ends."""
    raw = _raw(path)
    if raw.startswith(_OTHER_ENCODINGS):
        raise DataError("the file is UTF-16", where=str(path), fix="save it as CSV UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        # No `from`: the cause holds the bytes of the file.
        raise DataError("not UTF-8", where=f"{path}:{line}", fix="save it as CSV UTF-8") from None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise DataError("the file is empty", where=str(path), fix="it needs a header line and a row")
    if max(map(len, lines)) > MAX_LINE_CHARACTERS:
        line = next(at for at, text in enumerate(lines, start=1) if len(text) > MAX_LINE_CHARACTERS)
        raise DataError(
            f"the line exceeds {MAX_LINE_CHARACTERS} characters", where=f"{path}:{line}", fix=_AS_CSV
        )
    return lines


def _raw(path: Path) -> bytes:
    """The bytes of an ordinary file that does not change while it is read."""
    try:
        with open(path, "rb", opener=_open) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise DataError("this is not an ordinary file", where=str(path), fix=_AS_CSV)
            raw = file.read(MAX_FILE_BYTES + 1)
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        raise DataError("there is no such file", where=str(path), fix="see data: in party.yaml") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the path is unusable"
        raise DataError(
            f"cannot read the file: {reason}",
            where=str(path),
            fix="it must be a file that the user of the daemon may read; see data: in party.yaml",
        ) from None
    if len(raw) > MAX_FILE_BYTES:
        raise DataError(
            f"the file is larger than {MAX_FILE_BYTES} bytes", where=str(path), fix="remove columns or rows"
        )
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(
        raw
    ) != after.st_size:
        raise DataError("the file changed while it was read", where=str(path), fix="try again")
    return raw


def _open(path: str, flags: int) -> int:
    # O_NONBLOCK: a named pipe must not make the daemon wait for a writer.
    return os.open(path, flags | os.O_NONBLOCK)


def _parse(path: Path, lines: list[str], most: int) -> tuple[list[str], list[list[str]]]:
    """Header and rows, all of one width."""
    reader = csv.reader(lines, strict=True)
    try:
        # One row more than allowed is enough to know that there are too many.
        records = list(islice(reader, most + 2))
    except csv.Error:
        raise DataError(
            "not CSV: a quote is out of place", where=f"{path}:{reader.line_num}", fix=_AS_CSV
        ) from None
    if reader.line_num != len(records):
        raise DataError("a quoted text goes over several lines", where=str(path), fix=_AS_CSV)
    header, rows = records[0], records[1:]
    if not rows:
        raise DataError("the file has a header line at most and no rows", where=str(path), fix="add a row")
    if len(rows) > most:
        raise DataError(
            f"the file has {len(lines) - 1} rows, at most {most} are allowed",
            where=str(path),
            fix="remove rows, or let the job and the configuration allow more",
        )
    if set(map(len, rows)) != {len(header)}:
        line = next(at for at, row in enumerate(rows, start=2) if len(row) != len(header))
        found = len(rows[line - 2])
        raise DataError(
            f"the row has {found} fields, the header {len(header)}", where=f"{path}:{line}", fix=_AS_CSV
        )
    return header, rows


def _position(path: Path, header: list[str], name: str) -> int:
    names = [text.strip() for text in header]
    if names.count(name) == 1:
        return names.index(name)
    what = "occurs twice in" if name in names else "is missing in"
    raise DataError(
        f"the column {name!r} {what} the header line",
        where=f"{path}:1",
        fix="the first line of the file names the columns, separated by commas",
    )


def _column(path: Path, name: str, declared: Column, cells: list[str]) -> NDArray[np.int64]:
    """Cells as int64 in the declared range. Whole columns at a time; single cells only to find a mistake."""
    if not _WHOLE_LINES.fullmatch("\n".join([*cells, ""])):
        line = next(at for at, cell in enumerate(cells, start=2) if not _WHOLE.fullmatch(cell))
        what = "is not a whole number" if cells[line - 2] else "is empty"
        raise DataError(
            f"the cell {what}",
            where=f"{path}:{line}:{name}",
            fix="write digits only, without units or spaces",
        )
    values = list(map(int, cells))
    if min(values) < declared.min or max(values) > declared.max:
        line = next(
            at for at, value in enumerate(values, start=2) if not declared.min <= value <= declared.max
        )
        allowed = f"[{declared.min}, {declared.max}]"
        raise DataError(
            f"the number is outside its range {allowed}",
            where=f"{path}:{line}:{name}",
            fix="correct it, or the range under data: in party.yaml",
        )
    return np.array(values, dtype=np.int64)
