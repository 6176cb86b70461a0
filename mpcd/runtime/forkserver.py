"""The fork server: a small process that has everything loaded and forks job processes.

    python -m mpcd.runtime.forkserver DESCRIPTOR

The daemon starts it, as a program of its own, before gRPC has made any thread. It loads NumPy, the compiled
kernels and the worker once; a job process is then a fork of it, a few milliseconds away. It has one
thread, no key, no network and no file; it ends when the daemon's end of the control socket closes, and
the kernel kills it and its children if the daemon dies otherwise.

Control messages (SOCK_SEQPACKET; little-endian):
    daemon  F id u32 + one descriptor   fork; the child gets the descriptor as its pipe
            K id u32                    kill it
            H id u32                    have it say what it keeps, and end
    server  R                           everything is loaded
            S id u32, pid u32           started
            X id u32, status i32        ended: exit code, or minus the signal
"""

from __future__ import annotations

import codecs
import ctypes
import os
import resource
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

REQUEST = struct.Struct("<cI")
REPLY = struct.Struct("<cIi")
READY, STARTED, ENDED, FORK, KILL, HALT = b"R", b"S", b"X", b"F", b"K", b"H"
_SIGNALS = {KILL: signal.SIGKILL, HALT: signal.SIGTERM}

IDLE_MS = 500
"""A server that nobody needs so long after it is ready makes its children faster meanwhile."""
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Load everything, then serve until the daemon is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    die_with_parent(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the daemon's business
    run_job = _load()
    from mpcd.ring.memory import collect_rarely

    collect_rarely()
    _Server(control, run_job).serve()


def _load() -> Callable[[socket.socket], None]:
    import numba  # noqa: F401  (slow, and no business of the lock)

    from mpcd.ring.memory import keep_freed_memory
    from mpcd.runtime.kernel_cache import one_at_a_time

    keep_freed_memory()
    with one_at_a_time(Path(os.environ["NUMBA_CACHE_DIR"])):
        from mpcd.ring.kernels import warm_up

        warm_up()
    from mpcd.runtime.worker import main as run_job

    for codec in ("ascii", "idna"):  # found in files when they are used first: let it be here, once
        codecs.lookup(codec)
    return run_job


def _rehearse() -> None:
    from mpcd.ring.memory import collect_rarely
    from mpcd.runtime.warming import rehearse

    rehearse()
    collect_rarely()


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; no core dumps, no look into our memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.getppid() != parent:
        os._exit(1)  # it died before we asked


class _Server:
    """The children and how they end."""

    def __init__(self, control: socket.socket, run_job: Callable[[socket.socket], None]) -> None:
        self._control = control
        self._run_job = run_job
        self._pids: dict[int, int] = {}
        self._watched: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        self._reply(READY, 0, 0)
        if not self._poll.poll(IDLE_MS):
            _rehearse()
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._watched:
                    self._reap(descriptor)
                elif not self._obey():
                    self._stop()
                    return

    def _obey(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except ConnectionResetError:
            return False  # the daemon went away with a report of ours unread
        if len(data) != REQUEST.size:
            return False
        what, job = REQUEST.unpack(data)
        if what == FORK and descriptors:
            self._fork(job, descriptors[0])
        elif what in _SIGNALS and job in self._pids:
            os.kill(self._pids[job], _SIGNALS[what])
        return True

    def _fork(self, job: int, descriptor: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._child(parent, descriptor)
        os.close(descriptor)
        watch = os.pidfd_open(pid)
        self._pids[job] = pid
        self._watched[watch] = job
        self._poll.register(watch, select.POLLIN)
        self._reply(STARTED, job, pid)

    def _child(self, parent: int, descriptor: int) -> NoReturn:
        """Run one job and end, never returning into the server's loop."""
        status = 1
        try:
            die_with_parent(parent)
            self._control.close()
            for watch in self._watched:
                os.close(watch)
            self._run_job(socket.socket(fileno=descriptor))
            status = 0
        finally:
            os._exit(status)

    def _reap(self, watch: int) -> None:
        job = self._watched.pop(watch)
        self._poll.unregister(watch)
        os.close(watch)
        _, status = os.waitpid(self._pids.pop(job), 0)
        self._reply(ENDED, job, os.waitstatus_to_exitcode(status))

    def _reply(self, what: bytes, job: int, number: int) -> None:
        try:
            self._control.send(REPLY.pack(what, job, number))
        except OSError:
            self._stop()
            os._exit(0)  # the daemon is gone

    def _stop(self) -> None:
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
