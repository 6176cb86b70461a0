"""A fork server whose job processes cheat: the ordinary one, with the steps wrapped from outside.

    python -m mpcd.testing.cheating_process DESCRIPTOR DIRECTORY

What a job process does differently stands in DIRECTORY, in a file with the name of its job's hash; the
cheating daemon writes it before it starts the process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from mpcd._pb.v1 import worker_pb2 as pb
from mpcd.protocols.rounds import Round, Rounds
from mpcd.ring import kernels_three
from mpcd.runtime import forkserver, worker
from mpcd.testing.edits import EditLine, parse_all
from mpcd.testing.wrappers import Edit, cheat, drop, edit_vouch, flip, flipped, shift, spoil

T = TypeVar("T")

BUSY_SIZE = 1200
"""Rows of a matrix whose square takes a second or more."""


def main() -> None:
    """Serve like `mpcd.runtime.forkserver`, with cheating job processes."""
    directory = Path(sys.argv[2])

    class CheatingWork(worker._Work):
        """One run with its steps wrapped."""

        def carry_out(self, order: pb.Order) -> pb.Result:
            file = directory / order.specification_hash.hex()
            lines = parse_all(file.read_text().splitlines())
            self._edits = [_edit(line) for line in lines if line.number("epoch") in (None, order.epoch)]
            return super().carry_out(order)

        def _drive(self, step: Rounds[T]) -> T:
            base = self._codec.next_number
            return super()._drive(cheat(step, *(_later(edit, base) for edit in self._edits)))

    worker._Work = CheatingWork  # type: ignore[misc]
    forkserver.main()


def _later(edit: Edit, base: int) -> Edit:
    """Wrapped steps count their own rounds; edits count those of the whole run."""
    return lambda number, r: edit(base + number, r)


def _edit(line: EditLine) -> Edit:
    round_, to = line.number("round"), line.number("to")
    label = line.words.get("label")
    match line.kind:
        case "shift":
            return shift(round=round_, to=to, label=label)
        case "flip":
            return flip(round=round_, to=to, label=label)
        case "drop":
            return drop(round=round_, to=to, label=label)
        case "vouch":
            return edit_vouch(lambda payload: flipped(payload, 0), round=round_, to=to, label=label)
        case "spoil":
            return spoil(line.number("batch") or 0, admit=line.words.get("admit") == "yes")
        case "busy":
            size = line.number("size") or BUSY_SIZE
            return _at(round_ or 0, lambda _: _busy(size))
    return _at(round_ or 0, _HAPPENINGS[line.kind])


def _at(first: int, happen: Callable[[int], None]) -> Edit:
    def edit(number: int, r: Round) -> Round:
        if number == first:
            happen(number)
        return r

    return edit


def _hold(number: int) -> None:
    """Nothing is sent and nothing received until SIGUSR1; the deadline of the job ends it too."""
    signal.signal(signal.SIGUSR1, lambda *_: None)
    line = {"event": "held", "point": f"round={number}", "pid": os.getpid(), "parent": os.getppid()}
    os.write(2, json.dumps(line).encode() + b"\n")
    signal.pause()


def _die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _busy(size: int) -> None:
    """A long kernel: no signal handler of Python runs then. A log line says that it begins."""
    factors = np.ones((2, size, size), np.uint64)
    os.write(2, json.dumps({"event": "busy", "pid": os.getpid()}).encode() + b"\n")
    kernels_three.matmul_terms(factors, factors, np.zeros((size, size), np.uint64))


_HAPPENINGS: dict[str, Callable[[int], None]] = {"hold": _hold, "die": _die}


if __name__ == "__main__":
    main()
