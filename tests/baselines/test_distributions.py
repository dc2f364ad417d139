"""Fitted distributions against R (reference/capability.R), published points, simulation, bad input."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfanalytics as perf
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.goodness import p_exponential, p_normal, p_weibull

Y = np.array([1.2, 3.4, 0.7, 5.9, 2.2, 8.1, 4.4, 2.9, 1.8, 6.3, 3.1, 12.7])
OPEN = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1], dtype=bool)
J = np.array(
    [
        -1.9,
        -0.7,
        0.1,
        0.4,
        -0.2,
        1.3,
        3.8,
        0.6,
        -0.5,
        0.9,
        0.2,
        -4.1,
        0.0,
        1.0,
        -0.9,
        2.1,
        0.3,
        -0.3,
        0.7,
        -1.2,
    ]
)

# R optim, optimHess: estimates, standard errors, log-likelihood (reference/capability.R)
COMPLETE = {
    "weibull": ((1.41862367, 4.85517239), (0.311475, 1.045521), -28.693384209),
    "gamma": ((1.91239700, 2.29642001), (0.722973, 0.991707), -28.518016813),
    "normal": ((4.39166668, 3.27756477), (0.946151, 0.669030), -31.272470632),
    "lognormal": ((1.19602929, 0.78750431), (0.227333, 0.160749), -28.512976549),
}
CENSORED = {
    "weibull": ((1.13571567, 5.85200848), (0.305515, 1.717995), -24.801497503),
    "gamma": ((1.37177053, 4.01692957), (0.582067, 2.286799), -24.649155243),
    "normal": ((5.01067031, 4.11118688), (1.241612, 1.027889), -28.461326817),
    "lognormal": ((1.34395558, 0.99342062), (0.299994, 0.248515), -23.813432512),
}


@pytest.mark.parametrize("family", COMPLETE)
@pytest.mark.parametrize("censored", [False, True])
def test_two_parameter_families_against_r(family: str, censored: bool) -> None:
    estimate, error, height = (CENSORED if censored else COMPLETE)[family]
    made = fit_family(FAMILIES[family], Y, censored=OPEN if censored else None)
    assert made.estimate == pytest.approx(estimate, rel=2e-7)
    assert made.standard_error == pytest.approx(error, rel=3e-6)
    assert made.log_likelihood == pytest.approx(height, abs=1e-8)
    assert made.converged


def test_exponential_has_closed_forms() -> None:
    made = fit_family(FAMILIES["exponential"], Y, censored=OPEN)
    assert made.estimate[0] == pytest.approx(Y.sum() / 9)
    assert made.standard_error[0] == pytest.approx(Y.sum() / 9 / 3, rel=1e-7)


def test_johnson_su_against_r() -> None:
    made = fit_family(FAMILIES["johnson_su"], J)
    assert made.converged
    assert made.log_likelihood == pytest.approx(-34.81337012, abs=1e-7)
    assert made.estimate == pytest.approx((0.091726, 0.960517, 0.219687, 0.884561), abs=2e-4)


def test_unbounded_likelihoods_are_said() -> None:
    # evenly spaced logarithms: SU runs towards its lognormal limit
    made = fit_family(FAMILIES["johnson_su"], np.exp(np.linspace(0, 3, 30)))
    assert not made.converged
    assert "limit" in made.why
    assert np.isnan(made.estimate).all()
    three = fit_family(FAMILIES["lognormal"], np.array([1.0, 1.01, 1.02, 5, 9, 30, 80]), threshold="fit")
    assert not three.converged
    assert "no inner peak" in three.why


def test_a_fitted_threshold_is_found_back() -> None:
    x = 30 + np.random.default_rng(2).weibull(1.8, 400) * 10
    made = fit_family(FAMILIES["weibull"], x, threshold="fit")
    assert made.parameters == ("shape", "scale", "threshold")
    assert made.estimate == pytest.approx((1.8, 10, 30), rel=0.12)
    # at a maximum of the likelihood of scipy
    best = stats.weibull_min.logpdf(x, made.estimate[0], made.estimate[2], made.estimate[1]).sum()
    assert made.log_likelihood == pytest.approx(best)
    for step in np.eye(3) * 0.02:
        k, scale, low = made.estimate + step
        assert stats.weibull_min.logpdf(x, k, low, scale).sum() < best
    stated = fit_family(FAMILIES["weibull"], x, threshold=30.0)
    assert stated.quantile(0.5) == pytest.approx(made.quantile(0.5), rel=0.01)
    assert float(stated.cdf(29.0)) == 0.0


# D'Agostino and Stephens (1986), tables 4.7 (normal), 4.14 (exponential), 4.17 (extreme value)
def test_p_values_meet_the_published_percentage_points() -> None:
    many = 10**9
    for a, p in ((0.631, 0.10), (0.752, 0.05), (0.873, 0.025), (1.035, 0.01)):
        assert p_normal(a, many) == pytest.approx(p, rel=0.03)
    for a, p in ((0.637, 0.10), (0.757, 0.05), (0.877, 0.025), (1.038, 0.01)):
        assert p_weibull(a, many) == pytest.approx(p, rel=0.02)
    for a, p in ((1.062, 0.10), (1.321, 0.05), (1.591, 0.025), (1.959, 0.01)):
        assert p_exponential(a, many) == pytest.approx(p, rel=0.02)


@pytest.mark.parametrize("family", ["normal", "weibull", "exponential"])
def test_p_values_are_uniform_where_the_family_is_right(family: str) -> None:
    rng = np.random.default_rng(5)
    truth = {
        "normal": rng.normal,
        "weibull": lambda size: rng.weibull(2, size),
        "exponential": rng.exponential,
    }
    p = [fit_family(FAMILIES[family], truth[family](size=40)).p_value for _ in range(300)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.045)


def test_the_bootstrap_agrees_with_the_table_and_is_repeatable() -> None:
    x = np.random.default_rng(3).gamma(2.0, 3.0, 60)
    one = fit_family(FAMILIES["gamma"], x, draws=99, seed=4)
    assert one.p_value == fit_family(FAMILIES["gamma"], x, draws=99, seed=4).p_value
    assert one.p_value > 0.05
    assert "bootstrap" in one.p_how
    wrong = np.concatenate([x, 200 + x])
    assert fit_family(FAMILIES["gamma"], wrong, draws=99).p_value == pytest.approx(0.01)


def test_intervals_of_quantiles_and_shares_hold_what_they_say() -> None:
    rng = np.random.default_rng(8)
    hits = shares = 0
    for _ in range(400):
        made = fit_family(FAMILIES["weibull"], rng.weibull(1.5, 60) * 10)
        i = made.quantile_interval(0.9)
        hits += i.contains(10 * math.log(10) ** (1 / 1.5))
        share, j = made.share_interval(upper=15.0)
        shares += j.contains(-math.expm1(-(1.5**1.5)))
        assert j.low < share < j.high
    assert hits / 400 == pytest.approx(0.95, abs=0.035)
    assert shares / 400 == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize("family", FAMILIES)
def test_functions_of_a_family_belong_together(family: str) -> None:
    p = {"exponential": (2.0,), "johnson_su": (0.3, 1.2, 1.0, 2.0), "johnson_sb": (0.3, 1.2, 1.0, 9.0)}.get(
        family, (1.5, 2.0)
    )
    f, e = FAMILIES[family], np.array(p)
    q = np.array([0.001, 0.2, 0.5, 0.9, 0.999])
    x = f.quantile(q, e)
    assert f.cdf(x, e) == pytest.approx(q)
    assert np.exp(f.log_sf(x, e)) == pytest.approx(1 - q)
    h = 1e-5
    slope = (f.cdf(x + h, e) - f.cdf(x - h, e)) / (2 * h)
    assert np.exp(f.log_density(x, e)) == pytest.approx(slope, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1000), st.integers(0, 10**6))
def test_a_change_of_unit_changes_scales_only(factor: float, seed: int) -> None:
    x = np.random.default_rng(seed).gamma(2.0, 1.0, 30)
    for name, scales in (("weibull", [1, factor]), ("gamma", [1, factor]), ("normal", [factor, factor])):
        one, other = (fit_family(FAMILIES[name], v) for v in (x, x * factor))
        assert other.estimate == pytest.approx(one.estimate * np.array(scales), rel=1e-8)
        assert other.anderson_darling == pytest.approx(one.anderson_darling, rel=1e-6)


def test_ranking_says_how_close_the_next_is_and_what_failed() -> None:
    x = np.random.default_rng(1).weibull(1.7, 150) * 10
    fit = perf.fit_distribution(x, draws=19)
    table = fit.ranking()
    assert table["aicc"].dropna().is_monotonic_increasing
    assert fit.best is fit.fits[0]
    assert "AICc" in fit.verdict
    assert table.iloc[0]["delta_aicc"] == 0
    assert set(fit.quantiles()["family"]) == {"empirical", *table["family"]}
    back = perf.DistributionFit.from_record(json.loads(json.dumps(fit.to_record())))
    assert back == fit
    assert len(fit.summary()) == 1
    mixed = perf.fit_distribution(np.concatenate([x, x + 500]), family=("normal", "weibull"))
    assert "none-fits" in mixed.caveat_codes
    assert "does not fit" in mixed.verdict
    negative = perf.fit_distribution([3.0, -1, 5, 8, 2, 9], family=("normal", "weibull"))
    assert "not-converged" in negative.caveat_codes
    assert "rounded" in perf.fit_distribution(np.round(x / 5), family="normal").caveat_codes


def test_dependence_widens_and_censoring_is_used() -> None:
    rng = np.random.default_rng(4)
    y = np.empty(200)
    y[0] = rng.normal()
    for t in range(1, 200):
        y[t] = 0.6 * y[t - 1] + 0.8 * rng.normal()
    when = np.datetime64("2024-01-01") + np.arange(200)
    plain = perf.fit_distribution(y, family="normal")
    wide = perf.fit_distribution(perf.Series(y, when=when), family="normal")
    assert wide["normal"].standard_error[0] > 1.5 * plain["normal"].standard_error[0]
    x = rng.exponential(10, 300)
    open_ = perf.fit_distribution(perf.Series(np.minimum(x, 12), censored=x > 12), family="exponential")
    assert open_["exponential"].estimate[0] == pytest.approx(10, rel=0.15)
    assert open_.n_censored > 50
    assert "censored" in open_["exponential"].p_how


def test_bad_input_is_an_error_that_says_why() -> None:
    with pytest.raises(perf.UnknownNameError, match="weibull"):
        perf.fit_distribution(Y, family="weibul")
    with pytest.raises(perf.InputError, match="every value is censored"):
        perf.fit_distribution(perf.Series(Y, censored=np.ones(12, dtype=bool)))
    with pytest.raises(perf.InputError, match="no value is left"):
        perf.fit_distribution([math.nan])
    with pytest.raises(perf.InputError, match="complete values"):
        perf.fit_distribution(perf.Series(Y, censored=OPEN), family="weibull", threshold="fit")
    with pytest.raises(perf.InputError, match="19 draws"):
        perf.fit_distribution(Y, draws=5)
    with pytest.raises(perf.UnknownNameError):
        perf.fit_distribution(Y)["cauchy"]
    with pytest.raises(perf.InputError, match="quantile"):
        perf.fit_distribution(Y, family="normal")["normal"].quantile(1.0)
    same = perf.fit_distribution([3.0] * 12, family=("normal", "gamma"))
    assert same.best is None
    assert "not-fitted" in same.caveat_codes


def test_equal_values_have_no_distribution() -> None:
    found = perf.fit_distribution([5.0] * 30)
    assert found.verdict.endswith("all 30 values are 5: no distribution describes that.")
    assert "zero-variance" in found.caveat_codes
