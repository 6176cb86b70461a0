"""What a network does to packets, as a function of a seed: delay, jitter, loss, duplicates, rate, partitions.

Every direction of every pair of hosts has a weather of its own, which may change at any moment, so
partitions can be asymmetric, and cut some pairs but not others. Nothing here knows sockets or clocks: the
same seed, packets and times give the same arrivals.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

Way = tuple[int, int]
"""(from host, to host)."""


@dataclass(frozen=True, slots=True)
class Weather:
    """The state of one direction between two hosts.

    delay_s, jitter_s  a packet takes delay_s plus up to jitter_s, uniform; jitter reorders packets
    loss, duplicate    probabilities per packet, 0..1
    bytes_per_s        the rate at which packets leave; what waits longer than queue_s is dropped
    cut                nothing arrives
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    bytes_per_s: float = math.inf
    queue_s: float = 2.0
    cut: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.loss <= 1 and 0 <= self.duplicate <= 1):
            raise ValueError("loss and duplicate are probabilities")
        if min(self.delay_s, self.jitter_s, self.queue_s) < 0 or self.bytes_per_s <= 0:
            raise ValueError("times are not negative, rates are positive")


@dataclass(slots=True)
class Tally:
    """What has happened to packets so far."""

    carried: int = 0
    dropped: int = 0
    doubled: int = 0


@dataclass(slots=True)
class Sky:
    """The weather between `hosts` hosts, and the dice."""

    hosts: int
    seed: int = 0
    fair: Weather = field(default_factory=Weather)
    tally: Tally = field(default_factory=Tally)
    _ways: dict[Way, Weather] = field(default_factory=dict)
    _free_at: dict[Way, float] = field(default_factory=dict)
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def between(self, source: int, target: int) -> Weather:
        return self._ways.get((source, target), self.fair)

    def set(self, source: int, target: int, weather: Weather, *, both: bool = True) -> None:
        """Change the weather between two hosts, in one direction or in both."""
        self._ways[source, target] = weather
        if both:
            self._ways[target, source] = weather

    def set_all(self, weather: Weather) -> None:
        self.fair = weather
        self._ways.clear()

    def cut(self, one: Iterable[int], other: Iterable[int], *, both: bool = True) -> None:
        """Let nothing pass from one side to the other, nor back if `both`."""
        other = set(other)
        for a in one:
            for b in other - {a}:
                for way in ((a, b), (b, a)) if both else ((a, b),):
                    self._ways[way] = replace(self.between(*way), cut=True)

    def heal(self) -> None:
        """End all partitions; delays and losses stay."""
        for way, weather in self._ways.items():
            self._ways[way] = replace(weather, cut=False)

    def arrivals(self, source: int, target: int, now_s: float, size_bytes: int) -> list[float]:
        """When a packet that leaves now arrives: never, once, or twice."""
        weather = self.between(source, target)
        leaves = max(now_s, self._free_at.get((source, target), 0.0)) + size_bytes / weather.bytes_per_s
        if weather.cut or leaves - now_s > weather.queue_s or self._dice.random() < weather.loss:
            self.tally.dropped += 1
            return []
        self._free_at[source, target] = leaves
        copies = 1 + (self._dice.random() < weather.duplicate)
        self.tally.carried += 1
        self.tally.doubled += copies - 1
        return [leaves + weather.delay_s + weather.jitter_s * self._dice.random() for _ in range(copies)]
