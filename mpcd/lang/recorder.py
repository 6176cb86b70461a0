"""The growing program behind a trace: nodes, types, and the line each came from."""

from __future__ import annotations

from collections.abc import Sequence

from mpcd.errors import UsageError
from mpcd.lang.position import here, refuse
from mpcd.program.limits import MAX_NODES
from mpcd.program.nodes import Node, Program
from mpcd.program.ops import OPS
from mpcd.program.types import Type


class Recorder:
    """Records operations in the order in which the user's function asks for them.

    maxima  named dimension -> greatest length
    types   of every value so far
    """

    def __init__(self) -> None:
        self.maxima: dict[str, int] = {}
        self.types: list[Type] = []
        self._nodes: list[Node] = []
        self._starts: list[int] = []
        self._lines: list[str] = []
        self._constants: dict[tuple[bool, int], int] = {}

    def declare(self, op: str, name: str, declared: Type, line: str) -> int:
        """An input or a parameter; its value number."""
        return self._append(Node(op, name=name, declared=declared), (declared,), line)[0]

    def constant(self, literal: object) -> int:
        """The value number of a constant; equal constants share one.

        Raises  UsageError for anything but bool and int
        """
        if hasattr(literal, "dtype") and hasattr(literal, "item") and getattr(literal, "ndim", 1) == 0:
            literal = literal.item()
        if not isinstance(literal, int):
            hint = "scale fractions to integers first" if isinstance(literal, float) else "use int or bool"
            raise refuse(f"a {type(literal).__name__} cannot be an operand", fix=hint)
        key = (isinstance(literal, bool), int(literal))
        if key not in self._constants:
            if not -(1 << 63) <= literal < 1 << 63:
                raise refuse("the constant does not fit in 64 bits")
            kind = (
                Type("bool", (), False)
                if isinstance(literal, bool)
                else Type("int", (), False, literal, literal)
            )
            self._constants[key] = self._append(Node("constant", literal=literal), (kind,), here())[0]
        return self._constants[key]

    def record(self, op: str, args: Sequence[int]) -> range:
        """One operation; the value numbers of its results.

        Raises  UsageError with the user's line if the types do not fit or the result could overflow
        """
        infer = OPS[op].infer
        assert infer is not None, op
        try:
            results = infer([self.types[a] for a in args], self.maxima)
        except UsageError as error:
            error.where = here()
            error.what = f"{op}: {error.what}"
            raise
        return self._append(Node(op, tuple(args)), results, here())

    def _append(self, node: Node, results: Sequence[Type], line: str) -> range:
        if len(self._nodes) >= MAX_NODES:
            raise refuse(
                f"the program has more than {MAX_NODES} operations",
                fix="work on whole vectors instead of looping in Python",
            )
        start = len(self.types)
        self._nodes.append(node)
        self._starts.append(start)
        self._lines.append(line)
        self.types.extend(results)
        return range(start, len(self.types))

    def finish(self, name: str, doc: str, outputs: Sequence[tuple[str, int]]) -> tuple[Program, list[str]]:
        """The program without operations that no output needs, and the line of each node left.

        Inputs and parameters stay, so that the validator can complain about those never used.
        """
        needed = {value for _, value in outputs}
        keep: list[int] = []
        for position in range(len(self._nodes) - 1, -1, -1):
            node = self._nodes[position]
            stop = self._starts[position + 1] if position + 1 < len(self._starts) else len(self.types)
            if node.declared is not None or needed.intersection(range(self._starts[position], stop)):
                keep.append(position)
                needed.update(node.args)
        keep.reverse()
        numbers: dict[int, int] = {}
        for position in keep:
            stop = self._starts[position + 1] if position + 1 < len(self._starts) else len(self.types)
            for value in range(self._starts[position], stop):
                numbers[value] = len(numbers)
        nodes = tuple(
            Node(n.op, tuple(numbers[a] for a in n.args), n.name, n.declared, n.literal)
            for n in (self._nodes[position] for position in keep)
        )
        revealed = tuple((output, numbers[value]) for output, value in outputs)
        program = Program(name, doc, tuple(self.maxima.items()), nodes, revealed)
        return program, [self._lines[position] for position in keep]
