"""From the program that a job file names to the canonical bytes that are signed."""

from __future__ import annotations

from pathlib import Path

from mpcd.apps.catalogue import find
from mpcd.jobs.document import AppProgram, FileProgram, IrProgram
from mpcd.lang.loading import load_program, read_ir
from mpcd.program.text import to_bytes


def canonical_program(entry: AppProgram | FileProgram | IrProgram, base: Path) -> bytes:
    """The canonical bytes of a job file's program; paths are relative to `base`.

    A Python file is executed: on the submitter's machine, with the submitter's rights, and nowhere else.
    Raises  NotFoundError, UsageError naming the line of the program
    """
    if isinstance(entry, AppProgram):
        return find(entry.name).definition.canonical
    if isinstance(entry, FileProgram):
        return load_program(base / entry.path, entry.function).canonical
    return to_bytes(read_ir(base / entry.path).program)
