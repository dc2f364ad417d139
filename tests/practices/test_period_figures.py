"""Figures of a period: every statistic, open items, objectives, categories, figures of weeks."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
MADE = perf.Measure("made", definition="d", unit="1", better="higher", scale="proportion")
BAD = perf.Measure("bad", definition="d", unit="1", better="lower", scale="proportion")
CALLS = perf.Measure("calls", definition="d", unit="calls", better="lower", scale="count")
SPAN = {"since": dt.date(2024, 4, 1), "until": dt.date(2024, 7, 1)}
V = [3.0, 9.0, 40.0, 12.0, 7.0, 30.0]


def figures(values, measure, **more):
    series = {"sizes": more.pop("sizes", None), "censored": more.pop("censored", None)}
    series |= {"when": more.pop("when", None), "exclusions": more.pop("exclusions", ())}
    return perf.period_figures({("", ""): perf.Series(values, measure=measure, **series)}, **SPAN, **more)


@pytest.mark.parametrize(
    ("values", "measure", "statistic", "expected"),
    [
        (V, HOURS, None, np.median(V)),
        (V, HOURS, "mean", np.mean(V)),
        (V, HOURS, "p90", np.quantile(V, 0.9)),
        (V, HOURS, "maximum", 40.0),
        (V, HOURS, "minimum", 3.0),
        (V, HOURS, "count", 6.0),
        ([1, 0, 1, 1], MADE, None, 0.75),
        ([1, 0, 1, 1], MADE, "nonconforming", 1.0),
        ([1, 0, 1, 1], BAD, "nonconforming", 3.0),
        ([5, 2, 8], CALLS, None, 15.0),
        ([5, 2, 8], CALLS, "nonconforming", 15.0),
    ],
)
def test_statistics(values, measure, statistic, expected):
    assert figures(values, measure, statistic=statistic).value[0] == pytest.approx(expected)


def test_denominators():
    shares = figures([0.5, 0.9], MADE, sizes=[10, 30])
    assert shares.value[0] == pytest.approx(32 / 40)
    assert figures([0.5, 0.9], MADE, sizes=[10, 30], statistic="nonconforming").value[0] == pytest.approx(8)
    score = perf.Measure("score", definition="d", unit="points", better="higher", scale="real")
    rate = figures([60, 94], score, sizes=[14, 23])
    assert (rate.statistic, rate.value[0]) == ("rate", pytest.approx(154 / 37))


def goal(**more):
    given = {"measure": "hours", "target": 24, "direction": "at_most", "share": 0.8} | more
    return perf.Objective("goal", **given)


def test_an_objective_about_items():
    found = figures(V, HOURS, objective=goal())
    assert found.value[0] == pytest.approx(4 / 6)
    assert (found.required, found.side, found.standing[0], found.sure[0]) == (
        0.8, "at_least", "missed", "within chance",
    )  # fmt: skip
    assert found.low[0] < 4 / 6 < found.high[0]
    # R: binom.test(4, 6)$conf.int is 0.2227781 0.9567281 for independent items
    assert found.low[0] <= 0.2228
    assert found.high[0] >= 0.9567
    assert "goal: 66.7%, asked for at least 80%: missed, within chance." in found.verdict


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({"statistic": "median", "share": None, "target": 11}, "met"),
        ({"statistic": "p90", "share": None, "target": 11}, "missed"),
        ({"statistic": "mean", "share": None, "target": 17}, "met"),
        ({"statistic": "mean", "share": None, "target": 16}, "missed"),
        ({"statistic": "sum", "share": None, "target": 100}, "missed"),
        ({"statistic": "maximum", "share": None, "target": 40}, "met"),
        ({"share": None}, ""),
    ],
)
def test_other_objectives(more, standing):
    assert figures(V, HOURS, objective=goal(**more)).standing[0] == standing


def test_excluded_points_count():
    cut = [perf.Exclusion("mail was down", point=2)]
    assert figures(V, HOURS, objective=goal(), exclusions=cut).value[0] == pytest.approx(4 / 6)
    assert figures(V, HOURS, statistic="maximum", exclusions=cut).value[0] == 40.0


def test_open_items_are_neither_dropped_nor_done():
    # by hand, product limit: 3 done at 5 of 6 at risk ... the open one of age 8 leaves the risk set there
    values, censored = [3.0, 5.0, 8.0, 12.0, 30.0, 40.0], [False, False, True, False, False, False]
    found = figures(values, HOURS, objective=goal(), censored=censored)
    assert found.value[0] == pytest.approx(1 - (5 / 6) * (4 / 5) * (2 / 3))
    assert found.n_open[0] == 1
    assert found.caveat_codes == ("open-items",)
    assert np.isnan(figures(values, HOURS, statistic="mean", censored=censored).value[0])


def test_parts_and_periods_before():
    days = np.datetime64("2024-04-01") + np.arange(6)
    parts = {
        ("", ""): perf.Series([1, 0, 1, 1, 0, 1], measure=MADE, when=days),
        ("service", "Mail"): perf.Series([1, 0, 1], measure=MADE, when=days[:3]),
        ("service", "ERP"): perf.Series([1, 0, 1], measure=MADE, when=days[3:]),
    }
    before = {
        ("", ""): perf.Series([1, 1, 0], measure=MADE),
        ("service", "Mail"): perf.Series([0], measure=MADE),
    }
    found = perf.period_figures(parts, previous=before, **SPAN)
    frame = found.to_frame().set_index("category")
    assert frame["value"].to_dict() == pytest.approx({"": 4 / 6, "Mail": 2 / 3, "ERP": 2 / 3})
    assert frame.loc["Mail", "previous"] == 0
    assert np.isnan(frame.loc["ERP", "previous"])
    assert frame["n_previous"].tolist() == [3, 1, 0]
    assert np.isnan(frame["year_before"]).all()
    assert perf.PeriodFigures.from_record(json.loads(json.dumps(found.to_record()))) == found


def test_figures_of_weeks_are_counted():
    weeks = np.datetime64("2024-04-01") + 7 * np.repeat(np.arange(12), 2)
    now = perf.Series(np.full(24, 5.0), measure=CALLS, when=weeks)
    long = np.datetime64("2024-01-01") + 7 * np.arange(14)
    before = perf.Series(np.full(14, 10.0), measure=CALLS, when=long)
    found = perf.period_figures({("", ""): now}, previous={("", ""): before}, **SPAN)
    assert (found.periods, found.previous_periods) == (12, 14)
    assert found.caveat_codes == ("other-number-of-figures",)
    single = figures(V, HOURS, when=np.datetime64("2024-04-01") + np.arange(6))
    assert single.periods == 0


def test_misuse_is_refused():
    with pytest.raises(perf.InputError, match="begins"):
        perf.period_figures(
            {("", ""): perf.Series(V, measure=HOURS)}, since=SPAN["until"], until=SPAN["since"]
        )
    with pytest.raises(InputError, match="the whole"):
        perf.period_figures({}, **SPAN)
    with pytest.raises(UnknownNameError, match="statistic of a period"):
        figures(V, HOURS, statistic="meen")
    with pytest.raises(InputError, match="counts nothing that went wrong"):
        figures(V, HOURS, statistic="nonconforming")
    vague = perf.Measure("n", definition="d", unit="1", better="unknown", scale="count")
    with pytest.raises(InputError, match="what is better"):
        figures([1], vague, statistic="nonconforming")
    with pytest.raises(InputError, match="is about 'other'"):
        figures(V, HOURS, objective=goal(measure="other"))
