"""Transformed data: powers and charts against R (tests/reference/transforms.R) and scipy; frozen limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.segments import Segments
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.transforms import TRANSFORMS, Transform, back, forward, powers
from tests.spc.samples import batch_for, series_for

X = np.array(
    [4.2, 7.9, 3.1, 12.5, 5.6, 9.8, 2.4, 6.6, 21.3, 4.9, 8.1, 3.7, 15.2, 6.0, 5.1, 10.4, 2.9, 7.2, 33.8, 4.4,
     6.9, 5.3, 11.7, 3.4, 8.8]
)  # fmt: skip
HOURS = perf.Measure("resolution", definition="d", unit="hours", better="lower", scale="duration")
TRANSFORMABLE = [name for name, family in CHARTS.items() if family.transformable]
LEVELS = [name for name in TRANSFORMABLE if CHARTS[name].panels[0].level]


def power_of(name, x):
    x = np.asarray(x, dtype=float)
    return powers(name, x, np.ones(len(x), dtype=bool), Segments(np.array([0]), len(x)), 0.0)[0]


def test_powers_as_in_r():
    # car::powerTransform; for Yeo-Johnson, where it stops at 5e-6, the maximum of car's likelihood
    assert power_of("box_cox", X) == pytest.approx(-0.367032522, abs=1e-6)
    assert power_of("yeo_johnson", X - 10) == pytest.approx(0.521716596, abs=1e-6)
    assert forward("box_cox", X[[6, 18]], np.array(0.5), 0.0) == pytest.approx([1.098386677, 9.627553483])
    yj = forward("yeo_johnson", X[[6, 18]] - 10, np.array(0.5), 0.0)
    assert yj == pytest.approx([-16.146767116, 7.959919678])


@given(seed=st.integers(0, 2**31), n=st.integers(8, 80), shape=st.floats(0.5, 9))
@settings(max_examples=15, deadline=None)
def test_powers_as_in_scipy(seed, n, shape):
    from scipy import stats

    x = np.random.default_rng(seed).gamma(shape, size=n)
    ours, theirs = power_of("box_cox", x), stats.boxcox_normmax(x, method="mle")
    if abs(theirs) < 5:
        assert ours == pytest.approx(theirs, abs=1e-5)
    ours, theirs = power_of("yeo_johnson", x - shape), stats.yeojohnson_normmax(x - shape)
    if abs(theirs) < 5:
        assert ours == pytest.approx(theirs, abs=1e-5)


@given(
    st.lists(st.floats(0.01, 1e4), min_size=1, max_size=30),
    st.sampled_from(sorted(TRANSFORMS)),
    st.sampled_from([-2.0, -0.5, 0.0, 0.3, 1.0, 2.0, 2.5]),
)
@settings(max_examples=80, deadline=None)
def test_there_and_back(values, name, lam):
    x = np.array(values) - (20.0 if name == "yeo_johnson" else 0.0)
    power = np.array(1.0 if name == "log" else lam)
    y = forward(name, x, power, 0.0)
    order = np.argsort(x)
    assert (np.diff(y[order]) >= 0).all()
    again = back(name, y, power, 0.0)
    if abs(lam - 1) < 1.2:
        np.testing.assert_allclose(again, x, rtol=1e-6, atol=1e-6)


def test_a_chart_of_logarithms_as_in_r():
    chart = perf.control_chart(perf.Series(X, measure=HOURS), transform="log")
    assert chart.center[0, 0] == pytest.approx(6.8092929250, rel=1e-10)
    assert chart.lower[0, 0] == pytest.approx(0.5124431971, rel=1e-9)
    assert chart.upper[0, 0] == pytest.approx(90.4811897245, rel=1e-9)
    np.testing.assert_array_equal(chart.value[0], X)
    assert chart.panels == ("individuals", "moving range, log scale")
    np.testing.assert_allclose(chart.value[1, 1:], np.abs(np.diff(np.log(X))))
    assert chart.transform == Transform("log")
    assert "charted on the log scale" in chart.verdict
    plain = perf.control_chart(np.log(X))
    np.testing.assert_array_equal(chart.fired, plain.fired)
    np.testing.assert_array_equal(chart.sigma, plain.sigma)
    assert (chart.p_value, chart.stable) == (plain.p_value, plain.stable)


def test_a_given_power_as_in_r():
    chart = perf.control_chart(X, transform={"name": "box_cox", "lambda": 0.5})
    found = chart.limits.parameters
    assert (found["center"][0], found["sigma"][0]) == pytest.approx((3.492700580, 2.416862378))
    assert chart.center[0, 0] == pytest.approx(7.542439916)
    # the limit on the transformed scale lies below all transformed values
    assert chart.lower[0, 0] == 0.0
    assert chart.upper[0, 0] == pytest.approx(40.597845445)


def test_an_upper_limit_that_does_not_exist_is_not_drawn():
    chart = perf.control_chart(X, transform={"name": "box_cox", "lambda": -1.5})
    assert np.isnan(chart.upper[0]).all()
    assert np.isfinite(chart.lower[0]).all()
    assert not (chart.fired[0] & 1 & (chart.value[0] > chart.center[0])).any()
    assert chart.verdict
    assert perf.plot(chart).data


def test_where_the_power_comes_from():
    x = np.random.default_rng(1).gamma(2, size=60)
    whole = perf.control_chart(x, transform="box_cox")
    assert whole.transform.lam == pytest.approx(power_of("box_cox", x), abs=1e-7)
    stages = perf.control_chart(x, transform="box_cox", stages=[30])
    assert stages.transform == whole.transform
    out = perf.control_chart(x, transform="box_cox", exclude={3: "a", 9: "b"})
    assert out.transform.lam == pytest.approx(power_of("box_cox", np.delete(x, [3, 9])), abs=1e-7)
    some = perf.control_chart(x, transform="box_cox", estimate=slice(0, 25))
    assert some.transform.lam == pytest.approx(power_of("box_cox", x[:25]), abs=1e-7)
    y = x.copy()
    y[5] = np.nan
    gap = perf.control_chart(y, transform="box_cox")
    assert gap.transform.lam == pytest.approx(power_of("box_cox", np.delete(x, 5)), abs=1e-7)
    half = perf.control_chart(x, transform={"name": "box_cox", "round_to": 0.5})
    assert half.transform.lam in (0.0, 0.5)
    said = half.method.parameters["transform"]
    assert said["lambda"] == half.transform.lam
    assert "maximum likelihood" in said["estimated"]


@pytest.mark.parametrize("chart", TRANSFORMABLE)
def test_every_chart_equals_the_chart_of_transformed_values(chart):
    series = series_for(chart, 30, 3, missing=0.1)
    same = perf.control_chart(
        perf.Series(np.log(series.values), subgroups=series.subgroups, measure=series.measure), chart=chart
    )
    made = perf.control_chart(series, chart=chart, transform="log")
    np.testing.assert_array_equal(made.fired, same.fired)
    np.testing.assert_array_equal(made.sigma, same.sigma)
    assert made.p_value == same.p_value or np.isnan(made.p_value)
    for k, panel in enumerate(CHARTS[chart].panels):
        for name in ("value", "center", "lower", "upper"):
            ours, theirs = getattr(made, name)[k], getattr(same, name)[k]
            if panel.level:
                np.testing.assert_allclose(ours, np.exp(theirs), rtol=1e-12)
            else:
                np.testing.assert_array_equal(ours, theirs)
    again = perf.ControlChart.from_record(json.loads(json.dumps(made.to_record())))
    assert again == made
    assert len(perf.plot(made).data) >= 3


@pytest.mark.parametrize("chart", TRANSFORMABLE)
@given(
    lengths=st.lists(st.integers(0, 25), min_size=1, max_size=5),
    seed=st.integers(0, 2**31),
    transform=st.sampled_from(["log", "box_cox", "yeo_johnson"]),
)
@settings(max_examples=4, deadline=None)
def test_batch_equals_one_by_one(chart, lengths, seed, transform):
    batch = batch_for(chart, lengths, seed, missing=0.1)
    many = perf.control_charts(batch, chart=chart, transform=transform)
    for i, series in enumerate(batch):
        one = perf.control_chart(series, chart=chart, transform=transform)
        row = one.summary().iloc[0]
        for name in ("center", "sigma", "lower", "upper"):
            np.testing.assert_array_equal(getattr(many, name)[i], row[name], err_msg=name)
        assert many.n_signals[i] == one.n_signals
        assert many.caveats_of_series[i] == "; ".join(one.caveat_codes)
        if transform != "log" and len(series):
            assert many.transform_lambda[i] == one.transform.lam
        else:
            assert transform != "log" or np.isnan(many.transform_lambda[i])


@pytest.mark.parametrize("chart", LEVELS)
@given(k=st.integers(12, 30), seed=st.integers(0, 2**31))
@settings(max_examples=4, deadline=None)
def test_subset_equals_freeze(chart, k, seed):
    series = series_for(chart, 35, seed)
    base = perf.control_chart(series.take(0, k), chart=chart, transform="box_cox")
    if any(np.isnan(v).any() for v in base.limits.parameters.values()):
        return
    saved = perf.Limits.from_record(json.loads(json.dumps(base.limits.to_record())))
    frozen = perf.control_chart(series, chart=chart, estimate=saved)
    assert frozen.transform == base.transform
    for name in ("value", "center", "lower", "upper", "fired"):
        np.testing.assert_array_equal(getattr(frozen, name)[:, :k], getattr(base, name), err_msg=name)
    bulk = perf.method("control_charts", chart=chart, estimate=base)
    again = perf.method("control_charts", **json.loads(json.dumps(bulk.method.parameters)))
    one, two = bulk(series.as_batch()), again(series.as_batch())
    np.testing.assert_array_equal(one["upper"], two["upper"])
    assert one["transform_lambda"][0] == base.transform.lam


def test_reachable_in_bulk():
    bulk = perf.method("control_charts", transform={"name": "box_cox", "round_to": 0.5})
    assert bulk.columns["transform_lambda"] == "float"
    assert bulk.method.parameters["transform"] == {"name": "box_cox", "round_to": 0.5}
    out = bulk(perf.SeriesBatch(np.r_[X, X**2], [0, 25, 50], ids=["a", "b"]))
    assert out["transform_lambda"].tolist() == [-0.5, 0.0]
    assert "transform" not in perf.method("control_charts").method.parameters


def test_skewed_values_get_the_advice_and_transformed_ones_do_not_need_it():
    x = np.exp(np.random.default_rng(2).normal(2, 0.8, 80))
    plain = perf.control_chart(perf.Series(x, measure=HOURS))
    (doubt,) = [c for c in plain.caveats if c.code == "skewed"]
    assert "transform='log'" in doubt.text
    assert "skewed" not in perf.control_chart(perf.Series(x, measure=HOURS), transform="log").caveat_codes
    assert "limit-out-of-range" in plain.caveat_codes
    assert perf.control_chart(perf.Series(x, measure=HOURS), transform="log").caveats == ()


def test_values_that_stay_far_from_normal_are_said():
    rng = np.random.default_rng(3)
    heavy = np.exp(rng.standard_t(2, 150))
    chart = perf.control_chart(heavy, transform="log")
    (doubt,) = [c for c in chart.caveats if c.code == "transformed-not-normal"]
    z = np.log(heavy)
    d = z - z.mean()
    assert doubt.evidence["kurtosis"] == pytest.approx((d**4).mean() / (d**2).mean() ** 2 - 3)
    batch = perf.SeriesBatch(
        np.exp(rng.standard_normal(60 * 400)), np.arange(401) * 60, ids=[str(k) for k in range(400)]
    )
    codes = perf.control_charts(batch, transform="log").caveats_of_series
    assert np.mean(["transformed-not-normal" in c for c in codes]) < 0.04


def test_an_excluded_value_that_cannot_be_transformed_stays_visible():
    y = np.insert(X, 4, 0.0)
    chart = perf.control_chart(y, transform="log", exclude={4: "not closed"})
    assert chart.value[0, 4] == 0.0
    assert chart.center[0, 0] == pytest.approx(6.8092929250)
    shifted = perf.control_chart(y, transform={"name": "log", "shift": 1.0})
    np.testing.assert_allclose(shifted.center[0], np.exp(np.log(y + 1).mean()) - 1)


@pytest.mark.parametrize(
    ("transform", "error", "message"),
    [
        ("logs", UnknownNameError, "log"),
        ({"name": "box_cox", "lam": 1}, UnknownNameError, "lambda"),
        ({"lambda": 1}, InputError, "needs a name"),
        ({"name": "log", "lambda": 1}, InputError, "no lambda"),
        ({"name": "box_cox", "lambda": 9}, InputError, "between -5 and 5"),
        ({"name": "yeo_johnson", "shift": 1}, InputError, "no shift"),
        ({"name": "box_cox", "round_to": 0}, InputError, "round_to"),
        (3, InputError, "transform= takes"),
    ],
)
def test_transforms_that_do_not_exist(transform, error, message):
    with pytest.raises(error, match=message):
        perf.control_chart(X, transform=transform)


def test_what_cannot_be_transformed():
    with pytest.raises(InputError, match=r"point 2 is -1: box_cox takes values above 0 only; .*yeo_johnson"):
        perf.control_chart([3.0, 4, -1, 5], transform="box_cox")
    with pytest.raises(InputError, match="a p chart are not transformed"):
        perf.control_chart(perf.Series([1.0, 2], sizes=[9, 9]), chart="p", transform="log")
    with pytest.raises(InputError, match="give the lambda"):
        perf.control_chart(X, transform="box_cox", estimate={"center": 1, "sigma": 1})
    base = perf.control_chart(X, transform="log")
    with pytest.raises(InputError, match="on the log scale"):
        perf.control_chart(X, transform="box_cox", estimate=base)
    with pytest.raises(InputError, match="without a transformation"):
        perf.control_chart(X, transform="log", estimate=perf.control_chart(X))
    given_power = perf.control_chart(
        X, transform={"name": "box_cox", "lambda": 0.5}, estimate={"center": 3, "sigma": 1}
    )
    assert given_power.center[0, 0] == pytest.approx(2.5**2)


def test_a_plan_may_ask_for_it(tmp_path, monkeypatch):
    from perfanalytics.plan.checking import check_plan
    from perfanalytics.plan.reading import read_plan

    days = np.datetime64("2024-01-01") + np.arange(25)
    rows = ["id,day,v", *(f"{k},{day},{x}" for k, (day, x) in enumerate(zip(days, X, strict=True)))]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    perf.run_plan("plan.toml")
    with perf.Repository.open("r.duckdb") as repo:
        logs, power = repo.result("logs"), repo.result("power")
    assert logs.center[0, 0] == pytest.approx(6.8092929250)
    assert power.transform == Transform("box_cox", lam=0.5)
    assert not list(check_plan(read_plan("plan.toml")))
    wrong = PLAN.replace('transform = "log"', 'transform = "logs"')
    (tmp_path / "plan.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(perf.PlanError, match="logs"):
        perf.run_plan("plan.toml")


PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "hours"
better = "lower"
scale = "duration"
value = "v"
when = "day"
item = "id"
[[chart]]
name = "logs"
measure = "m"
transform = "log"
[[chart]]
name = "power"
measure = "m"
transform = { name = "box_cox", lambda = 0.5 }
"""
