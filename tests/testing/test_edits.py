"""The words in which a cheating daemon is told what to do."""

from __future__ import annotations

import pytest

from mpcd.errors import UsageError
from mpcd.testing.edits import EditLine


def test_a_line_is_read_and_written() -> None:
    text = "job-* shift round=3 to=0"
    line = EditLine.parse(text)
    assert (line.kind, line.number("round"), line.number("label")) == ("shift", 3, None)
    assert line.concerns("job-1")
    assert not line.concerns("other")
    assert str(line) == text


@pytest.mark.parametrize(
    ("text", "in_process"),
    [
        ("j hold at=opening", False),
        ("j hold round=3", True),
        ("j die round=0", True),
        ("j spoil epoch=1", True),
        ("j summand", False),
    ],
)
def test_where_it_is_done(text: str, in_process: bool) -> None:
    assert EditLine.parse(text).in_process is in_process


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job",
        "job steal",
        "j summand to=acme",
        "j shift slot=KEYS",
        "j crash at=opening",
        "j crash at=opening point=later",
    ],
)
def test_what_is_no_edit_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        EditLine.parse(text)


def test_a_number_is_a_number() -> None:
    with pytest.raises(UsageError):
        EditLine.parse("j shift round=three").number("round")
