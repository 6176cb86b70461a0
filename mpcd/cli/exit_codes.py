"""The exit codes of every command, and the one place where errors become exit codes."""

from __future__ import annotations

from enum import IntEnum

from mpcd.errors import (
    ChannelError,
    ConfigError,
    DeadlineError,
    MpcdError,
    NotFoundError,
    PeerError,
    RefusedError,
    StorageError,
    UsageError,
)


class ExitCode(IntEnum):
    """What a script may rely on."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    NOT_AUTHORISED = 4
    NOT_FOUND = 5
    UNREACHABLE = 6
    JOB_ABORTED = 7
    CHEATING = 8
    DEADLINE = 9
    REFUSED = 10
    UNKNOWN = 11
    PROBLEMS_FOUND = 12
    INTERRUPTED = 130


# The first match counts: subclasses stand before their bases.
_BY_ERROR: tuple[tuple[type[MpcdError], ExitCode], ...] = (
    (ConfigError, ExitCode.CONFIG),
    (StorageError, ExitCode.CONFIG),
    (NotFoundError, ExitCode.NOT_FOUND),
    (UsageError, ExitCode.USAGE),
    (RefusedError, ExitCode.REFUSED),
    (PeerError, ExitCode.CHEATING),
    (DeadlineError, ExitCode.DEADLINE),
    (ChannelError, ExitCode.UNREACHABLE),
)

# How a job ended, as the exit code of a command that waited for it.
BY_STATE = {
    "succeeded": ExitCode.OK,
    "refused": ExitCode.REFUSED,
    "cancelled": ExitCode.JOB_ABORTED,
    "expired": ExitCode.DEADLINE,
    "aborted": ExitCode.JOB_ABORTED,
    "failed": ExitCode.JOB_ABORTED,
}


def exit_code_of_job(state: str, accused: bool) -> ExitCode:
    """The exit code for a job that ended in this state.

    accused  signed words have shown that somebody cheats; it counts only where there is no output
    """
    code = BY_STATE.get(state, ExitCode.UNKNOWN)
    return ExitCode.CHEATING if accused and code == ExitCode.JOB_ABORTED else code


def exit_code_of(error: MpcdError) -> ExitCode:
    """The exit code for an error that reaches the user."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.BUG
