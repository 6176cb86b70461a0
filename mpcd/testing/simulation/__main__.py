"""Simulated jobs by the thousand.

    python -m mpcd.testing.simulation --seeds 0..999 [--jobs 2] [--json FILE] [--story]
    python -m mpcd.testing.simulation --sweep JOB [--every K] [--jobs 2] [--json FILE]
    python -m mpcd.testing.simulation --sweep JOB --only NUMBER --story

Seeds are given as first..last. A sweep runs a job once for everything that one party could do differently in
it; JOB is squares, above, first-price, second-price, random or random-NUMBER, with :3 behind it if three
parties compute. Exit code 1 if the oracle complains. The digest depends on the seeds, or the sweep, and on
the code alone.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from mpcd.errors import UsageError
from mpcd.testing.simulation.report import Line, Summary, run_seed
from mpcd.testing.simulation.running import tell
from mpcd.testing.simulation.scenario import scenario
from mpcd.testing.simulation.sweep import Told, job_scenario, run, surveyed, sweep, told
from mpcd.testing.simulation.sweep_report import SweepSummary


def main(given: list[str] | None = None) -> int:
    """Run the seeds, or the sweep, and say what came of it; the exit code."""
    options = _options(given)
    if not options.story:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    begun = time.monotonic()
    summary = _seeds(options, begun) if options.sweep is None else _sweep(options, begun)
    if summary is None:
        return 0
    print(summary.text())
    if options.json is not None:
        options.json.write_text(summary.to_json() + "\n", encoding="utf-8")
    return 1 if summary.failures else 0


def _options(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mpcd.testing.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", type=_range, metavar="FIRST..LAST")
    which.add_argument("--sweep", type=_job, metavar="JOB")
    parser.add_argument("--every", type=_count, default=1, help="of a sweep: each how-manieth lie of a kind")
    parser.add_argument("--only", type=int, help="of a sweep: one lie, by its number")
    parser.add_argument("--jobs", type=_count, default=1, help="how many processes share the work")
    parser.add_argument("--json", type=Path, help="where to write the summary for machines")
    parser.add_argument("--story", action="store_true", help="tell everything that happens")
    parser.add_argument("--lines", action="store_true", help="one line of JSON per run and nothing else")
    parser.add_argument("--part", type=_range, default=range(1), help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.sweep is None and (options.every > 1 or options.only is not None):
        parser.error("--every and --only belong to a sweep")
    if options.story and options.sweep is not None and options.only is None:
        parser.error("--story of a sweep needs --only")
    return options


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    if not first.isdecimal() or (dots and not last.isdecimal()):
        raise argparse.ArgumentTypeError("a range is given as FIRST..LAST")
    return range(int(first), int(last or first) + 1)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a positive number is needed")
    return int(text)


def _job(text: str) -> str:
    try:
        job_scenario(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _seeds(options: argparse.Namespace, begun: float) -> Summary | None:
    part, parts = _part(options)
    seeds = options.seeds[part::parts]
    if options.story:
        for seed in seeds:
            print("\n".join([f"seed {seed}", *tell(scenario(seed)).lines()]))
    if options.lines:
        _print(run_seed(seed).to_json() for seed in seeds)
        return None
    if options.jobs > 1:
        given = ["--seeds", f"{options.seeds.start}..{options.seeds.stop - 1}"]
        lines = [Line.from_json(text) for text in _shared(given, options.jobs)]
    else:
        lines = [run_seed(seed) for seed in seeds]
    return Summary.of(lines, time.monotonic() - begun)


def _sweep(options: argparse.Namespace, begun: float) -> SweepSummary | None:
    job, part = options.sweep, _part(options)
    listed = len(surveyed(job).lies)
    if options.only is not None:
        if options.only not in range(listed):
            raise SystemExit(f"there are {listed} lies in {job}, numbered from 0")
        if options.story:
            print("\n".join([f"lie {options.only}", *run(job, options.only).lines()]))
        lines = [told(job, options.only)]
    elif options.lines:
        _print(line.to_json() for line in sweep(job, options.every, *part))
        return None
    elif options.jobs > 1:
        given = ["--sweep", job, "--every", str(options.every)]
        lines = [Told.from_json(text) for text in _shared(given, options.jobs)]
    else:
        lines = list(sweep(job, options.every))
    return SweepSummary.of(job, listed, options.every, lines, time.monotonic() - begun)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


# -- several processes ------------------------------------------------------------------------------------


def _part(options: argparse.Namespace) -> tuple[int, int]:
    """(k, n): this process does the k-th of each n runs; on the command line k..n-1."""
    return options.part.start, options.part.stop


def _shared(given: list[str], jobs: int) -> Iterator[str]:
    """The lines of all processes, each of which takes every so-manieth run."""
    command = [sys.executable, "-m", "mpcd.testing.simulation", "--lines", *given]
    children = [
        subprocess.Popen([*command, "--part", f"{k}..{jobs - 1}"], stdout=subprocess.PIPE, text=True)
        for k in range(jobs)
    ]
    with ThreadPoolExecutor(jobs) as readers:
        for child, text in zip(children, readers.map(_all_of, children), strict=True):
            if child.returncode:
                raise SystemExit(f"a process ended with exit code {child.returncode}")
            yield from text.splitlines()


def _all_of(child: subprocess.Popen[str]) -> str:
    return child.communicate()[0]


if __name__ == "__main__":
    sys.exit(main())
