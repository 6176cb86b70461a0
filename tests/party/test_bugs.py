"""A bug of ours in the work on a job: the job ends, here at once, and the daemon goes on serving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mpcd.errors import InternalError
from mpcd.jobs.states import State
from mpcd.party import roles
from mpcd.party.life import GAVE_UP
from mpcd.party.matter import Matter
from mpcd.storage.database import StorageError
from tests.party.offices import Town, job, signed

ERRORS = [KeyError("bids"), InternalError("that cannot be")]


def play(tmp_path: Path, scene: Callable[[Town], Awaitable[None]]) -> None:
    async def story() -> None:
        await scene(Town(tmp_path))

    asyncio.run(story())


def breaks(error: BaseException) -> Callable[..., Awaitable[None]]:
    async def work(*_: Any) -> None:
        raise error

    return work


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_a_bug_before_our_answer_ends_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def scene(town: Town) -> None:
        first, second = job("first"), job("second")
        with monkeypatch.context() as patch:
            patch.setattr(Matter, "answer", breaks(error))
            await town.propose(signed(first), ("acme",))
            assert await town.settle("acme", first.job, State.FAILED) == GAVE_UP
        await town.propose(signed(second), ("acme",))
        assert set(await town.answers(("acme",))) == {"acme"}

    play(tmp_path, scene)


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_a_bug_while_the_job_runs_ends_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(roles, "computing_party", breaks(error))

    async def scene(town: Town) -> None:
        specification = job()
        await town.propose(signed(specification))
        answers = await town.answers()
        for office in town.offices.values():
            await office.consent_set(specification.job, list(answers.values()))
        await town.settle("acme", specification.job, State.FAILED)
        assert not town.offices["acme"].failed.done()

    play(tmp_path, scene)


def test_a_broken_disk_ends_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(town: Town) -> None:
        monkeypatch.setattr(Matter, "answer", breaks(StorageError("the disk is gone")))
        await town.propose(signed(job()), ("acme",))
        assert "disk" in str(await town.offices["acme"].failed)

    play(tmp_path, scene)
