"""What changed when: shifts of a series beside what is on record."""

from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.what_changed import info

HOURS = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="real")
START = np.datetime64("2024-01-01")


def weekly(values, measure=HOURS, **more):
    when = START + 7 * np.arange(len(values))
    return perf.Series(values, measure=measure, when=when, expected_every="week", **more)


def change(name, week, days=0):
    return perf.Change(name, when=(START + 7 * week + days).astype(dt.date), what="x")


def noise(n, seed=1):
    return np.random.default_rng(seed).normal(20.0, 2.0, n)


def stepped(at=30, n=60, step=-6.0, seed=1):
    x = noise(n, seed)
    x[at:] += step
    return x


def again(result):
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result


def test_a_shift_is_set_beside_what_is_on_record():
    made = perf.what_changed(
        weekly(stepped()), recorded=[change("triage", 30), change("telephones", 10)], draws=199
    )
    assert made.what.tolist() == ["level"]
    assert abs(int(made.point[0]) - 30) <= 1
    assert made.recorded.tolist() == ["triage"]
    assert made.inside.all()
    assert made.record.tolist() == ["telephones", "triage"]
    assert made.trace.tolist() == ["none", "level"]
    assert made.effect_low[1] < -6 < made.effect_high[1] < 0
    assert made.effect_low[0] < 0 < made.effect_high[0]
    assert "on record: triage" in made.verdict
    assert "Without a trace: telephones (step" in made.verdict
    again(made)


def test_the_effect_is_that_of_the_t_test_where_nothing_is_correlated():
    # alternating residuals: the lag-1 correlation is negative and counts as 0
    x = np.tile([19.0, 21.0], 20)
    x[24:] += 3
    made = perf.what_changed(weekly(x), recorded=[change("c", 24)], draws=199)
    # R: t.test(x[25:40], x[1:24], var.equal = TRUE): estimate 3, interval 2.335784 to 3.664216
    s = math.sqrt(40 / 38)
    half = 2.0243941639 * s * math.sqrt(1 / 16 + 1 / 24)
    assert (made.effect[0], made.effect_low[0], made.effect_high[0]) == pytest.approx((3, 3 - half, 3 + half))


def test_a_record_counts_up_to_the_end_of_its_period():
    x = stepped(seed=4)
    late = perf.what_changed(weekly(x), recorded=[change("in that week", 30, days=4)], draws=199)
    assert late.high[0] >= 30
    assert late.trace.tolist() == ["level"]
    far = perf.what_changed(weekly(x), recorded=[change("long after", 45)], draws=199)
    assert far.trace.tolist() == ["none"]
    assert not far.inside.any()
    assert far.recorded.tolist() == ["long after"]
    assert far.days[0] == pytest.approx(7 * (45 - int(far.point[0])))
    assert "unexplained" in far.caveat_codes
    assert "nothing on record then (nearest: long after" in far.verdict


def test_a_single_point_and_the_event_that_explains_it():
    x = noise(50)
    x[20] += 25
    outage, quiet = (
        perf.Event(name, when=(START + a).astype(dt.date), until=(START + a + 3).astype(dt.date), what="x")
        for name, a in (("outage", 140), ("fair", 210))
    )
    made = perf.what_changed(weekly(x, events=[quiet, outage]), draws=199)
    assert made.what.tolist() == ["point"]
    assert made.point.tolist() == [20]
    assert made.recorded.tolist() == ["outage"]
    assert dict(zip(made.record, made.trace, strict=True)) == {"outage": "point", "fair": "none"}
    usual = np.delete(x, 20).mean()
    assert made.before[0] == pytest.approx(usual)  # not pulled up by the point itself
    assert made.level == pytest.approx(np.full(50, usual))
    assert made.effect[0] == pytest.approx(25, abs=6)
    assert made.effect_low[1] < 0 < made.effect_high[1]
    assert perf.what_changed(weekly(x), of="level", draws=199).what.tolist() == []
    again(made)


