"""How a job ended, as the exit code of the command that waited for it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mpcd._pb.v1 import party_pb2 as pb
from mpcd.cli.exit_codes import ExitCode, exit_code_of_job
from mpcd.cli.job import _follow
from mpcd.client.operator import Operator
from mpcd.jobs.evidence import Evidence
from mpcd.jobs.states import TERMINAL
from tests.party.world import identities

CASES = [
    ("succeeded", ExitCode.OK, ExitCode.OK),
    ("aborted", ExitCode.JOB_ABORTED, ExitCode.CHEATING),
    ("failed", ExitCode.JOB_ABORTED, ExitCode.CHEATING),
    ("cancelled", ExitCode.JOB_ABORTED, ExitCode.CHEATING),
    ("expired", ExitCode.DEADLINE, ExitCode.DEADLINE),
    ("refused", ExitCode.REFUSED, ExitCode.REFUSED),
    ("dreaming", ExitCode.UNKNOWN, ExitCode.UNKNOWN),
]


@pytest.mark.parametrize(("state", "quiet", "accused"), CASES)
def test_cheating_counts_only_where_there_is_no_output(
    state: str, quiet: ExitCode, accused: ExitCode
) -> None:
    assert (exit_code_of_job(state, False), exit_code_of_job(state, True)) == (quiet, accused)


def test_the_documented_codes_are_those_of_the_code() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text()
    table = page.partition("## Exit codes")[2]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [*map(int, ExitCode)]


def test_every_end_has_a_code() -> None:
    assert {state.value for state in TERMINAL} <= {state for state, _, _ in CASES}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "contradiction", "blamed": ("bolt", "crux")}, ExitCode.CHEATING),
        ({"kind": "silence", "unreachable": ("bolt",)}, ExitCode.JOB_ABORTED),
    ],
)
def test_whoever_waits_for_a_job_is_told_whether_somebody_cheated(
    fields: dict[str, Any], code: ExitCode
) -> None:
    record = Evidence(job="11" * 32, reporter="acme", step="barrier", **fields).envelope(identities()["acme"])
    ended = pb.OperatorJob(job=b"1" * 32, state="aborted", ended=True)
    operator = SimpleNamespace(
        watch=lambda _job, _s: iter([ended]), evidence=lambda _job: SimpleNamespace(records=(record,))
    )
    assert _follow(cast(Operator, operator), ended.job, as_json=False) == code
