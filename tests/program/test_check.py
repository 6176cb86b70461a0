"""Types and ranges: sound, exact where it is easy, and refused where 64 bits do not suffice."""

from __future__ import annotations

import pytest

from mpcd.errors import UsageError
from mpcd.program.check import check
from mpcd.program.limits import MAX_NODES
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import Type, integer

N = ("n",)


def secret(low: int, high: int, *shape: str | int) -> Type:
    return integer(low, high, shape, secret=True)


BIT, FLAG = Type("bool", N, True), Type("bool", (), True)


@pytest.mark.parametrize(
    ("op", "args", "results"),
    [
        ("add", [secret(-1, 2, "n"), secret(3, 5)], [secret(2, 7, "n")]),
        ("sub", [secret(-1, 2), secret(3, 5)], [secret(-6, -1)]),
        ("neg", [secret(-1, 2)], [secret(-2, 1)]),
        ("mul", [secret(-3, 2), secret(-5, 7)], [secret(-21, 15)]),
        ("sum", [secret(-3, 2, "k", "n")], [secret(-300, 200, "k")]),
        ("sum", [secret(1, 2, "n")], [secret(1, 200)]),
        ("inner", [secret(0, 2, "n"), secret(-1, 3, "n")], [secret(-200, 600)]),
        ("matmul", [secret(0, 2, "k", "n"), secret(-1, 3, "n", 4)], [secret(-200, 600, "k", 4)]),
        ("less", [secret(0, 2, "n"), secret(0, 3)], [BIT]),
        ("equal", [secret(0, 2), secret(0, 3)], [FLAG]),
        ("and", [BIT, BIT], [BIT]),
        ("and", [BIT, Type("bool", (), False)], [BIT]),
        ("to_int", [BIT], [secret(0, 1, "n")]),
        ("select", [FLAG, secret(0, 2, "n"), secret(-4, 1)], [secret(-4, 2, "n")]),
        ("maximum", [secret(0, 2), secret(-4, 1)], [secret(0, 2)]),
        ("minimum", [secret(0, 2), secret(-4, 1)], [secret(-4, 1)]),
        ("max", [secret(0, 2, "n")], [secret(0, 2)]),
        ("argmax", [secret(0, 2, "n")], [secret(0, 2), secret(0, 99)]),
        (
            "top2",
            [secret(3, 7, "n"), Type("order", N, False)],
            [secret(3, 7), secret(0, 99), secret(3, 7), secret(-1, 99)],
        ),
    ],
)
def test_types_and_ranges(op: str, args: list[Type], results: list[Type]) -> None:
    infer = OPS[op].infer
    assert infer is not None
    assert list(infer(args, {"n": 100, "k": 5})) == results


@pytest.mark.parametrize(
    ("op", "args", "message"),
    [
        ("add", [BIT, secret(0, 1, "n")], "operand 1 must be an integer"),
        ("add", [secret(0, 1, "n"), secret(0, 1, "k")], "differ"),
        ("add", [secret(0, 2**63 - 1), secret(0, 1)], "overflow"),
        ("neg", [secret(-(2**63), 0)], "overflow"),
        ("mul", [secret(0, 2**32), secret(0, 2**32)], "overflow"),
        ("sum", [secret(0, 2**60, "n")], "overflow"),
        ("sum", [secret(0, 1)], "nothing to sum"),
        ("inner", [secret(0, 1, "n"), secret(0, 1)], "equal shapes"),
        ("matmul", [secret(0, 1, "n", "k"), secret(0, 1, "n", "k")], "matrices"),
        ("and", [BIT, secret(0, 1, "n")], "truth value"),
        ("and", [BIT, FLAG], "single secret truth value"),
        ("select", [secret(0, 1), secret(0, 1), secret(0, 1)], "truth value"),
        ("select", [FLAG, secret(0, 1), FLAG], "operand 3 must be an integer"),
        ("max", [secret(0, 1)], "vector"),
        ("max", [secret(0, 1, "n", "k")], "vector"),
        ("argmax", [secret(0, 1, "n"), Type("order", ("k",), False)], "order"),
        ("argmax", [secret(0, 1, "n"), secret(0, 1, "n")], "order"),
        ("max", [integer(0, 1, N, secret=False)], "secret vectors"),
    ],
)
def test_what_does_not_fit_is_refused(op: str, args: list[Type], message: str) -> None:
    infer = OPS[op].infer
    assert infer is not None
    with pytest.raises(UsageError, match=message):
        infer(args, {"n": 100, "k": 5})


def program(*nodes: Node, outputs: tuple[tuple[str, int], ...]) -> Program:
    return Program("p", "", (("n", 100),), nodes, outputs)


X = Node("input", name="x", declared=secret(0, 9, "n"))


def test_nothing_may_be_there_in_vain() -> None:
    with pytest.raises(UsageError, match="argument y is not used"):
        check(program(X, X._replace(name="y"), outputs=(("out", 0),)))
    with pytest.raises(UsageError, match="result of neg is not used"):
        check(program(X, Node("neg", (0,)), outputs=(("out", 0),)))
    with pytest.raises(UsageError, match="reveals nothing"):
        check(program(X, outputs=()))


def test_malformed_nodes_are_refused() -> None:
    for node in (
        Node("nothing", (0,)),
        Node("neg", (-1,)),
        Node("neg", (1,)),
        Node("neg", ()),
        Node("constant"),
        Node("constant", literal=1 << 63),
        Node("input", name="z"),
        Node("input", name="z", declared=Type("int", N, False, 0, 1)),
        Node("parameter", name="z", declared=secret(0, 1)),
        Node("input", name="x", declared=secret(0, 1)),
        Node("input", name="z", declared=Type("order", N, True)),
        Node("input", name="z", declared=Type("int", (0,), True)),
    ):
        with pytest.raises(UsageError, match="node 1"):
            check(program(X, node, outputs=(("out", 0),)))


def test_the_number_of_operations_is_limited() -> None:
    nodes = [X, *[Node("neg", (k,)) for k in range(MAX_NODES)]]
    with pytest.raises(UsageError, match="more than"):
        check(program(*nodes, outputs=(("out", MAX_NODES),)))
