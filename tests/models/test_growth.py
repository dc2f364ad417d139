"""Reliability growth: published estimates, R, trend tests, coverage, real data, bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.reliability.growth import ALL
from perfanalytics.models.reliability.growth_doubts import goodness
from perfanalytics.models.reliability.growth_models import MODELS, Observed, fit, log_likelihood
from perfanalytics.models.reliability.growth_tests import count_interval, crow, laplace

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
INPUTS = DATA / "spc" / "published_inputs.json"

#: Days between the first 26 failures of the Naval Tactical Data System (published input b34319b3e5eb).
NTDS = [9, 12, 11, 4, 7, 2, 5, 8, 5, 7, 1, 6, 1, 9, 4, 1, 3, 3, 6, 1, 11, 33, 7, 91, 2, 1]
#: Cumulative defects a week (93fdda5bb368).
WEEKLY = np.array([27, 16, 11, 10, 11, 7, 2, 5, 3, 1, 4, 7, 2, 5, 5, 6, 0, 5, 1, 1, 2, 1, 2, 1, 1])
#: Failures in 1500 hours (1f1b466016b5).
NIST = [5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478]


@pytest.fixture(scope="module")
def ntds() -> perf.Growth:
    return perf.reliability_growth(NTDS, of="intervals", unit="days")


def test_published_estimates(ntds) -> None:
    # Goel and Okumoto (1979): a = 33.99, b = 0.00579; Jelinski and Moranda (1972): N = 31.2, phi = 0.00685
    assert ntds["goel_okumoto"].estimate.tolist() == pytest.approx([33.99, 0.00579], rel=5e-4)
    assert ntds["jelinski_moranda"].estimate.tolist() == pytest.approx([31.2, 0.00685], rel=6e-4)


def test_estimates_against_r(ntds) -> None:
    # tests/reference/reliability.R
    go = ntds["goel_okumoto"]
    assert go.estimate.tolist() == pytest.approx([33.9935008405, 0.0057901615129], rel=1e-6)
    assert go.standard_error.tolist() == pytest.approx([10.0124641024, 0.00285914835555], rel=2e-3)
    assert go.log_likelihood == pytest.approx(-82.690150402, abs=1e-8)
    remaining = [go.remaining, go.remaining_low, go.remaining_high]
    assert remaining == pytest.approx([7.99350211785, 1.4388133576, 312.125558113], rel=1e-5)
    delayed = ntds["delayed_s"]
    assert delayed.estimate.tolist() == pytest.approx([27.4915425935, 0.0185792076632], rel=1e-6)
    assert delayed.log_likelihood == pytest.approx(-80.9179785073, abs=1e-8)
    musa = ntds["musa_okumoto"]
    assert musa.estimate.tolist() == pytest.approx([0.190745730631, 0.0427398370835], rel=1e-5)
    assert musa.log_likelihood == pytest.approx(-83.0873783565, abs=1e-8)


def test_counts_against_r() -> None:
    g = perf.reliability_growth(WEEKLY, of="counts", models=("goel_okumoto", "weibull"), out_of_sample=False)
    assert g["goel_okumoto"].estimate.tolist() == pytest.approx([142.315383169, 0.124602277534], rel=1e-6)
    assert g["goel_okumoto"].log_likelihood == pytest.approx(-57.2187897689, abs=1e-7)
    expected = [164.820365129, 11.3160744372, 0.701508370693]
    assert g["weibull"].estimate.tolist() == pytest.approx(expected, rel=1e-4)
    assert g["weibull"].log_likelihood == pytest.approx(-51.9512206548, abs=1e-7)


def test_power_law_of_the_nist_handbook() -> None:
    # section 8.4.5: slope 0.5165, MTBF 310.234 with the unbiased shape
    g = perf.reliability_growth(NIST, end=1500, confidence=0.8, out_of_sample=False)
    found = g.crow()
    assert 1 - found.shape_unbiased == pytest.approx(0.5165, abs=5e-5)
    assert found.mtbf_unbiased == pytest.approx(310.234, abs=5e-4)
    # tests/reference/reliability.R, Bessel functions
    assert [found.mtbf_low, found.mtbf_high] == pytest.approx([153.315745675, 596.27378217], rel=1e-8)
    assert [found.shape_low, found.shape_high] == pytest.approx([0.334226441832, 0.763186805555], rel=1e-9)
    assert g["power_law"].mtbf_low == found.mtbf_low


@pytest.mark.parametrize("truncated", ["time", "failure"])
def test_intervals_of_the_power_law_hold_their_confidence(truncated) -> None:
    rng = np.random.default_rng(4)
    shape, n, runs = 0.6, 15, 400
    held = np.zeros(2)
    for _ in range(runs):
        if truncated == "failure":
            times = np.cumsum(rng.exponential(1, n)) ** (1 / shape)
            end = float(times[-1])
        else:
            times = np.sort(rng.uniform(0, 1, max(2, rng.poisson(n)))) ** (1 / shape)
            times *= n ** (1 / shape)
            end = float(n) ** (1 / shape)
        found = crow(
            Observed(len(times), end, times), failure_truncated=truncated == "failure", confidence=0.8
        )
        mtbf = end ** (1 - shape) / shape
        held += [found.shape_low <= shape <= found.shape_high, found.mtbf_low <= mtbf <= found.mtbf_high]
    # 80%, four standard errors
    assert (np.abs(held / runs - 0.8) < 4 * math.sqrt(0.8 * 0.2 / runs)).all()


def test_every_estimate_is_a_peak() -> None:
    times = np.cumsum(np.array(NTDS, dtype=float))
    exact = Observed(26, 260.0, times)
    counts = Observed(136, 25.0, None, np.arange(1.0, 26.0), WEEKLY.astype(float))
    for data in (exact, counts):
        for model in MODELS.values():
            found = fit(model, data)
            assert not found.at_bound
            top = log_likelihood(model, data, found.u)
            assert top == pytest.approx(found.log_likelihood, abs=1e-8)
            for i in range(len(found.u)):
                for step in (-1e-3, 1e-3):
                    u = found.u.copy()
                    u[i] += step
                    assert log_likelihood(model, data, u) < top


def test_expected_failures_match_those_seen(ntds) -> None:
    for f in ntds.fits:
        if f.model != "jelinski_moranda":
            assert float(f.expected(ntds.end)) == pytest.approx(ntds.n, rel=1e-8)
        assert (np.diff(f.expected(np.linspace(0, 500, 50))) >= 0).all()


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e4))
def test_the_unit_of_time_does_not_matter(scale) -> None:
    models = ("goel_okumoto", "power_law", "jelinski_moranda")
    a = perf.reliability_growth(NTDS, of="intervals", models=models, out_of_sample=False)
    times = np.array(NTDS) * scale
    b = perf.reliability_growth(times, of="intervals", models=models, out_of_sample=False)
    assert b.laplace == pytest.approx(a.laplace)
    for m in models:
        assert b[m].mtbf == pytest.approx(a[m].mtbf * scale, rel=1e-5)
        assert b[m].ahead == pytest.approx(a[m].ahead, rel=1e-5)
    one, two = a["goel_okumoto"], b["goel_okumoto"]
    assert two.remaining == pytest.approx(one.remaining, rel=1e-5)
    assert two.remaining_high == pytest.approx(one.remaining_high, rel=1e-3)


def test_trend_tests() -> None:
    # by hand: mean 7/3, T = 10: (7/3 - 5) / (10 / sqrt(36)) = -1.6
    assert laplace(Observed(3, 10.0, np.array([1.0, 2, 4])), failure_truncated=False).statistic == (
        pytest.approx(-1.6)
    )
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(500):
        times = np.sort(rng.uniform(0, 1, 20))
        alarms += laplace(Observed(20, 1.0, times), failure_truncated=False).p_value < 0.05
    assert abs(alarms / 500 - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 500)
    counts = perf.reliability_growth([5] * 10, of="counts", out_of_sample=False)
    assert counts.laplace == pytest.approx(0, abs=1e-12)
    assert math.isnan(counts.handbook)


def test_no_growth_is_said() -> None:
    rng = np.random.default_rng(2)
    steady = perf.reliability_growth(np.cumsum(rng.exponential(10, 40)))
    assert steady.trend == "none"
    assert "no-growth" in steady.caveat_codes
    assert "No growth is shown" in steady.verdict
    worse = perf.reliability_growth(100 * np.sqrt(np.arange(1.0, 41.0)))
    assert worse.trend == "deterioration"
    assert "more frequent" in worse.verdict
    assert not worse["goel_okumoto"].converged
    assert math.isnan(worse["goel_okumoto"].remaining)
    assert not worse["jelinski_moranda"].converged
    assert perf.Growth.from_record(json.loads(json.dumps(worse.to_record(), allow_nan=False))) == worse


def test_a_long_time_without_failure_leaves_no_faults() -> None:
    g = perf.reliability_growth([5, 40, 43, 175, 389, 712], end=30_000, out_of_sample=False)
    found = g["jelinski_moranda"]
    assert found.converged
    assert found.total == pytest.approx(6, abs=1e-3)
    assert found.remaining_low == 0
    assert found.remaining_high < 0.1
    assert g.trend == "growth"


def test_the_model_that_made_the_data_wins() -> None:
    rng = np.random.default_rng(12)
    # Goel-Okumoto with 300 faults, seen until 95% are found
    times = np.sort(rng.exponential(1 / 0.01, rng.poisson(300)))
    g = perf.reliability_growth(times[times < 300], end=300)
    fitted = g["goel_okumoto"]
    assert fitted.remaining_low < 300 * math.exp(-3) < fitted.remaining_high
    assert fitted.aicc - g.fits[0].aicc < 6
    assert g["poisson"].aicc - g.fits[0].aicc > 50
    assert g["poisson"].prequential < fitted.prequential


@pytest.mark.slow
def test_remaining_and_next_period_hold_their_confidence() -> None:
    rng = np.random.default_rng(8)
    left = ahead = 0
    runs = 150
    for _ in range(runs):
        times = np.sort(rng.exponential(100, rng.poisson(80)))
        g = perf.reliability_growth(
            times[times < 150], end=150, next_period=30, models=("goel_okumoto",), out_of_sample=False
        )
        f = g["goel_okumoto"]
        left += f.remaining_low <= 80 * math.exp(-1.5) <= f.remaining_high
        new = int(((times >= 150) & (times < 180)).sum())
        ahead += f.ahead_low <= new <= f.ahead_high
    assert left / runs > 0.88
    assert ahead / runs > 0.88


def test_the_range_of_a_count() -> None:
    assert count_interval(5.0, 0.0, 0.95) == (1.0, 10.0)
    low, high = count_interval(5.0, 0.5, 0.95)
    assert low <= 1
    assert high > 10
    rng = np.random.default_rng(1)
    drawn = rng.poisson(rng.gamma(4, 5 / 4, 200_000))
    assert abs(np.mean((drawn >= low) & (drawn <= high)) - 0.95) < 0.03


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets lie beside the checkout")
def test_the_typed_inputs_are_the_published_ones() -> None:
    saved = json.loads(INPUTS.read_text(encoding="utf-8"))
    assert saved["b34319b3e5eb"]["interfailure_days"] == NTDS
    assert np.cumsum(NTDS).tolist() == saved["63113b9c2623"]["event_times"]
    assert np.diff(saved["93fdda5bb368"]["cumulative"], prepend=0).tolist() == WEEKLY.tolist()
    assert saved["1f1b466016b5"]["failure_times"] == NIST


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets lie beside the checkout")
def test_six_real_systems() -> None:
    frame = pd.read_csv(DATA / "software_failures_musa.csv")
    found = {}
    for name, part in frame.groupby("system"):
        g = perf.reliability_growth(
            part["IF"],
            of="intervals",
            unit="seconds",
            models=("goel_okumoto", "musa_okumoto", "poisson"),
            out_of_sample=False,
        )
        found[name] = g
        assert g.trend == "growth"
    # published for SYS1 (Lyu 1996 and others): a = 142.88, b = 3.42e-5
    assert found["SYS1"]["goel_okumoto"].estimate.tolist() == pytest.approx([142.88, 3.42e-5], rel=1e-3)
    assert {n: g.best.model for n, g in found.items() if g.best}["SYS1"] == "musa_okumoto"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perf.reliability_growth([3, 2, 5]), "before the one before"),
        (lambda: perf.reliability_growth([1, 2]), "at least 3"),
        (lambda: perf.reliability_growth([0, 2, 3]), "time 0"),
        (lambda: perf.reliability_growth([1, -2, 3]), "negative"),
        (lambda: perf.reliability_growth([1, 2, 3], end=2), "before the last"),
        (lambda: perf.reliability_growth([1, 2, 3], ends=[1, 2, 3]), "ends="),
        (lambda: perf.reliability_growth([1, 2.5, 3], of="counts"), "whole"),
        (lambda: perf.reliability_growth([1, 2, 3], of="counts", ends=[1, 1, 2]), "rising"),
        (lambda: perf.reliability_growth([1, 2, 3], of="counts", end=3), "end="),
        (lambda: perf.reliability_growth([1, 2, 3], models=()), "at least one"),
        (lambda: perf.reliability_growth([1, 2, 3], next_period=0), "above 0"),
        (lambda: perf.reliability_growth([1, 2, 4], of="counts").crow(), "times"),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_names() -> None:
    with pytest.raises(UnknownNameError, match="goel_okumoto"):
        perf.reliability_growth([1, 2, 3], models=("goel",))
    g = perf.reliability_growth([1, 2, 4, 9, 30, 80], out_of_sample=False)
    assert {f.model for f in g.fits} == set(ALL)
    with pytest.raises(UnknownNameError, match="weibull"):
        _ = g["weibul"]
    assert "too-few-points" in g.caveat_codes
    assert len(g.to_frame()) == len(ALL)
    assert len(g.summary()) == 1


def test_failures_in_the_first_period_only_have_no_finite_model() -> None:
    g = perf.reliability_growth([30, 0, 0, 0, 0, 0], of="counts", out_of_sample=False)
    assert not g["goel_okumoto"].converged
    assert np.isnan(g["goel_okumoto"].remaining)
    assert "no model of growth" in g.verdict


def test_no_fault_left_is_zero() -> None:
    g = perf.reliability_growth([1, 1, 1, 2, 3, 5, 9, 20], out_of_sample=False)
    assert g["jelinski_moranda"].remaining == 0
    assert g["jelinski_moranda"].ahead == 0


@pytest.mark.parametrize(
    "failures", [np.array(["2024-01-01", "2024-01-05"], dtype="datetime64[D]"), ["a", "b"]]
)
def test_failures_are_numbers(failures) -> None:
    with pytest.raises(InputError, match="are numbers"):
        perf.reliability_growth(failures)


def test_a_model_that_does_not_fit_says_so() -> None:
    """Clusters of five at the times of a steady process: the rate is constant, the counts are not."""
    rng = np.random.default_rng(3)
    centers = np.sort(rng.uniform(0, 1000, 60))
    times = np.sort(np.concatenate([centers + x for x in (0.0, 0.1, 0.2, 0.3, 0.4)]))
    g = perf.reliability_growth(times, end=1001, out_of_sample=False)
    found = next(c for c in g.caveats if c.code == "does-not-fit")
    # clusters of five have five times the variance of single failures; 50 spans: standard error 1
    assert found.evidence["dispersion"] == pytest.approx(5, abs=3)
    assert found.evidence["spans"] == 50
    assert "too narrow" in g.verdict
    alone = perf.reliability_growth(centers, end=1001, out_of_sample=False)
    assert "does-not-fit" not in alone.caveat_codes
    assert "too narrow" not in alone.verdict


def test_the_dispersion_by_hand() -> None:
    """Fifteen failures under a constant rate, in three spans of 5 expected: 9, 3 and 3 seen."""
    times = np.concatenate([np.linspace(1, 9, 9), [11, 13, 15], [21, 23, 25]])
    g = perf.reliability_growth(times, end=30, models=("poisson",), out_of_sample=False)
    found = goodness(g, g["poisson"])
    assert found is not None
    assert (found.spans, found.dispersion) == (3, pytest.approx((16 + 4 + 4) / 5 / 2))
    assert found.p_value == pytest.approx(math.exp(-2.4))
    # the same as counts in periods
    counted = perf.reliability_growth(
        [9, 3, 3], of="counts", ends=[10, 20, 30], models=("poisson",), out_of_sample=False
    )
    same = goodness(counted, counted["poisson"])
    assert same is not None
    assert (same.spans, same.dispersion) == (3, pytest.approx(found.dispersion, rel=1e-9))


def test_models_that_fit_are_seldom_doubted() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(150):
        times = np.sort(rng.exponential(100, rng.poisson(120)))
        g = perf.reliability_growth(
            times[times < 150], end=150, models=("goel_okumoto", "poisson"), out_of_sample=False
        )
        alarms += "does-not-fit" in g.caveat_codes
    # 1% nominal; P(more than 6 of 150) = 0.1%
    assert alarms <= 6


def test_far_ahead_is_said() -> None:
    near = perf.reliability_growth(NTDS, of="intervals", out_of_sample=False)
    far = perf.reliability_growth(NTDS, of="intervals", next_period=150, out_of_sample=False)
    assert "far-ahead" not in near.caveat_codes
    assert next(c for c in far.caveats if c.code == "far-ahead").evidence["ratio"] == 0.6
    counts = perf.reliability_growth([9, 6, 4, 3], of="counts", out_of_sample=False)
    assert "far-ahead" not in counts.caveat_codes
    assert "far-ahead" in (
        perf.reliability_growth([9, 6, 4, 3], of="counts", next_period=2, out_of_sample=False).caveat_codes
    )
