"""Ratios of measured quantities: ratio estimator, unit invariance, negative totals, drift, capability."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.baselines.intervals import effective
from perfanalytics.baselines.ratios import pool

MINUTES = [31.0, 0, 55, 12, 48, 90, 7, 22, 64, 18, 39, 27]
AGREED = [4800.0, 4320, 4800, 3840, 4800, 9600, 4800, 4320, 4800, 4800, 2400, 4800]
WEEKS = np.datetime64("2024-01-01") + 7 * np.arange(400)


def measure(scale: str = "real", unit: str = "minutes") -> perf.Measure:
    return perf.Measure(
        "downtime", definition="Downtime within the agreed time", unit=unit, better="lower", scale=scale
    )


def series(totals, sizes, scale: str = "real", *, timed: bool = False, **more) -> perf.Series:
    when = WEEKS[: len(totals)] if timed else None
    return perf.Series(totals, sizes=sizes, measure=measure(scale), when=when, **more)


def made(k: int = 60, seed: int = 3, *, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Totals that vary by the root of their size around half of it."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(300, 900, k).astype(float)
    return np.round(rng.normal(0.5 * sizes, spread * np.sqrt(sizes))), sizes


# --- the numbers: tests/reference/ratios.R -----------------------------------------------------------------


def test_the_pooled_ratio_is_that_of_weighted_least_squares() -> None:
    b = perf.baseline(series(MINUTES, AGREED))
    assert (b.values_are, b.scale, b.fitted) == ("ratios", "ratio", None)
    rate = b["rate"]
    # R: confint(lm(r ~ 1, weights = n))
    assert rate.value == pytest.approx(0.00711088154270, rel=1e-11)
    assert (rate.interval.low, rate.interval.high) == pytest.approx((0.00424447876916, 0.00997728431624))
    ahead = b["next period"].interval
    # R: predict(m, interval = "prediction", weights = median(n))
    assert (ahead.low, ahead.high) == pytest.approx((-0.00326375433851, 0.01748551742391))
    sd = b["sd"]
    assert sd.value == pytest.approx(0.00453015212559)
    assert (sd.interval.low, sd.interval.high) == pytest.approx((0.00320913779844, 0.00769164571098))
    held = b["tolerance interval"].interval
    assert (held.high - held.low) / 2 / sd.value == pytest.approx(3.16228289718)
    for name, value in (("p5", 0.000802083333333), ("p50", 0.006041666666667), ("p90", 0.013145833333333)):
        assert b[name].value == pytest.approx(value)
    found = pool(np.array(MINUTES), np.array(AGREED), "independent")
    assert found.linearized == pytest.approx(0.912272835307)
    assert "dispersion" not in b.quantity
    assert not any("exact" in q for q in b.quantity)
    assert not any(law in how for how in b.how for law in ("Poisson", "binomial", "Clopper"))


def test_negative_totals_are_what_they_are() -> None:
    over = [-120.0, 45, 30, -80, 210, -15, 5, -60]
    b = perf.baseline(series(over, [900.0, 1000, 1100, 950, 1000, 1200, 1000, 900]))
    rate = b["rate"]
    # R: confint(lm(y / p ~ 1, weights = p))
    assert rate.value == pytest.approx(0.00186335403727)
    assert (rate.interval.low, rate.interval.high) == pytest.approx((-0.0837483766818, 0.0874750847564))
    assert b.lower_limit < 0 < b.upper_limit
    with pytest.raises(perf.InputError, match="positive is not negative"):
        perf.baseline(series(over, [900.0] * 8, "positive"))


def test_sizes_that_are_alike_give_the_baseline_of_the_ratios() -> None:
    totals, _ = made(50)
    whole = perf.baseline(series(totals, [480.0] * 50, timed=True))
    plain = perf.baseline(series(totals / 480, None, timed=True))
    for mine, theirs in (("rate", "mean"), ("sd", "sd"), ("next period", "next item"), ("p90", "p90")):
        a, b = whole[mine], plain[theirs]
        assert (a.value, a.interval.low, a.interval.high) == pytest.approx(
            (b.value, b.interval.low, b.interval.high), rel=1e-12
        )
    assert whole.n_effective == pytest.approx(plain.n_effective)
    assert whole.points_to_halve == plain.points_to_halve
    tolerance = whole["tolerance interval"].interval
    assert tolerance.high == pytest.approx(plain["tolerance interval"].interval.high)


def test_dependence_widens_the_interval() -> None:
    rng = np.random.default_rng(5)
    noise = np.zeros(120)
    for t in range(1, 120):
        noise[t] = 0.7 * noise[t - 1] + rng.normal()
    sizes = rng.integers(300, 900, 120).astype(float)
    x = 0.5 * sizes + 3 * np.sqrt(sizes) * noise
    free, tied = (
        perf.baseline(series(x, sizes, timed=True), dependence=d)["rate"].interval
        for d in ("independent", "ar1")
    )
    assert tied.high - tied.low > 1.5 * (free.high - free.low)
    found = pool(x, sizes, "ar1")
    size = effective(found.z, "ar1")
    assert found.size.n_mean == pytest.approx(sizes.sum() / np.median(sizes) * size.n_mean / 120)


@pytest.mark.slow
def test_the_intervals_hold_what_they_promise() -> None:
    coverage(1500, 0.017)


def test_the_intervals_hold_what_they_promise_in_short() -> None:
    coverage(300, 0.035)


def coverage(runs: int, within: float) -> None:
    """Of the pooled ratio and of the next period, 30 periods of very unequal size."""
    rng = np.random.default_rng(11)
    held = [0, 0]
    for _ in range(runs):
        sizes = rng.lognormal(6, 0.8, 31)
        x = rng.normal(0.02 * sizes, 0.3 * np.sqrt(sizes))
        b = perf.baseline(series(x[:30], sizes[:30]), dependence="independent")
        rate, ahead = b["rate"].interval, b["next period"].interval
        held[0] += rate.low <= 0.02 <= rate.high
        new = rng.normal(0.02, 0.3 / math.sqrt(float(np.median(sizes[:30]))))
        held[1] += ahead.low <= new <= ahead.high
    assert held[0] / runs == pytest.approx(0.95, abs=within)
    assert held[1] / runs == pytest.approx(0.95, abs=within)


# --- the unit is a choice ----------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    unit=st.sampled_from([1 / 60, 60.0, 1000.0, 1 / 480]),
    per=st.sampled_from([1.0, 60.0, 1 / 7]),
    scale=st.sampled_from(["real", "positive", "duration"]),
    timed=st.booleans(),
)
def test_hours_and_minutes_scale_exactly(seed, unit, per, scale, timed) -> None:
    totals, sizes = made(24, seed)
    a = perf.baseline(series(totals, sizes, scale, timed=timed))
    b = perf.baseline(series(totals * unit, sizes * per, scale, timed=timed))
    factor = unit / per
    for part in ("estimate", "low", "high"):
        np.testing.assert_allclose(
            getattr(b, part), getattr(a, part) * factor, rtol=1e-9, atol=1e-12 * factor
        )
    np.testing.assert_allclose(b.achieved, a.achieved, rtol=1e-9)
    assert b.n_effective == pytest.approx(a.n_effective)
    assert (b.stable, b.signals, b.caveat_codes) == (a.stable, a.signals, a.caveat_codes)
    assert (b.lower_limit, b.upper_limit) == pytest.approx(
        (a.lower_limit * factor, a.upper_limit * factor), abs=1e-12 * factor
    )


@pytest.mark.parametrize("scale", ["real", "positive", "duration"])
@pytest.mark.parametrize("timed", [True, False])
def test_comparisons_and_drift_know_no_unit(scale, timed) -> None:
    x, n = made()
    x[30:] *= 1.1
    found = []
    for unit, per in ((1, 1), (1 / 60, 1), (1 / 60, 1 / 60), (1, 1 / 7)):
        whole = series(x * unit, n * per, scale, timed=timed)
        one, two = whole.take(0, 30), whole.take(30)
        c = perf.compare(one, two)
        base = perf.baseline(one)
        d, few = base.drift(two), base.drift(whole.take(30, 35))
        same = base.drift(perf.baseline(two))
        np.testing.assert_array_equal(same.p_value, d.p_value)
        found.append([c.primary.p_value, *d.p_value.tolist(), few.p_value[0]])
    np.testing.assert_allclose(found, found[:1] * 4, rtol=1e-6)


def test_drift_sees_a_level_and_a_spread_that_changed() -> None:
    x, n = made(120)
    wide, m = made(60, 9, spread=8.0)
    base = perf.baseline(series(x, n))
    assert base.drift(series(x[:60], n[:60])).still_fits
    moved = base.drift(series(x[:60] * 1.3, n[:60]))
    assert {"location"} <= set(moved.aspect[moved.p_adjusted < 0.01].tolist())
    spread = base.drift(series(wide, m))
    k = spread.aspect.tolist().index("spread")
    assert spread.p_adjusted[k] < 0.001
    assert spread.after[k] / spread.before[k] == pytest.approx(4, rel=0.25)
    few = base.drift(series(x[:4] * 2, n[:4]))
    assert few.p_value[0] < 1e-6
    assert few.after[0] == pytest.approx(2 * x[:4].sum() / n[:4].sum())


def test_a_comparison_weighs_totals_like_the_ratios_of_the_repository() -> None:
    x, n = made()
    rates = [series(x[s] / n[s], n[s], selection={"statistic": "rate"}) for s in (slice(30), slice(30, 60))]
    totals = [series(x[s], n[s]) for s in (slice(30), slice(30, 60))]
    a, b = (perf.compare(*sides).primary for sides in (rates, totals))
    assert (a.estimate, a.low, a.p_value) == pytest.approx((b.estimate, b.low, b.p_value))
    for method in ("poisson_rates", "two_proportions"):
        with pytest.raises(perf.InputError, match="measured quantity"):
            perf.compare(*totals, method=method)
    frame = {"x": x, "n": n, "g": ["a", "b"] * 30}
    with pytest.raises(perf.InputError, match="measured quantity"):
        perf.compare_groups(frame, value="x", sizes="n", by="g", measure=measure())


# --- totals, ratios, charts --------------------------------------------------------------------------------


def test_totals_are_never_guessed_to_be_ratios() -> None:
    """Whole minutes were read as counts, and the same time in hours as rates."""
    totals = perf.baseline(series(np.array(MINUTES) / 60, AGREED))
    ratios = perf.baseline(series(np.array(MINUTES) / 60 / AGREED, AGREED, selection={"statistic": "rate"}))
    assert totals["rate"].value == pytest.approx(sum(MINUTES) / 60 / sum(AGREED))
    np.testing.assert_allclose(ratios.low, totals.low)
    assert totals.unit[0] == "minutes per unit of size"
    assert ratios.unit[0] == "minutes"
    again = totals.as_series()
    np.testing.assert_allclose(perf.baseline(again).low, totals.low)
    u = [perf.control_chart(series(np.array(MINUTES) / f, AGREED), chart="laney_u") for f in (1, 60)]
    np.testing.assert_allclose(u[1].upper * 60, u[0].upper)


def test_the_chart_is_the_one_for_unequal_denominators() -> None:
    x, n = made(40)
    b = perf.baseline(series(x, n, timed=True))
    chart = perf.control_chart(series(x, n, timed=True), chart="i_prime")
    assert b.stable == chart.stable
    assert b.signals == chart.n_signals
    assert b.center_line == pytest.approx(chart.center[0][0])
    assert b.upper_limit == pytest.approx(float(np.median(chart.upper[0])))
    assert perf.baseline(series(x, n), chart="individuals").upper_limit != b.upper_limit
    assert perf.baseline(series(x, n), chart="laney_u").stable is not None


@pytest.mark.parametrize("chart", ["u", "c"])
def test_charts_of_counts_say_that_minutes_are_none(chart) -> None:
    measured = series(MINUTES, AGREED if chart == "u" else None)
    found = perf.control_chart(measured, chart=chart)
    assert "not-counts" in found.caveat_codes
    assert "measured quantity" in next(c.text for c in found.caveats if c.code == "not-counts")
    assert "not-counts" in perf.control_charts({"a": measured}, chart=chart).caveats_of_series[0]
    counts = perf.Measure("breaks", definition="d", unit="breaks", better="lower", scale="count")
    counted = perf.Series(MINUTES, sizes=measured.sizes, measure=counts)
    assert "not-counts" not in perf.control_chart(counted, chart=chart).caveat_codes


def test_charts_of_counts_refuse_negative_totals_and_the_others_take_them() -> None:
    below = series([-3.0, 4, 5, -1, 2, 6, 1, -2, 3, 4, 5, 0], AGREED)
    with pytest.raises(perf.InputError, match="i_prime"):
        perf.control_chart(below, chart="u")
    with pytest.raises(perf.InputError, match="negative"):
        perf.control_chart(below, chart="funnel", options={"law": "poisson"})
    assert perf.control_chart(below, chart="i_prime").center[0][0] == pytest.approx(24 / sum(AGREED))
    assert perf.control_chart(below, chart="run").value[0][0] == pytest.approx(-3 / 4800)


def test_periods_without_a_size_and_excluded_ones_are_left_out() -> None:
    x, n = [5.0, 9, 7, 100, 6], [10.0, 0, 12, 10, 11]
    b = perf.baseline(series(x, n), exclude={3: "outage of the power supply"})
    assert (b.n, b.n_missing, b.n_excluded) == (3, 1, 1)
    assert b["rate"].value == pytest.approx(18 / 33)


def test_one_period_has_a_ratio_and_no_interval() -> None:
    b = perf.baseline(series([5.0], [10.0]))
    assert b["rate"].value == 0.5
    assert b["rate"].interval is None
    assert "no interval" in b.verdict


# --- doubts, words, records --------------------------------------------------------------------------------


def test_ratios_that_do_not_vary_by_their_size_say_so() -> None:
    rng = np.random.default_rng(2)
    sizes = rng.lognormal(6, 1.2, 60)
    alike = perf.baseline(series(rng.normal(0.5, 0.1, 60) * sizes, sizes))
    by_size = perf.baseline(series(rng.normal(0.5 * sizes, np.sqrt(sizes)), sizes))
    assert "spread-not-by-size" in alike.caveat_codes
    assert "spread-not-by-size" not in by_size.caveat_codes
    assert "zero-variance" in perf.baseline(series([5.0] * 9, [10.0] * 9)).caveat_codes
    assert "too-few-points" in perf.baseline(series(MINUTES, AGREED)).caveat_codes


def test_the_verdict_speaks_of_the_ratio_and_an_objective_of_it() -> None:
    goal = perf.Objective("up", measure="downtime", statistic="rate", target=0.02, direction="at_most")
    b = perf.baseline(series(MINUTES, AGREED, timed=True), objective=goal)
    assert b.verdict.startswith("downtime: 0.00711 minutes per unit of size over 12 periods from 2024-01-01")
    assert b.standing == "met"
    assert b.summary().loc[0, "center"] == b["rate"].value
    assert b.summary().loc[0, "next_high"] == b["next period"].interval.high
    assert perf.Result.from_record(json.loads(json.dumps(b.to_record()))) == b
    drawn = perf.plot(b).to_dict()
    assert drawn["layout"]["yaxis"]["title"]["text"] == "downtime (minutes per unit of size)"
    assert any(a["text"] == "center 0.00711" for a in drawn["layout"]["annotations"])
    with pytest.raises(perf.InputError, match="these are ratios"):
        perf.baseline(series(MINUTES, AGREED), distribution="normal")


def test_exact_tolerance_limits_are_those_of_a_normal_period() -> None:
    b = perf.baseline(series(MINUTES, AGREED), tolerance="exact")
    assert b["tolerance limit, upper"].interval.low == -math.inf
    assert b["tolerance limit, upper"].interval.high < b["tolerance interval"].interval.high


# --- many, capability --------------------------------------------------------------------------------------


def test_many_are_the_single_ones() -> None:
    x, n = made()
    parts = {"a": series(x[:30], n[:30]), "b": series(x[30:], n[30:])}
    many = perf.baselines_of(parts)
    for i, one in enumerate(perf.baseline(s) for s in parts.values()):
        for quantity in ("rate", "sd", "p90", "next period"):
            got = one[quantity]
            assert many.column(quantity)[i] == got.value
            assert many.column(quantity, "high")[i] == got.interval.high
        assert many.caveats_of_series[i] == "; ".join(one.caveat_codes)
    assert many.summary()["center"].tolist() == many.column("rate").tolist()
    caps = perf.capabilities(parts, lower=0.2, upper=0.9)
    for i, s in enumerate(parts.values()):
        one = perf.capability(s, lower=0.2, upper=0.9)
        assert caps.column("ppk")[i] == pytest.approx(one["ppk"].value, rel=1e-12)
        assert set(caps.caveats_of_series[i].split("; ")) == set(one.caveat_codes)


def test_capability_holds_the_ratio_of_each_period_against_limits() -> None:
    x, n = made()
    c = perf.capability(series(x, n, timed=True), upper=0.75, lower=0.25)
    plain = perf.capability(series(x / n, None, timed=True), upper=0.75, lower=0.25)
    assert c["ppk"] == plain["ppk"]
    assert c.values_are == "ratios"
    assert c.provenance.data_hash == series(x, n, timed=True).data_hash()
    assert "unequal-sizes" in c.caveat_codes
    assert "unequal-sizes" not in perf.capability(series(x, [500.0] * 60), upper=2).caveat_codes
    hours = perf.capability(series(x / 60, n, timed=True), upper=0.75 / 60, lower=0.25 / 60)
    assert hours["ppk"].value == pytest.approx(c["ppk"].value)
    assert perf.plot(c).data
    goal = perf.Objective("up", measure="downtime", statistic="rate", target=0.6, direction="at_most")
    with pytest.raises(perf.InputError, match=r"perf\.baseline"):
        perf.capability(series(x, n), objective=goal)
    each = perf.Objective("each", measure="downtime", statistic="item", target=0.75, direction="at_most")
    assert perf.capability(series(x, n), objective=each).upper == 0.75


# --- what did not change -----------------------------------------------------------------------------------


def test_counts_and_shares_keep_their_laws() -> None:
    counts = perf.Measure("breaks", definition="d", unit="breaks", better="lower", scale="count")
    b = perf.baseline(perf.Series([3, 5, 2, 4], sizes=[10, 12, 9, 11], measure=counts))
    assert b.values_are == "rates"
    assert "Garwood" in b.how[0]
    assert perf.baseline(perf.Series([3, 5, 2, 4], sizes=[10, 12, 9, 11])).values_are == "shares"
