"""Inputs: sharing and expanding, and commitments that bind."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpcd.errors import UsageError
from mpcd.protocols.rep4 import inputs
from mpcd.protocols.rep4.inputs import Context, InputShares
from mpcd.protocols.rep4.keys import holders
from mpcd.protocols.rep4.sharing import slot
from mpcd.protocols.rounds import Words
from mpcd.protocols.scheme import REP4
from mpcd.ring.digests import digest

VECTORS = Path(__file__).parent / "vectors" / "inputs.json"
CONTEXT = Context(bytes(range(32)), bytes(range(32, 64)), "bids")
COLUMNS = np.arange(6, dtype=np.uint64).reshape(2, 3) - np.uint64(2)


def counting(seed: int = 0) -> inputs.Entropy:
    """Reproducible bytes in place of fresh ones; never gives the same twice."""
    calls = 0

    def entropy(n: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_128(b"%d/%d" % (seed, calls)).digest(n)

    return entropy


def recombine(shares: InputShares, columns: int, context: Context = CONTEXT) -> Words:
    """What four holders have together; also checks that the holders of a summand agree."""
    parts: dict[int, Words] = {}
    for me in range(4):
        payloads = {a: payload for a, (payload, _) in shares.shares_for(me).items()}
        mine = inputs.expand(me, payloads, shares.rows, columns, context)
        for a in holders(me):
            x = mine.data[slot(me, a)]
            np.testing.assert_array_equal(parts.setdefault(a, x), x)
    return parts[0] + parts[1] + parts[2] + parts[3]


@given(arrays(np.uint64, st.tuples(st.integers(1, 3), st.integers(0, 9))))
def test_what_is_shared_comes_back(columns: Words) -> None:
    shares = inputs.split(columns, CONTEXT, counting())
    np.testing.assert_array_equal(recombine(shares, columns.shape[0]), columns)


def test_what_a_holder_gets_is_uniform_whatever_is_hidden() -> None:
    """Each holder misses one summand; with the input zero, every word it has still looks random."""
    zeros = np.zeros((1, 4096), np.uint64)
    shares = inputs.split(zeros, CONTEXT, counting())
    for me in range(4):
        payloads = {a: payload for a, (payload, _) in shares.shares_for(me).items()}
        data = inputs.expand(me, payloads, 4096, 1, CONTEXT).data
        for part in [*data[:, 0], data[0, 0] + data[1, 0], data[1, 0] + data[2, 0], data.sum(0)[0]]:
            ones = int(np.bitwise_count(part).sum())
            assert abs(ones - 32 * 4096) < 5 * np.sqrt(64 * 4096 / 4)


def test_a_holder_gets_its_three_summands_and_never_the_fourth() -> None:
    shares = inputs.split(COLUMNS, CONTEXT, counting())
    for me in range(4):
        assert set(shares.shares_for(me)) == holders(me)


def opens(shares: InputShares, summand: int, **changes: object) -> bool:
    parts: dict[str, object] = {
        "commitment": shares.commitments[summand],
        "context": CONTEXT,
        "a": summand,
        "rows": 3,
        "columns": 2,
        "payload": shares.payloads[summand],
        "salt": shares.salts[summand],
    }
    return inputs.opens(**{**parts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("a", range(4))
def test_a_commitment_opens_in_one_way_only(a: int) -> None:
    shares = inputs.split(COLUMNS, CONTEXT, counting())
    assert opens(shares, a)
    payload, salt = shares.payloads[a], shares.salts[a]
    wrong: list[dict[str, object]] = [
        {"payload": bytes([payload[0] ^ 1]) + payload[1:]},
        {"salt": bytes([salt[0] ^ 1]) + salt[1:]},
        {"payload": payload + salt[:1], "salt": salt[1:]},
        {"payload": payload[:-1], "salt": payload[-1:] + salt},
        {"rows": 2},
        {"a": (a + 1) % 4},
        {"context": replace(CONTEXT, session=bytes(32))},
        {"context": replace(CONTEXT, owner_key=bytes(32))},
        {"context": replace(CONTEXT, name="bid")},
        {"commitment": b""},
    ]
    for changes in wrong:
        assert not opens(shares, a, **changes), changes


@pytest.mark.parametrize("a", range(4))
def test_an_owner_cannot_commit_to_a_payload_of_another_length(a: int) -> None:
    """The owner itself is dishonest: its commitment fits, but the format is not the agreed one."""
    payload, salt = bytes(inputs.payload_bytes(a, 3, 2) + 8), bytes(32)
    commitment = inputs._commitment(CONTEXT, a, 3, payload, salt)
    assert not opens(
        inputs.split(COLUMNS, CONTEXT, counting()), a, commitment=commitment, payload=payload, salt=salt
    )
    commitment = digest(
        "mpcd in", *CONTEXT.parts(), bytes([a]), bytes([*bytes(7), 3]), payload[8:], bytes(33)
    )
    assert not inputs.opens(commitment, CONTEXT, a, 3, 2, payload[8:], bytes(33))


def test_seeds_are_expanded_for_one_summand_of_one_input_of_one_session() -> None:
    seed = bytes(32)
    contexts = [
        CONTEXT,
        replace(CONTEXT, session=bytes(32)),
        replace(CONTEXT, owner_key=bytes(32)),
        replace(CONTEXT, name="b"),
    ]
    streams = {inputs._expand(seed, a, (1, 4), c).tobytes() for c in contexts for a in range(3)}
    assert len(streams) == 12


def test_misuse_is_refused() -> None:
    shares = inputs.split(COLUMNS, CONTEXT, counting())
    good = {a: shares.payloads[a] for a in (1, 2, 3)}
    with pytest.raises(UsageError):
        inputs.split(COLUMNS[0], CONTEXT, counting())
    with pytest.raises(UsageError):
        inputs.expand(1, good, 3, 2, CONTEXT)
    with pytest.raises(UsageError):
        inputs.expand(0, {**good, 1: b""}, 3, 2, CONTEXT)
    with pytest.raises(UsageError):
        inputs.expand(0, good, 4, 2, CONTEXT)


def test_shares_never_show_in_a_repr() -> None:
    shares = inputs.split(COLUMNS, CONTEXT, counting())
    assert shares.payloads[3].hex() not in repr(shares)
    assert "payload" not in repr(shares)
    assert "salt" not in repr(shares)


def test_known_answers() -> None:
    """Commitments, payloads and the expansion of seeds of version 1 never change."""
    shares = inputs.split(COLUMNS, CONTEXT, counting())
    found = {
        "commitments": [c.hex() for c in shares.commitments],
        "payloads": [p.hex() for p in shares.payloads],
        "words": [
            [f"{w:016x}" for w in inputs._piece(REP4, a, shares.payloads[a], (2, 3), CONTEXT).reshape(-1)]
            for a in range(4)
        ],
    }
    assert found == json.loads(VECTORS.read_text())
