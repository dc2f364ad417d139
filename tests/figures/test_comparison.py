"""The figure of a comparison: the record of what is drawn, and that plotly takes it."""

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.comparison import draw
from perfanalytics.figures.comparison_info import DRAWN, info
from perfanalytics.figures.effect_panels import effect_notes, ratio_ticks

HOURS = perf.Measure("hours", definition="x", unit="hours", better="lower", scale="duration")
SHARE = perf.Measure("sla", definition="x", unit="1", better="higher", scale="proportion")


def durations(n=40, m=40, timed=False):
    rng = np.random.default_rng(1)
    y = np.exp(2 + 0.5 * rng.standard_normal(n + m))
    y[n:] *= 0.6
    when = np.datetime64("2024-01-01") + np.arange(n + m)
    return (
        perf.Series(y[:n], measure=HOURS, when=when[:n] if timed else None),
        perf.Series(y[n:], measure=HOURS, when=when[n:] if timed else None),
    )


def test_the_record_holds_the_numbers_of_the_result():
    c = perf.compare(*durations(), margin=1.1)
    what = info(c)
    assert what.log
    assert what.change == 40.5
    assert [s.name for s in what.sides] == ["before", "after"]
    assert what.sides[0].y.tolist() == c.before.values.tolist()
    assert what.sides[0].level == c.primary.before
    assert what.sides[1].x[0] == 41
    assert what.sides[1].box[2] == pytest.approx(c.after.median)
    assert what.sides[1].box[4] == pytest.approx(c.after.tail)
    assert [r.label for r in what.ratios] == ["geo. mean", "mean", "spread (SD)"]
    assert [r.primary for r in what.ratios] == [True, False, False]
    assert [r.label for r in what.differences] == ["mean", "median", "shift (H-L)", "P90"]
    assert (what.ratios[0].estimate, what.ratios[0].low) == (c.primary.estimate, c.primary.low)
    assert what.margin == (1 / 1.1, 1.1)


def test_times_and_change_between_the_sides():
    what = info(perf.compare(*durations(timed=True)))
    assert what.timed
    assert what.change == np.datetime64("2024-02-09T12:00:00", "us")
    before, after = durations(timed=True)
    overlapping = perf.Series(after.values, measure=HOURS, when=before.when)
    assert info(perf.compare(before, overlapping)).change is None


def test_jitter_is_the_same_every_time_and_stays_in_its_column():
    c = perf.compare(*durations())
    one, two = info(c), info(c)
    assert one.sides[1].jitter.tolist() == two.sides[1].jitter.tolist()
    assert (abs(one.sides[1].jitter - 1) <= 0.1501).all()
    assert len(set(one.sides[0].jitter.tolist())) == 40


def test_many_points_are_thinned_and_it_says_so():
    rng = np.random.default_rng(0)
    c = perf.compare(rng.normal(size=4000), rng.normal(size=100), order="none")
    what = info(c)
    assert len(what.sides[0].y) == DRAWN
    assert what.sides[0].hidden == 4000 - DRAWN
    assert what.sides[0].box[2] == pytest.approx(c.before.median)
    texts = [a["text"] for a in draw(c)["layout"]["annotations"]]
    assert "1,600 of 4,100 points drawn" in texts


def test_shares_are_drawn_in_points_and_percent():
    rng = np.random.default_rng(2)
    n = np.full(20, 50.0)
    c = perf.compare(
        perf.Series(rng.binomial(50, 0.7, 20), sizes=n, measure=SHARE),
        perf.Series(rng.binomial(50, 0.8, 20), sizes=n, measure=SHARE),
    )
    what = info(c)
    assert what.differences[0].estimate == pytest.approx(100 * c.primary.estimate)
    layout = draw(c)["layout"]
    assert layout["yaxis"]["tickformat"] == ".0%"
    assert layout["xaxis3"]["title"]["text"] == "after - before (points)"


def test_without_a_test_the_predicted_range_is_drawn():
    c = perf.compare(*durations(m=5))
    what = info(c)
    assert what.predicted == (c.primary.low, c.primary.high)
    bands = [s for s in draw(c)["layout"]["shapes"] if s["type"] == "rect"]
    assert [(b["y0"], b["y1"]) for b in bands] == [what.predicted]


@pytest.mark.parametrize(
    "make",
    [
        lambda: perf.compare(*durations()),
        lambda: perf.compare(*durations(timed=True), margin=1.2),
        lambda: perf.compare(*durations(), method="mann_whitney", margin=2.0),
        lambda: perf.compare(*durations(m=3)),
        lambda: perf.compare([1.0], [2.0]),
        lambda: perf.compare([2.0] * 10, [2.0] * 10),
        lambda: perf.compare(*durations(), scale="rank"),
    ],
)
def test_plotly_takes_every_kind(make):
    c = make()
    figure = perf.plot(c)
    assert figure.layout.yaxis.title.text == c.measure.label
    drawn, what = draw(c), info(c)
    # every interval that is finite is drawn from its low to its high end
    finite = [
        r
        for r in (*what.differences, *what.ratios, *what.probabilities)
        if np.isfinite([r.low, r.estimate, r.high]).all()
    ]
    ends = [tuple(t["x"]) for t in drawn["data"] if t.get("xaxis") in ("x3", "x4", "x5") and len(t["x"]) == 3]
    assert sorted(ends) == sorted((r.low, r.estimate, r.high) for r in finite)
    assert json.loads(figure.to_json())["data"]


