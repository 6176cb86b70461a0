"""From Python to a program: what is recorded, and that every mistake names the user's line."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import mpcd as mpc
from mpcd.errors import NotFoundError, UsageError
from mpcd.lang.loading import load_program, read_ir
from mpcd.program.text import parse

HEADER = "import mpcd as mpc\n\n"


def write(tmp_path: Path, body: str, arguments: str = "x: V, y: V, f: mpc.Public[mpc.UInt8]") -> Path:
    """A file whose program has this body, the first line of which is line 6."""
    file = tmp_path / "mine.py"
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    file.write_text(f"{HEADER}V = mpc.Vector[mpc.UInt32]\n@mpc.program\ndef p({arguments}):\n{body}\n")
    return file


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("z = x + y\nreturn mpc.reveal(a=z.topp(2))", 7, r"no operation \.topp.*did you mean \.top\?"),
        ("return mpc.reveal(a=x.quantile())", 6, r"no operation \.quantile.*there are argmax"),
        ("for v in x:\n    pass", 6, "cannot loop over"),
        ("z = [v for v in x]", 6, "cannot loop over"),
        ("z = sum(x)", 6, "cannot loop over"),
        ("if x.sum() > 3:\n    x = y", 6, "a secret truth value cannot decide.*mpc.where"),
        ("if f > 3:\n    x = y", 6, "not yet known truth value cannot decide"),
        ("z = (x > 1) and (y > 1)", 6, "cannot decide.*combine with &"),
        ("z = not x", 6, "cannot decide"),
        ("z = 1 < x < 3", 6, "cannot decide"),
        ("while x.sum() < 3:\n    pass", 6, "cannot decide"),
        ("z = max(x.sum(), y.sum())", 6, "cannot decide"),
        ("z = len(x)", 6, "length .* is not known"),
        ("z = range(f)", 6, "not a Python number"),
        ("z = int(x.sum())", 6, "not a Python number"),
        ("z = [1, 2, 3][f]", 6, "not a Python number"),
        ("z = x[0]", 6, "single elements"),
        ("z = x / 2", 6, "no division"),
        ("z = 2 // x", 6, "no division"),
        ("z = x << 2", 6, "no shifts"),
        ("z = x + 0.5", 6, "a float cannot be an operand.*scale fractions"),
        ("z = x + 'a'", 6, "a str cannot be an operand"),
        ("z = x + [1]", 6, "a list cannot be an operand"),
        ("z = x + None", 6, "a NoneType cannot be an operand"),
        ("z = x + 2**63", 6, "does not fit in 64 bits"),
        ("z = x ** f", 6, "exponent"),
        ("z = x ** 3", 6, "overflow 64-bit"),
        ("z = x * y", 6, r"^$"),
        ("z = x & y", 6, "operand 1 must be a truth value.*compare first"),
        ("z = (x < y) + 1", 6, r"operand 1 must be an integer.*to_int"),
        ("z = mpc.where(x, 1, 2)", 6, "operand 1 must be a truth value"),
        ("z = mpc.where(x > 1, 1, x > 2)", 6, "operand 3 must be an integer"),
        ("z = mpc.maximum(1, 2)", 6, "needs a value of the program"),
        ("z = x.top(3)", 6, r"top\(3\) does not exist"),
        ("z = x.argmax(order=y)", 6, "operand 2 must be an order"),
        ("z = x.sum().sum()", 6, "nothing to sum"),
        ("z = x @ x.sum()", 6, "equal shapes"),
        ("import numpy as np\nz = np.sum(x)", 7, ""),
        ("import numpy as np\nz = np.array([1, 2]) + x", 7, "cannot be an operand"),
        ("z = undefined + x", 6, "NameError: name 'undefined'"),
        ("z = x.sum(3)", 6, "TypeError"),
        ("return mpc.reveal(a=3)", 6, "output a is a int"),
        ("return mpc.reveal()", 6, "nothing is revealed"),
        ("return mpc.reveal(a=f)", 6, "not secret"),
        ("return mpc.reveal(a=x.sum())", 4, "argument y is not used"),
        ("return x", 4, "reveals nothing"),
        ("pass", 4, "reveals nothing"),
        ("for k in range(20000):\n    x = -x\nreturn mpc.reveal(a=x)", 7, "more than 10000 operations"),
    ],
)
def test_a_mistake_names_the_line_and_says_what_to_do(
    tmp_path: Path, body: str, line: int, message: str
) -> None:
    if message == "^$":
        body, message = "z = x * y * y", "overflow 64-bit"
    file = write(tmp_path, body)
    with pytest.raises(UsageError) as caught:
        load_program(file).checked  # noqa: B018
    assert caught.value.where == f"{file}:{line}"
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("x", "argument x: it has no type of mpcd"),
        ("x: int", "argument x: it has no type of mpcd"),
        ("x: mpc.UInt8", "neither said to be secret nor public"),
        ("x: mpc.Vector[int]", "not the type of an element"),
        ("x: mpc.Vector[mpc.UInt8, 1.5]", "not a dimension"),
        ("x: mpc.Matrix[mpc.UInt8]", "two dimensions"),
        ("x: mpc.Int(3, 2)", "not a range"),
        ('x: mpc.Vector[mpc.UInt8, mpc.Dim("n", 5)], y: mpc.Vector[mpc.UInt8]', "two different maxima"),
        ("x: mpc.Vector[mpc.UInt8, 0]", "dimension 0"),
    ],
)
def test_wrong_annotations_are_refused(tmp_path: Path, arguments: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_program(write(tmp_path, "return mpc.reveal(a=x)", arguments)).checked  # noqa: B018
    assert "mine.py" in str(caught.value)


def test_the_same_operations_are_the_same_program_whatever_their_names_and_lines(tmp_path: Path) -> None:
    one = load_program(write(tmp_path, "z = x + y\nreturn mpc.reveal(a=z * f)")).hash
    body = """
    # A comment.
    unused = x * 3
    total = x + y

    scaled = total * f
    return mpc.reveal(
        a=scaled
    )
    """
    two = load_program(write(tmp_path, body)).hash
    other = load_program(write(tmp_path, "z = y + x\nreturn mpc.reveal(a=z * f)")).hash
    assert one == two
    assert one != other


def test_the_description_is_part_of_the_program(tmp_path: Path) -> None:
    plain = load_program(write(tmp_path, "return mpc.reveal(a=x + y + f)"))
    told = load_program(write(tmp_path, '"""Adds\n    three."""\nreturn mpc.reveal(a=x + y + f)'))
    assert told.checked.program.doc == "Adds three."
    assert plain.hash != told.hash


def test_a_traced_program_is_canonical(tmp_path: Path) -> None:
    definition = load_program(write(tmp_path, "return mpc.reveal(a=x.min(), b=(x >= y) | (y != f))"))
    assert parse(definition.canonical) == definition.checked
    file = tmp_path / "p.ir"
    file.write_bytes(definition.canonical)
    assert read_ir(file) == definition.checked
    file.write_bytes(definition.canonical[:-1])
    with pytest.raises(UsageError, match=r"p\.ir"):
        read_ir(file)


def test_evaluate_tries_a_program_in_clear(tmp_path: Path) -> None:
    definition = load_program(write(tmp_path, "return mpc.reveal(a=(x * f - y).sum(), b=abs(x - y).max())"))
    found = definition.evaluate(x=[1, 2], y=[5, 1], f=3)
    assert {name: int(v) for name, v in found.items()} == {"a": 3, "b": 4}
    with pytest.raises(UsageError, match="cannot be called"):
        definition(1, 2, 3)


class Left(mpc.Table, dim="left"):
    age: mpc.UInt8


def test_tables_give_columns_and_a_wrong_column_names_the_line() -> None:
    @mpc.program
    def good(t: Left) -> object:
        return mpc.reveal(a=t.age.sum())

    @mpc.program
    def bad(t: Left) -> object:
        return mpc.reveal(a=t.weight.sum())  # type: ignore[attr-defined]

    assert list(good.checked.inputs) == ["t.age"]
    assert good.checked.maxima == {"left": 1 << 20}
    with pytest.raises(UsageError, match=r"test_tracing\.py:\d+: the table t has no column weight.*age"):
        bad.checked  # noqa: B018


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    with pytest.raises(NotFoundError):
        load_program(file)
    for text, message in (
        ("import mpcd as mpc\ndef (", "f.py:2: invalid syntax"),
        ("import mpcd as mpc\n\nx = 1 / 0\n", "f.py:3: ZeroDivisionError"),
        ("x = 1\n", "defines 0 programs"),
        (
            "import mpcd as mpc\n@mpc.program\ndef a(): ...\n@mpc.program(name='b')\ndef c(): ...\n",
            "defines 2 programs.*a, b",
        ),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            load_program(file)
    assert load_program(file, "b").name == "b"
    with pytest.raises(NotFoundError, match="no program z"):
        load_program(file, "z")


def test_values_of_two_programs_do_not_mix(tmp_path: Path) -> None:
    kept: list[object] = []

    @mpc.program
    def first(x: mpc.Secret[mpc.UInt8]) -> object:
        kept.append(x)
        return mpc.reveal(a=x)

    @mpc.program
    def second(x: mpc.Secret[mpc.UInt8]) -> object:
        return mpc.reveal(a=x + kept[0])

    assert first.checked.outputs
    with pytest.raises(UsageError, match="another program"):
        second.checked  # noqa: B018
