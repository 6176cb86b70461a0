"""Default rows: what a job file may say, and what fits a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mpcd.errors import ConfigError, UsageError
from mpcd.identity.documents import load, loads
from mpcd.identity.roster import Roster
from mpcd.jobs.defaults import DefaultError, check_row, row_of
from mpcd.jobs.document import JobDocument
from mpcd.jobs.specification import Specification, check_program
from mpcd.program.types import Type
from tests.jobs.conftest import JOB
from tests.jobs.test_specification import auction, specify

SAMPLES = Path(__file__).parents[2] / "configs"

WITH_DEFAULTS = (
    JOB.replace("rows: 1}", "rows: 1, default: 17}").replace("rows: 2}", "rows: 2, default: -1}")
    + "missing: default\n"
)
TABLE = {"offers.price": Type("int", ("n",), True, -5, 100), "offers.new": Type("bool", ("n",), True)}
COLUMN = {"bids": Type("int", ("n",), True, 3, 1000)}


def test_a_job_may_name_a_default_row_for_every_input() -> None:
    document = loads(WITH_DEFAULTS, JobDocument, source="job.yaml")
    assert document.missing == "default"
    assert [entry.default for entry in document.inputs] == [17, -1]
    text = WITH_DEFAULTS.replace("default: 17", "default: {price: 4, new: 1}")
    assert loads(text, JobDocument, source="job.yaml").inputs[0].default == {"price": 4, "new": 1}


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        (", default: -1", "", "18:1", "erin's input for bids has no default; .* such as default: 0"),
        ("missing: default", "missing: exclude", "18:1", "alice's input for bids has a default, .* exclude"),
        ("missing: default", "missing: defualt", "18:10", "did you mean 'default'"),
        ("default: 17", "default: many", "8:69", "should be a whole number"),
        ("default: 17", "default: 1.5", "8:69", "should be a whole number"),
        ("default: 17", "default: 9223372036854775808", "8:69", "less than"),
        ("default: 17", "default: [1, 2]", "8:69", "valid integer"),
        ("default: 17", "default: {}", "8:69", "at least 1 item"),
        ("default: 17", "default: {price: x}", "8:77", "should be a whole number"),
        ("default: 17", "default: {Pri-ce: 1}", "8:78", "match pattern"),
        ("default: 17", "defalut: 17", "8:60", "did you mean 'default'"),
    ],
)
def test_mistakes_are_found_where_they_are(old: str, new: str, where: str, message: str) -> None:
    assert old in WITH_DEFAULTS
    with pytest.raises(ConfigError, match=message) as caught:
        loads(WITH_DEFAULTS.replace(old, new), JobDocument, source="job.yaml")
    assert f"job.yaml:{where}:" in str(caught.value), str(caught.value)


def test_the_row_is_that_of_the_programs_columns() -> None:
    check_row("bids", 3, COLUMN)
    check_row("bids", 1000, COLUMN)
    check_row("offers", {"new": 1, "price": -5}, TABLE)
    assert row_of(3, COLUMN) == (3,)
    assert row_of({"new": 1, "price": -5}, TABLE) == (-5, 1)


@pytest.mark.parametrize(
    ("argument", "default", "column", "message"),
    [
        ("bids", 2, "", r"for bids must lie in \[3, 1000\]"),
        ("bids", 1001, "", r"for bids must lie in \[3, 1000\]"),
        ("bids", {"bids": 4}, "", "one column without a name .* write one number"),
        ("offers", 1, "", "has the columns price, new: each needs .* write default: {price: -5, new: 0}"),
        ("offers", {"price": 1}, "", "the column new of offers needs a default, too .* add new: 0"),
        ("offers", {"price": 1, "nev": 1}, "nev", r"no column 'nev' \(did you mean 'new'\?\)"),
        ("offers", {"price": 101, "new": 1}, "price", r"for offers.price must lie in \[-5, 100\]"),
        ("offers", {"price": 100, "new": 2}, "new", r"for offers.new must lie in \[0, 1\]"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(
    argument: str, default: int | dict[str, int], column: str, message: str
) -> None:
    with pytest.raises(DefaultError, match=message) as caught:
        check_row(argument, default, COLUMN if argument == "bids" else TABLE)
    assert caught.value.column == column


def test_defaults_are_checked_with_the_program_of_the_job(roster: Roster) -> None:
    fitting = specify(WITH_DEFAULTS.replace("default: -1", "default: 1000"), roster)
    check_program(fitting, auction())
    for wrong in ("default: -1", "default: 1001", "default: {bid: 1}"):
        with pytest.raises(UsageError):
            check_program(specify(WITH_DEFAULTS.replace("default: -1", wrong), roster), auction())


def test_defaults_are_signed_and_jobs_without_them_are_what_they_were(
    specification: Specification, roster: Roster
) -> None:
    plain = json.loads(specification.to_bytes())
    assert all("default" not in entry for entry in plain["inputs"])
    one = specify(WITH_DEFAULTS, roster)
    assert Specification.from_bytes(one.to_bytes()) == one
    other = specify(WITH_DEFAULTS.replace("default: 17", "default: 18"), roster)
    assert one.job != other.job


def test_the_sample_with_defaults_is_a_job() -> None:
    document = load(SAMPLES / "job-default.yaml", JobDocument)
    assert document.missing == "default"
    assert all(entry.default is not None for entry in document.inputs)
