"""The canonical text of a program, and its hash.

    mpcd program 1
    name first_price
    doc The highest bidder wins and pays the own bid.
    dim n 1048576
    %0 = input bids int[0,4294967295] (n)
    %1 = parameter order order (n)
    %2 %3 = argmax %0 %1
    reveal winner %3
    reveal price %2

The first line is the version of the representation. Values are numbered from 0 in the order of
their definition. There is exactly one text for a program: whatever does not print to the bytes
it was parsed from is refused, so equal programs have equal hashes and a signature covers what is read.

Names of the program, of its arguments and of its outputs are its interface and part of the text, and so
is the description (see `Program.doc`); names of local variables, source lines and layout are not.
"""

from __future__ import annotations

import hashlib
import re

from mpcd.errors import UsageError
from mpcd.program.check import Checked, check
from mpcd.program.limits import MAX_BYTES, MAX_DIMS, MAX_DOC_CHARACTERS, MAX_NODES, MAX_OUTPUTS
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import Dim, Type, type_text

VERSION_LINE = "mpcd program 1"
HASH_DOMAIN = b"mpcd program hash\x00"

_MAX_LINES = MAX_NODES + MAX_DIMS + MAX_OUTPUTS + 4
_MAX_LINE = MAX_DOC_CHARACTERS + 100
_NUMBER = re.compile(r"-?[0-9]{1,20}\Z", re.ASCII)
_OPERANDS = re.compile(r"%[0-9]{1,7}(?: %[0-9]{1,7}){0,7}\Z", re.ASCII)
_TYPE = re.compile(
    r"(?:(bool|order)|int\[(-?[0-9]{1,20}),(-?[0-9]{1,20})\]) \(([A-Za-z0-9_,]{0,200})\)\Z", re.ASCII
)


def to_bytes(program: Program) -> bytes:
    """The canonical bytes."""
    lines = [VERSION_LINE, f"name {program.name}"]
    if program.doc:
        lines.append(f"doc {program.doc}")
    lines += [f"dim {name} {most}" for name, most in program.maxima]
    number = 0
    for node in program.nodes:
        count = len(OPS[node.op].results)
        defined = f"%{number}" if count == 1 else " ".join(f"%{number + k}" for k in range(count))
        number += count
        lines.append(f"{defined} = {node.op}{_operands(node)}")
    lines += [f"reveal {name} %{value}" for name, value in program.outputs]
    lines.append("")
    return "\n".join(lines).encode()


def _operands(node: Node) -> str:
    if node.args:
        return "".join([f" %{arg}" for arg in node.args])
    if node.declared is not None:
        return f" {node.name} {type_text(node.declared)}"
    if isinstance(node.literal, bool):
        return " true" if node.literal else " false"
    return f" {node.literal}"


def program_hash(data: bytes) -> bytes:
    """SHA-256 over a domain prefix and the canonical bytes as received; 32 bytes."""
    return hashlib.sha256(HASH_DOMAIN + data).digest()


def parse(data: bytes) -> Checked:
    """Read and validate canonical bytes from an untrusted source.

    Cost    linear in the input; at most about 0.1 s and 50 MB for the largest input allowed
    Raises  UsageError naming the line
    """
    lines = _lines(data)
    program, first_node = _program(lines)
    checked = check(program, lambda position: _line(first_node + position))
    if to_bytes(program) != data:
        raise UsageError(
            "the program is not in canonical form",
            fix="write it with `mpcd program show --canonical` and do not edit it",
        )
    return checked


def _line(index: int) -> str:
    return f"line {index + 1} of the program"


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_BYTES:
        raise UsageError(f"the program is longer than {MAX_BYTES} bytes")
    if data.count(b"\n") > _MAX_LINES:
        raise UsageError(f"the program has more than {_MAX_LINES} lines")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"the program is not UTF-8 text at byte {error.start}") from None
    if lines[0] != VERSION_LINE:
        raise UsageError(
            f"the first line must be `{VERSION_LINE}`", fix="use programs of this version of mpcd"
        )
    if lines.pop() != "":
        raise UsageError("the program does not end with a line feed")
    for index, line in enumerate(lines):
        if len(line) > _MAX_LINE:
            raise UsageError("the line is too long", where=_line(index))
    return lines


def _program(lines: list[str]) -> tuple[Program, int]:
    """The program, and the index of the line of its first node."""
    at = 1
    name = doc = ""
    maxima: list[tuple[str, int]] = []
    nodes: list[Node] = []
    outputs: list[tuple[str, int]] = []
    if at < len(lines) and lines[at].startswith("name "):
        name = lines[at][5:]
        at += 1
    if at < len(lines) and lines[at].startswith("doc "):
        doc = lines[at][4:]
        at += 1
    while at < len(lines) and lines[at].startswith("dim "):
        maxima.append(_dim(lines[at], at))
        at += 1
    first_node = at
    while at < len(lines) and lines[at].startswith("%"):
        nodes.append(_node(lines[at], at))
        at += 1
    while at < len(lines) and lines[at].startswith("reveal "):
        outputs.append(_output(lines[at], at))
        at += 1
    if at < len(lines):
        raise UsageError("this line is unknown or out of order", where=_line(at))
    return Program(name, doc, tuple(maxima), tuple(nodes), tuple(outputs)), first_node


def _malformed(index: int) -> UsageError:
    return UsageError("the line is malformed", where=_line(index))


def _dim(line: str, index: int) -> tuple[str, int]:
    parts = line.split(" ")
    if len(parts) != 3 or not _NUMBER.match(parts[2]):
        raise _malformed(index)
    return parts[1], int(parts[2])


def _value(token: str, index: int) -> int:
    if not _OPERANDS.match(token) or " " in token:
        raise _malformed(index)
    return int(token[1:])


def _output(line: str, index: int) -> tuple[str, int]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise _malformed(index)
    return parts[1], _value(parts[2], index)


def _node(line: str, index: int) -> Node:
    _defined, equals, right = line.partition(" = ")
    op, _, operands = right.partition(" ")
    if not equals or op not in OPS:
        raise _malformed(index)
    if op in ("input", "parameter"):
        name, _, declared = operands.partition(" ")
        return Node(op, name=name, declared=_type(declared, op == "input", index))
    if op == "constant":
        return Node(op, literal=_literal(operands, index))
    if not _OPERANDS.match(operands):
        raise _malformed(index)
    return Node(op, tuple(map(int, operands.replace("%", "").split(" "))))


def _literal(text: str, index: int) -> int | bool:
    if text in ("true", "false"):
        return text == "true"
    if not _NUMBER.match(text):
        raise _malformed(index)
    return int(text)


def _type(text: str, secret: bool, index: int) -> Type:
    match = _TYPE.match(text)
    if match is None:
        raise _malformed(index)
    kind, low, high, shape = match.groups()
    dims: list[Dim] = []
    for dim in shape.split(",") if shape else []:
        if dim.isdecimal() and len(dim) > 12:
            raise _malformed(index)
        dims.append(int(dim) if dim.isdecimal() else dim)
    if kind is None:
        return Type("int", tuple(dims), secret, int(low), int(high))
    return Type("bool" if kind == "bool" else "order", tuple(dims), secret)
