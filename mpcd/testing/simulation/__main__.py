"""Simulated jobs by the thousand.

    python -m mpcd.testing.simulation --seeds 0..999 [--jobs 2] [--json FILE] [--story]

Seeds are given as first..last. Exit code 1 if the oracle complains about any of them. The digest depends on
the seeds and the code alone.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from mpcd.testing.simulation.report import Line, Summary, run_seed
from mpcd.testing.simulation.running import tell
from mpcd.testing.simulation.scenario import scenario


def main(given: list[str] | None = None) -> int:
    """Run the seeds and say what came of them; the exit code."""
    parser = argparse.ArgumentParser(prog="mpcd.testing.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_range, required=True, metavar="FIRST..LAST")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes share the work")
    parser.add_argument("--json", type=Path, help="where to write the summary for machines")
    parser.add_argument("--story", action="store_true", help="tell everything that happens")
    parser.add_argument("--lines", action="store_true", help="one line of JSON per seed and nothing else")
    parser.add_argument("--every", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if not options.story:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seeds = range(options.seeds.start, options.seeds.stop, options.every)
    if options.story:
        for seed in seeds:
            print("\n".join([f"seed {seed}", *tell(scenario(seed)).lines()]))
    if options.lines:
        for seed in seeds:
            print(run_seed(seed).to_json(), flush=True)
        return 0
    begun = time.monotonic()
    lines = list(_shared(seeds, options.jobs) if options.jobs > 1 else map(run_seed, seeds))
    summary = Summary.of(lines, time.monotonic() - begun)
    print(summary.text())
    if options.json is not None:
        options.json.write_text(summary.to_json() + "\n", encoding="utf-8")
    return 1 if summary.failures else 0


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    if not first.isdecimal() or (dots and not last.isdecimal()):
        raise argparse.ArgumentTypeError("seeds are given as FIRST..LAST")
    return range(int(first), int(last or first) + 1)


def _shared(seeds: range, jobs: int) -> Iterator[Line]:
    """Every process takes each so-manieth seed."""
    if not seeds:
        return
    command = [sys.executable, "-m", "mpcd.testing.simulation", "--lines", "--every", str(jobs)]
    children = [
        subprocess.Popen([*command, "--seeds", f"{first}..{seeds[-1]}"], stdout=subprocess.PIPE, text=True)
        for first in seeds[:jobs]
    ]
    with ThreadPoolExecutor(jobs) as readers:
        for child, text in zip(children, readers.map(_all_of, children), strict=True):
            if child.returncode:
                raise SystemExit(f"a process ended with exit code {child.returncode}")
            yield from map(Line.from_json, text.splitlines())


def _all_of(child: subprocess.Popen[str]) -> str:
    return child.communicate()[0]


if __name__ == "__main__":
    sys.exit(main())
