"""The preface of a link: 40 bytes that survive the wire; any others are refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpcd.errors import ChannelError
from mpcd.transport.preface import SIZE_BYTES, Preface

PREFACE = Preface.of(bytes(range(32)), 2, 3, 1)


@given(st.binary(min_size=0, max_size=64))
def test_any_bytes_are_a_preface_or_refused(raw: bytes) -> None:
    with contextlib.suppress(ChannelError):
        assert Preface.decode(raw).encode() == raw


def test_a_preface_survives_the_wire() -> None:
    raw = PREFACE.encode()
    assert len(raw) == SIZE_BYTES == 40
    assert Preface.decode(raw) == PREFACE


@pytest.mark.parametrize("at", [0, 4, 6])
def test_magic_version_and_padding_are_checked(at: int) -> None:
    raw = bytearray(PREFACE.encode())
    raw[at] ^= 1
    with pytest.raises(ChannelError):
        Preface.decode(bytes(raw))
