"""The example that users start from works, in clear and on shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mpcd.lang.loading import load_program
from tests.runtime.engines import ENGINES, execute

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_pay_gap() -> None:
    definition = load_program(EXAMPLES / "pay_gap.py")
    staff = {
        "staff.salary": np.array([100, 250, 300, 90]),
        "staff.woman": np.array([True, False, True, False]),
    }
    expected = {
        "women": 2,
        "men": 2,
        "earned_by_women": 400,
        "earned_by_men": 340,
        "highest_of_women": 300,
        "highest_of_men": 250,
    }
    assert {k: int(v) for k, v in definition.evaluate(**staff).items()} == expected
    for setup in ENGINES.values():
        found, _ = execute(setup, definition.checked, staff, {})
        assert {k: int(v[0]) for k, v in found.items()} == expected
