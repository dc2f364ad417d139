"""Capability: printed examples, R (reference/capability.R), parts of a study, bulk as single, bad input."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfanalytics as perf
from perfanalytics.baselines.capability_indices import MEDIAN_MOVING_RANGE_DF, chi_df
from perfanalytics.spc.constants import d2, d3

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "spc"
HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
SLA = perf.Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
DEFECTS = perf.Measure("defects", definition="d", unit="", better="lower", scale="count")
# the 36 values of entry 149bcefd84f7 of the published inputs (an example of R's SixSigma)
X = [
    11.5110511753936, 8.29856388741617, 16.690448839138, 14.0582715355147, 13.4986923141821,
    12.5564239769566, 14.7014191881364, 13.2608638754875, 14.3933033262419, 17.3214849564707,
    12.3237522200877, 11.3710393840687, 16.5553396718824, 13.2568159221336, 12.7286125812286,
    16.4644470845767, 17.7833103632241, 13.2053725015493, 11.5855770923609, 4.23922163180593,
    18.0757191876772, 11.9960130897672, 7.51470918929383, 9.51534065485936, 6.10143637981442,
    7.39164520103033, 4.60412727123243, 9.56603322356923, 3.30872925495688, 3.64167164867581,
    2.16140923882372, 3.59820089955023, 6.84896758155343, 2.991120112167, 3.58182225207074,
    6.34637081609629,
]  # fmt: skip


def ends(c: perf.Capability, name: str) -> tuple[float, float, float]:
    e = c[name]
    return e.value, e.interval.low, e.interval.high


def test_against_r() -> None:
    c = perf.capability(X, lower=0, upper=20)
    assert ends(c, "cp") == pytest.approx((1.1371416284, 0.8011760853, 1.4725876359), rel=1e-9)
    assert ends(c, "cpk") == pytest.approx((1.0959286860, 0.7521764476, 1.4396809243), rel=1e-9)
    assert ends(c, "pp") == pytest.approx((0.6841338343, 0.5244663299, 0.8434833818), rel=1e-9)
    assert ends(c, "ppk") == pytest.approx((0.6593390615, 0.4703593003, 0.8483188226), rel=1e-9)
    assert ends(c, "cpm") == pytest.approx((0.6918723761, 0.5326377994, 0.8507888448), rel=1e-9)
    assert c["ppm_overall"].value == pytest.approx(40682.3255068095, rel=1e-10)
    assert c["z_bench_overall"].value == pytest.approx(1.7428223500, rel=1e-9)
    assert perf.capability(X, lower=1, upper=20, transform="box_cox").transform["lambda"] == pytest.approx(
        0.8712385, abs=2e-6
    )


def piston_rings() -> np.ndarray:
    path = DATA / "pistonrings.csv"
    if not path.is_file():
        pytest.skip("the shared data are not beside the repository")
    with path.open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["trial"] == "TRUE"]
    return np.array([float(r["diameter"]) for r in rows]).reshape(25, 5)


def test_piston_rings() -> None:
    # documentation of R's qcc: process.capability(..., c(73.95, 74.05)): Cp 1.703, Cp_l 1.743, Cp_u 1.663;
    # its interval of Cp, 1.491 to 1.914, takes n - 1 degrees of freedom for a sigma from 25 ranges of five
    c = perf.capability(piston_rings(), lower=73.95, upper=74.05, sigma="mean_range")
    assert [round(c[q].value, 3) for q in ("cp", "cpl", "cpu", "cpk")] == [1.703, 1.743, 1.663, 1.663]
    assert c.df_within == pytest.approx(chi_df((d3(5) / d2(5)) ** 2 / 25))
    assert c.df_within == pytest.approx(90.8, abs=0.1)
    assert ends(c, "cp")[1] < 1.491
    assert (c.subgroups, c.n, c.stable) == (25, 125, True)
    pooled = perf.capability(piston_rings(), lower=73.95, upper=74.05)
    assert pooled.df_within == 100


def test_montgomery_printed_intervals() -> None:
    # Montgomery (2013), examples 8.4 and 8.5, are doctests of the formulas; here: the whole way for n = 20
    z = stats.norm.ppf((np.arange(20) + 0.5) / 20)
    z = (z - z.mean()) / z.std(ddof=1)
    c = perf.capability(50 + z, lower=50 - 3 * 2.29, upper=50 + 3 * 2.29)
    value, low, high = ends(c, "pp")
    assert (round(value, 2), round(low, 2), round(high, 2)) == (2.29, 1.57, 3.01)


def test_degrees_of_freedom_of_moving_ranges_by_simulation() -> None:
    from perfanalytics.baselines.capability_indices import MOVING_RANGE_DF

    ranges = np.abs(np.diff(np.random.default_rng(1).normal(size=(4000, 200)), axis=1))
    for estimate, factor in (
        (ranges.mean(axis=1), MOVING_RANGE_DF),
        (np.median(ranges, axis=1), MEDIAN_MOVING_RANGE_DF),
    ):
        df = 1 / (2 * (estimate.std() / estimate.mean()) ** 2)
        assert df / 199 == pytest.approx(factor, rel=0.06)


def test_intervals_hold_what_they_say() -> None:
    rng = np.random.default_rng(3)
    data = {str(i): rng.normal(10, 1, 60) for i in range(1500)}
    made = perf.capabilities(data, lower=6.4, upper=14.0)
    truth = {"cpk": 1.2, "ppk": 1.2, "pp": 7.6 / 6, "cp": 7.6 / 6}
    for name, value in truth.items():
        held = np.mean((made.column(name, "low") <= value) & (value <= made.column(name, "high")))
        assert held == pytest.approx(0.95, abs=0.02), name
    outside = 1e6 * (stats.norm.cdf(-3.6) + stats.norm.cdf(-4.0))
    held = np.mean(
        (made.column("ppm_overall", "low") <= outside) & (outside <= made.column("ppm_overall", "high"))
    )
    assert held == pytest.approx(0.95, abs=0.02)


def test_one_sided_limits_and_an_objective() -> None:
    x = np.random.default_rng(1).lognormal(1.5, 0.5, 120)
    goal = perf.Objective("fast", measure="hours", target=24, direction="at_most", share=0.9)
    when = np.datetime64("2024-01-01") + np.arange(120)
    c = perf.capability(perf.Series(x, measure=HOURS, when=when), objective=goal)
    assert (c.analysis, c.distribution) == ("transform", "log")
    logs = np.log(x)
    assert c["ppk"].value == pytest.approx((math.log(24) - logs.mean()) / 3 / logs.std(ddof=1))
    assert math.isnan(c["cp"].value)
    assert c["cp"].interval is None
    assert c.standing == "met"
    assert "so it is met" in c.verdict
    assert c["ppm_observed"].value == 0
    same = perf.capability(perf.Series(x, measure=HOURS, when=when), upper=24.0, lower=0.0)
    assert same["ppk"].value == c["ppk"].value  # no duration lies below 0: that limit asks for nothing


def test_percentiles_of_a_normal_distribution_are_six_sigma() -> None:
    x = np.random.default_rng(1).normal(10, 1, 80)
    c = perf.capability(x, lower=6, upper=15, method="percentile", distribution="normal")
    sd = x.std()
    assert c["pp"].value == pytest.approx(9 / 6 / sd)
    assert c["ppk"].value == pytest.approx(min(x.mean() - 6, 15 - x.mean()) / 3 / sd)
    # maximum likelihood: standard error of log sigma is 1 / sqrt(2 n)
    value, low, high = ends(c, "pp")
    assert (high - low) / 2 == pytest.approx(1.959964 * value / math.sqrt(160), rel=1e-4)
    assert math.isnan(c["cpk"].value)


def test_percentiles_of_other_distributions() -> None:
    x = np.random.default_rng(2).weibull(1.5, 300) * 10
    c = perf.capability(x, upper=60, distribution="weibull")
    k, scale = c.fitted.estimate
    high, middle = (scale * (-math.log(p)) ** (1 / k) for p in (stats.norm.cdf(-3), 0.5))
    assert c["ppk"].value == pytest.approx((60 - middle) / (high - middle))
    assert c["ppm_overall"].value == pytest.approx(1e6 * math.exp(-((60 / scale) ** k)))
    e = perf.capability(x, upper=60, distribution="empirical")
    assert "tails-not-seen" in e.caveat_codes
    assert e["ppk"].interval is None
    big = perf.capability(
        np.random.default_rng(3).normal(size=8000), lower=-5, upper=5, distribution="empirical"
    )
    value, low, high = ends(big, "pp")
    assert low < 10 / 6 < high
    assert value == pytest.approx(10 / 6, rel=0.12)


def test_johnson_transform_gives_normal_scores() -> None:
    x = np.random.default_rng(5).standard_t(4, 400)
    c = perf.capability(x, lower=-9, upper=9, transform="johnson")
    assert (c.mean, c.sd_overall) == (pytest.approx(0, abs=1e-9), pytest.approx(1, rel=2e-3))
    p = c.transform
    score = p["gamma"] + p["delta"] * math.asinh((9 - p["xi"]) / p["lambda"])
    assert c["ppu"].value == pytest.approx((score - c.mean) / 3 / c.sd_overall)


def test_an_unstable_process_is_said() -> None:
    x = np.r_[np.random.default_rng(1).normal(0, 1, 30), np.random.default_rng(2).normal(4, 1, 30)]
    c = perf.capability(x, lower=-8, upper=12)
    assert c.stable is False
    assert "predicts nothing" in c.verdict
    assert "not-stable" in c.caveat_codes
    late = perf.capability(x, lower=-8, upper=12, stages=[30])
    assert late.n == 30
    assert late.mean == pytest.approx(x[30:].mean())
    assert late.stable
    alone = perf.capability(x[30:], lower=-8, upper=12)
    assert late["cpk"] == alone["cpk"]


def test_excluded_points_do_not_count() -> None:
    x = np.random.default_rng(1).normal(0, 1, 40)
    x[7] = 30.0
    c = perf.capability(x, lower=-5, upper=5, exclude={7: "power cut"})
    kept = np.delete(x, 7)
    assert c.n == 39
    assert c.sd_overall == pytest.approx(kept.std(ddof=1))
    # the pair across the excluded point is no moving range: 37 of them
    assert c.df_within == pytest.approx(0.62 * 37)


def test_autocorrelated_values_have_wider_intervals() -> None:
    rng = np.random.default_rng(6)
    y = np.zeros(100)
    for t in range(1, 100):
        y[t] = 0.6 * y[t - 1] + rng.normal()
    when = np.datetime64("2024-01-01") + np.arange(100)
    plain = perf.capability(y, lower=-8, upper=8)
    timed = perf.capability(perf.Series(y, when=when), lower=-8, upper=8)
    assert timed["ppk"].value == plain["ppk"].value
    width = [np.diff(ends(c, "ppk")[1:])[0] for c in (plain, timed)]
    assert width[1] > 1.3 * width[0]
    assert "dependence-ignored" in plain.caveat_codes
    assert "autocorrelated" in timed.caveat_codes


def test_attributes() -> None:
    c = perf.capability(perf.Series([12, 9, 11, 10, 8, 11, 9, 10], sizes=[50] * 8))
    low, high = stats.binomtest(80, 400).proportion_ci()
    assert ends(c, "defective") == pytest.approx((0.2, low, high))
    assert ends(c, "ppm_observed") == pytest.approx((2e5, 1e6 * low, 1e6 * high))
    assert ends(c, "z_bench_overall") == pytest.approx(tuple(-stats.norm.ppf([0.2, high, low])))
    met = perf.capability(
        perf.Series([176, 181, 169, 188], sizes=[200] * 4, measure=SLA),
        objective=perf.Objective("sla", measure="sla", statistic="share", target=0.85, direction="at_least"),
    )
    assert met["defective"].value == pytest.approx(1 - 714 / 800)  # higher is better: the rest is defective
    assert met.standing == "met"
    rate = perf.capability(perf.Series([3, 5, 2, 4], sizes=[10, 12, 9, 11], measure=DEFECTS))
    assert rate["dpu"].value == pytest.approx(14 / 42)
    assert rate["yield"].value == pytest.approx(math.exp(-14 / 42))
    assert "none-seen" in perf.capability(perf.Series([0, 0, 0], sizes=[50] * 3)).caveat_codes


ALL = {
    "individuals": (X, {"lower": 0, "upper": 20, "minimum": 1.33}),
    "log": (perf.Series(X, measure=HOURS), {"upper": 30}),
    "percentile": (X, {"upper": 40, "distribution": "gamma"}),
    "subgroups": (np.array(X).reshape(12, 3), {"lower": 0, "upper": 25}),
    "shares": (perf.Series([12, 9, 11, 10, 8], sizes=[50] * 5), {}),
    "rates": (perf.Series([3, 5, 2, 4], sizes=[10, 12, 9, 11], measure=DEFECTS), {}),
    "items": (perf.Series([1, 0, 1, 1, 1, 0, 1, 1], measure=SLA), {}),
    "alike": ([3.0] * 6, {"lower": 1, "upper": 5}),
}


@pytest.mark.parametrize("name", ALL)
def test_saved_and_read_back_to_the_last_bit(name: str) -> None:
    series, options = ALL[name]
    made = perf.capability(series, **options)
    back = perf.Capability.from_record(json.loads(json.dumps(made.to_record())))
    assert back == made
    assert made.verdict.endswith(".")
    assert list(made.summary()) == list(perf.capability(X, lower=0).summary())
    assert len(made.summary()) == 1
    perf.plot(made)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100), st.floats(-1000, 1000), st.integers(0, 10**6))
def test_a_change_of_unit_changes_no_index(factor: float, shift: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=25)
    one = perf.capability(x, lower=-4, upper=5)
    other = perf.capability(x * factor + shift, lower=-4 * factor + shift, upper=5 * factor + shift)
    for name in ("cp", "cpk", "pp", "ppk", "cpm", "z_bench_overall"):
        assert ends(other, name) == pytest.approx(ends(one, name), rel=1e-6)


BATCHES = {
    "individuals": ({"sigma": "moving_range"}, None),
    "median": ({"sigma": "median_moving_range"}, None),
    "deviation": ({"sigma": "standard_deviation"}, None),
    "pooled": ({}, 5),
    "ranges": ({"sigma": "mean_range"}, 5),
    "deviations": ({"sigma": "mean_standard_deviation"}, 5),
}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("timed", [False, True])
def test_bulk_equals_one_by_one(name: str, timed: bool) -> None:
    options, size = BATCHES[name]
    rng = np.random.default_rng(11)
    shape = (90, size) if size else (90,)
    values = rng.lognormal(1, 0.4, shape)
    if size is None:
        values[[4, 50]] = np.nan
    batch = perf.SeriesBatch(
        values,
        [0, 20, 50, 90],
        measure=HOURS,
        ids=["a", "b", "c"],
        when=np.tile(np.datetime64("2024-01-01"), 90) if timed else None,
        exclusions=[perf.Exclusion("power cut", point=3, series="b")],
    )
    made = perf.capabilities(batch, lower=0.5, upper=8, target=3, **options)
    for i in range(3):
        one = perf.capability(batch[i], lower=0.5, upper=8, target=3, **options)
        assert made.n[i] == one.n
        assert bool(made.stable[i]) == bool(one.stable)
        for q in made.quantity.tolist():
            for part in ("estimate", "low", "high"):
                assert made.column(q, part)[i] == pytest.approx(one.value(q, part), rel=1e-9, nan_ok=True)
    back = perf.Capabilities.from_record(json.loads(json.dumps(made.to_record())))
    assert back == made
    assert made.summary()["ppk"].is_monotonic_increasing
    assert len(made.to_frame()) == 3 * len(made.quantity)


def test_bulk_method_gives_the_columns_it_promises() -> None:
    batch = perf.SeriesBatch(np.random.default_rng(1).normal(size=60), [0, 30, 60], ids=["a", "b"])
    method = perf.method("capability", lower=-4, upper=4)
    columns = method(batch)
    assert columns["ppk"] == pytest.approx(perf.capabilities(batch, lower=-4, upper=4).column("ppk"))
    own = perf.capabilities(batch, lower=[-4, np.nan], upper=[4, 5])
    assert np.isnan(own.column("cp")).tolist() == [False, True]
    with pytest.raises(perf.InputError, match="limit"):
        perf.method("capability")
    with pytest.raises(perf.UnknownNameError, match="lower"):
        perf.method("capability", lowr=3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "needs a limit"),
        ({"lower": 5, "upper": 1}, "lies below"),
        ({"lower": 0, "upper": 5, "target": 9}, "outside the limits"),
        ({"upper": math.inf}, "number in the unit"),
        ({"upper": 20, "method": "transform"}, "needs transform="),
        ({"upper": 20, "transform": "log", "distribution": "gamma"}, "leave distribution="),
        ({"upper": 20, "method": "sigma", "distribution": "gamma"}, "percentile"),
        ({"upper": 20, "confidence": 95}, "between 0 and 1"),
        ({"upper": 20, "minimum": -1}, "positive"),
    ],
)
def test_bad_arguments(options: dict[str, object], match: str) -> None:
    with pytest.raises(perf.InputError, match=match):
        perf.capability(X, **options)  # type: ignore[arg-type]


def test_bad_data_and_names() -> None:
    with pytest.raises(perf.UnknownNameError, match="moving_range"):
        perf.capability(X, upper=20, sigma="moving_rang")
    with pytest.raises(perf.UnknownNameError, match="pooled"):
        perf.capability(np.array(X).reshape(12, 3), upper=20, sigma="moving_range")
    with pytest.raises(perf.InputError, match="still open"):
        perf.capability(perf.Series(X, censored=np.arange(36) == 3), upper=20)
    with pytest.raises(perf.InputError, match="positive values"):
        perf.capability([0.0, *X], upper=20, transform="log")
    with pytest.raises(perf.InputError, match="at least two"):
        perf.capability([3.0], upper=20)
    with pytest.raises(perf.InputError, match="counted"):
        perf.capability(perf.Series([1, 2], sizes=[50, 50]), upper=3)
    with pytest.raises(perf.InputError, match="each item"):
        perf.capability(
            X, objective=perf.Objective("o", measure="x", statistic="mean", target=3, direction="at_most")
        )
    with pytest.raises(perf.InputError, match="could not be fitted"):
        perf.capability(np.exp(np.linspace(0, 3, 30)) - 3, upper=20, distribution="weibull")
    with pytest.raises(perf.InputError, match="measured values"):
        perf.capabilities(perf.SeriesBatch([1, 2], [0, 2], ids=["a"], sizes=[5, 5]), upper=1)
