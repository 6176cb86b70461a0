"""Starts of daemons: what is counted, and when somebody is not who we have met."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mpcd.errors import UsageError
from mpcd.storage.database import SqliteDatabase
from mpcd.storage.starts import MARK_BYTES, SHOWN, Start, Starts

BOLT = b"b" * 32


def with_starts(path: Path | str, story: Callable[[Starts], Awaitable[None]]) -> None:
    async def run() -> None:
        database = await SqliteDatabase.open(path)
        try:
            await story(Starts(database))
        finally:
            await database.close()

    asyncio.run(run())


def mark(number: int, store: int = 0) -> bytes:
    return bytes([store]) + number.to_bytes(MARK_BYTES - 1, "big")


def start(number: int, *, forked_at: int = 0) -> Start:
    """The start of a daemon whose store is a copy from the time before start `forked_at`."""
    shown = range(number, max(0, number - SHOWN), -1)
    return Start(number, tuple(mark(n, int(0 < forked_at <= n)) for n in shown))


def test_every_start_is_counted_on_the_disk(tmp_path: Path) -> None:
    seen: list[Start] = []

    async def begin(starts: Starts) -> None:
        seen.append(await starts.begin())

    for _ in range(3):
        with_starts(tmp_path / "party.db", begin)
    assert [one.number for one in seen] == [1, 2, 3]
    assert seen[2].marks[1:] == seen[1].marks
    assert len(set(seen[2].marks)) == 3


def test_no_more_marks_are_shown_than_there_is_room_for() -> None:
    async def story(starts: Starts) -> None:
        for _ in range(SHOWN + 2):
            last = await starts.begin()
        assert (last.number, len(last.marks)) == (SHOWN + 2, SHOWN)

    with_starts(":memory:", story)


@pytest.mark.parametrize(
    ("met", "shown", "known"),
    [
        ([start(1)], start(1), None),
        ([start(1)], start(2), None),
        ([start(2)], start(9), None),
        ([start(3)], start(2), 3),  # an old copy
        ([start(3)], start(1, forked_at=1), 3),  # a lost store
        ([start(3)], start(3, forked_at=3), 3),  # an old copy that was started again
        ([start(3)], start(5, forked_at=2), 3),  # and again, up to a number that is high enough
        ([start(3)], start(5, forked_at=4), None),  # a copy of the store that we have met
        ([start(3), start(5), start(4)], start(5), None),  # who was refused is not remembered
        ([start(3)], start(3 + SHOWN, forked_at=1), None),  # met too long ago for that
    ],
)
def test_a_start_that_contradicts_the_last_one_is_noticed(
    tmp_path: Path, met: list[Start], shown: Start, known: int | None
) -> None:
    async def before(starts: Starts) -> None:
        for one in met:
            await starts.meet(BOLT, one)

    async def after(starts: Starts) -> None:
        assert await starts.meet(BOLT, shown) == known
        assert await starts.meet(b"c" * 32, start(1)) is None, "another identity is another daemon"

    with_starts(tmp_path / "party.db", before)
    with_starts(tmp_path / "party.db", after)


@pytest.mark.parametrize(
    ("number", "marks"),
    [
        (0, (mark(0),)),
        (1, ()),
        (1, (mark(1), mark(0))),
        (1, (b"short",)),
        (1 << 62, (mark(1),)),
        (SHOWN + 1, tuple(mark(n) for n in range(SHOWN + 1))),
    ],
)
def test_what_is_no_start_is_refused(number: int, marks: tuple[bytes, ...]) -> None:
    with pytest.raises(UsageError):
        Start(number, marks)
