"""The interpreter: runs a checked program on shared inputs, on whatever engine it is given.

Level by level (`mpcd.program.schedule`): the interactive operations of a level share their rounds, so that
the number of rounds is the depth of the program. Large elementwise operations are cut into blocks of the
size that the engine asks for; blocks share rounds too, but only as many at a time as keep memory bounded.
Values that nothing needs any more are dropped at once.

Randomness  every operation works at the child path named by its position in the program, every block at
            a child of that: no two draws share a path, and all parties agree on every path
Security    that of the engine; nothing is opened here: the outputs stay shared
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mpcd.errors import InternalError
from mpcd.program.check import Checked
from mpcd.program.cost import check_fits
from mpcd.program.cost_rules import Call
from mpcd.program.evaluate import Given, check_dims, public_values
from mpcd.program.ops import OPS
from mpcd.program.schedule import TALKED, Level, Task, call_of, groups, schedule
from mpcd.program.types import Shape, Type, lengths
from mpcd.protocols.engine import AnyEngine
from mpcd.protocols.rounds import Rounds, parallel
from mpcd.runtime.lowering import INTERACTIVE, LOCAL, Value, stretch


def run(
    program: Checked,
    engine: AnyEngine,
    arguments: Mapping[str, Value],
    dims: Mapping[str, int],
    parameters: Mapping[str, Given],
    *,
    bits: Mapping[str, Value] | None = None,
) -> Rounds[dict[str, Value]]:
    """Compute shared outputs from shared inputs.

    Shapes     arguments: arithmetic sharings of the declared shapes, truth values as 0 and 1;
               `bits`: inputs of truth values that are shared as flat vectors of bits already.
               Result: output name -> arithmetic sharing, flat, row-major (a single value: length 1),
               truth values as 0 and 1
    Cost       as `mpcd.program.cost.estimate` says
    Malicious  as the engine; that inputs are in their declared ranges must have been checked before
    Raises     UsageError if arguments, lengths or parameters do not fit the program
               RefusedError if the engine's integers are too small for it
    """
    check_dims(dims, program.maxima)
    check_fits(program, engine.signed_bits)
    public = public_values(program, parameters, dims)
    machine = _Machine(program, engine, dict(dims), {**arguments, **public}, dict(bits or {}))
    del arguments, bits  # the machine drops an input when nothing needs it any more
    for level in schedule(program):
        yield from machine.level(level)
    return (yield from machine.outputs())


class _Machine:
    """The values of one run."""

    def __init__(
        self,
        program: Checked,
        engine: AnyEngine,
        dims: dict[str, int],
        given: dict[str, Value],
        bits: dict[str, Value],
    ) -> None:
        self.checked = program
        self.nodes = program.program.nodes
        self.engine = engine
        self.dims = dims
        self.given = given
        self.bits = bits
        self.values: list[Value] = [None] * len(program.types)
        self.sizes: dict[Shape, int] = {}
        self.block = max(64, engine.block_elements // 64 * 64)

    def level(self, level: Level) -> Rounds[None]:
        if len(level.interactive) == 1 and self._is_whole(level.interactive[0]):
            # Most levels of a deep program: no task list and no merging of rounds.
            position = level.interactive[0]
            self._store(position, (yield from self._step(position)))
        elif level.interactive:
            yield from self._together(level)
        for value in level.dead.get(TALKED, ()):
            self.values[value] = None
        for position in level.local:
            self._store(position, self._local(position))
            for value in level.dead.get(position, ()):
                self.values[value] = None

    def outputs(self) -> Rounds[dict[str, Value]]:
        """All outputs as integers."""
        outputs = {name: self.values[value] for name, value in self.checked.program.outputs}
        flags = [name for name, t in self.checked.outputs.items() if t.kind == "bool"]
        scope = self.engine.at("outputs")
        numbers = yield from parallel(
            [scope.at(k).to_arithmetic(outputs[name]) for k, name in enumerate(flags)]
        )
        outputs.update(zip(flags, numbers, strict=True))
        return outputs

    # -- one operation -----------------------------------------------------------------------------

    def _call(self, position: int) -> Call:
        return call_of(self.checked, position, self.dims, self.engine.compare_bits)

    def _elements(self, t: Type) -> int:
        size = self.sizes.get(t.shape)
        if size is None:
            size = self.sizes[t.shape] = math.prod(lengths(t.shape, self.dims))
        return size

    def _size(self, position: int) -> int:
        """Elements of the (first) result."""
        return self._elements(self.checked.types[self.checked.starts[position]])

    def _is_whole(self, position: int) -> bool:
        """Whether the operation is done in one piece."""
        return self._size(position) <= self.block or not OPS[self.nodes[position].op].elementwise

    def _store(self, position: int, result: Any) -> None:
        start = self.checked.starts[position]
        if self.nodes[position].name:
            self.given.pop(self.nodes[position].name, None)
            self.bits.pop(self.nodes[position].name, None)
        if type(result) is list:
            self.values[start : start + len(result)] = result
        else:
            self.values[start] = result

    def _args(self, position: int, call: Call) -> list[Value]:
        """Operands; those of an elementwise operation all at the length of the result."""
        node = self.nodes[position]
        if node.op == "input":
            return [self._given_input(node.name, call)]
        args = [*map(self.values.__getitem__, node.args)]
        if not OPS[node.op].elementwise:
            return args
        shape = call.results[0].shape
        for t in call.args:
            if not t.secret or t.shape != shape:
                break
        else:
            return args
        size = self._elements(call.results[0])
        return [
            # A single bit is stretched only after its conversion to an integer (`select`).
            a if t.kind == "bool" and t.secret else stretch(self.engine, a, t, size)
            for a, t in zip(args, call.args, strict=True)
        ]

    def _given_input(self, name: str, call: Call) -> Value:
        x = self.given[name]
        size = call.size(call.results[0])
        if math.prod(x.shape) != size:
            raise InternalError(f"input {name}: {x.shape} does not fit the agreed lengths")
        return x if x.shape == (size,) else self.engine.reshape(x, (size,))

    def _step(self, position: int) -> Rounds[Any]:
        node = self.nodes[position]
        if node.op == "input" and node.name in self.bits:
            return _ready(self.bits[node.name])
        call = self._call(position)
        scope = self.engine.at(f"v{position}")
        return INTERACTIVE[OPS[node.op].lowering](scope, call, self._args(position, call))

    def _local(self, position: int) -> Any:
        node = self.nodes[position]
        call = self._call(position)
        if node.op == "constant":
            return np.asarray(node.literal)
        if not call.results[0].secret:
            return self._public(position, call)
        if node.op == "input":
            return self._given_input(node.name, call)
        return LOCAL[OPS[node.op].lowering](self.engine, call, self._args(position, call))

    def _public(self, position: int, call: Call) -> Any:
        """What everybody knows is computed in clear, by the rule that defines the operation."""
        node = self.nodes[position]
        rule = OPS[node.op].clear
        if rule is None:
            return self.given[node.name]
        results = rule([self.values[a] for a in node.args], call.results)
        return results[0] if len(results) == 1 else list(results)

    # -- many operations at once -------------------------------------------------------------------

    def _together(self, level: Level) -> Rounds[None]:
        """Interactive operations side by side, in groups of bounded size."""
        parts: dict[int, list[Value]] = {position: [] for position in level.interactive}
        for group in groups(self.checked, level, self.dims, self.block):
            results = yield from parallel([self._branch(task) for task in group])
            for task, result in zip(group, results, strict=True):
                parts[task.position].append(result)
                if task.whole:
                    self._store(task.position, result)
                elif task.stop == self._size(task.position):
                    self._store(task.position, self._joined(task.position, parts.pop(task.position)))

    def _branch(self, task: Task) -> Rounds[Any]:
        if task.whole:
            return self._step(task.position)
        node = self.nodes[task.position]
        if node.op == "input" and node.name in self.bits:
            return _ready(self.engine.take_bits(self.bits[node.name], task.start, task.stop))
        call = self._call(task.position)
        args = [
            self._piece(a, task, bits=not isinstance(a, np.ndarray) and self._is_bits(task.position, k))
            for k, a in enumerate(self._args(task.position, call))
        ]
        scope = self.engine.at(f"v{task.position}", task.start // self.block)
        return INTERACTIVE[OPS[node.op].lowering](scope, call, args)

    def _is_bits(self, position: int, operand: int) -> bool:
        node = self.nodes[position]
        return node.op != "input" and self.checked.types[node.args[operand]].kind == "bool"

    def _piece(self, x: Value, task: Task, *, bits: bool) -> Value:
        if isinstance(x, np.ndarray):
            return x[task.start : task.stop]
        if x.shape == (1,):
            return x
        if bits:
            return self.engine.take_bits(x, task.start, task.stop)
        return self.engine.take(x, np.arange(task.start, task.stop), 0)

    def _joined(self, position: int, parts: list[Value]) -> Value:
        if self.checked.types[self.checked.starts[position]].kind == "bool":
            return self.engine.join_bits(parts)
        return self.engine.join(parts, 0)


def _ready(value: Value) -> Rounds[Value]:
    """A step that has nothing to do."""
    return value
    yield  # a generator, but without any round
