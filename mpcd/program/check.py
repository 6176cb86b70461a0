"""The validator: infers every type once, front to back, and finds what makes a program unacceptable.

Linear in the number of nodes: a node is looked at once, ranges are integers of at most 129 bits (an
overflow is refused where it first could happen), and the depth of the graph plays no role.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mpcd.errors import UsageError
from mpcd.program.limits import (
    MAX_DIMS,
    MAX_DOC_CHARACTERS,
    MAX_NODES,
    MAX_OUTPUTS,
)
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import INT64_HIGH, INT64_LOW, MAX_DIM, Type

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63})?\Z")


@dataclass(frozen=True, slots=True)
class Checked:
    """A program that passed the validator.

    types   of every value, by value number
    starts  first value number that each node defines
    """

    program: Program
    types: tuple[Type, ...]
    starts: tuple[int, ...]

    @property
    def maxima(self) -> dict[str, int]:
        return dict(self.program.maxima)

    def results(self, position: int) -> range:
        """Value numbers of the node at this position."""
        start = self.starts[position]
        return range(start, start + len(OPS[self.program.nodes[position].op].results))

    @property
    def inputs(self) -> dict[str, Type]:
        """Name -> type of the secret inputs."""
        return self._named("input")

    @property
    def parameters(self) -> dict[str, Type]:
        """Name -> type of the public parameters."""
        return self._named("parameter")

    @property
    def outputs(self) -> dict[str, Type]:
        """Name -> type of everything revealed."""
        return {name: self.types[value] for name, value in self.program.outputs}

    def _named(self, op: str) -> dict[str, Type]:
        return {n.name: n.declared for n in self.program.nodes if n.op == op and n.declared is not None}


def check(program: Program, where: Callable[[int], str] | None = None) -> Checked:
    """Infer all types and refuse what is malformed, could overflow or is never used.

    `where` gives the source position of a node (by its position in `program.nodes`) for error texts.

    Raises  UsageError naming the position
    """
    _check_header(program)
    maxima = dict(program.maxima)
    types: list[Type] = []
    starts: list[int] = []
    names: set[str] = set()
    used = bytearray()
    for position, node in enumerate(program.nodes):
        try:
            results = _infer(node, types, maxima, names)
        except UsageError as error:
            error.where = error.where or (where(position) if where else f"node {position}")
            error.what = f"{node.op}: {error.what}"
            raise
        for arg in node.args:
            used[arg] = 1
        starts.append(len(types))
        types.extend(results)
        used.extend(bytes(len(results)))
    _check_outputs(program, types, used)
    _check_use(program, starts, used, where)
    return Checked(program, tuple(types), tuple(starts))


def _check_header(program: Program) -> None:
    if not NAME.match(program.name):
        raise UsageError(f"{program.name[:80]!r} is not a name for a program")
    if len(program.doc) > MAX_DOC_CHARACTERS or not program.doc.isprintable():
        raise UsageError(
            f"the description must be one printable paragraph of at most {MAX_DOC_CHARACTERS} characters"
        )
    if len(program.nodes) > MAX_NODES:
        raise UsageError(
            f"the program has more than {MAX_NODES} operations",
            fix="work on whole vectors instead of single values",
        )
    if len(program.maxima) > MAX_DIMS or len(dict(program.maxima)) != len(program.maxima):
        raise UsageError(f"dimensions must have different names, and there may be {MAX_DIMS} of them")
    for name, most in program.maxima:
        if not NAME.match(name):
            raise UsageError(f"{name[:80]!r} is not a name for a dimension")
        if not 1 <= most <= MAX_DIM:
            raise UsageError(f"the maximum of dimension {name} must lie in 1..{MAX_DIM}")


def _infer(node: Node, types: list[Type], maxima: dict[str, int], names: set[str]) -> tuple[Type, ...]:
    op = OPS.get(node.op)
    if op is None:
        raise UsageError("there is no such operation")
    least, most = op.arity
    if not least <= len(node.args) <= most:
        raise UsageError(f"{len(node.args)} operands are not possible")
    count = len(types)
    for arg in node.args:
        if not 0 <= arg < count:
            raise UsageError(f"value {arg} is not defined before it is used")
    if op.infer is not None:
        return op.infer([types[arg] for arg in node.args], maxima)
    if node.op == "constant":
        return (_constant(node.literal),)
    return (_declared(node, maxima, names),)


def _constant(literal: int | bool | None) -> Type:
    if isinstance(literal, bool):
        return Type("bool", (), False)
    if literal is None or not INT64_LOW <= literal <= INT64_HIGH:
        raise UsageError("a constant must be true, false or a 64-bit integer")
    return Type("int", (), False, literal, literal)


def _declared(node: Node, maxima: dict[str, int], names: set[str]) -> Type:
    t = node.declared
    if t is None or t.secret != (node.op == "input"):
        raise UsageError("the declared type is missing or wrong")
    if not INPUT_NAME.match(node.name):
        raise UsageError(f"{node.name[:80]!r} is not a name for an argument")
    if node.name in names:
        raise UsageError(f"the argument {node.name} is declared twice")
    names.add(node.name)
    for dim in t.shape:
        if (isinstance(dim, int) and not 1 <= dim <= MAX_DIM) or (isinstance(dim, str) and dim not in maxima):
            raise UsageError(f"the dimension {dim} of {node.name} is not declared or too large")
    if len(t.shape) > 2:
        raise UsageError(f"{node.name} has more than two dimensions")
    if t.kind == "order" and (t.secret or len(t.shape) != 1):
        raise UsageError(f"the order {node.name} must be public and over one dimension")
    if t.kind == "int" and not INT64_LOW <= t.low <= t.high <= INT64_HIGH:
        raise UsageError(f"the range of {node.name} is empty or exceeds 64-bit integers")
    return t


def _check_outputs(program: Program, types: list[Type], used: bytearray) -> None:
    names = [name for name, _ in program.outputs]
    if not names:
        raise UsageError("the program reveals nothing", fix="return mpc.reveal(name=value, ...)")
    if len(names) > MAX_OUTPUTS or len(set(names)) != len(names):
        raise UsageError(f"outputs must have different names, and there may be {MAX_OUTPUTS} of them")
    for name, value in program.outputs:
        if not NAME.match(name):
            raise UsageError(f"{name[:80]!r} is not a name for an output")
        if not 0 <= value < len(types):
            raise UsageError(f"the output {name} is value {value}, which is not defined")
        if not types[value].secret:
            raise UsageError(f"the output {name} is not secret: everybody knows it before the job starts")
        used[value] = 1


def _check_use(
    program: Program, starts: list[int], used: bytearray, where: Callable[[int], str] | None
) -> None:
    """Nothing may be there in vain: least of all private data."""
    declared = {name for name, _ in program.maxima}
    for position, node in enumerate(program.nodes):
        start = starts[position]
        stop = starts[position + 1] if position + 1 < len(starts) else len(used)
        if not any(used[start:stop]):
            what = f"the argument {node.name}" if node.name else f"the result of {node.op}"
            raise UsageError(
                f"{what} is not used", where=where(position) if where else f"node {position}", fix="remove it"
            )
        if node.declared is not None:
            declared.difference_update(d for d in node.declared.shape if isinstance(d, str))
    if declared:
        raise UsageError(f"the dimension {min(declared)} belongs to no argument")
