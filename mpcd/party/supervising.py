"""The tasks of all jobs of a daemon: a bug ends its job and not the daemon, a broken disk the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mpcd.errors import MpcdError
from mpcd.storage.database import StorageError

_log = structlog.get_logger("mpcd.party")
Work = Callable[[], Awaitable[None]]


class Supervisor:
    """One task per job. `failed` becomes done when the disk has failed: the daemon must stop."""

    def __init__(self, ended: Callable[[bytes], None]) -> None:
        """ended: told of a job when its task has come to its end, however that was"""
        self.failed: asyncio.Future[StorageError] = asyncio.get_running_loop().create_future()
        self._ended = ended
        self._tasks: dict[bytes, asyncio.Task[None]] = {}

    def start(self, job: bytes, work: Work, give_up: Work) -> None:
        """Begin to work on a job; `give_up` ends it, should the work end by an error."""
        task = asyncio.create_task(self._supervise(job, work, give_up), name=f"job {job.hex()[:12]}")
        self._tasks[job] = task

    def fail(self, error: StorageError) -> None:
        """The disk has failed."""
        if not self.failed.done():
            self.failed.set_result(error)

    async def close(self) -> None:
        """Stop everything; what ran is ended by the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _supervise(self, job: bytes, work: Work, give_up: Work) -> None:
        try:
            if not await _is_done(job, work):
                # Nobody works on it any more: it must not look as if somebody did, nor be waited for.
                await _is_done(job, give_up)
        except StorageError as error:
            self.fail(error)
        finally:
            self._tasks.pop(job, None)
            self._ended(job)


async def _is_done(job: bytes, work: Work) -> bool:
    """The top of a job: whether its work came to an end by itself.

    Raises  StorageError
    """
    try:
        await work()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise  # the daemon stops
        _log.error("bug", job=job.hex(), error="a task was cancelled by nobody")
        return False
    except StorageError:
        raise
    except MpcdError as error:
        _log.error("job ended by an error", job=job.hex(), error=error.what)
        return False
    except Exception as error:  # noqa: BLE001  the top level of a job's task
        _log.error("bug", job=job.hex(), error=type(error).__name__, exc_info=error)
        return False
    return True