def test_sides_differ_by_shape_and_dash_not_only_by_colour():
    drawn = draw(perf.compare(*durations()))
    markers = {t["name"]: t["marker"]["symbol"] for t in drawn["data"] if "name" in t}
    assert markers["before"] != markers["after"]
    dashes = [
        t["line"]["dash"] for t in drawn["data"] if t["type"] == "scatter" and "dash" in t.get("line", {})
    ]
    assert dashes == ["dash", "solid"] + ["dashdot"] * 4  # centers, then the natural limits of both sides


def test_values_of_zero_have_no_place_on_a_log_axis_and_it_says_so():
    before, after = durations(n=60, m=60)
    values = after.values.copy()
    values[[3, 9]] = 0.0
    c = perf.compare(before, perf.Series(values, measure=HOURS), tail=0.99)
    what = info(c)
    assert what.log
    assert [s.unplaced for s in what.sides] == [0, 2]
    assert len(what.sides[1].y) == 58
    assert (what.sides[1].y > 0).all()
    assert what.sides[1].box[0] == values[values > 0].min()
    texts = [a["text"] for a in draw(c)["layout"]["annotations"]]
    assert "118 of 120 points drawn (2 at 0 or below: not on a log axis)" in texts


@pytest.mark.parametrize("spread", [0.001, 0.02, 0.1, 0.4, 1.0, 3.0])
def test_a_log_axis_has_readable_ticks_however_narrow_it_is(spread):
    rng = np.random.default_rng(2)
    y = 32 * np.exp(spread * rng.standard_normal(60))
    axis = draw(perf.compare(*(perf.Series(y[s], measure=HOURS) for s in (slice(30), slice(30, 60)))))
    axis = axis["layout"]["yaxis"]
    inside = [t for t in axis["tickvals"] if y.min() <= t <= y.max()]
    assert 3 <= len(inside) <= 15
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])


def test_items_are_drawn_with_the_centers_of_their_periods_that_the_limits_are_about():
    rng = np.random.default_rng(3)
    when = np.datetime64("2024-01-01T08:00") + (rng.integers(0, 60 * 24, 900) * 60).astype("timedelta64[m]")
    when.sort()
    hours = perf.Measure("hours", definition="x", unit="h", better="lower", scale="duration")
    s = perf.Series(rng.lognormal(3, 1, 900), measure=hours, when=when)
    c = perf.compare(s.between(None, "2024-01-31"), s.between("2024-01-31"), every="day")
    before, after = info(c).sides
    assert (len(before.centers), len(after.centers)) == (c.before.periods, c.after.periods)
    first = s.between(None, "2024-01-02").values
    assert before.centers[0] == pytest.approx(np.exp(np.log(first).mean()))
    assert before.at[0].astype("datetime64[D]") == np.datetime64("2024-01-01")
    assert (before.at <= before.x.max()).all()
    # nearly all periods lie within the limits, as few items do
    inside = (before.centers > before.limits[0]) & (before.centers < before.limits[1])
    assert inside.mean() > 0.9
    lines = [t for t in draw(c)["data"] if "center of the period" in t.get("hovertemplate", "")]
    assert [len(t["x"]) for t in lines] == [len(before.at), len(after.at)]
    single = perf.compare(*durations(timed=True))
    assert all(len(side.centers) == 0 for side in info(single).sides)


@pytest.mark.parametrize("spread", [1.05, 1.5, 5.0, 60.0, 4e4, 1e9])
def test_ticks_of_ratios_are_few_and_there_however_wide_the_interval(spread):
    from perfanalytics.figures.comparison_info import Row

    row = Row(label="x", estimate=1.0, low=1 / spread, high=spread, primary=True)
    ticks = ratio_ticks((row,), None)["tickvals"]
    assert 3 <= len(ticks) <= 9
    assert 1.0 in ticks


def test_an_interval_without_end_is_told():
    from perfanalytics.figures.comparison_info import Row

    rows = tuple(
        Row(label="x", estimate=2.0, low=low, high=high, primary=False)
        for low, high in ((1.0, 3.0), (-np.inf, np.inf), (np.nan, np.nan))
    )
    told = [note["text"] for note in effect_notes(rows, "x3", "y3")]
    assert told == ["2 (1 to 3)", "2 (interval without end)", "2"]
