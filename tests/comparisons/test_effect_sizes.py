"""Effect sizes, deciles, seasons, stability, importance; bootstrap, Bayes and the other series methods."""

import json
import math

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.comparisons.effect_sizes import hedges_g, superiority
from perfanalytics.comparisons.methods.bayes import level_posterior

T = np.arange(60)
Y = np.round(
    20 + 0.05 * T + 2 * np.sin(T * 2.3) + 1.5 * np.cos(T * T / 7) + 0.8 * np.sin(T / 3) - 4 * (T >= 32), 4
)
A, B = Y[:32], Y[32:]
REAL = perf.Measure("load", definition="x", unit="jobs", better="lower", scale="real")


def days(values, start="2024-01-01"):
    when = np.datetime64(start) + np.arange(len(values))
    return perf.Series(values, measure=REAL, when=when, expected_every="day")


# --- effect sizes ------------------------------------------------------------------------------------------


def test_hedges_g_as_in_r():
    """tests/reference/comparisons_interrupted.R: noncentral t, exact correction."""
    e = perf.compare(A, B, order="none", scale="raw").effect("hedges_g")
    assert (e.estimate, e.low, e.high) == pytest.approx(
        (-1.48750445521, -2.05130261279, -0.913674842382), rel=1e-8
    )


def test_cliffs_delta_counts_pairs():
    c = perf.compare([1, 2, 2, 4, 5], [2, 3, 5, 6, 7], order="none", scale="raw")
    pairs = np.sign(np.subtract.outer([2, 3, 5, 6, 7], [1, 2, 2, 4, 5]))
    assert c.effect("cliffs_delta").estimate == pytest.approx(pairs.mean())
    assert c.effect("probability_of_superiority").estimate == pytest.approx((1 + pairs.mean()) / 2)


def test_no_overlap_keeps_an_interval_within_the_possible():
    p, low, high = superiority(np.arange(10.0), np.arange(20.0, 30.0), 0.95)
    assert (p, high) == (1.0, 1.0)
    assert low == pytest.approx(0.025 ** (1 / 10))
    assert superiority(np.ones(4), np.ones(5), 0.95)[0] == 0.5
    assert math.isnan(hedges_g(np.ones(5), np.ones(5), 0.95)[0])


def test_intervals_of_effect_sizes_hold_the_truth():
    """Independent normal values, d = 0.5: 95% intervals, 400 studies, three standard errors."""
    rng = np.random.default_rng(3)
    held = np.zeros(2)
    truth = 0.6381631951  # Phi(0.5 / sqrt 2)
    for _ in range(400):
        x, y = rng.standard_normal(25), 0.5 + rng.standard_normal(25)
        g, p = hedges_g(x, y, 0.95), superiority(x, y, 0.95)
        held += [g[1] <= 0.5 <= g[2], p[1] <= truth <= p[2]]
    assert (np.abs(held / 400 - 0.95) < 3 * np.sqrt(0.05 * 0.95 / 400)).all()


def test_under_correlation_the_interval_of_g_is_wider():
    rng = np.random.default_rng(2)
    y = rng.standard_normal(160)
    for t in range(1, 160):
        y[t] += 0.7 * y[t - 1]
    ordered = perf.compare(y[:80], y[80:], scale="raw").effect("hedges_g")
    naive = perf.compare(y[:80], y[80:], scale="raw", order="none").effect("hedges_g")
    assert ordered.high - ordered.low > 1.5 * (naive.high - naive.low)


def test_shares_have_cohens_h():
    share = perf.Measure("sla", definition="x", unit="1", better="higher", scale="proportion")
    c = perf.compare(
        perf.Series([70], sizes=[100], measure=share), perf.Series([80], sizes=[100], measure=share)
    )
    e = c.effect("cohens_h")
    assert e.estimate == pytest.approx(2 * math.asin(math.sqrt(0.8)) - 2 * math.asin(math.sqrt(0.7)))
    assert e.high - e.estimate == pytest.approx(1.959964 * math.sqrt(2 / 100), rel=1e-6)


# --- deciles -----------------------------------------------------------------------------------------------


