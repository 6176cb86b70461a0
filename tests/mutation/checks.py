"""Remove every check, one at a time, and see that a test notices.

A check that can be deleted without a red test is a check that the next refactoring may lose. The rows are in
the modules `rows_*` of this package, one per area; to add some, add a module with a list `ROWS`.

The package and its tests are copied to a temporary folder; there the named tests must all pass first (the
control), then fail for every mutation in a fresh copy. A text that is not found exactly once, or a mutation
whose tests cannot even be collected, is an error: the table must follow the code.

Usage   python -m tests.mutation.checks [words of names]
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import tests.mutation
from tests.mutation.row import Mutation

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("mpcd", "tests")
_PASSED, _FAILED = 0, 1
"""Exit codes of pytest; all others mean that something is wrong with the table or the copy."""
_TIMEOUT_S = 150
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mutation; `problem` is empty if a test noticed it."""

    mutation: Mutation
    problem: str = ""


def rows() -> list[Mutation]:
    """All mutations of all `rows_*` modules.

    Raises  ValueError if two have the same name
    """
    names = sorted(
        m.name for m in pkgutil.iter_modules(tests.mutation.__path__) if m.name.startswith("rows_")
    )
    found: list[Mutation] = []
    for name in names:
        found += importlib.import_module(f"tests.mutation.{name}").ROWS
    if len({m.name for m in found}) != len(found):
        raise ValueError("two mutations have the same name")
    return found


def mutated(text: str, m: Mutation) -> str:
    """Apply a mutation to the text of its file.

    Raises  ValueError if the old text is not there exactly once, or nothing would change
    """
    if text.count(m.old) != 1 or m.old == m.new:
        raise ValueError(f"{m.name}: the text to replace occurs {text.count(m.old)} times in {m.file}")
    return text.replace(m.old, m.new)


def copy_tree(source: Path, target: Path, *, linked: bool = False) -> None:
    """Copy package and tests with their caches: compiled code is keyed by the time of its source."""
    for part in _COPIED:
        shutil.copytree(source / part, target / part, copy_function=os.link if linked else shutil.copy2)
    shutil.copy2(source / "pyproject.toml", target)


def run_tests(folder: Path, selections: Sequence[str], *, control: bool = False) -> int:
    """Run pytest on a copy in a process of its own; its exit code. The control also fills the caches."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "NUMBA"))}
    environment |= {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
    if control:
        require_copy(folder, environment)
    else:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [*command, *selections],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return done.returncode


def require_copy(folder: Path, environment: dict[str, str]) -> None:
    """Make sure that the copy is what is imported, and not the installed package.

    Raises  ValueError if it is not
    """
    command = [sys.executable, "-c", "import mpcd; print(mpcd.__file__)"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    if not Path(done.stdout).is_relative_to(folder):
        raise ValueError(f"the tests would run on {done.stdout.strip()}")


def judge(template: Path, m: Mutation) -> Verdict:
    """Apply one mutation to a fresh copy and run its tests."""
    with tempfile.TemporaryDirectory(prefix="mpcd-mutation-") as name:
        folder = Path(name)
        copy_tree(template, folder, linked=True)
        try:
            file = folder / m.file
            text = mutated(file.read_text(), m)
            file.unlink()  # it is a link to the template's file
            file.write_text(text)
            code = run_tests(folder, m.tests.split())
        except (ValueError, OSError, subprocess.TimeoutExpired) as error:
            return Verdict(m, str(error))
    if code == _FAILED:
        return Verdict(m)
    return Verdict(m, "no test noticed" if code == _PASSED else f"pytest could not run (exit code {code})")


def verdicts(chosen: Sequence[Mutation]) -> list[Verdict]:
    """The control, then all mutations, a few at a time.

    Raises  ValueError if the tests do not pass without a mutation
    """
    with tempfile.TemporaryDirectory(prefix="mpcd-mutation-") as name:
        template = Path(name)
        copy_tree(ROOT, template)
        for m in chosen:
            mutated((template / m.file).read_text(), m)
        selections = sorted({selection for m in chosen for selection in m.tests.split()})
        if run_tests(template, selections, control=True) != _PASSED:
            raise ValueError("without any mutation, not all of the named tests pass")
        with ThreadPoolExecutor(_WORKERS) as pool:
            return list(pool.map(lambda m: judge(template, m), chosen))


def main() -> int:
    """Print one line per mutation; 1 if a check was not missed."""
    parser = argparse.ArgumentParser(description="Remove every check and see that a test notices.")
    parser.add_argument("words", nargs="*", help="only mutations whose name or file contains one of these")
    words = parser.parse_args().words
    chosen = [m for m in rows() if not words or any(w in m.name or w in m.file for w in words)]
    bad = 0
    for verdict in verdicts(chosen):
        print(f"{'noticed' if not verdict.problem else verdict.problem.upper():<16} {verdict.mutation.name}")
        bad += bool(verdict.problem)
    print(f"{len(chosen) - bad} of {len(chosen)} mutations noticed")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
