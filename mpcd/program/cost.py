"""What a program will cost on an engine, before anybody consents to it.

The estimate counts the protocol's own messages; framing, agreement and the hand-over of inputs and outputs
come on top. It is made for given lengths of the dimensions: the declared bounds of a job, say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mpcd.errors import RefusedError
from mpcd.program.check import Checked
from mpcd.program.evaluate import check_dims
from mpcd.program.limits import Limits
from mpcd.program.ops import OPS
from mpcd.program.schedule import call_of, groups, schedule
from mpcd.program.types import INT64_HIGH, INT64_LOW, Type, lengths


class CostModel(Protocol):
    """What the engine of a protocol says of its operations.

    signed_bits    values must be signed integers of so many bits
    compare_bits   `less_than` is exact for signed integers of so many bits
    element_bytes  memory of one shared integer at one party
    """

    @property
    def signed_bits(self) -> int: ...
    @property
    def compare_bits(self) -> int: ...
    @property
    def element_bytes(self) -> int: ...

    def rounds(self, operation: str) -> int:
        """Network rounds of a method of the engine."""
        ...

    def bytes_sent(self, operation: str, results: int) -> int:
        """Bytes that one party sends (the busiest) for so many results."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of one run, per party.

    rounds        network rounds, with independent operations side by side
    bytes_sent    bytes
    memory_bytes  greatest memory of live values and of the messages of one operation
    operations    engine operation -> number of results computed
    output_cells  numbers revealed
    """

    rounds: int
    bytes_sent: int
    memory_bytes: int
    operations: Mapping[str, int]
    output_cells: int


def estimate(
    checked: Checked, dims: Mapping[str, int], model: CostModel, block_elements: int = 1 << 20
) -> Estimate:
    """What a run with these lengths costs.

    `block_elements` is the engine's: levels with more elements than may be alive at once take their
    rounds several times.

    Raises  UsageError for lengths that the program does not allow
            RefusedError if a value might not fit in the engine's integers
    """
    check_dims(dims, checked.maxima)
    check_fits(checked, model.signed_bits)
    counts: Counter[str] = Counter()
    rounds = bytes_sent = live = peak = 0
    actual = dict(dims)
    for level in schedule(checked):
        longest = busy = 0
        for position in (*level.interactive, *level.local):
            node = checked.program.nodes[position]
            live += sum(_bytes(checked.types[v], actual, model) for v in checked.results(position))
            call = call_of(checked, position, actual, model.compare_bits)
            if not call.results[0].secret:
                continue
            steps = 0
            for operation, results in OPS[node.op].cost(call):
                counts[operation] += results
                steps += model.rounds(operation)
                sent = model.bytes_sent(operation, results)
                bytes_sent += sent
                busy = max(busy, sent)
            longest = max(longest, steps)
        peak = max(peak, live + 2 * busy)  # a message is kept until the peer's next frame is in
        live -= sum(_bytes(checked.types[v], actual, model) for v in level.dead)
        rounds += longest * sum(1 for _ in groups(checked, level, actual, block_elements))
    bits = [t for t in checked.outputs.values() if t.kind == "bool"]
    for t in bits:
        counts["to_arithmetic"] += (size := math.prod(lengths(t.shape, actual)))
        bytes_sent += model.bytes_sent("to_arithmetic", size)
    rounds += model.rounds("to_arithmetic") if bits else 0
    cells = sum(math.prod(lengths(t.shape, actual)) for t in checked.outputs.values())
    return Estimate(rounds, bytes_sent, peak, dict(counts), cells)


def _bytes(t: Type, dims: dict[str, int], model: CostModel) -> int:
    size = math.prod(lengths(t.shape, dims))
    if not t.secret:
        return 8 * size
    return model.element_bytes * (size if t.kind == "int" else (size + 63) // 64)


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
