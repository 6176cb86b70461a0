"""The second thread of a job process: it reports for the process if that is halted in a long computation.

Python handles a signal between two instructions of the main thread, and one instruction may be a kernel that
computes for seconds. The daemon waits for half a Delta; then the process is killed, with all that it keeps
for a dispute. But what it keeps does not change while it computes, and kernels, hashes and NumPy leave the
interpreter to others meanwhile. So a thread waits for the signal beside them.

Rule     whoever says something, to a peer or to the daemon, holds `speaking`. The thread takes it before it
         looks and never gives it back: what it reports is then the last that this process does. A process
         that is waiting in a round is interrupted there by the signal, and so gives it back
Memory   the thread is made before memory is limited
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

_SIGNALS = {signal.SIGTERM, signal.SIGALRM}
AGAIN_S = 0.1


class Halting:
    """Who may still speak for this process.

    speaking  held for every round, every message to the daemon, and from the last message on for good
    """

    def __init__(self, report: Callable[[], None]) -> None:
        """To be made by the main thread. report: tell the daemon what is kept, in its place"""
        self.speaking = threading.RLock()
        self._report = report
        self._main = threading.get_ident()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def watch(self) -> None:
        """Begin to wait for SIGTERM, for which the main thread must have a handler; for the main thread."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        # Signals are the main thread's: they interrupt it where it waits.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            threading.Thread(target=self._watch, name="halting", daemon=True).start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def end(self) -> None:
        """The main thread says its last message now, unless the other one does: then this does not return."""
        self.speaking.acquire()

    def _watch(self) -> None:
        while signal.SIGTERM not in os.read(self._woken, 64):
            pass
        while not self.speaking.acquire(timeout=AGAIN_S):
            # It was just going to wait when the signal came, and sleeps on in a round: once more.
            signal.pthread_kill(self._main, signal.SIGTERM)
        try:
            self._report()
        finally:
            os._exit(0)
