"""The cleartext evaluator: hand-made answers, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mpcd.apps.auction import second_price
from mpcd.errors import DataError, UsageError
from mpcd.program.clear_rules import argmax, top2
from mpcd.program.evaluate import evaluate


@pytest.mark.parametrize(
    ("values", "order", "expected"),
    [
        ([5], [0], [5, 0, -7, -1]),
        ([5, 5], [1, 0], [5, 1, 5, 0]),
        ([1, 3, 2], [0, 1, 2], [3, 1, 2, 2]),
        ([3, 1, 3, 3], [3, 2, 1, 0], [3, 3, 3, 2]),
        ([-(2**63), 2**63 - 1], [0, 1], [2**63 - 1, 1, -(2**63), 0]),
    ],
)
def test_ranking_follows_the_order_among_equals(
    values: list[int], order: list[int], expected: list[int]
) -> None:
    arrays = np.array(values), np.array(order)
    assert [int(v) for v in top2(arrays, -7)] == expected
    assert [int(v) for v in argmax(arrays)] == expected[:2]


GOOD: dict[str, Any] = {"bids": [3, 9], "reserve": 1, "order": [0, 1]}


def auction(**changes: Any) -> dict[str, Any]:
    given = {**GOOD, **changes}
    parameters = {k: v for k, v in given.items() if k in ("reserve", "order") and v is not None}
    inputs = {k: v for k, v in given.items() if k not in ("reserve", "order") and v is not None}
    return evaluate(second_price.checked, inputs, parameters)


def test_a_good_call_works() -> None:
    assert {k: int(v) for k, v in auction().items()} == {"winner": 1, "price": 3}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"bids": None}, UsageError, "bids is missing"),
        ({"reserve": None}, UsageError, "reserve is missing"),
        ({"bid": [1]}, UsageError, "no argument bid"),
        ({"bids": [-1, 3]}, DataError, r"bids holds a number outside its range \[0, 4294967295\]"),
        ({"bids": [2**32, 3]}, DataError, "outside"),
        ({"bids": [2**64, 3]}, DataError, "bids"),
        ({"bids": np.array([2**63, 3], np.uint64)}, DataError, "signed"),
        ({"bids": [0.5, 3]}, DataError, "integers only"),
        ({"bids": ["3", 4]}, DataError, "integers only"),
        ({"bids": [[1, 2]]}, UsageError, "bids has 2 dimensions instead of 1"),
        ({"bids": [[1], [1, 2]]}, DataError, "regular"),
        ({"bids": []}, UsageError, "integers only|length 0"),
        ({"order": [0, 0]}, UsageError, "exactly once"),
        ({"order": [0, 1, 2]}, UsageError, "dimension n has length 2 in bids, but 3 in order"),
        ({"reserve": -1}, UsageError, "outside"),
        ({"reserve": True}, UsageError, "integers only"),
    ],
)
def test_a_bad_call_is_refused_and_no_private_value_is_named(
    changes: dict[str, Any], error: type[UsageError], message: str
) -> None:
    with pytest.raises(error, match=message):
        auction(**changes)
