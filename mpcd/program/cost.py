"""What a program will cost on an engine, before anybody consents to it.

The estimate counts the protocol's own messages; framing, agreement and the hand-over of inputs and outputs
come on top. It is made for given lengths of the dimensions: the declared bounds of a job, say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mpcd.errors import RefusedError
from mpcd.program.check import Checked
from mpcd.program.cost_rules import Stage
from mpcd.program.evaluate import check_dims
from mpcd.program.limits import MAX_ELEMENTS, Limits
from mpcd.program.ops import OPS
from mpcd.program.schedule import TALKED, Task, call_of, groups, schedule
from mpcd.program.types import INT64_HIGH, INT64_LOW, lengths


class CostModel(Protocol):
    """What the engine of a protocol says of its operations.

    signed_bits    values must be signed integers of so many bits
    compare_bits   `less_than` is exact for signed integers of so many bits
    element_bytes  memory of one shared integer at one party
    block_elements elements that an operation is given at once, as of the engine
    """

    @property
    def signed_bits(self) -> int: ...
    @property
    def compare_bits(self) -> int: ...
    @property
    def element_bytes(self) -> int: ...
    @property
    def block_elements(self) -> int: ...

    def rounds(self, operation: str) -> int:
        """Network rounds of a method of the engine."""
        ...

    def bytes_sent(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Bytes that one party sends (the busiest) for so many results.

        length   inner length of an inner or a matrix product; columns: of the result of a matrix product
        """
        ...

    def working_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Memory for messages and for what is used up, besides operands and results."""
        ...

    def dispute_bytes(self, operation: str, results: int, length: int = 1, columns: int = 1) -> int:
        """Memory for finding out who lied in the operation, in a process that has no operands."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of one run, per party.

    rounds        network rounds, with independent operations side by side
    bytes_sent    bytes
    memory_bytes  greatest memory of live values and of what the operations that share rounds need meanwhile,
                  or of a dispute about one of them if that is more
    operations    engine operation -> number of results computed
    output_cells  numbers revealed
    """

    rounds: int
    bytes_sent: int
    memory_bytes: int
    operations: Mapping[str, int]
    output_cells: int


def estimate(
    checked: Checked, dims: Mapping[str, int], model: CostModel, block_elements: int | None = None
) -> Estimate:
    """What a run with these lengths costs.

    Levels with more elements than may be alive at once (`block_elements`, by default the engine's) take
    their rounds several times.

    Raises  UsageError for lengths that the program does not allow
            RefusedError if a value might not fit in the engine's integers, or if the work is so large
            that even estimating it would take long
    """
    check_dims(dims, checked.maxima)
    check_fits(checked, model.signed_bits)
    _check_size(checked, dict(dims))
    block_elements = model.block_elements if block_elements is None else block_elements
    tally = _Tally(checked, dict(dims), model)
    for level in schedule(checked):
        rounds = max([tally.talk(p) for p in level.interactive], default=0)
        for portion in groups(checked, level, tally.dims, block_elements):
            tally.work(portion)
            tally.rounds += rounds
        tally.drop(level.dead.get(TALKED, ()))
        for position in level.local:
            tally.define(position)
            tally.drop(level.dead.get(position, ()))
    tally.reveal()
    cells = sum(math.prod(lengths(t.shape, tally.dims)) for t in checked.outputs.values())
    return Estimate(tally.rounds, tally.bytes_sent, tally.peak, dict(tally.operations), cells)


class _Tally:
    """Counters of an estimate while the program is walked through."""

    def __init__(self, checked: Checked, dims: dict[str, int], model: CostModel) -> None:
        self.checked = checked
        self.dims = dims
        self.model = model
        self.operations: Counter[str] = Counter()
        self.rounds = self.bytes_sent = self.live = self.peak = 0
        # position -> memory that the whole operation would need meanwhile, and a dispute about it
        self._working: dict[int, tuple[int, int]] = {}

    def define(self, position: int) -> None:
        """New values come to life."""
        self.live += sum(self._bytes(v) for v in self.checked.results(position))
        self.peak = max(self.peak, self.live)

    def drop(self, values: Sequence[int]) -> None:
        self.live -= sum(self._bytes(v) for v in values)

    def talk(self, position: int) -> int:
        """The rounds of an interactive operation."""
        call = call_of(self.checked, position, self.dims, self.model.compare_bits)
        stages = OPS[self.checked.program.nodes[position].op].cost(call)
        for stage in stages:
            self._send(stage)
        self._working[position] = (
            max([self._work_of(stage) for stage in stages], default=0),
            max([self._dispute_of(stage) for stage in stages], default=0),
        )
        self.define(position)
        return sum(self.model.rounds(stage.operation) for stage in stages if not stage.beside)

    def work(self, portion: Sequence[Task]) -> None:
        """Operations, or parts of them, that share their rounds: what they need meanwhile adds up.

        A dispute is about one of them.
        """
        needed = disputed = 0
        for task in portion:
            working, dispute = self._working[task.position]
            size = 1 if task.whole else self._size(self.checked.starts[task.position])
            part = 1 if task.whole else task.stop - task.start
            needed += working * part // size
            disputed = max(disputed, dispute * part // size)
        self.peak = max(self.peak, self.live + needed, disputed)

    def reveal(self) -> None:
        """Truth values become integers before they leave."""
        flags = [t for t in self.checked.outputs.values() if t.kind == "bool"]
        for t in flags:
            self._send(Stage("to_arithmetic", math.prod(lengths(t.shape, self.dims))))
        self.rounds += self.model.rounds("to_arithmetic") if flags else 0

    def _send(self, stage: Stage) -> None:
        each = self.model.bytes_sent(stage.operation, stage.results, stage.length, stage.columns)
        self.operations[stage.operation] += stage.times * stage.results
        self.bytes_sent += stage.times * each

    def _work_of(self, stage: Stage) -> int:
        each = self.model.working_bytes(stage.operation, stage.results, stage.length, stage.columns)
        return stage.times * each

    def _dispute_of(self, stage: Stage) -> int:
        return self.model.dispute_bytes(stage.operation, stage.results, stage.length, stage.columns)

    def _size(self, value: int) -> int:
        return math.prod(lengths(self.checked.types[value].shape, self.dims))

    def _bytes(self, value: int) -> int:
        t, size = self.checked.types[value], self._size(value)
        if not t.secret:
            return 8 * size
        return self.model.element_bytes * (size if t.kind == "int" else (size + 63) // 64)


def _check_size(checked: Checked, dims: dict[str, int]) -> None:
    elements = 0
    for t in checked.types:
        elements += math.prod(lengths(t.shape, dims))
        if elements > MAX_ELEMENTS:
            raise RefusedError(
                f"the values of the program have more than {MAX_ELEMENTS} elements", fix="use smaller inputs"
            )


def check_fits(checked: Checked, signed_bits: int) -> None:
    """Raises RefusedError if the ranges exceed the integers of an engine."""
    low, high = max(INT64_LOW, -(1 << (signed_bits - 1))), min(INT64_HIGH, (1 << (signed_bits - 1)) - 1)
    for number, t in enumerate(checked.types):
        if t.low < low or t.high > high:
            raise RefusedError(
                f"value %{number} of the program can lie in [{t.low}, {t.high}], but the protocol computes "
                f"with {signed_bits}-bit integers",
                fix="declare narrower ranges or use another protocol",
            )


def check_limits(cost: Estimate, limits: Limits) -> None:
    """Raises RefusedError naming the first limit that the estimate exceeds."""
    for name in ("rounds", "bytes_sent", "memory_bytes", "output_cells"):
        wanted, allowed = getattr(cost, name), getattr(limits, name)
        if wanted > allowed:
            raise RefusedError(
                f"the program needs {wanted} {name.replace('_', ' ')}, allowed are {allowed}",
                fix="use smaller inputs, or raise the limit in the policy of every party",
            )
