"""The public API: loaded lazily, and the same for Python and for type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mpcd


def test_importing_mpcd_loads_nothing_else() -> None:
    script = (
        "import sys, mpcd; print(mpcd.__version__); "
        "print(sorted(m for m in sys.modules if m.startswith('mpcd.') or m in ('numpy', 'numba')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [mpcd.__version__, "[]"]


def test_the_decorator_keeps_its_name_when_the_package_of_that_name_is_loaded() -> None:
    script = "import mpcd.program.text; import mpcd; print(mpcd.program.__module__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "mpcd.lang.tracing"


def test_tracing_needs_no_kernels() -> None:
    script = "import sys, mpcd.apps.auction as a; a.second_price.hash; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_name_is_there_and_declared_for_checkers() -> None:
    for name in mpcd.__all__:
        assert getattr(mpcd, name) is not None
    stub = ast.parse((Path(mpcd.__file__).with_suffix(".pyi")).read_text())
    (declared,) = (
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    assert sorted(declared) == sorted(mpcd.__all__)
    assert set(dir(mpcd)) == set(mpcd.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="vectr"):
        mpcd.vectr  # type: ignore[attr-defined] # noqa: B018
