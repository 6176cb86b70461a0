"""What a daemon imports does not load the compiler: it costs a second and memory protection."""

from __future__ import annotations

import subprocess
import sys

DAEMON = [
    "mpcd.ring.streams",
    "mpcd.ring.tags",
    "mpcd.ring.digests",
    "mpcd.ring.bits",
    "mpcd.protocols.rep4.keys",
    "mpcd.protocols.rep4.inputs",
    "mpcd.protocols.rep4.outputs",
]


def loads_numba(modules: list[str]) -> bool:
    program = f"import sys, {', '.join(modules)}; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip() == "True"


def test_a_daemon_does_not_load_the_compiler() -> None:
    assert not loads_numba(DAEMON)


def test_kernels_do() -> None:
    assert loads_numba(["mpcd.ring.kernels"])
