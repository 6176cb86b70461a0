"""What jobs leave behind: no bid in files, logs and answers; no kernels in daemons; bytes as planned."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from mpcd.cli.auction_job import PARTIES, job_text
from tests.e2e.town import EVERYBODY, READER, Town, pair_text

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

CANARIES = {"acme": 2_864_434_397, "bolt": 3_148_519_935, "crux": 2_291_772_091, "dana": 3_435_973_836}
"""Numbers whose bytes nothing else contains: as text and as words in either order."""


def _faces(number: int) -> list[bytes]:
    words = [number.to_bytes(8, "little"), number.to_bytes(8, "big")]
    texts = [str(number), f"{number:_}", f"{number:,}", f"{number:x}"]
    return [*words, *(base64.b64encode(word)[:10] for word in words), *map(str.encode, texts)]


def _traces(files: list[tuple[str, bytes]], numbers: list[int]) -> list[str]:
    return [
        f"{number} in {name}"
        for name, content in files
        for number in numbers
        if any(face in content for face in _faces(number))
    ]


def _kept(town: Town) -> list[tuple[str, bytes]]:
    """All files of all organisations but the bids themselves."""
    paths = [p for p in town.directory.rglob("*") if p.is_file() and p.name != "bid.csv"]
    return [(str(p.relative_to(town.directory)), p.read_bytes()) for p in paths]


def test_no_bid_and_no_output_is_left_in_any_file(town: Town) -> None:
    """Everybody's bids are in logs and databases nowhere, nor is the price that one organisation learned."""
    town.bid(**CANARIES)
    last = town.run(job_text("canaries", readers=[READER]))
    assert last.state == "succeeded", last.detail
    assert town.outputs(last.job, at=READER) == {"winner": 3, "price": CANARIES["bolt"]}
    files = _kept(town)
    names = {name for name, _ in files}
    for name in EVERYBODY:
        assert {f"{name}/daemon.log", f"{name}/party.db"} <= names
    numbers = [n for who, n in CANARIES.items() if who != "bolt"]
    assert _traces(files, [*numbers, CANARIES["bolt"]]) == []
    # The price is finn's to see; the search would find it.
    answer = town.mpcd_here("job", "result", last.job.hex(), at=READER)
    assert _traces([("answer", answer.out.encode())], [CANARIES["bolt"]]) != []


def test_no_command_but_result_shows_a_number(town: Town) -> None:
    town.bid(**CANARIES)
    job = town.run(job_text("shown")).job.hex()
    said = [
        town.mpcd_here("job", *words, at=name)
        for name in PARTIES
        for words in (["show", job], ["show", job, "--json"], ["list"], ["receipt", job, "--wait", "30"])
    ]
    plan = town.mpcd_here("job", "plan", town.job_file())
    texts = [(str(at), (one.out + one.err).encode()) for at, one in enumerate([*said, plan])]
    assert {one.code for one in said} == {0}
    assert _traces(texts, list(CANARIES.values())) == []


def test_private_files_are_private(town: Town) -> None:
    town.auction()
    for name in EVERYBODY:
        home = town.directory / name
        for file in ("identity.key", "storage.key", "party.db", "party.sock"):
            assert stat.S_IMODE((home / file).stat().st_mode) & 0o077 == 0, (name, file)


def _children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_the_daemons_never_load_the_kernels(town: Town) -> None:
    """They hold the keys; the compiler is in the fork server alone, which holds none."""
    town.auction()
    pids = town.cluster.pids()
    for name, pid in pids.items():
        maps = _maps(pid)
        assert "python" in maps
        assert "llvmlite" not in maps, name
        assert "numba" not in maps, name
    for name in EVERYBODY:
        assert any("llvmlite" in _maps(child) for child in _children(pids[name])), name


def test_job_processes_end_with_their_jobs(town: Town) -> None:
    """After three jobs there are as many processes and open files as before."""
    town.auction()
    before = {name: _resources(pid) for name, pid in town.cluster.pids().items()}
    for _ in range(3):
        town.auction()
    after = {name: _resources(pid) for name, pid in town.cluster.pids().items()}
    for name, (processes, files) in after.items():
        assert processes <= before[name][0] + 1, (name, before, after)  # one may be prepared, or ending
        assert files <= before[name][1] + 5, (name, before, after)


def _resources(pid: int) -> tuple[int, int]:
    """Processes below this one, itself included, and its open files."""
    processes, todo = 0, [pid]
    while todo:
        processes += 1
        todo += _children(todo.pop())
    return processes, len(os.listdir(f"/proc/{pid}/fd"))


def test_rounds_and_bytes_are_those_of_the_plan(town: Town) -> None:
    """For 20,000 comparisons frames, tags and lengths hardly count: within 5 % of what the plan says."""
    text = pair_text("bytes", "comparisons", "many", 20_000, "smaller")
    plan = town.mpcd_here("job", "plan", town.job_file(text), "--json").json["cost"]
    last = town.run(text)
    assert last.state == "succeeded", last.detail
    assert town.outputs(last.job, at="acme") == {"smaller": 0}
    ends = [town.wait(last.job, at=name).progress for name in PARTIES]
    sent = [end.bytes_sent for end in ends]
    assert {end.rounds_done for end in ends} == {plan["rounds"]}
    assert 0.95 * plan["bytes_per_party"] <= max(sent) <= 1.05 * plan["bytes_per_party"]
    assert sum(sent) == sum(end.bytes_received for end in ends)
