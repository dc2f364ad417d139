"""The figures of capability and of fitted distributions, as records."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.capability_info import info
from perfanalytics.figures.distribution import info as distribution_info
from perfanalytics.figures.plot import figure_dict

RNG = np.random.default_rng(1)
X = RNG.normal(10, 1, 60)
Y = RNG.gamma(3.0, 2.0, 80)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (X, {"lower": 6, "upper": 14}),
        (Y, {"upper": 20, "transform": "log"}),
        (Y, {"upper": 20, "transform": "box_cox"}),
        (Y, {"upper": 20, "distribution": "gamma"}),
    ],
)
def test_curves_are_densities_and_the_line_is_their_distribution(
    values: np.ndarray, options: dict[str, object]
) -> None:
    made = perf.capability(values, **options)  # type: ignore[arg-type]
    record = info(made)
    area = np.trapezoid(np.nan_to_num(record.overall), record.curve_x)
    assert area == pytest.approx(1, abs=0.02)
    assert (np.diff(record.line[np.isfinite(record.line)]) >= 0).all()
    assert record.index[-1] == "z_bench_overall"
    assert np.sum(record.height * np.diff(record.edges)) == pytest.approx(1)


def test_six_panels_and_limits_in_the_histogram_only() -> None:
    figure = figure_dict(perf.capability(X, lower=6, upper=14))
    axes = {k for k in figure["layout"] if k.startswith("xaxis")}
    assert axes == {"xaxis", "xaxis2", "xaxis3", "xaxis4", "xaxis5", "xaxis6"}
    at = {(s["xref"], s["x0"]) for s in figure["layout"]["shapes"]}
    assert {("x4", 6.0), ("x4", 10.0), ("x4", 14.0)} <= at
    assert all(ref in ("x4", "x6") for ref, _ in at)


def test_subgroups_shares_and_an_unstable_process() -> None:
    grouped = info(perf.capability(X.reshape(20, 3), lower=6, upper=14))
    assert len(grouped.last) == 60
    shares = figure_dict(perf.capability(perf.Series([12, 9, 11, 10, 8], sizes=[50] * 5)))
    assert "defective" in str(shares["layout"]["yaxis3"]["title"])
    wild = figure_dict(perf.capability(np.r_[X, X + 9], lower=0, upper=25))
    assert "NOT stable" in wild["layout"]["title"]["text"]


def test_at_most_three_families_are_drawn_and_points_lie_on_the_right_one() -> None:
    fit = perf.fit_distribution(Y, family=("gamma", "weibull", "normal", "lognormal", "exponential"), draws=0)
    record = distribution_info(fit)
    assert len(record.curves) == 3
    assert record.curves[0].name == fit.best.label
    best = np.interp(record.values, record.curves[0].x, record.curves[0].score)
    assert np.abs(best - record.score)[5:-5].max() < 0.6
    closed = np.minimum(Y, 8.0)
    still = distribution_info(perf.fit_distribution(perf.Series(closed, censored=Y > 8), family="gamma"))
    assert still.values.max() < 8


def test_the_peak_of_a_fitted_density_is_in_sight() -> None:
    values = np.random.default_rng(3).lognormal(1.5, 0.8, 120)
    fit = perf.fit_distribution(values, family=("lognormal", "gamma"))
    drawn = figure_dict(fit)
    peak = max(float(np.nanmax(t["y"])) for t in drawn["data"] if t.get("yaxis", "y") == "y" and "name" in t)
    assert drawn["layout"]["yaxis"]["range"][1] > peak
