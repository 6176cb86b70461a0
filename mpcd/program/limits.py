"""How large a program, and the work it asks for, may be.

The first group bounds what a daemon reads before it knows anything of the job; the second is checked
against the cost estimate for the declared bounds of a job, before consent.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 1 << 20
MAX_NODES = 10_000
MAX_DIMS = 64
MAX_OUTPUTS = 1_000
MAX_DOC_CHARACTERS = 2_000
MAX_ELEMENTS = 1 << 36
"""Elements of all values of a program together, for the lengths of a job."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a policy allows one job to cost.

    rounds        network rounds
    bytes_sent    bytes that one party sends in all
    memory_bytes  largest memory of one party's values at any one time
    output_cells  numbers revealed in all
    """

    rounds: int = 100_000
    bytes_sent: int = 16 << 30
    memory_bytes: int = 4 << 30
    output_cells: int = 1_000_000
