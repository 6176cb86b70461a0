"""What the operator gets of a job's outputs: values in parts, and whose row the winner is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import mpcd as mpc
from mpcd.apps.auction import second_price
from mpcd.cli.job_text import print_outputs, rows_dict
from mpcd.party.results import chunks
from mpcd.transport.grpc_guard import CHUNK_BYTES
from tests.jobs.test_receipt import FOUR, receipt
from tests.party.world import identities, roster


def words(*values: int) -> bytes:
    return np.array(values, "<i8").tobytes()


def stored() -> bytes:
    inputs = [{"owner": o, "argument": "bids", "rows": n, "commitments": FOUR} for o, n in INPUTS]
    return receipt(roster(), inputs=tuple(inputs), excluded=()).envelope(identities()["acme"]).to_bytes()


INPUTS = [("erin", 1), ("alice", 2)]


@pytest.mark.parametrize(
    ("winner", "text", "row"),
    [
        (0, "winner = 0 (row 1 of erin)", {"row": 0, "owner": "erin", "owner_row": 0}),
        (2, "winner = 2 (row 2 of alice)", {"row": 2, "owner": "alice", "owner_row": 1}),
        (-1, "winner = -1 (nobody)", {"row": -1, "owner": None, "owner_row": None}),
    ],
)
def test_the_winner_comes_with_a_name(winner: int, text: str, row: dict[str, Any]) -> None:
    values = {"winner": words(winner), "price": words(7)}
    found = list(chunks(second_price.checked, values, stored()))
    assert [(c.output, c.type, list(c.shape), c.values) for c in found] == [
        ("price", "int", [], words(7)),
        ("winner", "int", [], words(winner)),
    ]
    origins = {c.output: c.origin for c in found if c.HasField("origin")}
    assert rows_dict(origins) == {"winner": row}
    outputs = {"price": np.array(7), "winner": np.array(winner)}
    with CliRunner().isolation() as (out, *_):
        print_outputs(outputs, origins)
        assert out.getvalue().decode() == f"price = 7\n{text}\n"


def test_without_a_receipt_or_with_a_row_that_nobody_brought_there_is_the_number_only() -> None:
    for winner, known in ((0, None), (3, stored())):
        (chunk,) = chunks(second_price.checked, {"winner": words(winner)}, known)
        assert not chunk.HasField("origin")
        assert chunk.values == words(winner)


def test_rows_of_two_tables_of_one_length_belong_to_nobody_in_particular() -> None:
    @mpc.program
    def furthest(bids: mpc.Vector[mpc.Int32], asks: mpc.Vector[mpc.Int32]) -> object:
        """The row where they differ most."""
        return mpc.reveal(row=(bids - asks).argmax().index)

    (chunk,) = chunks(furthest.checked, {"row": words(0)}, stored())
    assert not chunk.HasField("origin")


def test_long_outputs_come_in_parts() -> None:
    @mpc.program
    def signs(x: mpc.Vector[mpc.Int32]) -> object:
        """Which numbers are positive."""
        return mpc.reveal(positive=x > 0)

    data = words(*range(CHUNK_BYTES // 8 + 1))
    first, second = chunks(signs.checked, {"positive": data}, None)
    assert list(first.shape) == list(second.shape) == [CHUNK_BYTES // 8 + 1]
    assert (first.type, first.values + second.values) == ("bool", data)
