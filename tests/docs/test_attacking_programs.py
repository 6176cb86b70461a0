"""The examples of the page on attacks are tests that pass, and fail where they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacking-programs.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", [0, 1])
def test_an_example_passes(pytester: pytest.Pytester, number: int) -> None:
    pytester.makepyfile(test_example=EXAMPLES[number])
    pytester.runpytest_subprocess("--attacks", "15").assert_outcomes(
        passed=EXAMPLES[number].count("def test_")
    )


@pytest.mark.e2e
def test_the_example_with_a_village_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_example=EXAMPLES[2])
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_there_are_three_examples_and_each_has_a_test() -> None:
    assert [bool(re.search(r"^def test_", example, re.MULTILINE)) for example in EXAMPLES] == [True] * 3


def test_an_example_fails_if_the_lie_is_not_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_example=EXAMPLES[1].replace("cheat(step, shift(round=5))", "step"))
    pytester.runpytest_subprocess().assert_outcomes(failed=1)


def test_every_kind_of_edit_is_named() -> None:
    from mpcd.testing.edits import DAEMON, PROCESS

    page = PAGE.read_text()
    assert {kind for kind in (*DAEMON, *PROCESS) if f"`{kind}`" not in page} == set()