def test_the_shift_at_each_decile():
    c = perf.compare(A, B, scale="raw")
    frame = c.shift_function()
    wanted = np.quantile(B, np.arange(1, 10) / 10) - np.quantile(A, np.arange(1, 10) / 10)
    assert frame["shift"].to_numpy() == pytest.approx(wanted)
    assert (frame["low"] <= frame["shift"]).all()
    assert (frame["shift"] <= frame["high"]).all()
    assert frame["decile"].tolist() == list(range(1, 10))
    other_tail = perf.compare(A, B, scale="raw", tail=0.95)
    assert len(other_tail.shift_function()) == 9


def test_a_stretched_tail_shows_in_the_upper_deciles_only():
    rng = np.random.default_rng(9)
    x, y = rng.uniform(0, 10, 400), rng.uniform(0, 10, 400)
    y[y > 7] += 3 * (y[y > 7] - 7)
    frame = perf.compare(x, y, order="none", scale="raw").shift_function()
    assert frame["low"].iloc[8] > 0
    assert frame["low"].iloc[2] < 0 < frame["high"].iloc[2]


# --- importance, stability, season -------------------------------------------------------------------------


def test_importance_against_the_margin():
    c = perf.compare(A, B, scale="raw", margin=1.0)
    assert c.importance == "important"
    assert "at least as large as the smallest effect of interest" in c.verdict
    assert perf.compare(A, B, scale="raw", margin=3.0).importance == "open"
    assert perf.compare(A, B, scale="raw", margin=30.0).importance == "unimportant"
    assert perf.compare(A, B, scale="raw").importance == ""


def test_an_unstable_side_is_said():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(60), rng.standard_normal(60)
    y[30] += 9
    c = perf.compare(x, y, scale="raw")
    assert "not-stable" in c.caveat_codes
    assert (c.before.stable, c.after.stable) == (True, False)
    caveat = next(k for k in c.caveats if k.code == "not-stable")
    assert caveat.evidence["side"] == "after"


def test_correlation_alone_is_not_unstable():
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(40):
        y = rng.standard_normal(120)
        for t in range(1, 120):
            y[t] += 0.6 * y[t - 1]
        found += "not-stable" in perf.compare(y[:60], y[60:], scale="raw").caveat_codes
    assert found <= 8  # about 5% expected; raw individuals charts signal on most of these


def test_natural_limits_of_each_side():
    c = perf.compare(A, B, scale="raw")
    half = 3 * np.abs(np.diff(A)).mean() * math.sqrt(math.pi) / 2
    assert c.before.upper_limit == pytest.approx(A.mean() + half)
    assert c.before.lower_limit == pytest.approx(A.mean() - half)


def test_a_season_is_named_and_can_be_taken_out():
    rng = np.random.default_rng(7)
    y = rng.standard_normal(140) + 3 * (np.arange(140) % 7 >= 5) - 1.2 * (np.arange(140) >= 70)
    s = days(y)
    plain = perf.compare(s.take(0, 70), s.take(70))
    caveat = next(c for c in plain.caveats if c.code == "seasonal")
    assert "season='weekday'" in caveat.text
    taken = perf.compare(s.take(0, 70), s.take(70), season="weekday")
    assert "seasonal" not in taken.caveat_codes
    assert taken.outcome == "detected"
    width = taken.primary.high - taken.primary.low
    assert width < 0.7 * (plain.primary.high - plain.primary.low)


def months(values, start="2020-01"):
    when = (np.datetime64(start, "M") + np.arange(len(values))).astype("datetime64[D]")
    return perf.Series(values, measure=REAL, when=when, expected_every="month")


def test_a_yearly_wave_is_found_in_two_years_before_and_one_after():
    """Simulated: found in 80% of such series and more, where there is none in about 1%."""
    rng = np.random.default_rng(3)
    found = {True: 0, False: 0}
    for _ in range(40):
        noise = rng.standard_normal(36)
        for waved in found:
            s = months(noise + waved * 1.5 * np.cos(np.arange(36) * np.pi / 6))
            found[waved] += "seasonal" in perf.compare(s.take(0, 24), s.take(24), scale="raw").caveat_codes
    assert found[True] >= 28
    assert found[False] <= 3


