"""Whether a special cause has come back: episodes, exact test, weeks still needed."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from scipy import stats

import perfanalytics as perf
from perfanalytics.core.errors import InputError

HOURS = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="real")


def chart(spikes: dict[int, float], n: int = 100) -> perf.ControlChart:
    values = np.tile([9.0, 11.0, 10.0, 10.5, 9.5], n // 5)
    for k, v in spikes.items():
        values[k] = v
    when = np.datetime64("2024-01-01") + 7 * np.arange(n)
    return perf.control_chart(perf.Series(values, measure=HOURS, when=when, expected_every="week"))


def day(k: int) -> dt.date:
    return dt.date(2024, 1, 1) + dt.timedelta(weeks=k)


def test_after_one_episode_it_takes_nineteen_times_as_long():
    made = perf.evaluate_recurrence(chart({10: 60.0}), at=day(20), what="Rule")
    assert (made.outcome, made.episodes_before, made.episodes_after) == ("cannot_tell", 1, 0)
    # (20 / (20 + n)) ^ 1 = 0.05 at n = 380; 80 are there
    assert made.more_periods == 380 - 80
    assert made.more_weeks == 300
    # R: binom.test(0, 1, 0.8, "less")
    assert made.p_value == pytest.approx(0.2)
    assert "one-episode" in made.caveat_codes
    assert "no-action" not in made.caveat_codes


def test_many_episodes_before_and_none_since_worked():
    found = chart(dict.fromkeys((2, 6, 10, 14, 18), 60.0))
    made = perf.evaluate_recurrence(found, at=day(20))
    assert made.outcome == "worked"
    assert made.p_value == pytest.approx(0.2**5)
    assert made.more_periods == 0
    assert made.rate_ratio == 0
    # Clopper-Pearson of the share since, as odds: R binom.test(0, 5)$conf.int[2] = 0.5218238
    assert made.high == pytest.approx(0.5218238 / (1 - 0.5218238) * 20 / 80, rel=1e-6)


def test_more_often_since_than_chance_did_not_work():
    found = chart(dict.fromkeys((10, 60, 66, 72, 80, 90), 60.0))
    made = perf.evaluate_recurrence(found, at=day(50))
    assert (made.outcome, made.episodes_after) == ("did_not", 5)
    assert made.rate_ratio == pytest.approx(5.0)
    assert made.p_value == pytest.approx(stats.binom.cdf(5, 6, 0.5))


def test_a_single_small_signal_since_may_be_chance():
    found = chart({10: 60.0, 95: 40.0})
    made = perf.evaluate_recurrence(found, at=day(50))
    if made.episodes_after:
        least = perf.evaluate_recurrence(found, at=day(50), least=50.0)
        assert least.episodes_after == 0
    doubtful = perf.evaluate_recurrence(found, at=day(3), beyond_limits_only=True)
    assert "no-episode" in doubtful.caveat_codes


def test_neighbours_are_one_episode_and_points_on_the_better_side_none():
    found = chart({10: 60.0, 11: 55.0, 13: 58.0, 70: -40.0})
    made = perf.evaluate_recurrence(found, at=day(50))
    assert made.to_frame()["side"].tolist() == ["before", "before"]
    together = perf.evaluate_recurrence(found, at=day(50), apart=2)
    assert together.episodes_before == 1
    assert together.extreme.tolist() == [60.0]
    assert str(together.last[0]) == "2024-04-01"


def test_a_day_with_nothing_on_one_side_is_refused():
    with pytest.raises(InputError, match="both sides"):
        perf.evaluate_recurrence(chart({10: 60.0}), at=dt.date(2030, 1, 1))
    with pytest.raises(InputError, match="apart"):
        perf.evaluate_recurrence(chart({10: 60.0}), at=day(50), apart=0)
    plain = perf.control_chart([1.0, 2, 1, 2, 9, 1, 2])
    with pytest.raises(InputError, match="without times"):
        perf.evaluate_recurrence(plain, at=day(50))


def test_it_comes_back_equal_and_is_drawn():
    made = perf.evaluate_recurrence(chart({10: 60.0}), at=day(20), what="Rule", analysis="C1")
    assert perf.Result.from_record(json.loads(json.dumps(made.to_record()))) == made
    assert len(perf.plot(made).data) == 3
    assert made.summary()["analysis"].item() == "C1"
