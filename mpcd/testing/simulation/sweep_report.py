"""What came of a sweep, counted, for people and for machines."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from mpcd.testing.simulation.sweep import CAUGHT, HARMLESS, IDLE, WRONG, Told

VERDICTS = (CAUGHT, HARMLESS, IDLE, WRONG)


@dataclass
class SweepSummary:
    """Many lies, one per run of a job.

    listed    how many there are to tell; every: each how-manieth of them was told
    verdicts  (kind, verdict) -> runs; reasons: why a lie was harmless -> runs; restarts: of the computation
    """

    job: str
    listed: int
    every: int
    seconds: float
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    restarts: Counter[int] = field(default_factory=Counter)
    idle: list[Told] = field(default_factory=list)
    failures: list[Told] = field(default_factory=list)
    digest: str = ""

    @classmethod
    def of(cls, job: str, listed: int, every: int, lines: Iterable[Told], seconds: float) -> SweepSummary:
        """`lines` in any order: the digest takes them by number."""
        found = cls(job, listed, every, seconds)
        whole = hashlib.sha256()
        for line in sorted(lines, key=lambda line: line.number):
            found.verdicts[line.kind, line.verdict] += 1
            found.restarts[max(line.epochs - 1, 0)] += 1
            if line.verdict == HARMLESS:
                found.reasons[line.why] += 1
            elif line.verdict == IDLE:
                found.idle.append(line)
            elif line.verdict == WRONG:
                found.failures.append(line)
            whole.update(bytes.fromhex(line.digest))
        found.digest = whole.hexdigest()
        return found

    @property
    def told(self) -> int:
        return self.verdicts.total()

    def count(self, verdict: str) -> int:
        return sum(runs for (_, which), runs in self.verdicts.items() if which == verdict)

    def text(self) -> str:
        """For people."""
        rate = self.told / self.seconds if self.seconds else 0.0
        rows = [
            f"{self.told} of {self.listed} lies in {self.job}, one per run, in {self.seconds:.1f} s: "
            f"{rate:.2f} per second",
            ", ".join(f"{verdict} {self.count(verdict)}" for verdict in VERDICTS),
            "",
            f"{'':18}" + "".join(f"{verdict:>10}" for verdict in VERDICTS),
        ]
        kinds = sorted({kind for kind, _ in self.verdicts})
        rows += [f"{kind:18}" + "".join(f"{self.verdicts[kind, v]:>10}" for v in VERDICTS) for kind in kinds]
        rows += ["", "why lies were harmless"]
        rows += [f"  {why:48} {runs}" for why, runs in sorted(self.reasons.items())]
        rows += ["", "restarts of the computation"]
        rows += [f"  {count} {runs}" for count, runs in sorted(self.restarts.items())]
        rows += ["", f"digest {self.digest}", f"idle {len(self.idle)}"]
        rows += [f"  {line.number}: {line.party}: {line.lie}" for line in self.idle]
        rows += [f"failures {len(self.failures)}"]
        for line in self.failures:
            rows += ["", f"{line.number}: {line.party}: {line.lie}", *(f"  {text}" for text in line.wrong)]
            rows += [
                f"  again: python -m mpcd.testing.simulation --sweep {self.job} --only {line.number} --story"
            ]
        return "\n".join(rows)

    def to_json(self) -> str:
        """For machines."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, verdict), runs in sorted(self.verdicts.items()):
            kinds.setdefault(kind, {})[verdict] = runs
        found = {
            "job": self.job,
            "listed": self.listed,
            "every": self.every,
            "told": self.told,
            "seconds": self.seconds,
            "digest": self.digest,
            "verdicts": {verdict: self.count(verdict) for verdict in VERDICTS},
            "kinds": kinds,
            "harmless": dict(sorted(self.reasons.items())),
            "restarts": {str(count): runs for count, runs in sorted(self.restarts.items())},
            "idle": [asdict(line) for line in self.idle],
            "failures": [asdict(line) for line in self.failures],
        }
        return json.dumps(found, indent=2)
