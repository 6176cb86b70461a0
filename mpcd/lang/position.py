"""Where in the user's file something went wrong."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType

from mpcd.errors import UsageError

_OWN = __name__.rpartition(".")[0]


def _is_user(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return not (name == _OWN or name.startswith(_OWN + ".") or name.startswith("mpcd.program."))


def here() -> str:
    """file:line of the innermost frame that is not part of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_user(frame):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def of_traceback(traceback: TracebackType | None, filename: str) -> str:
    """file:line of the innermost frame within a file, for an exception that left the user's code."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return f"{filename}:{line}" if line else filename


def refuse(what: str, fix: str = "") -> UsageError:
    """The error to raise for a line of the user's file."""
    return UsageError(what, where=here(), fix=fix)
