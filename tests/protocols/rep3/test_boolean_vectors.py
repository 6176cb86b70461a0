"""Known answers: with fixed keys and fixed shares, every party's shares of the result never change.

A change here means that two versions of mpcd cannot compute together: it needs an explanation and a new
version of the protocol. `python -m tests.protocols.rep3.test_boolean_vectors` writes the file anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mpcd.protocols.rep3 import compare, convert, gates
from mpcd.protocols.rep3.words import WordTriples, word_triples
from tests.protocols.rep3.boolean import Step, play
from tests.protocols.rep3.three import EDGES, share, share_bits

VECTORS = Path(__file__).parent / "vectors" / "bits.json"
X, Y = np.resize(EDGES, 100), np.resize(EDGES[::-1], 100)

CASES: dict[str, tuple[Step, tuple[Any, ...]]] = {
    "word_triples": (word_triples, (5,)),
    "conj": (gates.conj, (share_bits(X < 0), share_bits(Y < 0, 1))),
    "negative": (compare.negative, (share(X),)),
    "less_than": (compare.less_than, (share(X), share(Y, 1))),
    "less_than_full": (compare.less_than_full, (share(X), share(Y, 1))),
    "equal": (compare.equal, (share(X), share(Y, 1))),
    "range_check": (compare.range_check, (share(X), -5, 2**31)),
    "range_check_wide": (compare.range_check, (share(X), -(2**62), 2**63 - 2)),
    "to_binary": (convert.to_binary, (share(X),)),
    "to_arithmetic": (convert.to_arithmetic, (share_bits(X < 0),)),
}
MODES = {name: ["checked"] if name == "word_triples" else ["checked", "unchecked"] for name in CASES}


def fingerprint(part: Any) -> str:
    """The SHA-256 of the words of one party's part of a result."""
    data = np.concatenate(part.take(part.left)) if isinstance(part, WordTriples) else part.data
    return hashlib.sha256(data.astype("<u8").tobytes()).hexdigest()


def answers(name: str, mode: str) -> list[str]:
    step, args = CASES[name]
    return [fingerprint(part) for part in play(step, *args, checked=mode == "checked").results()]


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for name in CASES for mode in MODES[name]])
def test_known_answers(name: str, mode: str) -> None:
    assert answers(name, mode) == json.loads(VECTORS.read_text())[name][mode]


if __name__ == "__main__":
    found = {name: {mode: answers(name, mode) for mode in MODES[name]} for name in CASES}
    VECTORS.write_text(json.dumps(found, indent=1) + "\n")
