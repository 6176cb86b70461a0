"""Where compiled kernels are kept. The cache is code: a directory that others can write to is refused."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpcd.errors import ConfigError


def user_cache() -> Path:
    """The cache of this user: shared by all daemons and commands that it runs."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mpcd" / "kernels"


def prepare_cache(directory: Path | None = None) -> Path:
    """Make the directory (the user's if none is given) and let this process and its children use it.

    Call it before the kernels are imported.
    Raises  ConfigError if it cannot be made, or belongs to somebody else or is open to others
    """
    chosen = directory or user_cache()
    try:
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = chosen.stat()
    except OSError as error:
        raise ConfigError(f"the cache cannot be made: {error.strerror}", where=str(chosen)) from None
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise ConfigError(
            "the cache of compiled kernels is open to others",
            where=str(chosen),
            fix="it must belong to the user of the daemon and have mode 0700",
        )
    os.environ["NUMBA_CACHE_DIR"] = str(chosen)
    return chosen


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Hold the cache for this process alone: of several daemons that start together one compiles.

    The others find compiled kernels when it is their turn. The lock goes with the process that holds it.
    """
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
