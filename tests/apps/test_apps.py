"""Every program of the catalogue computes what its independently written twin computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcd.apps.auction import first_price, second_price
from mpcd.apps.catalogue import CATALOGUE, find
from mpcd.errors import NotFoundError
from mpcd.program.reading import show, who_learns_what
from mpcd.program.text import parse

SMALL = st.integers(0, 4)


@st.composite
def auctions(draw: st.DrawFn) -> dict[str, Any]:
    """Few different bids, so that ties and missed reserves are common."""
    bids = draw(st.lists(st.one_of(SMALL, st.just(2**32 - 1)), min_size=1, max_size=6))
    return {"bids": bids, "reserve": draw(SMALL), "order": draw(st.permutations(range(len(bids))))}


@settings(max_examples=300)
@given(auctions())
def test_auctions_are_their_twins(given: dict[str, Any]) -> None:
    for name in ("first_price", "second_price"):
        entry = find(name)
        found = {k: int(v) for k, v in entry.definition.evaluate(**given).items()}
        assert found == entry.twin(**given), name


@pytest.mark.parametrize(
    ("bids", "reserve", "order", "first", "second"),
    [
        ([10, 30, 20], 5, [0, 1, 2], (1, 30), (1, 20)),
        ([10, 30, 20], 25, [0, 1, 2], (1, 30), (1, 25)),  # the reserve lifts the second price
        ([10, 30, 20], 30, [0, 1, 2], (1, 30), (1, 30)),
        ([10, 30, 20], 31, [0, 1, 2], (-1, 0), (-1, 0)),  # nothing is sold
        ([30, 30, 20], 5, [0, 1, 2], (0, 30), (0, 30)),
        ([30, 30, 20], 5, [2, 1, 0], (1, 30), (1, 30)),  # the order decides between equals
        ([7], 5, [0], (0, 7), (0, 5)),  # a single bidder pays the reserve
        ([7], 0, [0], (0, 7), (0, 0)),
        ([0, 0], 0, [1, 0], (1, 0), (1, 0)),
    ],
)
def test_known_auctions(
    bids: list[int], reserve: int, order: list[int], first: tuple[int, int], second: tuple[int, int]
) -> None:
    for definition, expected in ((first_price, first), (second_price, second)):
        found = definition.evaluate(bids=bids, reserve=reserve, order=order)
        assert (int(found["winner"]), int(found["price"])) == expected


def test_primitives_are_their_twins() -> None:
    rng = np.random.default_rng(3)
    for name in ("products", "inner_product", "comparisons", "chain", "layers"):
        entry = find(name)
        low, high = (0, 2) if name == "layers" else (-1, 2)
        x, y = rng.integers(low, high, (2, 50))
        if name == "layers":
            x, y = x.astype(bool), y.astype(bool)
        found = {k: int(v) for k, v in entry.definition.evaluate(x=x, y=y).items()}
        assert found == entry.twin(x.tolist(), y.tolist()), name
        assert any(found.values()), name


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_program_is_complete_and_readable(name: str) -> None:
    entry = find(name)
    checked = entry.definition.checked
    assert entry.name == name == checked.program.name.replace("_", "-")
    assert find(checked.program.name) is entry
    assert set(entry.arguments) == {*checked.inputs, *checked.parameters}
    assert checked.program.doc
    assert entry.description
    assert parse(entry.definition.canonical) == checked
    assert show(checked)
    assert len(who_learns_what(checked, {})) >= 3


def test_auctions_are_about_ten_operations() -> None:
    assert len(first_price.checked.program.nodes) <= 11
    assert len(second_price.checked.program.nodes) <= 11


def test_an_unknown_program_lists_the_known() -> None:
    with pytest.raises(NotFoundError, match="second-price"):
        find("third_price")
