"""The table of mutations is in order, and (marked `e2e`, for it takes minutes) every mutation is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import checks
from tests.mutation.row import Mutation

ROWS = checks.rows()


@pytest.mark.parametrize("m", ROWS, ids=lambda m: m.name)
def test_every_text_is_found_exactly_once_and_every_test_exists(m: Mutation) -> None:
    checks.mutated((checks.ROOT / m.file).read_text(), m)
    for selection in m.tests.split():
        path, *name = selection.split("::")
        text = (checks.ROOT / path).read_text()
        assert all(f"def {part.partition('[')[0]}(" in text for part in name)


def test_a_missing_text_is_an_error() -> None:
    for old, new in [("nowhere", ""), ("twice", ""), ("once", "once")]:
        with pytest.raises(ValueError, match="occurs"):
            checks.mutated("once twice twice", Mutation("m", "f", old, new, "t"))


def test_a_mutation_that_no_test_notices_is_reported(tmp_path: Path) -> None:
    """The harness itself can fail: one harmless change, one check removed, one test that does not exist."""
    (tmp_path / "mpcd").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "mpcd/__init__.py").write_text("def small(x):\n    return x < 3  # yes\n")
    (tmp_path / "tests/__init__.py").write_text("")
    (tmp_path / "tests/test_it.py").write_text(
        "import mpcd\n\n\ndef test_it():\n    assert not mpcd.small(3)\n"
    )
    target = ("mpcd/__init__.py", "tests/test_it.py::test_it")
    harmless = Mutation("harmless", target[0], "# yes", "# no", target[1])
    noticed = Mutation("noticed", target[0], "x < 3", "True", target[1])
    nothing = Mutation("nothing", target[0], "x < 3", "True", "tests/test_it.py::test_that")
    assert checks.judge(tmp_path, harmless).problem == "no test noticed"
    assert checks.judge(tmp_path, noticed).problem == ""
    assert "could not run" in checks.judge(tmp_path, nothing).problem


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_every_removed_check_is_noticed() -> None:
    assert [(v.mutation.name, v.problem) for v in checks.verdicts(ROWS) if v.problem] == []
