"""suggest_stages: questions with their interval, on the right scale, and never a rebase."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Result
from perfanalytics.figures.plot import figure_dict
from perfanalytics.figures.suggested_stages import info

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")


def days(n):
    return [dt.date(2024, 3, 1) + dt.timedelta(days=k) for k in range(n)]


def faster(n=60, at=30, factor=0.4, seed=5):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(3, 0.4, n)) * np.where(np.arange(n) >= at, factor, 1.0)
    triage = perf.Change("new triage", when=dt.date(2024, 3, 31), what="by skill")
    other = perf.Change("new mugs", when=dt.date(2024, 3, 4), what="larger")
    return perf.Series(x, measure=HOURS, when=days(n), expected_every="day", events=[triage, other])


def test_a_question_about_a_date():
    found = perf.suggest_stages(faster(), of="level")
    assert found.logs
    assert found.what.tolist() == ["level"]
    assert found.low[0] <= 30 <= found.high[0]
    assert abs(found.point[0] - 30) <= 2
    question = found.questions[0]
    assert question.startswith("What happened about 3")
    assert " hours (p = 0.001). Recorded: new triage." in question
    assert "mugs" not in question
    at = int(found.point[0])
    values = np.log(faster().values)
    assert found.before[0] == pytest.approx(np.exp(values[:at].mean()))
    assert found.after[0] == pytest.approx(np.exp(values[at:].mean()))
    # only a suggestion: the chart takes it as stages when the analyst says so
    chart = perf.control_chart(faster(), stages=found.stages)
    assert len(chart.limits.n) == 2


def test_a_wider_spread():
    rng = np.random.default_rng(3)
    x = rng.standard_normal(80) * np.where(np.arange(80) >= 40, 4.0, 1.0) + 50
    found = perf.suggest_stages(x)
    assert found.what.tolist() == ["spread"]
    assert found.low[0] <= 40 <= found.high[0]
    at = int(found.point[0])
    d = x - x.mean()
    assert found.before[0] == pytest.approx(np.sqrt((d[:at] ** 2).sum() / (at - 1)))
    assert found.after[0] == pytest.approx(np.sqrt((d[at:] ** 2).sum() / (79 - at)))
    assert found.verdict.startswith("What happened about point ")


def test_shares_with_their_sizes():
    rng = np.random.default_rng(4)
    counts = rng.binomial(200, np.where(np.arange(50) >= 25, 0.3, 0.1))
    found = perf.suggest_stages(perf.Series(counts.astype(float), sizes=np.full(50, 200.0)), of="level")
    assert found.is_share
    assert found.point.tolist() == [25]
    assert "%" in found.questions[0]


def test_nothing_to_suggest():
    found = perf.suggest_stages(np.random.default_rng(5).standard_normal(50))
    assert found.questions == ()
    assert found.stages == ()
    assert found.verdict == (
        "No change of level or spread is suggested in 50 points (5% of stable series would show one)."
    )
    assert len(found.to_frame()) == 0
    assert list(found.to_frame()) == list(perf.suggest_stages(faster(), of="level").to_frame())


def test_the_rate_is_shared_by_level_and_spread():
    rng = np.random.default_rng(6)
    any_change = [bool(perf.suggest_stages(rng.standard_normal(40), draws=199).stages) for _ in range(120)]
    assert np.mean(any_change) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


def test_gaps_and_exclusions_keep_their_positions():
    series = faster()
    values = np.array(series.values)
    values[[5, 40]] = np.nan
    values[10] = 5000.0
    with_gaps = perf.Series(values, measure=HOURS, exclusions=[perf.Exclusion("outage", point=10)])
    found = perf.suggest_stages(with_gaps, of="level")
    plain = perf.suggest_stages(np.delete(np.log(values), [5, 10, 40]), of="level")
    assert found.point[0] == plain.point[0] + 2
    assert found.p_value[0] == plain.p_value[0]
    assert not found.kept[[5, 10, 40]].any()


def test_too_short_and_constant():
    short = perf.suggest_stages([1.0, 2, 3] * 5)
    assert short.caveat_codes == ("too-few-points",)
    assert short.verdict.startswith("Not searched: 15 points are too few")
    assert perf.suggest_stages([2.0] * 30).caveat_codes == ("zero-variation",)
    assert perf.suggest_stages([]).caveat_codes == ("too-few-points",)


def test_saved_seeded_and_drawn():
    found = perf.suggest_stages(faster(), of="level")
    assert Result.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert perf.suggest_stages(faster(), of="level") == found
    record = info(found)
    assert len(record.levels) == 2
    (low, high, at, what) = record.bands[0]
    assert low <= at <= high
    assert what == "level"
    assert figure_dict(found)["layout"]["yaxis"]["type"] == "log"
    assert figure_dict(perf.suggest_stages(np.arange(10.0)))["data"]


def test_wrong_questions():
    with pytest.raises(UnknownNameError, match="level"):
        perf.suggest_stages(np.arange(30.0), of="levels")
    with pytest.raises(InputError, match="at least 199"):
        perf.suggest_stages(np.arange(30.0), draws=10)
    with pytest.raises(InputError, match="columns"):
        perf.suggest_stages(perf.Series(np.zeros((30, 2))))
    with pytest.raises(InputError, match="coverage"):
        perf.suggest_stages(np.arange(30.0), coverage=1.0)
