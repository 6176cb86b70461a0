"""The weather of a simulated network: what packets meet, as a function of a seed."""

from __future__ import annotations

import pytest

from mpcd.testing.network.weather import Sky, Weather

PACKETS = 4000


def all_arrivals(sky: Sky, way: tuple[int, int] = (0, 1), gap_s: float = 0.01) -> list[list[float]]:
    return [sky.arrivals(*way, k * gap_s, 100) for k in range(PACKETS)]


def test_fair_weather_carries_everything_at_once() -> None:
    assert all_arrivals(Sky(2)) == [[k * 0.01] for k in range(PACKETS)]


def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others() -> None:
    stormy = Weather(delay_s=0.1, jitter_s=0.1, loss=0.2, duplicate=0.1)
    first, again, other = (all_arrivals(Sky(2, seed, stormy)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_delay_jitter_loss_and_duplicates_are_what_was_asked_for() -> None:
    sky = Sky(2, 3, Weather(delay_s=0.1, jitter_s=0.05, loss=0.2, duplicate=0.1))
    found = all_arrivals(sky)
    late = [at - k * 0.01 for k, times in enumerate(found) for at in times]
    assert 0.1 <= min(late) < 0.102
    assert 0.148 < max(late) <= 0.15
    lost = sum(not times for times in found)
    assert abs(lost / PACKETS - 0.2) < 0.03
    assert abs(sky.tally.doubled / sky.tally.carried - 0.1) < 0.03
    assert sky.tally.dropped == lost


def test_a_rate_delays_packets_and_a_full_queue_drops_them() -> None:
    sky = Sky(2, 0, Weather(bytes_per_s=1000, queue_s=1.0))
    found = [sky.arrivals(0, 1, 0.0, 100) for _ in range(12)]
    assert [round(times[0], 3) for times in found[:10]] == [round(0.1 * (k + 1), 3) for k in range(10)]
    assert found[10:] == [[], []]


def test_a_partition_may_be_one_way_and_may_leave_a_third_host_alone() -> None:
    sky = Sky(3)
    sky.cut([0], [1], both=False)
    assert sky.arrivals(0, 1, 0.0, 1) == []
    assert sky.arrivals(1, 0, 0.0, 1) == [0.0]
    sky.cut([0], [1])
    assert sky.arrivals(1, 0, 0.0, 1) == []
    assert sky.arrivals(0, 2, 0.0, 1) == sky.arrivals(2, 1, 0.0, 1) == [0.0]
    sky.heal()
    assert sky.arrivals(0, 1, 0.0, 1) == [0.0]


def test_healing_keeps_the_delay() -> None:
    sky = Sky(2)
    sky.set(0, 1, Weather(delay_s=0.5))
    sky.cut([0], [1])
    sky.heal()
    assert sky.arrivals(0, 1, 0.0, 1) == [0.5]


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"duplicate": -1}, {"delay_s": -1}, {"bytes_per_s": 0}])
def test_weather_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"probabilities|negative"):
        Weather(**wrong)  # type: ignore[arg-type]
