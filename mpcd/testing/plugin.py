"""A pytest plugin: attack a program of your own.

    def test_nobody_can_spoil_my_program(attack_program):
        attack_program(my_program, {"x": [1, 2, 3]}, {"limit": 5})

The program runs once for every message and every way of spoiling it. The test fails, with a list, if an
honest party takes a wrong output, notices nothing, or accuses without naming the cheater.
`pytest --attacks N` tells N of the lies, evenly spread; `--attacks all` tells all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the plugin is loaded by every pytest run: engines only when they are wanted
    from mpcd.lang.tracing import Definition
    from mpcd.program.check import Checked
    from mpcd.program.evaluate import Given
    from mpcd.testing.attacks import Sweep
    from mpcd.testing.subject import Subject

FEW = 100

AttackProgram = Callable[..., "Sweep"]
"""(program, inputs, parameters, protocol="rep4", seed=0) -> what came of the attacks."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mpcd").addoption(
        "--attacks",
        default=str(FEW),
        metavar="N|all",
        help="lies told per attacked program (default: %(default)s)",
    )


@pytest.fixture
def attack_program(request: pytest.FixtureRequest) -> AttackProgram:
    """Attack a program, and fail if an attack succeeds."""
    wanted: str = request.config.getoption("--attacks")

    def attack(
        program: Definition | Checked,
        inputs: Mapping[str, Given],
        parameters: Mapping[str, Given] | None = None,
        protocol: str = "rep4",
        seed: int = 0,
    ) -> Sweep:
        from mpcd.lang.tracing import Definition
        from mpcd.testing.attacks import sweep
        from mpcd.testing.subject import Subject

        checked = program.checked if isinstance(program, Definition) else program
        subject = Subject(checked, inputs, parameters or {}, protocol, seed)
        found = sweep(subject, _stride(subject, wanted))
        if not found.good:
            pytest.fail(str(found), pytrace=False)
        return found

    return attack


def _stride(subject: Subject, wanted: str) -> int:
    """Tell each k-th lie.

    Raises  pytest.UsageError if `--attacks` is neither a number nor `all`
    """
    if wanted == "all":
        return 1
    if not wanted.isdecimal() or wanted == "0":
        raise pytest.UsageError(f"--attacks {wanted}: a positive number, or all")
    from mpcd.testing.attacks import attacks

    total = sum(1 for _ in attacks(subject))
    stride = max(1, total // int(wanted))
    # A stride that divides the number of kinds would leave some of them out for ever.
    return stride if stride % 2 else stride + 1
