"""The daemon's side of job processes: leases, starting, talking, killing.

    pool = WorkerPool(limit=2, cache_dir=...)
    pool.launch()                      # before gRPC: the fork server is a program of its own
    lease = await pool.reserve(10)     # a promise that a process can be started: says yes to START
    job = await lease.start()
    await job.send(order); message = await job.receive(); await job.pass_socket(sock); job.kill()

When a job has ended one process is forked ahead for the next, so that it is there at once; it waits for
its order and knows nothing. Imports neither NumPy kernels nor the worker. If the fork server dies its jobs
die with it; the next lease starts a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from google.protobuf.message import DecodeError

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import ChannelError, DeadlineError, InternalError, UsageError
from mpcd.runtime.forkserver import ENDED, FORK, HALT, KILL, READY, REPLY, REQUEST, STARTED
from mpcd.runtime.orders import ORDER_S, Unpacker, encode

LOAD_S = 120.0
"""How long loading may take: the first time kernels are compiled."""
_READ_BYTES = 1 << 20
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "COVERAGE_PROCESS_START")


class WorkerPool:
    """At most `limit` job processes at a time, forked from a server that has everything loaded.

    cache_dir  where compiled kernels are kept, mode 0700: it is code
    """

    def __init__(self, limit: int, cache_dir: Path) -> None:
        if limit < 1:
            raise UsageError("a party needs room for at least one job process")
        self.limit = limit
        self._cache_dir = cache_dir
        self._free = asyncio.Semaphore(limit)
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._attached = False
        self._ready = asyncio.Event()
        self._jobs: dict[int, Job] = {}
        self._ahead: Job | None = None
        self._next = 0

    def launch(self) -> None:
        """Start the fork server. Call it before anything makes threads."""
        self._cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cache_dir.chmod(0o700)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "mpcd.runtime.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=_environment(self._cache_dir),
                stdin=subprocess.DEVNULL,
            )
        self._control = ours
        self._attached = False
        self._ready.clear()

    async def ready(self, timeout_s: float = LOAD_S) -> None:
        """Wait until the fork server has loaded everything; starts it again if it has died.

        Raises  DeadlineError
        """
        if self._control is None:
            self.launch()
        if not self._attached:
            asyncio.get_running_loop().add_reader(self._end(), self._listen)
            self._attached = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise DeadlineError(f"the fork server is not ready within {timeout_s:g} s") from None

    async def reserve(self, timeout_s: float) -> Lease:
        """Reserve a job process.

        Raises  DeadlineError if all are taken for so long
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise DeadlineError(f"all {self.limit} job processes are taken") from None
        return Lease(self, self._free)

    async def close(self) -> None:
        """End the fork server and with it all jobs."""
        server = self._server
        self._lost()
        if server is not None:
            server.terminate()
            await asyncio.get_running_loop().run_in_executor(None, server.wait)

    async def fork(self, lease: Lease) -> Job:
        """For `Lease.start`."""
        await self.ready()
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.take(lease):
            return ahead
        job, theirs = self._new(lease)
        with theirs:
            await self._request(FORK, job.number, [theirs.fileno()])
        return job

    def _new(self, lease: Lease | None) -> tuple[Job, socket.socket]:
        """A job that is about to be forked, and the process's end of its pipe."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._next += 1
        job = self._jobs[self._next] = Job(self._next, ours, self, lease)
        return job, theirs

    def _fork_ahead(self) -> None:
        """Have a process for the next job; without it that one is only a little slower."""
        if self._ahead is not None or self._control is None:
            return
        job, theirs = self._new(None)
        with theirs:
            try:
                socket.send_fds(self._control, [REQUEST.pack(FORK, job.number)], [theirs.fileno()])
                self._ahead = job
            except OSError:
                del self._jobs[job.number]
                job.close()

    def kill(self, number: int) -> None:
        """For `Job.kill`."""
        self._signal(KILL, number)

    def halt(self, number: int) -> None:
        """For `Job.halt`."""
        self._signal(HALT, number)

    def _signal(self, what: bytes, number: int) -> None:
        if number in self._jobs and self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(REQUEST.pack(what, number))

    def _end(self) -> socket.socket:
        if self._control is None:
            raise ChannelError("the fork server is gone")
        return self._control

    async def _request(self, what: bytes, number: int, descriptors: list[int]) -> None:
        message = REQUEST.pack(what, number)
        await _when_writable(self._end(), lambda sock: socket.send_fds(sock, [message], descriptors))

    def _listen(self) -> None:
        """Take what the fork server reports."""
        while self._control is not None:
            try:
                data = self._control.recv(REPLY.size)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if len(data) != REPLY.size:
                self._lost()
                return
            self._take(*REPLY.unpack(data))

    def _take(self, what: bytes, number: int, value: int) -> None:
        if what == READY:
            self._ready.set()
        elif what == STARTED and number in self._jobs:
            self._jobs[number].pid = value
        elif what == ENDED and number in self._jobs:
            job = self._jobs.pop(number)
            job.ended(value)
            if job is self._ahead:  # not at once another one: something is wrong with them
                self._ahead = None
                job.close()
            else:
                self._fork_ahead()

    def _lost(self) -> None:
        """The fork server is gone, and so are its children."""
        if self._control is not None:
            if self._attached:
                asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
        self._control = None
        self._ready.clear()
        for job in tuple(self._jobs.values()):
            job.ended(-9)
        if self._ahead is not None:
            self._ahead.close()
        self._ahead = None
        self._jobs.clear()


class Lease:
    """The right to one job process; held until it has ended, or until `release`.

    A lease that is kept outlives its process and starts another one, for the next epoch of the job.
    """

    def __init__(self, pool: WorkerPool, free: asyncio.Semaphore) -> None:
        self._pool = pool
        self._free = free
        self._held = True
        self._kept = False

    def keep(self) -> None:
        """Hold it until `release`, whatever becomes of its process."""
        self._kept = True

    def ended(self) -> None:
        """For the job: its process is gone."""
        if not self._kept:
            self.release()

    async def start(self) -> Job:
        """Fork the process.

        Raises  ChannelError, DeadlineError if the fork server cannot; the lease is then released
        """
        if not self._held:
            raise InternalError("a lease that was released cannot start a job")
        try:
            return await self._pool.fork(self)
        except BaseException:
            self.ended()
            raise

    def release(self) -> None:
        """Give it back; twice does no harm."""
        if self._held:
            self._held = False
            self._free.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()


class Job:
    """One job process; without a lease it was forked ahead."""

    def __init__(self, number: int, pipe: socket.socket, pool: WorkerPool, lease: Lease | None) -> None:
        self.number = number
        self.pid: int | None = None
        self._pipe = pipe
        self._pool = pool
        self._lease = lease
        self._made = time.monotonic()
        self._unpacker = Unpacker()
        self._sending = asyncio.Lock()
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(self, lease: Lease) -> bool:
        """Give a process that was forked ahead to a lease; False if it will soon tire of waiting."""
        if time.monotonic() - self._made > ORDER_S / 2:
            self.close()
            return False
        self._lease = lease
        return True

    async def send(self, message: pb.ToWorker) -> None:
        """Raises  ChannelError if the process has ended."""
        async with self._sending:
            try:
                await asyncio.get_running_loop().sock_sendall(self._pipe, encode(message))
            except OSError:
                raise ChannelError("the job process has ended") from None

    async def pass_socket(self, sock: socket.socket) -> None:
        """Hand over an accepted connection; our copy is closed.

        Raises  ChannelError if the process has ended
        """
        message = encode(pb.ToWorker(link=pb.LinkSocket()))
        async with self._sending:
            with sock:
                try:
                    sent = await _when_writable(
                        self._pipe, lambda pipe: socket.send_fds(pipe, [message], [sock.fileno()])
                    )
                    await asyncio.get_running_loop().sock_sendall(self._pipe, message[sent:])
                except OSError:
                    raise ChannelError("the job process has ended") from None

    async def receive(self) -> pb.FromWorker | None:
        """The next message; None when the process has closed its end.

        Raises  InternalError for a message that cannot be read
        """
        while (body := self._unpacker.take()) is None:
            try:
                data = await asyncio.get_running_loop().sock_recv(self._pipe, _READ_BYTES)
            except OSError:
                data = b""
            if not data:
                return None
            self._unpacker.feed(data)
        try:
            return pb.FromWorker.FromString(body)
        except DecodeError:
            raise InternalError("a message of a job process cannot be read") from None

    def halt(self) -> None:
        """Have it stop where it is and say what it keeps, as its last message."""
        self._pool.halt(self.number)

    def kill(self) -> None:
        """End it now; `wait` tells when it is gone."""
        self._pool.kill(self.number)

    async def wait(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        return await asyncio.shield(self._exit)

    def ended(self, status: int) -> None:
        """For the pool: the process is gone."""
        if self._lease is not None:
            self._lease.ended()
        if not self._exit.done():
            self._exit.set_result(status)

    def close(self) -> None:
        """Kill it if it still runs, and close the pipe."""
        self.kill()
        self._pipe.close()


async def _when_writable(sock: socket.socket, send: Callable[[socket.socket], int]) -> int:
    """Do a non-blocking send as soon as the socket takes it."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return send(sock)
        except BlockingIOError:
            writable: asyncio.Future[None] = loop.create_future()
            loop.add_writer(sock, _wake, writable)
            try:
                await writable
            finally:
                loop.remove_writer(sock)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _environment(cache_dir: Path) -> dict[str, str]:
    """Nothing of the daemon's environment but what a Python program needs to start; never a secret."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    # pydantic would look through all installed packages for plugins, which may change what it checks.
    return {**kept, **one, "NUMBA_CACHE_DIR": str(cache_dir), "PYDANTIC_DISABLE_PLUGINS": "__all__"}
