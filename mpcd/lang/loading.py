"""Programs in files: Python source of a trusted author, or canonical bytes from anybody."""

from __future__ import annotations

import runpy
from pathlib import Path

from mpcd.errors import NotFoundError, UsageError
from mpcd.lang.position import of_traceback
from mpcd.lang.tracing import MISTAKES, Definition
from mpcd.program.check import Checked
from mpcd.program.limits import MAX_BYTES
from mpcd.program.text import parse


def load_program(path: str | Path, name: str | None = None) -> Definition:
    """The program in a Python file. This executes the file: only for files of one's own.

    Raises  NotFoundError if there is no such file
            UsageError naming file and line if it cannot be executed or does not define (one) program
    """
    source = Path(path)
    if not source.is_file():
        raise NotFoundError(f"there is no program file {source}")
    found = _definitions(source)
    names = ", ".join(sorted(found)) or "none"
    if name is not None and name not in found:
        raise NotFoundError(f"{source} defines no program {name}", fix=f"it defines {names}")
    if name is None and len(found) != 1:
        raise UsageError(f"{source} defines {len(found)} programs", fix=f"name one of: {names}")
    return found[name] if name is not None else next(iter(found.values()))


def read_ir(path: str | Path) -> Checked:
    """The program in a file of canonical bytes; nothing is executed.

    Raises  NotFoundError, UsageError as `mpcd.program.text.parse`
    """
    source = Path(path)
    if not source.is_file():
        raise NotFoundError(f"there is no program file {source}")
    with source.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        return parse(data)
    except UsageError as error:
        error.where = f"{source}: {error.where}" if error.where else str(source)
        raise


def _definitions(source: Path) -> dict[str, Definition]:
    try:
        contents = runpy.run_path(str(source), run_name="__mpcd_program__")
    except SyntaxError as error:
        raise UsageError(f"{error.msg}", where=f"{error.filename}:{error.lineno}") from None
    except UsageError:
        raise
    except MISTAKES as error:
        raise UsageError(
            f"{type(error).__name__}: {error}", where=of_traceback(error.__traceback__, str(source))
        ) from error
    return {d.name: d for d in contents.values() if isinstance(d, Definition)}
