"""What came of many seeds, counted; and one seed as a line of JSON, as processes tell each other."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from mpcd.testing.simulation.oracle import complaints
from mpcd.testing.simulation.running import tell
from mpcd.testing.simulation.scenario import scenario


@dataclass(frozen=True, slots=True)
class Line:
    """One seed. digest: of everything that happened, hex; wrong: what the oracle complains about."""

    seed: int
    digest: str
    profile: str
    outcome: str
    epochs: int
    storms: bool
    injected: tuple[str, ...]
    wrong: tuple[str, ...]
    scenario: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Line:
        found = json.loads(text)
        lists = {key: tuple(found[key]) for key in ("injected", "wrong")}
        return cls(**{**found, **lists})


def run_seed(seed: int) -> Line:
    """Tell the story of a seed and judge it; a simulation that breaks is wrong, too."""
    which = scenario(seed)
    about = which.job.profile, which.storms, str(which)
    try:
        story = tell(which)
    except Exception as error:  # noqa: BLE001 - a finding like the others, to be repeated by its seed
        broken = f"the simulation ended with {type(error).__name__}: {error}"
        digest = hashlib.sha256(broken.encode()).hexdigest()
        return Line(seed, digest, about[0], "broken", 0, about[1], (), (broken,), about[2])
    return Line(
        seed=seed,
        digest=story.digest.hex(),
        profile=about[0],
        outcome=story.outcome,
        epochs=story.epochs,
        storms=about[1],
        injected=tuple(sorted(story.injected)),
        wrong=tuple(complaints(story)),
        scenario=about[2],
    )


@dataclass
class Summary:
    """Many seeds."""

    seeds: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    restarts: Counter[int] = field(default_factory=Counter)
    failures: list[Line] = field(default_factory=list)
    digest: str = ""

    @classmethod
    def of(cls, lines: Iterable[Line], seconds: float) -> Summary:
        """`lines` in any order: the digest takes them by seed."""
        found = cls(seconds=seconds)
        whole = hashlib.sha256()
        for line in sorted(lines, key=lambda line: line.seed):
            found.seeds += 1
            found.outcomes[f"{'storm' if line.storms else line.profile}: {line.outcome}"] += 1
            found.injected.update(line.injected)
            found.restarts[max(line.epochs - 1, 0)] += 1
            if line.wrong:
                found.failures.append(line)
            whole.update(bytes.fromhex(line.digest))
        found.digest = whole.hexdigest()
        return found

    def text(self) -> str:
        """For people."""
        rate = self.seeds / self.seconds if self.seconds else 0.0
        rows = [
            f"{self.seeds} seeds in {self.seconds:.1f} s: {rate:.2f} per second, {rate * 3600:.0f} per hour"
        ]
        rows += ["", "faults that took effect, by the number of runs"]
        rows += [f"  {what:18} {count}" for what, count in sorted(self.injected.items())]
        rows += ["", "outcomes at honest parties"]
        rows += [f"  {what:40} {count}" for what, count in sorted(self.outcomes.items())]
        rows += ["", "restarts of a computation"]
        rows += [f"  {count} {runs}" for count, runs in sorted(self.restarts.items())]
        rows += ["", f"digest {self.digest}", f"failures {len(self.failures)}"]
        for line in self.failures:
            rows += ["", f"seed {line.seed}: {line.scenario}", *(f"  {text}" for text in line.wrong)]
            rows += [f"  again: python -m mpcd.testing.simulation --seeds {line.seed}..{line.seed} --story"]
        return "\n".join(rows)

    def to_json(self) -> str:
        """For machines."""
        counted = {name: dict(getattr(self, name)) for name in ("outcomes", "injected", "restarts")}
        failures = [asdict(line) for line in self.failures]
        found = {"seeds": self.seeds, "seconds": self.seconds, "digest": self.digest, "failures": failures}
        return json.dumps(found | counted, sort_keys=True, indent=2)
