"""Power and sample size against R (power.t.test, power.prop.test, power.anova.test) and by simulation."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import perfanalytics as perf
from perfanalytics.comparisons.known_correlation import equivalent_ar1
from perfanalytics.comparisons.noncentral import nct_cdf, noncentrality_interval

#: tests/reference/comparisons_interrupted.R; test, arguments, power
R_POWERS = [
    ("student", {"effect": 0.5, "n": 64}, 0.801459557922),
    ("paired_t", {"effect": 0.6, "n": 20}, 0.72100509956),
    ("one_sample_t", {"effect": 0.6, "n": 20}, 0.72100509956),
    ("two_proportions", {"effect": 0.1, "before": 0.7, "n": 200}, 0.637510819958),
    ("anova", {"effect": 0.25, "n": 18, "groups": 4}, 0.379330896689),
    ("tost", {"effect": 0.0, "margin": 0.5, "n": 50}, 0.597872328301),
    ("tost", {"effect": 0.0, "margin": 0.5, "n": 100}, 0.939695787915),
]


@pytest.mark.parametrize(("test", "kw", "expected"), R_POWERS)
def test_power_as_in_r(test, kw, expected):
    assert perf.power(test, **kw).power == pytest.approx(expected, abs=5e-10)


def test_sizes_and_effects_as_in_r():
    assert perf.sample_size("two_proportions", effect=0.1, before=0.7).n_after == 294  # 293.15
    assert perf.sample_size("student", effect=0.5).n_after == 64  # 63.77
    assert perf.minimum_detectable_effect("student", n=64).effect == pytest.approx(
        0.499068733651, rel=1e-5
    )  # uniroot


def test_autocorrelation_stretches_the_pilot():
    """COMPARE.md: d = 0.5 needs 64, 96, 149, 256 periods a side; 64 throughout have 80, 60, 43, 28% power."""
    rhos = (0.0, 0.2, 0.4, 0.6)
    sizes = [perf.sample_size("ar1_level_change", effect=0.5, rho=r).n_after for r in rhos]
    assert sizes == [64, 96, 149, 256]
    powers = [perf.power("ar1_level_change", effect=0.5, n=64, rho=r).power for r in rhos]
    assert [round(p, 2) for p in powers] == pytest.approx([0.80, 0.63, 0.44, 0.26], abs=0.03)


def test_how_many_weeks_must_the_pilot_run():
    plan = perf.sample_size("ar1_level_change", effect=0.8, rho=0.4, n_before=100, every="week")
    assert plan.verdict.startswith(
        "To detect 0.8 with 81% power, 43 weeks after the change (beside 100 before)"
    )
    short = perf.power("ar1_level_change", effect=0.8, rho=0.4, n_before=100, n=42)
    assert short.power < 0.8 <= plan.power
    with pytest.raises(perf.InputError, match="no number of values after"):
        perf.sample_size("ar1_level_change", effect=0.2, rho=0.4, n_before=50)


def test_noether_and_rates_by_hand():
    z = special.ndtri(0.975) + special.ndtri(0.8)
    assert perf.sample_size("mann_whitney", effect=0.64).n_after == np.ceil(z**2 / (6 * 0.14**2))
    # two Poisson rates, equal exposure: z_a sqrt(2 mean) + z_b sqrt(a + b) = |b - a| sqrt(t)
    a, b = 2.0, 1.6
    t = (special.ndtri(0.975) * np.sqrt(a + b) + special.ndtri(0.8) * np.sqrt(a + b)) ** 2 / (a - b) ** 2
    assert perf.sample_size("poisson_rates", effect=0.8, before=2.0).n_after == pytest.approx(
        t, rel=1e-5
    )  # both tails here


def test_welch_with_unequal_spread_by_simulation():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((4000, 30)), 0.8 + 2 * rng.standard_normal((4000, 15))
    v1, v2 = x.var(1, ddof=1) / 30, y.var(1, ddof=1) / 15
    df = (v1 + v2) ** 2 / (v1**2 / 29 + v2**2 / 14)
    p = 2 * special.stdtr(df, -np.abs(y.mean(1) - x.mean(1)) / np.sqrt(v1 + v2))
    found = perf.power("welch", effect=0.8, n=15, n_before=30, sd_ratio=2.0).power
    assert found == pytest.approx(float((p < 0.05).mean()), abs=3 * np.sqrt(0.25 / 4000))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 2.0), st.floats(0.3, 0.95), st.floats(0.0, 0.7))
def test_the_size_found_is_the_smallest_that_reaches_the_power(effect, wanted, rho):
    plan = perf.sample_size("student", effect=effect, power=wanted, rho=rho)
    assert plan.power >= wanted - 1e-9
    fewer = plan.n_after - 1
    if fewer * (1 - rho) / (1 + rho) > 2:
        assert perf.power("student", effect=effect, n=fewer, rho=rho).power < wanted + 1e-9


@pytest.mark.parametrize("test", ["student", "mann_whitney", "two_proportions", "poisson_rates", "anova"])
def test_effect_and_power_are_inverse(test):
    more = {"two_proportions": {"before": 0.5}, "poisson_rates": {"before": 2.0}, "anova": {"groups": 3}}
    found = perf.minimum_detectable_effect(test, n=60, **more.get(test, {}))
    again = perf.power(test, effect=found.effect, n=60, **more.get(test, {}))
    assert again.power == pytest.approx(0.8, abs=1e-9)


def test_curves_frame_and_record():
    plan = perf.power("student", effect=0.5, n=64)
    assert plan.power_at_effect[0] == pytest.approx(0.05)  # no effect: the false-alarm rate
    assert (np.diff(plan.power_at_effect) > -1e-12).all()
    assert (np.diff(plan.power_at_n) > -1e-12).all()
    frame = plan.to_frame()
    assert list(frame.columns) == ["curve", "at", "power", "missed"]
    assert len(plan.summary()) == 1
    assert perf.Power.from_record(json.loads(json.dumps(plan.to_record()))) == plan
    assert len(perf.plot(plan).data) == 4


def test_noncentral_t_against_r():
    """R pt(q, df, ncp), which loses its last digits; scipy agrees to 1e-12."""
    assert nct_cdf(2.0, 10, 1.0) == pytest.approx(0.80761156253, abs=1e-11)
    assert nct_cdf(-3.0, 5, 2.0) == pytest.approx(6.7331885e-05, rel=1e-7)
    assert nct_cdf(30.0, 100, 28.0) == pytest.approx(0.7934882033867, abs=1e-11)
    low, high = noncentrality_interval(2.5, 18, 0.95)
    assert (low, high) == pytest.approx((0.34943464642, 4.5915204315), rel=1e-9)
    assert nct_cdf(5.0, 20, 80.0) == 0.0  # far out: a number, not NaN


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: perf.power("studnt", effect=1, n=9), perf.UnknownNameError, "student"),
        (lambda: perf.power("student", effect=0, n=9), perf.InputError, "no effect"),
        (lambda: perf.power("student", effect=1, n=-1), perf.InputError, "positive"),
        (lambda: perf.power("two_proportions", effect=0.1, n=9), perf.InputError, "before="),
        (
            lambda: perf.power("two_proportions", effect=0.5, n=9, before=0.7),
            perf.InputError,
            "cannot change",
        ),
        (lambda: perf.power("tost", effect=0, n=9), perf.InputError, "margin="),
        (lambda: perf.power("tost", effect=2, n=9, margin=1), perf.InputError, "outside the margin"),
        (lambda: perf.power("student", effect=1, n=9, margin=1), perf.InputError, "does not belong"),
        (lambda: perf.power("paired_t", effect=1, n=9, n_before=3), perf.InputError, "two sides"),
        (lambda: perf.power("student", effect=1, n=9, rho=1.0), perf.InputError, "rho"),
        (lambda: perf.sample_size("student", effect=1, power=0.01), perf.InputError, "power="),
        (lambda: perf.minimum_detectable_effect("tost", n=9), perf.InputError, "no effect"),
        (lambda: perf.power("student", effect=1, n=9, sd_ratio=2), perf.InputError, "welch"),
    ],
)
def test_misuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


# --- the correlation of a stored result ---------------------------------------------------------------------


def correlated(n=160):
    rng = np.random.default_rng(4)
    x = np.zeros(n)
    for t in range(1, n):
        x[t] = 0.4 * x[t - 1] + 0.45 * rng.standard_normal()
    hours = perf.Measure("hours", definition="x", unit="h", better="lower", scale="duration")
    when = np.datetime64("2024-01-01") + np.arange(n)
    return perf.Series(np.exp(3 + x), measure=hours, when=when, expected_every="day")


def test_a_stored_baseline_and_a_comparison_know_the_correlation(tmp_path):
    series = correlated()
    made = perf.baseline(series)
    with perf.Repository.open(tmp_path / "p.duckdb") as repo:
        repo.save(made, name="hours before", by="ana")
        stored = repo.result("hours before")
    plan = perf.sample_size("ar1_level_change", effect=0.5, rho=stored, every="day")
    r = made.method.parameters["lag1_used"]
    assert plan.rho == r > 0.3
    assert plan.n_after == perf.sample_size("ar1_level_change", effect=0.5, rho=r).n_after
    assert plan.method.parameters["rho_from"] == "baseline of hours"
    assert plan.caveats == ()
    c = perf.compare(series.take(0, 80), series.take(80))
    other = perf.minimum_detectable_effect("ar1_level_change", n=80, rho=c)
    fitted = c.method.parameters
    assert other.rho == equivalent_ar1(fitted["rho"], fitted["noise_share"])
    for known in (made, c):
        weekly = perf.power("ar1_level_change", effect=0.5, n=80, rho=known, every="week")
        assert weekly.caveat_codes == ("other-periods",)


def test_noise_counts_as_the_ar1_correlation_of_the_same_long_run_variance():
    rho, noise = 0.9, 0.4
    r = equivalent_ar1(rho, noise)
    n = 20_000
    k = np.arange(1, n)
    factor = 1 + 2 * ((1 - k / n) * (1 - noise) * rho**k).sum()
    assert (1 + r) / (1 - r) == pytest.approx(factor, rel=1e-2)


def test_results_without_correlation_are_refused():
    series = correlated()
    with pytest.raises(perf.InputError, match="as independent"):
        perf.power("student", effect=0.5, n=30, rho=perf.baseline(series, dependence="independent"))
    plan = perf.power("student", effect=0.5, n=30)
    for wrong, told in ((plan, "knows no correlation"), ("0.4", "got str"), (True, "got bool")):
        with pytest.raises(perf.InputError, match=told):
            perf.power("student", effect=0.5, n=30, rho=wrong)