def test_the_season_test_is_the_f_test_of_least_squares_without_correlation():
    """With rho at 0 the statistic is the textbook one; R: anova(lm(y ~ side), lm(y ~ side + season))."""
    from perfanalytics.comparisons.seasons import season_columns, season_test

    rng = np.random.default_rng(9)
    n = 3000
    y = rng.standard_normal(n)
    when = np.datetime64("2020-01-01") + np.arange(n)
    base = np.column_stack([np.arange(n) < 1500, np.arange(n) >= 1500]).astype(float)
    terms = season_columns(when, "weekday")
    gap = np.full(n, np.inf)  # no neighbours: nothing to correlate with
    found = season_test(y, base, terms, gap=gap)
    whole = np.column_stack([base, terms])
    rss = [float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum()) for x in (base, whole)]
    assert found.statistic == pytest.approx((rss[0] - rss[1]) / 6 / (rss[1] / (n - 8)), rel=1e-8)


def test_the_season_test_is_that_of_nlme():
    """tests/reference/comparisons_seasons.R: Wald F of the months in gls(corAR1), REML."""
    from perfanalytics.comparisons.seasons import season_columns, season_test

    y = np.round(
        20
        + 2 * np.sin(T * 2.3)
        + 1.5 * np.cos(T * T / 7)
        + 0.8 * np.sin(T / 3)
        + 2 * np.cos(2 * np.pi * T / 12)
        - 4 * (T >= 32),
        4,
    )
    base = np.column_stack([T < 32, T >= 32]).astype(float)
    found = season_test(y, base, season_columns(months(y).when, "month"), gap=np.r_[np.inf, np.ones(59)])
    assert found.statistic == pytest.approx(4.2701632306, rel=1e-5)
    assert 12 < found.df < 47


def test_seasonal_levels_equal_dummies_in_least_squares_without_correlation():
    """With balanced weekdays the level change is the plain difference of means."""
    rng = np.random.default_rng(4)
    s = days(rng.standard_normal(140) + np.tile([0, 1, 2, 3, 4, 5, 6], 20))
    c = perf.compare(s.take(0, 70), s.take(70), season="weekday")
    assert c.primary.estimate == pytest.approx(s.values[70:].mean() - s.values[:70].mean(), abs=0.05)


def test_misuse_of_season():
    s = days(np.random.default_rng(1).standard_normal(60))
    with pytest.raises(perf.UnknownNameError):
        perf.compare(s.take(0, 30), s.take(30), season="week")
    with pytest.raises(perf.InputError, match="no seasonal terms"):
        perf.compare(s.take(0, 30), s.take(30), season="weekday", method="welch")
    with pytest.raises(perf.InputError, match="needs times"):
        perf.compare(A, B, season="weekday")
    with pytest.raises(perf.InputError, match="told apart"):
        perf.compare(s.take(0, 30), s.take(40), season="month")


# --- methods -----------------------------------------------------------------------------------------------


def test_newey_west_as_in_r():
    """sandwich::NeweyWest(lag = 3, prewhite = FALSE, adjust = TRUE)."""
    e = perf.compare(A, B, scale="raw", method="newey_west").primary
    assert (e.estimate, e.estimate / e.statistic) == pytest.approx((-2.90075044643, 0.545596558347), rel=1e-9)


@pytest.mark.parametrize("method", ["ar1_ranks", "ewc_welch", "effective_n_welch", "newey_west"])
def test_series_methods_need_order_and_answer(method):
    c = perf.compare(A, B, scale="raw", method=method)
    assert c.outcome in ("detected", "not_attributable")
    assert c.method.name == method
    with pytest.raises(perf.InputError, match="order"):
        perf.compare(A, B, scale="raw", method=method, order="none")
    assert perf.Comparison.from_record(json.loads(json.dumps(c.to_record()))) == c


def test_ewc_by_name_is_the_companion():
    c = perf.compare(A, B, scale="raw")
    companion = next(e for e in c.effects if "EWC" in e.method)
    named = perf.compare(A, B, scale="raw", method="ewc_welch").primary
    assert (named.low, named.high, named.p_value) == (companion.low, companion.high, companion.p_value)


