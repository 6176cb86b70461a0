"""Running a daemon: the event loop, and the signals that end it. Imports no gRPC."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Coroutine
from typing import Any

SWITCH_S = 0.0005
"""The thread of the database waits so long at most for a busy event loop, each time that it has to."""


def run(daemon: Coroutine[Any, Any, None]) -> None:
    """Run a daemon to its end on uvloop; files that it makes are its owner's only, core dumps are off."""
    import uvloop

    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(daemon)


async def stop_signal() -> None:
    """Return at the first SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def settle() -> None:
    """Call it when everything is loaded: what is here stays, and is not searched for garbage over and over.

    Measured: four milliseconds of every job, and pauses of thirty.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
