"""Interrupted series, differences in differences, change points."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import perfanalytics as perf
from perfanalytics.comparisons.levels import regression_design
from perfanalytics.comparisons.reml import fit_reml

T = np.arange(60)
#: tests/reference/comparisons_interrupted.R
Y = np.round(
    20 + 0.05 * T + 2 * np.sin(T * 2.3) + 1.5 * np.cos(T * T / 7) + 0.8 * np.sin(T / 3) - 4 * (T >= 32), 4
)
HOURS = perf.Measure("hours", definition="x", unit="hours", better="lower", scale="duration")
FRAME = ["quantity", "estimate", "low", "high", "statistic", "df", "p_value", "role"]


def ar1(rng, shape, rho):
    y = rng.standard_normal(shape)
    for t in range(1, shape[-1]):
        y[..., t] = rho * y[..., t - 1] + np.sqrt(1 - rho**2) * y[..., t]
    return y


def timed(values, start="2024-01-01", measure=HOURS):
    when = np.datetime64(start) + np.arange(len(values))
    return perf.Series(values, measure=measure, when=when, expected_every="day")


def dropping(ratio=0.6, rho=0.4, n=160, seed=4):
    y = np.exp(3 + 0.4 * ar1(np.random.default_rng(seed), (n,), rho))
    y[n // 2 :] *= ratio
    return timed(y)


def test_a_season_left_in_is_named():
    rng = np.random.default_rng(2)
    weekend = np.arange(140) % 7 >= 5
    y = 30 + rng.standard_normal((2, 140)) + 4.0 * weekend * [[1.0], [0.0]]
    one, other = timed(y[0]), timed(y[1])
    for left, taken in (
        (
            perf.interrupted(one, at=70, scale="raw"),
            perf.interrupted(one, at=70, scale="raw", season="weekday"),
        ),
        (
            perf.difference_in_differences(one, other, at=70, scale="raw"),
            perf.difference_in_differences(one, other, at=70, scale="raw", season="weekday"),
        ),
    ):
        caveat = next(c for c in left.caveats if c.code == "seasonal")
        assert "season='weekday'" in caveat.text
        assert "seasonal" not in taken.caveat_codes
        width = taken.primary.high - taken.primary.low
        assert width < 0.8 * (left.primary.high - left.primary.low)
    # the checks of the comparison group take the season out too
    for quantity in ("slope_before", "placebo_change"):
        rows = [c.effect(quantity) for c in (left, taken)]
        assert rows[1].high - rows[1].low < rows[0].high - rows[0].low


def test_an_unknown_season_is_refused():
    y = timed(np.random.default_rng(2).lognormal(3, 0.3, 80))
    with pytest.raises(perf.UnknownNameError, match="season"):
        perf.difference_in_differences(y, y.take(0), at=40, season="months")


def test_periods_of_transition_count_neither_in_the_average_nor_in_the_sum():
    rng = np.random.default_rng(3)
    y = 30 + rng.normal(0, 1, 80) - 4.0 * (np.arange(80) >= 40)
    c = perf.interrupted(y, at=40, transition=10, scale="raw")
    average, total = c.effect("average_effect"), c.effect("cumulative_effect")
    assert total.estimate == pytest.approx(30 * average.estimate)
    assert (total.low, total.high) == pytest.approx((30 * average.low, 30 * average.high))
    assert "Over the 30 periods" in c.verdict


def test_the_row_of_least_squares_has_the_unit_of_the_slope():
    c = perf.interrupted(Y, at=32, scale="raw", primary="slope_change")
    assert [e.unit for e in c.effects if e.quantity == "slope_change"] == ["a period", "a period"]


@pytest.mark.parametrize(
    "values",
    [
        np.full(60, 5.0),
        np.arange(60.0),
        np.r_[np.full(30, 5.0), np.arange(30) % 3 + 4.0],
        np.r_[np.arange(30) % 3 + 4.0, np.full(30, 5.0)],
    ],
)
def test_values_that_do_not_vary_are_refused(values):
    with pytest.raises(perf.InputError, match="do not vary"):
        perf.interrupted(values, at=30, scale="raw")
    if (values != np.arange(60.0)).any():
        with pytest.raises(perf.InputError, match="does not vary"):
            perf.difference_in_differences(values, np.zeros(60), at=30, scale="raw")


# --- interrupted -------------------------------------------------------------------------------------------


def test_coefficients_and_standard_errors_are_those_of_nlme():
    """nlme 3.1 gls(y ~ t + after + since, corAR1, varIdent), REML."""
    c = perf.interrupted(Y, at=32, scale="raw")
    for quantity, estimate, se in (
        ("level_change", -4.27048875373, 0.889609197801),
        ("slope_change", 0.0205723133152, 0.0513886862044),
        ("slope_before", 0.037355403909, 0.0339117055918),
        ("average_effect", -3.99276252398, 1.11027595324),
    ):
        e = c.effect(quantity)
        assert e.estimate == pytest.approx(estimate, rel=1e-6)
        assert e.estimate / e.statistic == pytest.approx(se, rel=1e-6)
    assert c.method.parameters["rho"] == pytest.approx(-0.104868494203, rel=1e-5)
    assert c.method.parameters["minus_2_reml"] == pytest.approx(2 * 126.386381071, rel=1e-9)
    assert c.effect("cumulative_effect").estimate == pytest.approx(28 * c.effect("average_effect").estimate)


def test_least_squares_stands_beside_it():
    x = np.column_stack([np.ones(60), T, T >= 32, np.where(T >= 32, T - 32, 0)])
    beta, *_ = np.linalg.lstsq(x, Y, rcond=None)
    found = perf.interrupted(Y, at=32, scale="raw").effect("level_change", role="companion")
    assert found.estimate == pytest.approx(beta[2], rel=1e-10)
    assert found.df == 56


def test_frame_course_and_record():
    c = perf.interrupted(dropping(), at="2024-03-21", question="Did it work?")
    assert isinstance(c, perf.Comparison)
    assert set(FRAME) <= set(c.to_frame().columns)
    assert c.to_frame()["role"].tolist()[0] == "primary"
    assert c.course.change == 80
    assert str(c.course.when[80])[:10] == "2024-03-21"
    assert np.isnan(c.course.expected[:80]).all()
    assert (c.course.low[80:] < c.course.expected[80:]).all()
    assert (c.course.expected[80:] < c.course.high[80:]).all()
    assert perf.Comparison.from_record(json.loads(json.dumps(c.to_record()))) == c
    assert len(c.summary()) == 1


def test_the_counterfactual_continues_the_line_before():
    c = perf.interrupted(Y, at=32, scale="raw")
    line = c.course.fitted[:32]
    slope = np.diff(line)
    assert slope == pytest.approx(np.full(31, slope[0]))
    assert c.course.expected[32:] == pytest.approx(line[-1] + slope[0] * np.arange(1, 29))
    effect = c.course.fitted[32:] - c.course.expected[32:]
    assert effect[0] == pytest.approx(c.effect("level_change").estimate)
    assert effect[-1] == pytest.approx(c.effect("effect_at_end").estimate)
    assert effect.mean() == pytest.approx(c.effect("average_effect").estimate)


def test_on_logarithms_rows_are_ratios_and_the_sum_is_in_the_unit():
    c = perf.interrupted(dropping(), at="2024-03-21")
    assert c.primary.form == "ratio"
    assert 0.35 < c.primary.estimate < 0.95
    total = c.effect("cumulative_effect")
    assert total.unit == "hours"
    assert total.estimate == pytest.approx(float((c.course.fitted - c.course.expected)[80:].sum()), rel=1e-9)
    assert "Over the 80 days after it" in c.verdict


def test_the_unit_and_the_origin_of_time_change_nothing():
    base = perf.interrupted(Y, at=32, scale="raw")
    scaled = perf.interrupted(60 * Y - 7, at=32, scale="raw")
    assert scaled.primary.estimate == pytest.approx(60 * base.primary.estimate, rel=1e-6)
    assert scaled.primary.p_value == pytest.approx(base.primary.p_value, rel=1e-4)


def test_a_date_a_change_and_a_position_are_the_same():
    s = dropping()
    change = perf.Change("triage", when=np.datetime64("2024-03-21").item(), what="new triage")
    found = [perf.interrupted(s, at=at) for at in ("2024-03-21", change, 80)]
    assert found[0].effects == found[1].effects == found[2].effects


def test_transition_and_ramp():
    s = dropping()
    left = perf.interrupted(s, at=80, transition=5)
    assert np.isnan(left.course.fitted[80:85]).all()
    assert np.isfinite(left.course.fitted[85:]).all()
    assert left.method.parameters["periods"] == {"before": 80, "after": 75}
    ramped = perf.interrupted(s, at=80, ramp=10)
    effect = np.log(ramped.course.fitted[80:] / ramped.course.expected[80:])
    slope = np.log(ramped.effect("slope_change").estimate)
    level = np.log(ramped.primary.estimate)
    assert effect[0] == pytest.approx(level / 10, rel=1e-6)
    assert effect[9] == pytest.approx(level + 9 * slope, rel=1e-6)


def test_a_season_is_taken_out():
    rng = np.random.default_rng(8)
    y = 20 + 0.5 * rng.standard_normal(140) + 3 * (np.arange(140) % 7 >= 5) - 1.0 * (np.arange(140) >= 70)
    s = timed(y, measure=perf.Measure("load", definition="x", unit="jobs", better="lower", scale="real"))
    plain = perf.interrupted(s, at=70)
    taken = perf.interrupted(s, at=70, season="weekday")
    assert "not-white" in plain.caveat_codes
    assert "not-white" not in taken.caveat_codes
    assert taken.primary.high - taken.primary.low < 0.5 * (plain.primary.high - plain.primary.low)
    assert taken.primary.low < -1.0 < taken.primary.high


def test_primary_and_margin_are_fixed_beforehand():
    c = perf.interrupted(dropping(), at=80, primary="average_effect", margin=1.1)
    assert c.primary.quantity == "average_effect"
    assert c.effect("level_change").role == "secondary"
    assert c.importance in ("important", "open")
    with pytest.raises(perf.InputError, match="factor above 1"):
        perf.interrupted(dropping(), at=80, margin=0.5)


@pytest.mark.parametrize(
    ("kw", "error", "words"),
    [
        ({"at": "2030-01-01"}, perf.InputError, "runs from 2024-01-01"),
        ({"at": 0}, perf.InputError, "leaves a side empty"),
        ({"at": 5}, perf.InputError, "at least 8"),
        ({"at": True}, perf.InputError, "date"),
        ({"at": 80, "primary": "slope"}, perf.UnknownNameError, "slope_change"),
        ({"at": 80, "season": "moon"}, perf.UnknownNameError, "weekday"),
        ({"at": 80, "season": "hour"}, perf.InputError, "no season"),
        ({"at": 80, "ramp": 0}, perf.InputError, "at least 1"),
        ({"at": 80, "transition": -1}, perf.InputError, "at least 0"),
        ({"at": 80, "scale": "rank"}, perf.InputError, "levels"),
        ({"at": 80, "confidence": 95}, perf.InputError, "confidence"),
    ],
)
def test_misuse_of_interrupted(kw, error, words):
    with pytest.raises(error, match=words):
        perf.interrupted(dropping(), **kw)


def its_false_alarms(m, n, rho, seed):
    """Share of series without an effect whose level change has p below 5%."""
    y = ar1(np.random.default_rng(seed), (m, 2 * n), rho)
    t = np.arange(2 * n) - n
    after = t >= 0
    x = np.column_stack([~after, after, t, np.where(after, t, 0)]).astype(float)
    gap = np.ones((m, 2 * n))
    gap[:, 0] = np.inf
    both = np.broadcast_to(after, y.shape)
    design = regression_design(y, np.broadcast_to(x, (m, *x.shape)), after=both, gap=gap)
    fit = fit_reml(design, np.array([-1.0, 1.0, 0.0, 0.0]))
    return float((2 * special.stdtr(fit.df, -np.abs(fit.estimate / fit.se)) < 0.05).mean())


@pytest.mark.parametrize(("rho", "m"), [(0.4, 300), pytest.param(0.0, 2000, marks=pytest.mark.slow)])
def test_false_alarms_of_the_level_change(rho, m):
    """COMPARE.md: 5.0 to 5.2% for rho up to 0.4; three standard errors around 5% here."""
    assert abs(its_false_alarms(m, 50, rho, 1) - 0.05) < 3 * np.sqrt(0.05 * 0.95 / m)


# --- difference in differences -----------------------------------------------------------------------------


def groups(effect=-3.0, seed=2, drift=0.0):
    shared = 5 * np.sin(np.arange(80) / 9)
    noise = np.random.default_rng(seed).standard_normal((2, 80))
    treated = 25 + shared + noise[1] + effect * (np.arange(80) >= 40) + drift * np.arange(80)
    return treated, 20 + shared + noise[0]


def test_the_difference_is_compared_as_a_series():
    treated, other = groups()
    c = perf.difference_in_differences(treated, other, at=40, scale="raw")
    same = perf.compare((treated - other)[:40], (treated - other)[40:], scale="raw").primary
    assert c.primary.estimate == pytest.approx(same.estimate, rel=1e-7)
    assert c.primary.p_value == pytest.approx(same.p_value, rel=1e-5)
    assert c.outcome == "detected"
    # a shared wave hides the same effect from a comparison of the treated series alone
    alone = perf.compare(treated[:40], treated[40:], scale="raw").primary
    assert alone.high - alone.low > 3 * (c.primary.high - c.primary.low)
    assert perf.Comparison.from_record(json.loads(json.dumps(c.to_record()))) == c


def test_placebo_and_parallel_trends():
    c = perf.difference_in_differences(*groups(), at=40, scale="raw")
    assert c.effect("placebo_change").low < 0 < c.effect("placebo_change").high
    drifting = perf.difference_in_differences(*groups(drift=-0.15), at=40, scale="raw")
    assert "trends-not-parallel" in drifting.caveat_codes
    assert drifting.outcome == "not_attributable"
    assert "drifting apart" in drifting.verdict


def test_periods_are_matched_by_their_time():
    treated, other = groups()
    measure = perf.Measure("load", definition="x", unit="jobs", better="lower", scale="real")
    a, b = timed(treated, measure=measure), timed(other, measure=measure)
    holes = np.delete(np.arange(80), [3, 17, 50])
    b = perf.Series(other[holes], measure=measure, when=b.when[holes], expected_every="day")
    c = perf.difference_in_differences(a, b, at="2024-02-10")
    assert c.method.parameters["periods"] == {"before": 38, "after": 39}
    assert np.isnan(c.course.reference[[3, 17, 50]]).all()
    assert c.primary.low < -3 < c.primary.high
    two = perf.difference_in_differences(a, [b, b], at="2024-02-10")
    assert two.primary.estimate == pytest.approx(c.primary.estimate)
    assert "2 comparison groups" in two.verdict


def test_groups_that_cannot_be_compared():
    a, b = dropping(), timed(np.ones(10), start="2024-03-15")
    with pytest.raises(perf.InputError, match="at least 8"):
        perf.difference_in_differences(a, b, at="2024-03-21")
    other = perf.Measure("cost", definition="x", unit="EUR", better="lower", scale="duration")
    with pytest.raises(perf.InputError, match="different measures"):
        perf.difference_in_differences(a, timed(a.values, measure=other), at="2024-03-21")


# --- change point ------------------------------------------------------------------------------------------


def test_the_date_of_a_change_with_its_interval():
    s = dropping()
    c = perf.change_point(s)
    assert c.outcome == "detected"
    assert c.course.earliest <= 80 <= c.course.latest
    assert c.primary.low <= c.primary.estimate <= c.primary.high
    assert c.before.n == c.course.change
    assert c.before.n + c.after.n == 160
    assert "2024-03" in c.verdict
    assert set(FRAME) <= set(c.to_frame().columns)
    assert perf.Comparison.from_record(json.loads(json.dumps(c.to_record()))) == c
    assert perf.change_point(s, rng=20260101) == c


def test_items_of_a_day_are_one_period():
    rng = np.random.default_rng(3)
    when = np.repeat(np.datetime64("2024-01-01") + np.arange(60), 3)
    y = np.exp(2 + 0.3 * rng.standard_normal(180)) * np.where(np.arange(180) >= 90, 0.5, 1.0)
    c = perf.change_point(perf.Series(y, measure=HOURS, when=when), draws=199)
    assert len(c.course.observed) == 60
    assert c.course.earliest <= 30 <= c.course.latest
    assert c.before.n == 3 * c.course.change


def test_a_change_of_spread():
    rng = np.random.default_rng(6)
    y = rng.standard_normal(120) * np.where(np.arange(120) < 60, 1.0, 4.0)
    c = perf.change_point(y, of="spread", scale="raw", draws=199)
    assert c.outcome == "detected"
    assert c.effects[1].quantity == "ratio_of_sds"
    assert 2.5 < c.effects[1].estimate < 6
    assert c.course.earliest <= 60 <= c.course.latest


def test_correlated_series_without_a_change():
    rng = np.random.default_rng(11)
    found = [perf.change_point(y, scale="raw", draws=199).outcome for y in ar1(rng, (40, 60), 0.5)]
    assert found.count("detected") <= 7  # 5% expected; above 7 of 40 once in 1,000 such tests


@pytest.mark.parametrize(
    ("values", "kw", "words"),
    [
        (np.ones(40), {}, "equal"),
        (np.arange(12.0), {}, "too few"),
        (Y, {"draws": 10}, "199"),
        (Y, {"confidence": 2}, "confidence"),
    ],
)
def test_misuse_of_change_point(values, kw, words):
    with pytest.raises(perf.InputError, match=words):
        perf.change_point(values, scale="raw", **kw)


# --- figures -----------------------------------------------------------------------------------------------


def test_each_has_its_figure():
    treated, other = groups()
    for c in (
        perf.interrupted(dropping(), at=80),
        perf.difference_in_differences(treated, other, at=40, scale="raw"),
        perf.change_point(dropping(), draws=199),
    ):
        figure = perf.plot(c)
        names = [trace.name for trace in figure.data]
        assert "observed before" in names
        assert "observed after" in names


def test_nhs_seasons_real_data():
    """The national four-hour share, 2016/17 against 2018/19: taking the months out narrows the interval."""
    path = Path(__file__).parents[2] / ".." / "shared" / "data" / "nhs_ae_attendances.csv.gz"
    if not path.exists():
        pytest.skip("the real data are not here")
    import pandas as pd

    frame = pd.read_csv(path, dtype={"type": str})
    month = frame[frame["type"] == "1"].groupby("period")[["attendances", "breaches"]].sum()
    share = perf.Measure("four_hours", definition="x", unit="1", better="higher", scale="proportion")
    s = perf.Series(
        (month["attendances"] - month["breaches"]).to_numpy(float),
        sizes=month["attendances"].to_numpy(float),
        when=pd.to_datetime(month.index).to_numpy(),
        measure=share,
        expected_every="month",
    )
    sides = s.between(None, "2017-04-01"), s.between("2018-04-01")
    plain, taken = perf.compare(*sides), perf.compare(*sides, season="month")
    assert taken.primary.high - taken.primary.low < 0.65 * (plain.primary.high - plain.primary.low)
    assert plain.outcome == taken.outcome == "undecided"


def test_what_is_wrong_with_the_comparison_group_is_told_of_it():
    y = np.random.default_rng(2).lognormal(3, 0.3, 80)
    series = timed(y)
    empty = timed(np.r_[y[:40], np.full(40, np.nan)])
    for other, told in (
        (empty, "no usable value"),
        (timed(y, start="2027-01-01"), "outside the series"),
        ([], "times"),
    ):
        with pytest.raises(perf.InputError, match=f"the comparison group: .*{told}"):
            perf.difference_in_differences(series, other, at="2024-02-10")


def test_a_yearly_wave_needs_most_of_a_year():
    rng = np.random.default_rng(2)
    short, long = timed(rng.lognormal(3, 0.3, 80)), timed(rng.lognormal(3, 0.3, 400))
    for call in (
        lambda s, at: perf.interrupted(s, at=at, season="year"),
        lambda s, at: perf.compare(s.take(0, at), s.take(at), season="year"),
        lambda s, at: perf.difference_in_differences(s, timed(s.values[::-1]), at=at, season="year"),
    ):
        with pytest.raises(perf.InputError, match="yearly wave"):
            call(short, 40)
        assert call(long, 200).method.parameters["season"] == "year"
