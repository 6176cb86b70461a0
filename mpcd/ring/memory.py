"""The process's own memory: keep what arrays have used, instead of returning it to the system each time.

An operation on large arrays allocates its results anew. If the C library gives freed arrays back to the
system, the next ones are fresh pages that the kernel must clear: measured, a product of 10^6 elements then
takes 50 to 250 ms instead of 20.
"""

from __future__ import annotations

import ctypes
import gc

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_LARGEST_INT = 2**31 - 1
_GROW_BYTES = 64 << 20


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory for the next allocation, for the rest of this process.

    For job processes, which end soon; the process's size then stays at its peak. False if the C library
    has no such setting (it is then only slower).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _LARGEST_INT), (_M_TOP_PAD, _GROW_BYTES))
    return all(mallopt(name, value) == 1 for name, value in settings)


def collect_rarely() -> None:
    """Leave what is loaded by now to all processes forked from here, and look for cycles of garbage rarely.

    Arrays are freed when nobody holds them any more; cycles come from failures only. Measured: a tenth of the
    time of a thousand dependent products went into looking for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