def test_bootstrap_of_any_statistic():
    def span(values):
        return float(np.ptp(values))

    named = perf.compare(A, B, order="none", method="bootstrap", options={"statistic": "p75"})
    assert named.primary.quantity == "difference_of_p75"
    assert named.primary.estimate == pytest.approx(np.quantile(B, 0.75) - np.quantile(A, 0.75))
    own = perf.compare(A, B, order="none", method="bootstrap", options={"statistic": span, "resamples": 199})
    assert own.primary.quantity == "difference_of_span"
    assert own.method.parameters["options"]["statistic"] == "span"
    assert perf.Comparison.from_record(json.loads(json.dumps(own.to_record()))) == own
    with pytest.raises(perf.UnknownNameError, match="median"):
        perf.compare(A, B, method="bootstrap", options={"statistic": "medain"})
    with pytest.raises(perf.InputError, match="needs a name"):
        perf.compare(A, B, method="bootstrap", options={"statistic": lambda v: 1.0})
    with pytest.raises(perf.InputError, match="at least 8"):
        perf.compare(A[:5], B, method="bootstrap")


def test_bootstrap_of_the_mean_agrees_with_welch_and_is_seeded():
    b = perf.compare(A, B, order="none", scale="raw", method="bootstrap", rng=1)
    w = perf.compare(A, B, order="none", scale="raw")
    assert (b.primary.low, b.primary.high) == pytest.approx((w.primary.low, w.primary.high), abs=0.15)
    assert perf.compare(A, B, order="none", scale="raw", method="bootstrap", rng=1) == b
    assert "block-bootstrap" in perf.compare(A, B, scale="raw", method="bootstrap").caveat_codes


def test_bayes_without_order_is_the_behrens_fisher_posterior():
    """With the prior of the effect nearly flat it is Welch's interval, a little wider."""
    c = perf.compare(A, B, order="none", scale="raw", method="bayes")
    w = perf.compare(A, B, order="none", scale="raw").primary
    assert c.primary.estimate == pytest.approx(w.estimate, abs=0.12)
    assert c.primary.high - c.primary.low == pytest.approx(w.high - w.low, rel=0.06)
    assert c.outcome == "detected"
    assert "posterior" in c.verdict
    assert math.isnan(c.primary.p_value)


def test_posterior_is_a_distribution():
    y = np.concatenate([A, B])
    after = np.arange(60) >= 32
    gap = np.r_[np.inf, np.ones(59)]
    p = level_posterior(y, after, gap, None, correlated=True)
    assert (np.diff(p.cumulative) >= 0).all()
    assert (p.cumulative[0], p.cumulative[-1]) == (0.0, 1.0)
    # the grid reaches far beyond the posterior
    assert p.below(p.quantile(0.975)) == pytest.approx(0.975)
    assert p.quantile(0.975) - p.quantile(0.025) < 0.2 * (p.at[-1] - p.at[0])


def test_rope_decides():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal(200), rng.standard_normal(200) + 0.1
    assert perf.compare(x, y, method="bayes", scale="raw", margin=1.0).outcome == "equivalent"
    wide = perf.compare(x, y + 3, method="bayes", scale="raw", margin=1.0)
    assert wide.outcome == "detected"
    inside = wide.effect("posterior_probability_of_lying_within_the_margin").estimate
    assert inside < 1e-6
    better = perf.compare(days(x), days(y - 1, "2025-01-01"), method="bayes")
    assert better.effect("posterior_probability_of_being_better").estimate > 0.99
    with pytest.raises(perf.InputError, match="at least 8"):
        perf.compare(x[:4], y, method="bayes")


@pytest.mark.parametrize("rho", [0.0, pytest.param(0.6, marks=pytest.mark.slow)])
def test_coverage_of_the_posterior_interval(rho):
    """AR(1), 30 a side, 150 studies: 95% intervals, three standard errors."""
    rng = np.random.default_rng(8)
    after = np.arange(60) >= 30
    gap = np.r_[np.inf, np.ones(59)]
    held = 0
    for _ in range(150):
        y = rng.standard_normal(60)
        for t in range(1, 60):
            y[t] = rho * y[t - 1] + math.sqrt(1 - rho**2) * y[t]
        p = level_posterior(y, after, gap, None, correlated=True)
        held += p.quantile(0.025) <= 0 <= p.quantile(0.975)
    assert abs(held / 150 - 0.95) < 3 * math.sqrt(0.05 * 0.95 / 150)
