"""Random programs of twenty operations: shares give what the cleartext evaluator gives, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from mpcd.program.cost import CostModel, estimate
from mpcd.program.evaluate import dims_of, evaluate
from mpcd.protocols.rep3.costs import Rep3Costs
from mpcd.protocols.rep4.costs import Rep4Costs
from tests.program.random_programs import Case, cases
from tests.runtime.engines import ENGINES, execute

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

COSTS: dict[str, CostModel] = {
    "rep4": Rep4Costs(),
    "rep3": Rep3Costs(),
    "rep3 unchecked": Rep3Costs(checked=False),
}


@pytest.mark.parametrize("engine", sorted(ENGINES))
@SETTINGS
@given(case=cases())
def test_shares_give_what_the_definition_gives(engine: str, case: Case) -> None:
    expected = evaluate(case.checked, case.inputs, case.parameters)
    found, rounds = execute(ENGINES[engine], case.checked, case.inputs, case.parameters)
    assert found.keys() == expected.keys()
    for name, t in case.checked.outputs.items():
        flat = np.asarray(expected[name], np.int64).reshape(-1)
        np.testing.assert_array_equal(found[name], flat, name)
        assert flat.min() >= t.low
        assert flat.max() <= t.high
    if engine in COSTS:
        dims = dims_of(
            {**case.checked.inputs, **case.checked.parameters},
            {**case.inputs, **{k: np.asarray(v) for k, v in case.parameters.items()}},
            case.checked.maxima,
        )
        assert rounds == estimate(case.checked, dims, COSTS[engine]).rounds
