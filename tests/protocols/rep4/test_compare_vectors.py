"""Known answers: with fixed keys and fixed shares, every party's shares of the result never change.

A change here means that two versions of mpcd cannot compute together: it needs an explanation and a new
version of the protocol. `python -m tests.protocols.rep4.test_compare_vectors` writes the file anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mpcd.protocols.rep4 import compare, convert
from mpcd.protocols.rep4.sharing import Bits4, Rep4
from mpcd.protocols.rounds import Rounds
from tests.protocols.rep4.four import EDGES, run, share, share_bits

VECTORS = Path(__file__).parent / "vectors" / "comparisons.json"
X, Y = np.resize(EDGES, 100), np.resize(EDGES[::-1], 100)

CASES: dict[str, tuple[Callable[..., Rounds[Any]], tuple[Any, ...]]] = {
    "negative": (compare.negative, (share(X),)),
    "less_than": (compare.less_than, (share(X), share(Y, 1))),
    "less_than_full": (compare.less_than_full, (share(X), share(Y, 1))),
    "equal": (compare.equal, (share(X), share(Y, 1))),
    "range_check": (compare.range_check, (share(X), -5, 2**31)),
    "range_check_wide": (compare.range_check, (share(X), -(2**62), 2**63 - 2)),
    "to_binary": (convert.to_binary, (share(X),)),
    "to_arithmetic": (convert.to_arithmetic, (share_bits(X < 0),)),
}


def fingerprint(part: Rep4 | Bits4) -> dict[str, object]:
    """The live summands and the SHA-256 of the words of one party's part of a result."""
    return {
        "live": sorted(part.live),
        "sha256": hashlib.sha256(part.data.astype("<u8").tobytes()).hexdigest(),
    }


def answers(name: str) -> list[dict[str, object]]:
    step, args = CASES[name]
    return [fingerprint(part) for part in run(step, *args).results()]


@pytest.mark.parametrize("name", CASES)
def test_known_answers(name: str) -> None:
    assert answers(name) == json.loads(VECTORS.read_text())[name]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps({name: answers(name) for name in CASES}, indent=1) + "\n")
