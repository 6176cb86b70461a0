"""Freed memory is kept: a second large array costs no fresh pages."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
import numpy as np
from mpcd.ring.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(6_000_000)  # 48 MB: more than the C library ever keeps of its own accord
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

without = faults()
assert keep_freed_memory()
faults()
print(without, faults())
"""


def test_large_arrays_reuse_memory() -> None:
    """In a process of its own: the setting is for the rest of a process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60,
        env={"NUMPY_MADVISE_HUGEPAGE": "0"},
    )  # fmt: skip
    without, kept = map(int, done.stdout.split())
    assert without > 5000
    assert kept < without / 20


def test_collections_are_rare_afterwards() -> None:
    """In a process of its own: what was loaded is frozen, and many objects later nothing was collected."""
    code = (
        "import gc\n"
        "from mpcd.ring.memory import collect_rarely\n"
        "collect_rarely()\n"
        "assert gc.get_freeze_count() > 1000\n"
        "before = gc.get_stats()[0]['collections']\n"
        "kept = [[k] for k in range(50_000)]\n"
        "assert gc.get_stats()[0]['collections'] == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
