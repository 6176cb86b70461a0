"""One program, one text: what is read is what was hashed, and nothing else is accepted."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpcd.apps.auction import second_price
from mpcd.errors import UsageError
from mpcd.program.limits import MAX_BYTES, MAX_NODES
from mpcd.program.nodes import Node, Program
from mpcd.program.text import parse, program_hash, to_bytes
from mpcd.program.types import Type
from tests.program.random_programs import programs

AUCTION = b"""mpcd program 1
name second_price
doc Sealed-bid auction: the highest bidder wins and pays the second-highest bid.
dim n 1048576
%0 = input bids int[0,4294967295] (n)
%1 = parameter reserve int[0,4294967295] ()
%2 = parameter order order (n)
%3 %4 %5 %6 = top2 %0 %2
%7 = less %3 %1
%8 = not %7
%9 = constant -1
%10 = select %8 %4 %9
%11 = maximum %5 %1
%12 = constant 0
%13 = select %8 %11 %12
reveal winner %10
reveal price %13
"""
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_auction_is_this_text_for_ever() -> None:
    """A changed text is a new program: approvals of the old one are lost. Change it with a reason only."""
    assert second_price.canonical == AUCTION
    assert second_price.hash == hashlib.sha256(b"mpcd program hash\x00" + AUCTION).digest()
    assert second_price.hash.hex() == "2f8dc5ee5ede8f7b6d94bc6e07e981dee26fdb4a63474e64e10890982b8ccb93"


@SLOW
@given(program=programs())
def test_parse_undoes_print(program: Program) -> None:
    data = to_bytes(program)
    assert parse(data).program == program
    assert to_bytes(parse(data).program) == data


@SLOW
@given(st.integers(0, len(AUCTION) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_another_program(at: int, byte: int) -> None:
    changed = AUCTION[:at] + bytes([byte]) + AUCTION[at + 1 :]
    try:
        checked = parse(changed)
    except UsageError:
        return
    assert to_bytes(checked.program) == changed
    assert (program_hash(changed) == program_hash(AUCTION)) == (changed == AUCTION)


@SLOW
@given(st.binary(max_size=300))
def test_any_bytes_parse_or_raise_a_usage_error(data: bytes) -> None:
    for text in (data, b"mpcd program 1\n" + data, AUCTION + data):
        with contextlib.suppress(UsageError):
            assert to_bytes(parse(text).program) == text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"program 1\n", b"program 2\n", "first line"),
        (b"%10 = select", b"%010 = select", "canonical"),
        (b"%3 %4 %5 %6 = top2", b"%3 %4 %5 = top2", "canonical"),
        (b"%7 = less %3 %1", b"%7 =  less %3 %1", "line 9.*malformed"),
        (b"%7 = less %3 %1", b"%7 = less %3  %1", "line 9.*malformed"),
        (b"%7 = less %3 %1", b"%7 = less %3 %7", "line 9.*not defined before"),
        (b"%7 = less %3 %1", b"%7 = less %3 %13", "line 9.*not defined before"),
        (b"%7 = less %3 %1", b"%7 = less %3", "line 9.*1 operands"),
        (b"%7 = less %3 %1", b"%7 = exec %3 %1", "line 9.*malformed"),
        (b"%7 = less %3 %1", b"%7 = less %3 %\xef\xbc\x91", "line 9.*malformed"),
        (b"constant -1", b"constant -01", "canonical"),
        (b"constant 0", b"constant -0", "canonical"),
        (b"constant 0", b"constant 99999999999999999999", "line 14.*64-bit"),
        (b"constant 0", b"constant " + b"9" * 1000, "line 14.*malformed"),
        (b"constant 0", b"constant 0 0", "line 14.*malformed"),
        (b"dim n 1048576", b"dim n 1048576000000000", "maximum of dimension n"),
        (b"dim n 1048576", b"dim n 0", "maximum of dimension n"),
        (b"dim n 1048576", b"dim n 5\ndim n 5", "different names"),
        (b"dim n 1048576", b"dim n 5\ndim m 5", "dimension m belongs to no argument"),
        (b"bids int[0,4294967295] (n)", b"bids int[5,4] (n)", "line 5.*range of bids"),
        (b"bids int[0,4294967295] (n)", b"bids int[0,99999999999999999999] (n)", "line 5.*range of bids"),
        (b"bids int[0,4294967295] (n)", b"bids int[0,4294967295] (k)", "line 5.*dimension k"),
        (b"bids int[0,4294967295] (n)", b"bids int[0,4294967295] (n,n,n)", "line 5.*two dimensions"),
        (b"bids int[0,4294967295] (n)", b"bids int[0,9] (" + b"9" * 100 + b")", "line 5.*malformed"),
        (b"parameter reserve", b"parameter bids", "line 6.*twice"),
        (b"parameter reserve", b"parameter ../x", "line 6.*not a name"),
        (b"reveal price", b"reveal winner", "different names"),
        (b"reveal price %13", b"reveal price %14", "not defined"),
        (b"reveal price %13", b"reveal price %1", "not secret"),
        (b"reveal winner %10\n", b"", "line 12.*not used"),
        (b"reveal price %13\n", b"reveal price %13", "line feed"),
        (b"reveal price %13\n", b"reveal price %13\n\n", "unknown or out of order"),
        (b"name second_price\n", b"", "not a name"),
        (b"name second_price", b"name second-price", "not a name"),
        (b"doc Sealed", b"doc \x1b[31mSealed", "printable"),
        (b"doc Sealed", "doc \u202eSealed".encode(), "printable"),
        (b"doc Sealed", b"doc \xff", "UTF-8"),
        (b"doc Sealed", b"doc " + b"x" * 5000, "line 3.*too long"),
        (b"\n%7", b"\r\n%7", "line 8.*malformed"),
    ],
)
def test_a_hostile_text_is_refused_with_its_line(old: bytes, new: bytes, message: str) -> None:
    assert old in AUCTION
    with pytest.raises(UsageError) as caught:
        parse(AUCTION.replace(old, new, 1))
    assert re.search(message, str(caught.value)), str(caught.value)


def doubling(count: int) -> bytes:
    """x + x, again and again: as a tree it would have 2^count nodes."""
    nodes = [Node("input", name="x", declared=Type("bool", ("n",), True))]
    nodes += [Node("xor", (k, k)) for k in range(count)]
    return to_bytes(Program("doubling", "", (("n", 5),), tuple(nodes), (("out", count),)))


HOSTILE = {
    "exponential graph": doubling(MAX_NODES - 1),
    "too many nodes": doubling(MAX_NODES + 5),
    "empty lines": b"mpcd program 1\n" + b"\n" * (MAX_BYTES - 15),
    "one long line": b"mpcd program 1\nname x\n%0 = add " + b"%1 " * 300_000 + b"\n",
    "spaces": b"mpcd program 1\n" + b" " * (MAX_BYTES - 16) + b"\n",
    "brackets": b"mpcd program 1\nname x\n" + b"(" * 1_000_000 + b"\n",
    "lines as long as allowed": b"mpcd program 1\n" + (b"%0 = add" + b" %1" * 690 + b"\n") * 500,
    "bad utf-8 at the end": b"mpcd program 1\n" + b"x" * (MAX_BYTES - 20) + b"\xff\n",
    "longer than allowed": b"\n" * (MAX_BYTES + 1),
    "deep overflow": doubling(MAX_NODES - 1).replace(b"xor", b"add").replace(b"bool", b"int[0,1]"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_megabytes_take_little_time_and_memory(name: str) -> None:
    """0.1 s and 50 MB are the limits; the time is CPU time and has a margin for slow machines."""
    data = HOSTILE[name]
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        _try(data)
        best = min(best, time.process_time() - start)
    tracemalloc.start()
    try:
        _try(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert best < 0.3
    assert peak < 50e6


def _try(data: bytes) -> None:
    with contextlib.suppress(UsageError):
        parse(data)


def test_overflow_is_found_at_the_first_operation_that_could() -> None:
    with pytest.raises(UsageError, match=r"line 67 of the program: add: .* overflow"):
        parse(HOSTILE["deep overflow"])
