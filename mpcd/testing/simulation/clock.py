"""Virtual time: an event loop whose clock jumps to the next timer when nothing else is left to do.

Nothing ever sleeps and nothing outside of the process is waited for, so what happens is a function of the
program alone, and an hour passes in the time that its events take.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)


class DeadlockError(AssertionError):
    """Everybody waits, and no timer is set."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting, moves the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise DeadlockError("nothing to do and no timer is set")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time` is the virtual one."""

    def __init__(self) -> None:
        self.moved = _Selector()
        super().__init__(self.moved)

    def time(self) -> float:
        return self.moved.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """At once and in this thread: virtual time stands still while a real thread works."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on as it is
            done.set_exception(error)
        return done


class LoopClock:
    """The running loop's time as a `Clock`."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())


def run_virtually(main: Coroutine[Any, Any, T], limit_s: float = 3600.0) -> T:
    """Run to the end; fails if more than `limit_s` virtual seconds would pass.

    Raises  TimeoutError, DeadlockError; what `main` raises
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(asyncio.wait_for(main, limit_s))
