"""All benchmarks in one run: `python -m benchmarks.run`.

Our figures are of four processes (rep4) and three (rep3) over mutual TLS with malicious security, and of
three without checks, MPyC's of three processes over TLS with passive security, on the same machine, one after
the other. The machine is noisy: compare ratios within one run. Every result is checked.
"""

from __future__ import annotations

import argparse
import os
import platform

from benchmarks.items import ALL
from benchmarks.parties import Measured, Work, measure
from benchmarks.peer import run_mpyc
from benchmarks.settings import REP3, REP3_UNCHECKED, REP4
from benchmarks.small_job import measure_small_job
from mpcd.ring.kernels import warm_up

# MPyC works on fewer elements where it would need minutes; its time is scaled up linearly.
MPYC_COUNTS = {
    "products": 1_000_000,
    "inner product": 1_000_000,
    "comparisons": 10_000,
    "AND layers": 100_000,
    "dependent products": 1_000,
}
HEADER = (
    "protocol",
    "item",
    "count",
    "seconds",
    "MPyC s",
    "ratio",
    "rounds",
    "B sent/party",
    "payload",
    "CPU s",
    "MB",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--no-mpyc", action="store_true")
    parser.add_argument("--no-job", action="store_true")
    parser.add_argument("--protocol", default="all", help="rep4, rep3, rep3 unchecked, or all")
    options = parser.parse_args()
    warm_up()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    settings = [s for s in (REP4, REP3, REP3_UNCHECKED) if options.protocol in ("all", s.name)]
    works = [make(setting) for setting in settings for make in ALL]
    ours = [(work, measure(work, options.repeat)) for work in works]
    theirs = {} if options.no_mpyc else run_mpyc(MPYC_COUNTS)
    print(" | ".join(HEADER))
    print(" | ".join("---" for _ in HEADER))
    for work, measured in ours:
        print(" | ".join(_row(work, measured, theirs.get(work.name))))
    if not options.no_job:
        print(f"\n{measure_small_job()}")


def _row(work: Work, measured: Measured, mpyc_s: float | None) -> list[str]:
    if mpyc_s is not None:
        layers = 10 if work.name == "AND layers" else 1
        mpyc_s *= work.count / (MPYC_COUNTS[work.name] * layers)
    return [
        work.setting.name,
        work.name,
        str(work.count),
        f"{measured.seconds:.4f}",
        f"{mpyc_s:.2f}" if mpyc_s is not None else "",
        f"{mpyc_s / measured.seconds:.0f}" if mpyc_s is not None else "",
        str(measured.rounds),
        str(measured.sent_bytes),
        str(measured.payload_bytes),
        f"{measured.cpu_s:.3f}",
        f"{measured.memory_bytes / 1e6:.0f}",
    ]


if __name__ == "__main__":
    main()