def test_one_day_is_a_day():
    x = noise(40)
    x[20] += 30
    days = perf.Series(x, measure=HOURS, when=START + np.arange(40), expected_every="day")
    near = perf.Change("near", when=(START + 21).astype(dt.date), what="x")
    assert "(nearest: near, 1 day after)" in perf.what_changed(days, recorded=[near], draws=199).verdict


def test_false_alarms_of_single_points_are_as_stated():
    rng = np.random.default_rng(8)
    series = [weekly(rng.normal(size=40)) for _ in range(120)]
    found = sum(len(perf.what_changed(s, of="point", draws=199).point) > 0 for s in series)
    # binomial(120, 0.05): 1 to 13 with 99.6%
    assert 1 <= found <= 13


def test_stable_series_and_nothing_recorded():
    made = perf.what_changed(weekly(noise(40, 3)), draws=199)
    assert made.verdict.startswith("Nothing changed visibly in 40 weeks of hours (5% of stable series")
    assert made.caveat_codes == ("nothing-recorded",)
    assert made.to_frame().empty
    again(made)


def test_records_at_the_ends_and_outside():
    records = [change("before", -5), change("late", 57), change("after", 70)]
    made = perf.what_changed(weekly(noise(60)), recorded=records, draws=199)
    assert made.trace.tolist() == ["outside the data", "too near an end", "outside the data"]
    assert made.caveat_codes == ("outside-the-data",)
    assert len(info(made).marks) == 1


def test_many_records_lie_within_intervals_by_chance():
    x = stepped(step=-3.0, seed=2)
    made = perf.what_changed(weekly(x), recorded=[change(f"c{k}", 3 * k) for k in range(20)], draws=199)
    assert len(made.point) == 1
    assert made.chance > 0.5
    assert "coincidence" in made.caveat_codes
    low, high = made.low[0] - 1, made.high[0] + 1
    assert made.chance == pytest.approx(20 * (high - low) / 60, rel=0.02)
    rows = [mark[4] for mark in info(made).marks]
    assert max(rows) > 0  # names that stand close together have rows of their own


def test_durations_are_compared_as_ratios():
    measure = perf.Measure("h", definition="Hours", unit="hours", better="lower", scale="duration")
    x = np.exp(np.random.default_rng(6).normal(3, 0.2, 60))
    x[30:] *= 0.5
    made = perf.what_changed(weekly(x, measure), recorded=[change("triage", 30)], draws=199)
    assert made.logs
    assert made.effect_low[0] < 0.5 < made.effect_high[0]
    assert perf.plot(made).layout.yaxis.type == "log"


def test_weekly_medians_are_not_divided_by_their_items():
    x = stepped()
    given = {"selection": {"statistic": "median"}, "sizes": np.full(60, 40.0)}
    measure = perf.Measure("h", definition="Hours", unit="hours", better="lower", scale="duration")
    made = perf.what_changed(weekly(x, measure, **given), draws=199)
    assert made.value == pytest.approx(x)
    assert perf.suggest_stages(weekly(x, measure, **given), draws=199).value == pytest.approx(x)


def test_too_few_points_and_misuse():
    few = perf.what_changed(weekly(noise(10)), recorded=[change("c", 5)], draws=199)
    assert few.verdict.startswith("Not searched: 10 points")
    with pytest.raises(InputError, match="needs times"):
        perf.what_changed([1.0, 2.0, 3.0])
    with pytest.raises(UnknownNameError, match="did you mean 'level'"):
        perf.what_changed(weekly(noise(30)), of="levels")
    with pytest.raises(InputError, match="each once"):
        perf.what_changed(weekly(noise(30)), of=())
    with pytest.raises(InputError, match="Change and Event"):
        perf.what_changed(weekly(noise(30)), recorded=["triage"])


def test_it_is_drawn():
    figure = perf.plot(perf.what_changed(weekly(stepped()), recorded=[change("a & b", 30)], draws=199))
    assert "a &amp; b" in [a.text for a in figure.layout.annotations]
