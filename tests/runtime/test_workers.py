"""The fork server and the pool: start, limit, kill, deaths of every kind, nothing leaked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.errors import ChannelError, DeadlineError, InternalError
from mpcd.runtime import workers
from mpcd.runtime.workers import Job, WorkerPool

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="looks into processes that are not dumpable")


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp().parent / "mpcd-test-kernels"


@pytest.fixture(scope="module")
def pool(runner: asyncio.Runner, cache: Path) -> Iterator[WorkerPool]:
    made = runner.run(_pool(cache))
    yield made
    runner.run(made.close())


async def _pool(cache: Path) -> WorkerPool:
    made = WorkerPool(2, cache)
    made.launch()
    await made.ready()
    return made


async def _start(pool: WorkerPool) -> Job:
    job = await (await pool.reserve(20)).start()
    async with asyncio.timeout(20):
        while job.pid is None:
            await asyncio.sleep(0.005)
    return job


async def _end(job: Job) -> int:
    job.close()
    async with asyncio.timeout(20):
        return await job.wait()


async def _ahead(pool: WorkerPool) -> Job:
    """The process that was forked for the next job."""
    async with asyncio.timeout(20):
        while (job := pool._ahead) is None or job.pid is None:
            await asyncio.sleep(0.005)
    return job


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except OSError:
        return False


async def _dies(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while _alive(pid):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def test_a_job_that_gets_nonsense_says_so_and_ends(runner: asyncio.Runner, pool: WorkerPool) -> None:
    async def body() -> None:
        job = await _start(pool)
        await job.send(pb.ToWorker(reveal=pb.RevealAnswer(go=True)))
        message = await job.receive()
        assert message is not None
        assert message.failure.kind == "internal"
        assert await job.receive() is None
        assert await job.wait() == 0
        job.close()

    runner.run(body())


def test_starting_is_fast(runner: asyncio.Runner, pool: WorkerPool) -> None:
    """A fork, not a start: with imports it would take seconds."""

    async def body() -> list[float]:
        times = []
        for _ in range(5):
            start = time.monotonic()
            job = await _start(pool)
            times.append(time.monotonic() - start)
            await _end(job)
        return times

    assert min(runner.run(body())) < 0.5


def test_after_a_job_a_process_is_forked_for_the_next_one(
    runner: asyncio.Runner, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        await _end(await _start(pool))
        made = await _ahead(pool)
        job = await (await pool.reserve(20)).start()
        assert job is made
        assert pool._ahead is None
        with pytest.raises(DeadlineError):  # it counts from now on
            async with await pool.reserve(1):
                await pool.reserve(0.05)
        await _end(job)
        async with await pool.reserve(1):  # and its lease has ended with it
            await _ahead(pool)
        tired = await _ahead(pool)
        monkeypatch.setattr(workers, "ORDER_S", -1.0)
        fresh = await _start(pool)
        assert fresh is not tired
        assert tired.pid is not None
        assert await _dies(tired.pid)
        await _end(fresh)

    runner.run(body())


def test_a_process_that_dies_before_its_job_is_not_given_to_one(
    runner: asyncio.Runner, pool: WorkerPool
) -> None:
    async def body() -> None:
        await _end(await _start(pool))
        made = await _ahead(pool)
        made.kill()
        assert await made.wait() == -signal.SIGKILL
        assert pool._ahead is None
        job = await _start(pool)
        assert job is not made
        await _end(job)

    runner.run(body())


def test_a_killed_job_is_reported(runner: asyncio.Runner, pool: WorkerPool) -> None:
    async def body() -> None:
        job = await _start(pool)
        job.kill()
        assert await job.wait() == -signal.SIGKILL
        assert await job.receive() is None
        with pytest.raises(ChannelError):
            await job.send(pb.ToWorker(order=pb.Order(program=bytes(10_000_000))))
        job.close()

    runner.run(body())


def test_a_job_whose_daemon_hangs_up_ends(runner: asyncio.Runner, pool: WorkerPool) -> None:
    async def body() -> None:
        job = await _start(pool)
        job._pipe.close()
        async with asyncio.timeout(20):
            assert await job.wait() == 0

    runner.run(body())


def test_no_more_than_the_limit_at_a_time(runner: asyncio.Runner, pool: WorkerPool) -> None:
    async def body() -> None:
        jobs = [await _start(pool) for _ in range(2)]
        with pytest.raises(DeadlineError, match="all 2"):
            await pool.reserve(0.05)
        await _end(jobs[0])
        lease = await pool.reserve(5)
        lease.release()
        lease.release()
        async with await pool.reserve(5):
            with pytest.raises(DeadlineError):
                await pool.reserve(0.05)
        with pytest.raises(InternalError):
            await lease.start()
        await _end(jobs[1])

    runner.run(body())


@as_root
def test_a_job_has_no_environment_no_descriptors_and_no_core(
    runner: asyncio.Runner, pool: WorkerPool
) -> None:
    async def body() -> None:
        job = await _start(pool)
        proc = Path(f"/proc/{job.pid}")
        names = {line.partition(b"=")[0].decode() for line in (proc / "environ").read_bytes().split(b"\0")}
        allowed = {*workers._environment(Path("x")), ""}
        assert names <= allowed
        assert (proc / "cmdline").read_bytes().endswith(b"mpcd.runtime.forkserver\0%d\0" % _number(proc))
        deadline = time.monotonic() + 10
        while len(_sockets(proc)) != 1:  # the child closes what it inherited as its first act
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        core = next(line for line in (proc / "limits").read_text().splitlines() if "core file" in line)
        assert core.split()[4:6] == ["0", "0"]
        await _end(job)

    runner.run(body())


def _sockets(proc: Path) -> list[str]:
    return [name for fd in (proc / "fd").iterdir() if "socket:" in (name := os.readlink(fd))]


def _number(proc: Path) -> int:
    return int((proc / "cmdline").read_bytes().split(b"\0")[-2])


def test_the_environment_of_the_daemon_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPCD_SECRET", "x")
    made = workers._environment(Path("/cache"))
    assert "MPCD_SECRET" not in made
    assert made["NUMBA_CACHE_DIR"] == "/cache"


def test_the_cache_of_kernels_is_private(pool: WorkerPool, cache: Path) -> None:
    assert cache.stat().st_mode & 0o777 == 0o700


@as_root
def test_no_descriptor_is_leaked(runner: asyncio.Runner, pool: WorkerPool) -> None:
    assert pool._server is not None
    server, ours = Path(f"/proc/{pool._server.pid}/fd"), Path("/proc/self/fd")

    async def body() -> None:
        await _end(await _start(pool))
        await _ahead(pool)
        before = len(list(server.iterdir())), len(list(ours.iterdir()))
        for _ in range(10):
            await _end(await _start(pool))
            await _ahead(pool)
        assert (len(list(server.iterdir())), len(list(ours.iterdir()))) == before

    runner.run(body())


def test_jobs_die_with_the_fork_server_and_the_next_lease_starts_another(
    runner: asyncio.Runner, cache: Path
) -> None:
    async def body() -> None:
        pool = await _pool(cache)
        assert pool._server is not None
        job = await _start(pool)
        assert job.pid is not None
        pool._server.kill()
        async with asyncio.timeout(10):
            assert await job.wait() == -signal.SIGKILL
        assert await _dies(job.pid)
        job.close()
        pool._server.wait()
        again = await _start(pool)
        await _end(again)
        await pool.close()

    runner.run(body())


_DAEMON = """
import asyncio, sys
from pathlib import Path
from mpcd.runtime.workers import WorkerPool
async def main():
    pool = WorkerPool(1, Path(sys.argv[1]))
    pool.launch()
    await pool.ready()
    job = await (await pool.reserve(5)).start()
    while job.pid is None:
        await asyncio.sleep(0.01)
    print(pool._server.pid, job.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_everything_dies_with_the_daemon(runner: asyncio.Runner, cache: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _DAEMON, str(cache)], stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        pids = [int(word) for word in daemon.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(_alive, pids))
        daemon.kill()
    assert all(runner.run(_dies(pid)) for pid in pids)


def test_the_daemons_side_loads_no_kernels() -> None:
    code = (
        "import sys, mpcd.runtime.workers, mpcd.party.link_port; "
        "bad = {'numba', 'mpcd.ring.kernels', 'mpcd.runtime.worker'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
